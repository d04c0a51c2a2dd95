"""What `max`, `min`, `sum`, `avg` and `push` make of the values of the last events."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from pico_engine.expressions.numbers import number_of_text

Number = int | float


def aggregate_value(function: str, values: Sequence[Any]) -> Any:
    """`function` is one of `ast.AGGREGATE_FUNCTIONS`; there is at least one value."""
    if function == "push":
        return list(values)
    numbers = [_number(value) for value in values]
    match function:
        case "max":
            return max(numbers)
        case "min":
            return min(numbers)
        case "sum":
            return sum(numbers)
        case _:
            return sum(numbers) / len(numbers)


def _number(value: Any) -> Number:
    if isinstance(value, str):
        value = number_of_text(value)
    if isinstance(value, (int, float)) and isfinite(value):
        return value
    return 0
