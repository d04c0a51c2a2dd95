"""Operators that compare: `== != <=> < > <= >= >< cmp`, and `isnull`."""

from __future__ import annotations

from pico_engine.krl.equality import is_equal
from pico_engine.krl.order import compare, compare_text
from pico_engine.krl.stdlib.paths import find, has_path
from pico_engine.krl.values import UNDEFINED, Run, Value, isnull


def equal(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> bool:
    return is_equal(run, left, right)


def not_equal(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> bool:
    return not is_equal(run, left, right)


def order(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> int:
    return compare(run, left, right)


def less(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> bool:
    return compare(run, left, right) < 0


def greater(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> bool:
    return compare(run, left, right) > 0


def less_or_equal(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> bool:
    return compare(run, left, right) <= 0


def greater_or_equal(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> bool:
    return compare(run, left, right) >= 0


def order_of_texts(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> int:
    return compare_text(run, left, right)


def member(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> bool:
    """`left >< right`: whether an array has the element, or a map the key or the path "a.b[0]"."""
    if isinstance(left, list):
        return find(run, left, right) >= 0
    return has_path(run, left, right) if isinstance(left, dict) else False


def is_null(_run: Run, val: Value = UNDEFINED) -> bool:
    return isnull(val)


OPERATORS = {
    "==": equal,
    "!=": not_equal,
    "<=>": order,
    "<": less,
    ">": greater,
    "<=": less_or_equal,
    ">=": greater_or_equal,
    "><": member,
    "cmp": order_of_texts,
    "isnull": is_null,
}
