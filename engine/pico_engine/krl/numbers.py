"""Numbers as KRL has them: doubles, read from and written as text by the rules of ECMAScript.

A whole number up to 2**53 is kept as an int, which Python computes with faster; all others are floats. There
is one zero: -0, which no KRL program can tell from 0, is 0.
"""

from __future__ import annotations

import math
import re

WHOLE_MAX = 1 << 53
"""Whole numbers up to here are exact in a double."""

WHITE_SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What ECMAScript trims: its WhiteSpace and LineTerminator (ECMA-262 §12.2, §12.3)."""

# possessive: text that is almost a number must not be tried in every way
_DECIMAL = re.compile(r"[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")
_RADIX = re.compile(r"0(?:[bB][01]+|[oO][0-7]+|[xX][0-9a-fA-F]+)")
_RADIX_BITS = {"b": 1, "o": 3, "x": 4}
_LEADING_WHOLE = re.compile(r"[+-]?[0-9]+")
_HEX = re.compile(r"0[xX][0-9a-fA-F]+")
_HEX_DIGITS = "0123456789abcdef"


def number(x: float) -> int | float:
    """`x` as KRL keeps it: an int where it is whole and at most 2**53 in size, else a float."""
    if type(x) is int:
        if -WHOLE_MAX <= x <= WHOLE_MAX:
            return x
        x = _double(x)
    if x.is_integer() and -WHOLE_MAX <= x <= WHOLE_MAX:
        return int(x)
    return x


def _double(whole: int) -> float:
    try:
        return float(whole)
    except OverflowError:
        return math.inf if whole > 0 else -math.inf


def number_to_string(x: float) -> str:
    """The shortest text that reads back as `x`, in ECMAScript's form (ECMA-262 §6.1.6.1.20)."""
    if type(x) is int and -WHOLE_MAX <= x <= WHOLE_MAX:
        return int.__repr__(x)
    value = _double(x) if type(x) is int else x
    if value != value:
        return "NaN"
    if value in (math.inf, -math.inf):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(float(value))).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    """Where the decimal point stands, counted from the first digit."""
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if count > 1 else ""
    return f"{sign}{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def string_to_number(text: str) -> int | float | None:
    """The finite number that the whole of `text` spells, or None. White space alone is 0."""
    text = text.strip(WHITE_SPACE)
    if not text:
        return 0
    if _DECIMAL.fullmatch(text):
        value = float(text)
    elif _RADIX.fullmatch(text):
        value = radix_value(text)
    else:
        return None
    return number(value) if math.isfinite(value) else None


def is_hex(text: str) -> bool:
    """Whether KRL takes a string for a hexadecimal number: `0x` and digits, nothing else."""
    return text[:1] == "0" and _HEX.fullmatch(text) is not None


def radix_value(text: str) -> float:
    """The number that `0b…`, `0o…` or `0x…` spells, rounded to a double; infinite beyond its range."""
    digits = text[2:].lstrip("0")
    bits = _RADIX_BITS[text[1].lower()]
    if len(digits) * bits > 1_100:
        return math.inf
    return number(int(digits, 1 << bits)) if digits else 0


def parse_int(text: str) -> int | float | None:
    """The whole number that `text` begins with, in decimal, or None: ECMAScript's parseInt(text, 10)."""
    found = _LEADING_WHOLE.match(text.lstrip(WHITE_SPACE))
    return number(float(found.group())) if found else None


def to_int32(x: float) -> int:
    """`x` as a signed integer of 32 bits, modulo 2**32 (ECMA-262 §7.1.6)."""
    low = to_uint32(x)
    return low - (1 << 32) if low >= 1 << 31 else low


def to_uint32(x: float) -> int:
    """`x` as an unsigned integer of 32 bits, modulo 2**32; 0 for infinity and NaN."""
    return int(x) & 0xFFFF_FFFF if math.isfinite(x) else 0


def to_integer(x: float) -> int | float:
    """`x` without its fraction; NaN is 0; infinity stays."""
    if type(x) is int:
        return x
    if x != x:
        return 0
    return number(float(math.trunc(x))) if math.isfinite(x) else x


def number_to_hex(x: float) -> str:
    """`x` in base 16, with as many digits after the point as tell it from its neighbours."""
    value = float(x)
    if not math.isfinite(value):
        return number_to_string(value)
    size = abs(value)
    whole = int(size)
    fraction = size - whole
    digits: list[int] = []
    # Half of the gap to the next double: digits below it say nothing.
    delta = max(0.5 * (math.nextafter(size, math.inf) - size), math.nextafter(0.0, 1.0))
    while fraction >= delta:
        fraction *= 16
        delta *= 16
        digit = int(fraction)
        digits.append(digit)
        fraction -= digit
        if (fraction > 0.5 or (fraction == 0.5 and digit & 1)) and fraction + delta > 1:
            while digits and digits[-1] == 15:
                digits.pop()
            if digits:
                digits[-1] += 1
            else:
                whole += 1
            break
    sign = "-" if value < 0 else ""
    point = "." + "".join(_HEX_DIGITS[digit] for digit in digits) if digits else ""
    return f"{sign}{whole:x}{point}"
