"""Expressions drawn at random, against what the existing engine answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pico_engine.errors import EngineError
from tests.engine.krl.picos import Krl, ruleset

DATA = json.loads((Path(__file__).parent / "data" / "expressions.json").read_text("utf-8"))
BATCH = 50
CASES = [DATA["cases"][at : at + BATCH] for at in range(0, len(DATA["cases"]), BATCH)]


@pytest.mark.parametrize("cases", CASES, ids=range(len(CASES)))
def test_each_gives_what_was_recorded(cases: list[tuple[str, Any]]) -> None:
    functions = " ".join(f"e{number} = function(){{ {one} }}" for number, (one, _) in enumerate(cases))
    names = ", ".join(f"e{number}" for number in range(len(cases)))
    krl = Krl(ruleset(f"global {{ {DATA['global']} {functions} }}", f"shares {names}"))
    for number, (expression, expected) in enumerate(cases):
        try:
            answer = krl.query(f"e{number}")
        except EngineError as error:
            answer = {"error": error.what}
        if isinstance(expected, dict) and set(expected) == {"error"}:
            assert expected["error"] in answer["error"], expression
        else:
            assert json.dumps(answer) == json.dumps(expected), expression
