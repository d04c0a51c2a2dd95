"""What `max`, `min`, `sum`, `avg` and `push` make of the values of the last events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pico_engine.expressions.numbers import FLOAT_MAX, number_of_text

Number = int | float


def aggregate_value(function: str, values: Sequence[Any]) -> Any:
    """`function` is one of `ast.AGGREGATE_FUNCTIONS`; there is at least one value.

    None stands for a sum or mean beyond all numbers, which JSON could not carry.
    """
    if function == "push":
        return list(values)
    numbers = [_number(value) for value in values]
    match function:
        case "max":
            return max(numbers)
        case "min":
            return min(numbers)
    try:
        total = sum(numbers)
        result = total if function == "sum" else total / len(numbers)
    except OverflowError:
        return None
    return result if abs(result) <= FLOAT_MAX else None


def _number(value: Any) -> Number:
    if isinstance(value, str):
        value = number_of_text(value)
    # false for what is not a number too
    if isinstance(value, (int, float)) and abs(value) <= FLOAT_MAX:
        return value
    return 0
