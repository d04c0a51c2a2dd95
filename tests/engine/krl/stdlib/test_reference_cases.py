"""What krl-stdlib 1.3.0 answers, to the arguments of its own tests and to others drawn at random.

`drawn` cases were answered by krl-stdlib itself, run in Node.js.
"""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path
from typing import Any

import pytest

from pico_engine.krl.errors import KrlRuntimeError
from pico_engine.krl.numbers import number
from pico_engine.krl.stdlib import FUNCTIONS, OPERATORS, PARAMETERS
from pico_engine.krl.values import UNDEFINED, Action, typeof
from pico_engine.regex import compile_regex
from tests.engine.krl.helpers import NAMED_FUNCTIONS, CountingRun, exact, function

DATA = Path(__file__).parents[1] / "data"
CASES = json.loads((DATA / "stdlib.json").read_text())["cases"]
DRAWN = json.loads((DATA / "stdlib_drawn.json").read_text())["cases"]


def never() -> None:
    raise AssertionError("must not be called")


def up(a: Any, b: Any) -> int:
    return (a > b) - (a < b)


WRITTEN_IN_JAVASCRIPT: dict[int, Any] = {
    65: function(never),
    66: Action("", (), never),
    147: function(never),
    177: Action("", (), never),
    273: function(lambda found: str(int(found) * 2)),
    274: function(lambda found, group, offset, text: str(int(found) * 2)),
    279: function(lambda x: x > 3),
    280: function(lambda x: x > 10),
    286: function(lambda x: x > 10),
    298: function(lambda x: x > 10),
    318: function(lambda a: "x" if a < 5 else "y"),
    329: function(lambda x: x < 5),
    331: function(lambda x: x > 5),
    332: function(lambda x: x % 2 != 0),
    333: function(lambda value, key: key == "b"),
    369: function(lambda x: x + 2),
    371: function(never),
    375: function(lambda value, key: f"{value}{key}"),
    376: function(lambda x, y: x + y),
    384: function(never),
    385: function(lambda x, y: [x, y]),
    389: function(lambda x, y: x + y),
    392: function(never),
    393: function(never),
    550: function(lambda a, b: -up(a, b)),
    554: function(up),
}
"""The functions of the cases, by the cases' ids; those that are no KRL functions are plain objects."""


def read(case: int | None, data: Any) -> Any:
    """A value of the table: markers stand for what JSON does not have."""
    if isinstance(data, list):
        return [read(case, item) for item in data]
    if not isinstance(data, dict):
        return number(data) if type(data) in {int, float} else data
    match data.get("$"):
        case "undef":
            return UNDEFINED
        case "nan":
            return math.nan
        case "inf" | "ninf" as name:
            return math.inf if name == "inf" else -math.inf
        case "negzero":
            return 0
        case "re":
            return compile_regex("" if data["source"] == "(?:)" else data["source"], data["flags"])
        case "fn" if case is None:
            return NAMED_FUNCTIONS[data["name"]]
        case "fn":
            return object() if data["krl"] is None else WRITTEN_IN_JAVASCRIPT[case]
    return {key: read(case, item) for key, item in data.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']}-{case['op']}")
def test_case(case: dict[str, Any]) -> None:
    check(case, case["id"])


@pytest.mark.parametrize("name", sorted({case["op"] for case in DRAWN}))
def test_drawn_cases(name: str) -> None:
    """By operator, and not one by one: there are a thousand."""
    for case in DRAWN:
        if case["op"] == name:
            check(case, None)


def check(case: dict[str, Any], id: int | None) -> None:
    args = [read(id, data) for data in case["args"]]
    operator = OPERATORS[case["op"]]
    if "error" in case:
        with pytest.raises(KrlRuntimeError) as caught:
            operator(CountingRun(), *args)
        assert str(caught.value) == case["error"], case
    else:
        assert exact(operator(CountingRun(), *args)) == exact(read(id, case["expected"])), case


def test_all_operators_are_here() -> None:
    named = (
        "+ - * / % == != <=> < > <= >= >< like cmp as isnull typeof klog sprintf defaultsTo shiftRight "
        "shiftLeft band bor bxor bnot chr range capitalize decode extract lc uc match ord split substr "
        "trimLeading trimTrailing trim startsWith endsWith contains replace all notall any none append "
        "collect filter map head tail index join length isEmpty pairwise reduce reverse slice splice "
        "delete encode keys values intersection union difference has once duplicates unique put sort get "
        "set noop"
    )
    assert set(named.split()) == set(OPERATORS) == set(PARAMETERS) == set(FUNCTIONS)


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_takes_the_parameters_that_it_says(name: str) -> None:
    operator, names = OPERATORS[name], PARAMETERS[name]
    signature = inspect.signature(operator)
    for count in range(len(names) + 1):
        signature.bind(CountingRun(), *range(count))
    if name != "append":
        with pytest.raises(TypeError):
            signature.bind(CountingRun(), *range(len(names) + 1))
    assert FUNCTIONS[name].body is operator
    assert typeof(FUNCTIONS[name]) == ("ActionFunction" if name == "noop" else "Function")
