"""Operators on numbers: `+ - * / %`, bits, `range`.

All but `+` take whatever has a number: null is 0, true is 1, a text is what it spells, a collection its size.
"""

from __future__ import annotations

import math

from pico_engine.krl.counting import make, number_of, write
from pico_engine.krl.errors import type_error
from pico_engine.krl.numbers import WHOLE_MAX, number, to_int32, to_uint32
from pico_engine.krl.values import MISSING, UNDEFINED, Run, Value, is_number, to_string


def plus(run: Run, left: Value = UNDEFINED, right: Value = MISSING) -> Value:
    """The sum of two numbers; of anything else the texts, one after the other."""
    kind, other = type(left), type(right)
    if kind is int and other is int:
        total = left + right
        return total if -WHOLE_MAX <= total <= WHOLE_MAX else number(total)
    if kind is not str or other is not str:
        if right is MISSING:
            return left
        if is_number(left) and is_number(right):
            return number(left + right)
        left, right = to_string(left), to_string(right)
    write(run, len(left) + len(right))
    return left + right


def minus(run: Run, left: Value = UNDEFINED, right: Value = MISSING) -> Value:
    if type(left) is int and type(right) is int:
        return number(left - right)
    a = number_of(run, left)
    if right is MISSING:
        if a is None:
            raise type_error(f"Cannot negate {_shown(run, left)}")
        return number(-a)
    b = number_of(run, right)
    if a is None or b is None:
        raise type_error(f"{_shown(run, right)} cannot be subtracted from {_shown(run, left)}")
    return number(a - b)


def times(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> Value:
    if type(left) is int and type(right) is int:
        return number(left * right)
    a, b = _both(run, left, right, "{} cannot be multiplied by {}")
    return number(a * b)


def divided(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> Value:
    """The quotient; 0, with an entry in the log, where the divisor is 0."""
    a, b = _both(run, left, right, "{} cannot be divided by {}")
    if b == 0:
        run.log("debug", f"[DIVISION BY ZERO] {to_string(a)} / 0", None)
        return 0
    return number(a / b)


def modulo(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> Value:
    """What is left over, with the sign of `left`; 0 where the divisor is 0."""
    a, b = _both(run, left, right, "Cannot calculate {} modulo {}")
    if b == 0:
        return 0
    if type(a) is int and type(b) is int:
        rest = abs(a) % abs(b)
        return -rest if a < 0 else rest
    return number(math.fmod(a, b)) if math.isfinite(a) else math.nan


def shift_right(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> Value:
    a, b = _both(run, left, right, "{} cannot be shifted by {}")
    return to_int32(a) >> (to_uint32(b) & 31)


def shift_left(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> Value:
    a, b = _both(run, left, right, "{} cannot be shifted by {}")
    return to_int32(to_int32(a) << (to_uint32(b) & 31))


def bits_and(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> Value:
    a, b = _both(run, left, right, "{} cannot be bitwise anded {}")
    return to_int32(a) & to_int32(b)


def bits_or(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> Value:
    a, b = _both(run, left, right, "{} cannot be bitwise anded {}")
    return to_int32(a) | to_int32(b)


def bits_xor(run: Run, left: Value = UNDEFINED, right: Value = UNDEFINED) -> Value:
    a, b = _both(run, left, right, "{} cannot be bitwise anded {}")
    return to_int32(a) ^ to_int32(b)


def bits_not(run: Run, left: Value = UNDEFINED) -> Value:
    a = number_of(run, left)
    if a is None:
        raise type_error(f"{_shown(run, left)} cannot be inverted ")
    return ~to_int32(a)


def range_of(run: Run, val: Value = UNDEFINED, end: Value = MISSING) -> Value:
    """The numbers from `val` to `end`, both included, in steps of 1, up or down."""
    start = number_of(run, val)
    stop = None if end is MISSING else number_of(run, end)
    if start is None or stop is None:
        return []
    step = 1 if start < stop else -1
    beyond = min(max(stop + step, -_LARGEST), _LARGEST)
    start = min(max(start, -_LARGEST), _LARGEST)
    size = max(math.ceil((beyond - start) / step), 0) if abs(beyond - start) < math.inf else _ENDLESS
    run.step(size)
    make(run, size)
    if type(start) is int and type(beyond) is int and -WHOLE_MAX <= beyond <= WHOLE_MAX:
        return list(range(start, beyond, step))
    items: list[float] = []
    for _ in range(size):
        items.append(number(start))
        start += step
    return items


_LARGEST = 1.7976931348623157e308
_ENDLESS = 1 << 62


def _both(run: Run, left: Value, right: Value, complaint: str) -> tuple[float, float]:
    """Both as numbers; raises the TypeError `complaint`, with the values in its places."""
    a, b = number_of(run, left), number_of(run, right)
    if a is None or b is None:
        raise type_error(complaint.format(_shown(run, left), _shown(run, right)))
    return a, b


def _shown(run: Run, value: Value) -> str:
    text = to_string(value)
    write(run, len(text))
    return text


OPERATORS = {
    "+": plus,
    "-": minus,
    "*": times,
    "/": divided,
    "%": modulo,
    "shiftRight": shift_right,
    "shiftLeft": shift_left,
    "band": bits_and,
    "bor": bits_or,
    "bxor": bits_xor,
    "bnot": bits_not,
    "range": range_of,
}
