"""Numbers that came as text, and numbers as JavaScript writes them."""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from math import isfinite, isinf, isnan

NUMBER_MAX_CHARS = 64
"""Longer text is no number: no measurement needs it, and Python takes long to read huge ones."""

FLOAT_MAX = sys.float_info.max
"""Whole numbers beyond cannot be calculated with together with others, so they are treated like infinity."""

EXACT_MAX = 2**53
"""Beyond, JavaScript's only number type leaves gaps."""

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)


def number_of_text(text: str) -> int | float | None:
    """The finite number that `text` spells in decimal, spaces around it aside, or None."""
    text = text.strip(" \t\r\n")
    if len(text) > NUMBER_MAX_CHARS:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        number = float(text)
        return number if isfinite(number) else None
    return None


def javascript_text(number: float) -> str:
    """`number` as JavaScript prints it (ECMA-262, Number::toString): 1.0 is "1", 1e21 is "1e+21"."""
    if isinstance(number, int) and abs(number) <= EXACT_MAX:
        return str(number)
    try:
        number = float(number)
    except OverflowError:
        return "Infinity" if number > 0 else "-Infinity"
    if isnan(number):
        return "NaN"
    if isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    sign, digit_tuple, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int)
    digits = "".join(map(str, digit_tuple))
    point = len(digits) + exponent  # where the decimal point stands, counted from the first digit
    if 0 < point <= 21:
        text = digits.ljust(point, "0")
        text = text if len(text) == point else f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        text = digits[0] + ("." + digits[1:] if len(digits) > 1 else "") + f"e{point - 1:+d}"
    return "-" * sign + text
