"""Aggregates over values of all kinds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.expressions.aggregates import aggregate_value
from pico_engine.expressions.ast import AGGREGATE_FUNCTIONS


@pytest.mark.parametrize(
    ("function", "values", "expected"),
    [
        ("max", ["10", "9"], 10),
        ("max", ["a", "b"], 0),
        ("max", ["-5", "a"], 0),
        ("min", [5, "1", 2.5], 1),
        ("sum", ["1", ""], 1),
        ("sum", [None, [1], {"k": 1}, "x", 2], 2),
        ("avg", [5, 1, 2], 8 / 3),
        ("sum", [1e308, 1e308], None),
        ("avg", [10**308, 10**308, 0.5], None),
        ("max", [10**400, float("inf"), float("nan"), 1], 1),
        ("push", ["5", 1, None], ["5", 1, None]),
    ],
)
def test_aggregates(function: str, values: list[Any], expected: Any) -> None:
    assert aggregate_value(function, values) == expected


@given(
    st.sampled_from(AGGREGATE_FUNCTIONS),
    st.lists(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), min_size=1),
)
def test_any_values_can_be_aggregated(function: str, values: list[Any]) -> None:
    aggregate_value(function, values)
