"""Event expressions of compiled rulesets against the recorded behaviour of the existing engine."""

import json
from pathlib import Path
from typing import Any

import pytest

from pico_engine.errors import EngineError
from pico_engine.krl import KrlSyntaxError, compile_ruleset
from tests.engine.expressions.test_krl_cases import DIFFERENCES
from tests.engine.krl.picos import Krl

DATA = Path(__file__).parents[2] / "data" / "expressions" / "krl.json"
CASES = json.loads(DATA.read_text("utf-8"))["cases"]
"""The same recording as in tests/engine/expressions, where the machine alone is tested against it."""


def source(case: dict[str, Any]) -> str:
    options = ", ".join(f'"{name}": {name}' for name in case["vars"])
    return f'ruleset t {{ rule r {{ select {case["select"]} send_directive("fired", {{{options}}}) }} }}'


def runs(case: dict[str, Any]) -> list[Any]:
    krl = Krl(source(case))
    fires: list[Any] = []
    for index, (domain, kind, attrs, *time) in enumerate(case["events"]):
        krl.bench.clock.now = time[0] if time and time[0] is not None else 1_000_000 + index
        options = krl.options(f"{domain}:{kind}", attrs)
        if options:
            fires.append([index, options])
    return fires


@pytest.mark.parametrize("case", [c for c in CASES if "compile_error" not in c], ids=lambda case: case["id"])
def test_fires_as_recorded_or_better(case: dict[str, Any]) -> None:
    _, ours = DIFFERENCES.get(case["id"], ("", case["fires"]))
    assert runs(case) == ours


@pytest.mark.parametrize("case", [c for c in CASES if "compile_error" in c], ids=lambda case: case["id"])
def test_refuses_what_the_existing_engine_refuses(case: dict[str, Any]) -> None:
    with pytest.raises((KrlSyntaxError, EngineError)):
        compile_ruleset(source(case))
