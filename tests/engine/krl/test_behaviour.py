"""What KRL means, as the existing engine answered it: small rulesets, from expressions to whole programs.

Cases of data/behaviour.json stand beside those of rulesets.json; an error of a rule or query has to say what
that engine said, and each answer that differs is there with its reason.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engine.krl.test_rulesets import Recorded, is_error

CASES = json.loads((Path(__file__).parent / "data" / "behaviour.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("items", [32, 1], ids=["small values in one row", "a row per element"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_answers_as_the_existing_engine(case: dict[str, Any], items: int) -> None:
    recorded = Recorded(case, inline_items_max=items)
    for number, (*step, expected) in enumerate(case["steps"]):
        answer = recorded.step(*step)
        instead = case.get("instead", {}).get(str(number))
        if instead is not None and "ours" in instead:
            expected = instead["ours"]
        if is_error(expected):
            assert is_error(answer), (number, step, answer)
            assert instead is not None or expected["error"] in answer["error"], (number, step)
        else:
            assert json.dumps(answer) == json.dumps(expected), (number, step)


def test_each_difference_is_one() -> None:
    for case in CASES:
        for number, instead in case.get("instead", {}).items():
            assert instead["why"]
            theirs = case["steps"][int(number)][-1]
            assert json.dumps(instead.get("ours")) != json.dumps(theirs), (case["id"], number)
