"""Whole rulesets against what the existing engine answered, step by step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pico_engine.channels import ALLOW_ALL
from pico_engine.errors import EngineError
from pico_engine.krl import KrlSyntaxError
from pico_engine.values import thaw
from tests.engine.krl.picos import Krl

CASES = json.loads((Path(__file__).parent / "data" / "rulesets.json").read_text("utf-8"))["cases"]

OWN_WORDS = "the same error, said in other words"
NO_DATA = "`error` without a value gives system:error its data as null, not as nothing"
LATER_FIRST = "attributes are told in the order in which the rule reads them"
FUNCTION = "a module's function that is not called gives what a call without arguments gives, not a promise"
SOONEST = "the schedule is told soonest first"
CALLER = "the event goes on for other rules; the failed rule is told in the log and by system:error"

DIFFERENCES: dict[tuple[str, int], str] = {
    ("last-error", 4): NO_DATA,
    ("testing", 0): LATER_FIRST,
    ("modules", 3): FUNCTION,
    ("schedule", 3): SOONEST,
}
"""(case, step): why ours answers otherwise. Errors of rules are always CALLER."""


class Recorded:
    """A pico with the rulesets of a case, reached over a channel that allows all."""

    def __init__(self, case: dict[str, Any], **limits: int) -> None:
        self.krl = Krl(*case["rulesets"], **limits)
        self.eci = self.krl.bench.operate(
            self.krl.did,
            lambda pico: pico.engine.family.new_channel(pico, (), ALLOW_ALL, ALLOW_ALL, ("http",)).eci,
        )

    def step(self, kind: str, *arguments: Any) -> Any:
        bench = self.krl.bench
        errors = len(self.krl.errors)
        if kind == "query":
            try:
                return bench.query(self.eci, *arguments, door="http")
            except EngineError as error:
                return {"error": error.what}
        answer = bench.event(self.eci, *arguments, door="http")
        failed = [text for text in self.krl.errors[errors:] if text.startswith("rule ")]
        if failed:
            return {"error": failed[0]}
        return [[one["name"], thaw(one["options"]), one["meta"]["rule_name"]] for one in answer.directives]


def is_error(answer: Any) -> bool:
    return isinstance(answer, dict) and set(answer) == {"error"}


@pytest.mark.parametrize("items", [32, 1], ids=["small values in one row", "a row per element"])
@pytest.mark.parametrize("case", [one for one in CASES if "steps" in one], ids=lambda case: case["id"])
def test_answers_as_recorded_or_better(case: dict[str, Any], items: int) -> None:
    recorded = Recorded(case, inline_items_max=items)
    for number, (*step, expected) in enumerate(case["steps"]):
        answer = recorded.step(*step)
        if is_error(expected):
            assert is_error(answer), (number, step, answer)
        elif (case["id"], number) in DIFFERENCES:
            assert answer != expected or str(answer) != str(expected), "no difference any more"
        else:
            assert json.dumps(answer) == json.dumps(expected), (number, step)


@pytest.mark.parametrize("case", [one for one in CASES if "refused" in one], ids=lambda case: case["id"])
def test_refuses_what_the_existing_engine_refuses(case: dict[str, Any]) -> None:
    with pytest.raises(KrlSyntaxError):
        Krl(*case["rulesets"])
