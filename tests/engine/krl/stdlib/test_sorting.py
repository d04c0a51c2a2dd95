"""The orders of sort."""

from __future__ import annotations

from functools import cmp_to_key
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.errors import KrlLimitExceeded
from pico_engine.krl.order import compare, compare_text
from pico_engine.krl.stdlib import OPERATORS
from pico_engine.krl.values import UNDEFINED
from tests.engine.krl.helpers import NAMED_FUNCTIONS, CountingRun, exact, function

RUN = CountingRun(10**9, 10**9)
ITEMS = st.lists(
    st.sampled_from([0, 1, 2, 10, "1", "2", "10", "a", "b", "", None, True, [1], "\U0001f600", "\uffee"])
)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (([10, 9, UNDEFINED, None, "a"],), [10, 9, "a", None, UNDEFINED]),
        (([10, 9, UNDEFINED], "reverse"), [9, 10, UNDEFINED]),
        ((["10", 9, UNDEFINED, 9.5, []], "numeric"), [[], 9, 9.5, "10", UNDEFINED]),
        ((["10", 9, UNDEFINED], "ciremun"), ["10", 9, UNDEFINED]),
        (([10, 9], ["reverse"]), [9, 10]),
        (([10, 9], "no such order"), [10, 9]),
        (("text", "numeric"), "text"),
        (([],), []),
        (([2, UNDEFINED, 1], NAMED_FUNCTIONS["sub"]), [UNDEFINED, 1, 2]),
    ],
)
def test_orders(args: tuple[Any, ...], expected: Any) -> None:
    assert exact(OPERATORS["sort"](RUN, *args)) == exact(expected)


@given(ITEMS)
def test_the_named_orders_are_those_of_the_operators(items: list[Any]) -> None:
    def by(order: Any, sign: int) -> list[Any]:
        return sorted(items, key=cmp_to_key(lambda a, b: sign * order(RUN, a, b)))

    for name, order, sign in (
        ("default", compare_text, 1),
        ("reverse", compare_text, -1),
        ("numeric", compare, 1),
        ("ciremun", compare, -1),
    ):
        assert exact(OPERATORS["sort"](RUN, items, name)) == exact(by(order, sign))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers()).map(list)))
def test_a_function_sorts_and_equal_elements_keep_their_order(items: list[list[int]]) -> None:
    by_first = function(lambda a, b: a[0] - b[0])
    assert OPERATORS["sort"](RUN, items, by_first) == sorted(items, key=lambda item: item[0])


def test_a_function_is_asked_about_the_same_pairs_as_ever() -> None:
    """The pairs that krl-stdlib's merge sort asks about, in its order."""
    asked: list[tuple[int, int]] = []

    def compared(a: int, b: int) -> int:
        asked.append((a, b))
        return a - b

    assert OPERATORS["sort"](RUN, [5, 3, 4, 1, 2], function(compared)) == [1, 2, 3, 4, 5]
    assert asked == [(5, 3), (3, 4), (5, 4), (1, 2), (3, 1), (3, 2)]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ("t", [1, 2, 3, 4, 5][::-1]),
        ("f", [1, 2, 3, 4, 5]),
        ("nul", [5, 4, 3, 2, 1]),
        ("jnul", [1, 2, 3, 4, 5]),
        ("s", [5, 4, 3, 2, 1]),
        ("a0", [1, 2, 3, 4, 5]),
        ("a1", [1, 2, 3, 4, 5]),
        ("map", [5, 4, 3, 2, 1]),
    ],
)
def test_answers_that_are_no_numbers(answers: str, expected: list[int]) -> None:
    assert OPERATORS["sort"](RUN, [1, 2, 3, 4, 5], NAMED_FUNCTIONS[answers]) == expected


def test_sorting_is_counted() -> None:
    many = list(range(10_000))
    for order in ("default", "numeric", NAMED_FUNCTIONS["sub"]):
        with pytest.raises(KrlLimitExceeded):
            OPERATORS["sort"](CountingRun(steps_max=100_000), many, order)
    with pytest.raises(KrlLimitExceeded):
        OPERATORS["sort"](CountingRun(steps_max=10_000), ["x" * 100_000] * 10)
