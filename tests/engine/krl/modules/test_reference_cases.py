"""`math` and `time` against recorded answers of the modules of pico-engine-core."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pico_engine.krl.errors import KrlRuntimeError
from pico_engine.krl.modules import math, time
from tests.engine.krl.helpers import CountingRun

DATA = Path(__file__).parents[1] / "data"
CASES = [
    case
    for file in ("modules.json", "modules_drawn.json")
    for case in json.loads((DATA / file).read_text())["cases"]
]
MODULES = {"math": math.MEMBERS, "time": time.MEMBERS}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['op']} {case['args']!a}")
def test_answers_are_those_of_the_reference(case: dict[str, Any]) -> None:
    module, name = case["op"].split(":")
    run = CountingRun()

    def answer() -> Any:
        return run.call(MODULES[module][name].invocable(case["op"]), case["args"])

    if "error" in case:
        with pytest.raises(KrlRuntimeError) as caught:
            answer()
        assert str(caught.value) == case["error"]
    else:
        assert answer() == case["result"]
