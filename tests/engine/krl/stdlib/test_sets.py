"""Arrays as sets."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.equality import is_equal
from pico_engine.krl.errors import KrlLimitExceeded
from pico_engine.krl.stdlib import OPERATORS, sets
from pico_engine.krl.values import UNDEFINED
from pico_engine.values import FrozenList, FrozenMap
from tests.engine.krl.helpers import CountingRun, exact, nested, operate, shared

RUN = CountingRun(10**9, 10**9)
SCALARS = st.sampled_from([None, UNDEFINED, True, False, 0, 1, 1.5, "", "0", "1", "a"])
ITEMS = st.lists(
    SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from("ab"), SCALARS), max_size=8
)


def held(items: list[Any], wanted: Any) -> bool:
    return any(is_equal(RUN, item, wanted) for item in items)


@given(ITEMS, ITEMS)
def test_set_operations_are_what_they_say(a: list[Any], b: list[Any]) -> None:
    """Against the plain definitions, which look through everything."""
    unique = [item for place, item in enumerate(a) if not held(a[:place], item)]
    together = a + b
    expected = {
        "unique": unique,
        "union": [item for place, item in enumerate(together) if not held(together[:place], item)],
        "intersection": [item for item in unique if held(b, item)],
        "difference": [item for item in a if not held(b, item)],
    }
    for name, items in expected.items():
        args = (a,) if name == "unique" else (a, b)
        assert exact(OPERATORS[name](RUN, *args)) == exact(items)
    assert OPERATORS["has"](RUN, a, b) == all(held(a, item) for item in b)


@given(ITEMS)
def test_once_and_duplicates_share_nothing(items: list[Any]) -> None:
    once, duplicates = OPERATORS["once"](RUN, items), OPERATORS["duplicates"](RUN, items)
    assert OPERATORS["intersection"](RUN, once, duplicates) == []
    assert len(once) + 2 * len(duplicates) <= len(items)


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("once", [["b", "10", 9, "b", {"a": 1}]], [9, "10", {"a": 1}]),
        ("once", [[1, "1", None, UNDEFINED, True]], [True]),
        ("duplicates", [[{"a": UNDEFINED}, {"b": 1}, [math.nan], ""]], [{"a": None}, [None]]),
        ("duplicates", ["text"], []),
        ("once", ["text"], "text"),
        ("unique", [{"a": 1}], {"a": 1}),
        ("intersection", [1], []),
        ("intersection", [1, 1], [1]),
        ("union", [UNDEFINED, None], [UNDEFINED]),
        ("difference", [[1, 1, 2], 2], [1, 1]),
        ("has", [1, [1, 1]], True),
    ],
)
def test_particular_cases(name: str, args: list[Any], expected: Any) -> None:
    assert exact(OPERATORS[name](RUN, *args)) == exact(expected)


def test_kept_values_are_equal_to_others() -> None:
    kept = FrozenList([FrozenMap(a=FrozenList([1]))])
    assert OPERATORS["difference"](RUN, kept, [{"a": [1]}]) == []


@pytest.mark.parametrize("name", sets.OPERATORS)
def test_much_and_deep_and_shared_data(name: str) -> None:
    many = list(range(20_000))
    run = CountingRun()
    operate(name, run, many, many)  # ends at once: the work grows with the data, not with its square
    assert run.steps < 300_000
    for value in (nested(100), [shared(40)]):
        with pytest.raises(KrlLimitExceeded):
            operate(name, CountingRun(steps_max=10_000), [value, value], [value])
