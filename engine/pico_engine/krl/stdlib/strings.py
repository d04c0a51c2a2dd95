"""Operators on texts: upper and lower case, parts, trimming, searching. Any value is taken as its text."""

from __future__ import annotations

from pico_engine.krl.counting import number_of, scan, write
from pico_engine.krl.numbers import WHITE_SPACE
from pico_engine.krl.values import UNDEFINED, Run, Value, to_string


def capitalize(run: Run, val: Value = UNDEFINED) -> str:
    """The text with its first character in upper case."""
    text = _written(run, val)
    return text[:1].upper() + text[1:]


def lower_case(run: Run, val: Value = UNDEFINED) -> str:
    return _written(run, val).lower()


def upper_case(run: Run, val: Value = UNDEFINED) -> str:
    return _written(run, val).upper()


def substr(run: Run, val: Value = UNDEFINED, start: Value = UNDEFINED, len_: Value = UNDEFINED) -> str:
    """`len_` characters from `start`; without it all to the end; a negative one counts back from the end."""
    text = _written(run, val)
    begin, count = number_of(run, start), number_of(run, len_)
    if begin is None:
        return text
    size = len(text)
    if begin > size:
        return ""
    end = size if count is None else begin + count if count > 0 else size + count
    a, b = (int(min(max(place, 0), size)) for place in (begin, end))
    return text[min(a, b) : max(a, b)]


def trim_leading(run: Run, val: Value = UNDEFINED) -> str:
    return _written(run, val).lstrip(WHITE_SPACE)


def trim_trailing(run: Run, val: Value = UNDEFINED) -> str:
    return _written(run, val).rstrip(WHITE_SPACE)


def trim(run: Run, val: Value = UNDEFINED) -> str:
    return _written(run, val).strip(WHITE_SPACE)


def starts_with(run: Run, val: Value = UNDEFINED, target: Value = UNDEFINED) -> bool:
    return to_string(val).startswith(_scanned(run, target))


def ends_with(run: Run, val: Value = UNDEFINED, target: Value = UNDEFINED) -> bool:
    return to_string(val).endswith(_scanned(run, target))


def contains(run: Run, val: Value = UNDEFINED, target: Value = UNDEFINED) -> bool:
    return to_string(target) in _scanned(run, val)


def _scanned(run: Run, val: Value) -> str:
    text = to_string(val)
    scan(run, len(text))
    return text


def _written(run: Run, val: Value) -> str:
    """`val` as text, counted as if it were written anew."""
    text = to_string(val)
    write(run, len(text))
    return text


OPERATORS = {
    "capitalize": capitalize,
    "lc": lower_case,
    "uc": upper_case,
    "substr": substr,
    "trimLeading": trim_leading,
    "trimTrailing": trim_trailing,
    "trim": trim,
    "startsWith": starts_with,
    "endsWith": ends_with,
    "contains": contains,
}
