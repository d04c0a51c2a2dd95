"""Operators that ask a function about each element."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.errors import KrlLimitExceeded, KrlRuntimeError
from pico_engine.krl.stdlib import OPERATORS
from pico_engine.krl.values import UNDEFINED, Action, typeof
from tests.engine.krl.helpers import NAMED_FUNCTIONS, CountingRun, exact, function

RUN = CountingRun(10**9, 10**9)
ASKING = ("all", "notall", "any", "none", "collect", "filter", "map")


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("map", [{"b": 1, "2": 2, "1": 3}, NAMED_FUNCTIONS["second"]], {"1": "1", "2": "2", "b": "b"}),
        ("map", [["a", "b"], NAMED_FUNCTIONS["second"]], [0, 1]),
        ("map", [[1, UNDEFINED]], [1, UNDEFINED]),
        ("filter", [[0, 1, "", "a", [], None]], [1, "a", []]),
        ("filter", [{"a": 0, "b": 1}, None], {"b": 1}),
        ("collect", [{"a": 1, "b": "1", "c": None}], {"1": [1, "1"], "null": [None]}),
        ("collect", [[1, 2], NAMED_FUNCTIONS["nul"]], {"undefined": [1, 2]}),
        ("collect", [[1, 2], NAMED_FUNCTIONS["map"]], {"[object Object]": [1, 2]}),
        ("pairwise", [[[1, 2], [3]], NAMED_FUNCTIONS["cat"]], ["1-3", "2-null"]),
        ("reduce", [[1, 2, 3], NAMED_FUNCTIONS["sub"]], -4),
        ("reduce", [[1], NAMED_FUNCTIONS["cat"], "x"], "x-1"),
        ("reduce", [[1], NAMED_FUNCTIONS["cat"]], 1),
        ("reduce", [[], UNDEFINED, 7], 7),
        ("reduce", [[], UNDEFINED], 0),
        ("all", [{}, "no function"], True),
        ("any", [[], None], False),
    ],
)
def test_iteration(name: str, args: list[Any], expected: Any) -> None:
    assert exact(OPERATORS[name](RUN, *args)) == exact(expected)


def test_the_function_gets_element_key_and_collection() -> None:
    seen: list[tuple[Any, ...]] = []
    items = {"a": 1}
    OPERATORS["map"](RUN, items, function(lambda value, key, whole: seen.append((value, key, whole))))
    OPERATORS["reduce"](
        RUN, [5, 6], function(lambda so_far, value, key, whole: seen.append((so_far, value, key, whole)))
    )
    assert seen == [(1, "a", items), (5, 6, 1, [5, 6])]


def test_nobody_is_asked_after_the_answer_is_known() -> None:
    seen: list[Any] = []

    def asked(value: Any) -> bool:
        seen.append(value)
        return bool(value == 2)

    for name in ("any", "none"):
        OPERATORS[name](RUN, [1, 2, 3], function(asked))
    assert seen == [1, 2, 1, 2]
    seen.clear()
    for name in ("all", "notall"):
        OPERATORS[name](RUN, [2, 1, 3], function(asked))
    assert seen == [2, 1, 2, 1]


@pytest.mark.parametrize(
    ("name", "args", "text"),
    [
        *((name, [5, NAMED_FUNCTIONS["id"]], "TypeError: only works on collections") for name in ASKING),
        *((name, [[1], "x"], "TypeError: iter is not a function") for name in ASKING),
        ("map", [[1], Action("a", (), lambda run: None)], "TypeError: iter is not a function"),
        ("pairwise", [{}, 1], "TypeError: The .pairwise() operator cannot be called on [Map]"),
        ("pairwise", [[1]], "TypeError: The .pairwise() operator needs a longer array"),
        ("pairwise", [[1, 2], 5], "TypeError: The .pairwise() operator cannot use 5 as a function"),
        ("reduce", [{}, 1], "TypeError: only works on Arrays"),
        ("reduce", [[1, 2], None], "Error: The .reduce() operator cannot use null as a function"),
        ("reduce", [[1]], "Error: The .reduce() operator cannot use null as a function"),
        ("reduce", [[1], 5, 5], "TypeError: iter is not a function"),
    ],
)
def test_complaints(name: str, args: list[Any], text: str) -> None:
    with pytest.raises(KrlRuntimeError) as caught:
        OPERATORS[name](RUN, *args)
    assert str(caught.value) == text


@given(st.lists(st.integers(-5, 5)) | st.dictionaries(st.sampled_from("ab12"), st.integers(-5, 5)))
def test_the_operators_agree(items: Any) -> None:
    positive = function(lambda value: value > 0)
    negative = function(lambda value: value <= 0)
    kept, left = OPERATORS["filter"](RUN, items, positive), OPERATORS["filter"](RUN, items, negative)
    assert len(kept) + len(left) == len(items)
    assert typeof(kept) == typeof(items)
    assert (
        OPERATORS["all"](RUN, items, positive)
        == (not left)
        == (not OPERATORS["notall"](RUN, items, positive))
    )
    assert (
        OPERATORS["any"](RUN, items, positive) == bool(kept) == (not OPERATORS["none"](RUN, items, positive))
    )
    assert OPERATORS["map"](RUN, items) == items
    groups = OPERATORS["collect"](RUN, items, NAMED_FUNCTIONS["str"])
    assert sum(len(group) for group in groups.values()) == len(items)


def test_rounds_are_counted() -> None:
    many = [0] * 10_000
    for name in (*ASKING, "reduce"):
        truth = "f" if name in {"any", "none"} else "t"
        with pytest.raises(KrlLimitExceeded):
            OPERATORS[name](CountingRun(steps_max=5_000), many, NAMED_FUNCTIONS[truth])
    for name in ("map", "filter", "collect"):
        with pytest.raises(KrlLimitExceeded):
            OPERATORS[name](CountingRun(steps_max=5_000), many)
    with pytest.raises(KrlLimitExceeded):  # one long array makes every other one as long
        OPERATORS["pairwise"](CountingRun(), [many] + [[]] * 10_000, NAMED_FUNCTIONS["one"])
