"""Parts, sizes, and joining of arrays."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.errors import KrlLimitExceeded, KrlRuntimeError
from pico_engine.krl.stdlib import OPERATORS
from pico_engine.krl.values import UNDEFINED
from pico_engine.regex import compile_regex
from pico_engine.values import FrozenList
from tests.engine.krl.helpers import NAMED_FUNCTIONS, CountingRun, exact, operate

RUN = CountingRun(10**9, 10**9)


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("append", [], []),
        ("append", [UNDEFINED], [UNDEFINED]),
        ("append", [[1], [[2]], 3, {}], [1, [2], 3, {}]),
        ("head", [[]], UNDEFINED),
        ("head", [{"a": 1}], {"a": 1}),
        ("tail", [[1]], []),
        ("tail", ["ab"], []),
        ("index", [[1, "1", [2]], [2]], 2),
        ("index", [[True], 1], -1),
        ("join", [[1, None, [2], "a"], None], "1,null,[Array],a"),
        ("join", [["a", "b"], 0], "a0b"),
        ("join", ["text", "-"], "text"),
        ("length", ["\U0001f600e\u0301"], 3),
        ("length", [{"length": 5}], 1),
        ("length", [5], 0),
        ("isEmpty", [{}], True),
        ("isEmpty", [{"length": 0}], False),
        ("isEmpty", [5], True),
        ("isEmpty", [compile_regex("a")], True),
        ("isEmpty", [NAMED_FUNCTIONS["id"]], False),
        ("isEmpty", [math.inf], True),
        ("reverse", [[1, 2, UNDEFINED]], [UNDEFINED, 2, 1]),
        ("slice", [[1, 2, 3], 1], [1, 2]),
        ("slice", [[1, 2, 3], -2], [1, 2]),
        ("slice", [[1, 2, 3], 4], []),
        ("slice", [[1, 2, 3], 2, 1], [2, 3]),
        ("slice", [[1, 2, 3], 0, 3], []),
        ("slice", [[1, 2, 3], "0x" + "f" * 300], []),
        ("slice", [[1, 2, 3], 0.5, 1.5], [1, 2]),
        ("splice", [[1, 2, 3], 1, 1, [[8], 9]], [1, [8], 9, 3]),
        ("splice", [[1, 2, 3], 9, 1], [1, 2]),
        ("splice", [[1, 2, 3], 1, -1], [1]),
        ("splice", [[], 1, 1, 5], []),
        ("splice", [[1, 2, 3], 1], [1, 2, 3]),
    ],
)
def test_arrays(name: str, args: list[Any], expected: Any) -> None:
    assert exact(OPERATORS[name](RUN, *args)) == exact(expected)


@pytest.mark.parametrize("name", ["index", "reverse", "slice", "splice"])
def test_what_only_works_on_arrays(name: str) -> None:
    for value in ({}, "text", UNDEFINED):
        with pytest.raises(KrlRuntimeError, match="TypeError: only works on Arrays"):
            operate(name, RUN, value, 1)


ITEMS = st.lists(st.integers(0, 9))


@given(ITEMS, st.integers(-3, 12), st.integers(-3, 12))
def test_parts_taken_out_and_left(items: list[int], start: int, count: int) -> None:
    left = OPERATORS["splice"](RUN, items, start, count)
    assert len(left) <= len(items)
    filled = OPERATORS["splice"](RUN, items, start, count, ["x"])
    assert [item for item in filled if item != "x"] == left
    assert OPERATORS["reverse"](RUN, OPERATORS["reverse"](RUN, items)) == items
    if items:
        assert [OPERATORS["head"](RUN, items), *OPERATORS["tail"](RUN, items)] == items


def test_kept_arrays_stay_as_they_are() -> None:
    kept = FrozenList([3, 1, 2])
    for name, args in {
        "append": [4],
        "tail": [],
        "reverse": [],
        "slice": [0],
        "splice": [0, 1],
        "sort": [],
    }.items():
        answer = OPERATORS[name](RUN, kept, *args)
        assert kept == [3, 1, 2]
        assert type(answer) is list, name


def test_what_would_grow_is_counted_first() -> None:
    run = CountingRun(chars_max=1_000_000)
    items: list[Any] = [1]
    with pytest.raises(KrlLimitExceeded, match="memory"):
        while True:
            items = OPERATORS["append"](run, items, items)
    assert len(items) <= 125_000
    with pytest.raises(KrlLimitExceeded):
        OPERATORS["join"](CountingRun(), ["x"] * 10_000, "y" * 10_000)
    many = [0] * 100_000
    for name, args in {
        "reverse": [],
        "tail": [],
        "slice": [9],
        "splice": [0, 1],
        "append": [],
        "join": [],
    }.items():
        with pytest.raises(KrlLimitExceeded):
            OPERATORS[name](CountingRun(steps_max=1_000), many, *args)
