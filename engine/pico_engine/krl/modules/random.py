"""The module `random`: chance from the turn's own entropy, so that a simulation replays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pico_engine.krl.modules.member import Member
from pico_engine.krl.modules.words import WORDS
from pico_engine.krl.numbers import number, number_to_string
from pico_engine.krl.values import UNDEFINED, Run, Value, to_number

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_CHANCE_BITS: Final = 53
"""As many as a double holds."""

_ID_DIGITS: Final = 16
"""Of chance in an id, in base 36: 82 bits, so that ids made at the same time differ."""

_TIME_DIGITS: Final = 8


def _chance(run: Run) -> float:
    """From 0 to below 1."""
    return (int.from_bytes(run.entropy(7), "big") >> (56 - _CHANCE_BITS)) / (1 << _CHANCE_BITS)


def _base36(whole: int, digits: int) -> str:
    """The last `digits` of `whole`."""
    made = []
    for _ in range(digits):
        whole, digit = divmod(whole, 36)
        made.append(_DIGITS[digit])
    return "".join(reversed(made))


def new_id(run: Run) -> Value:
    """In the form of a cuid: c, the time, and chance; 25 characters that sort by time."""
    chance = int.from_bytes(run.entropy(12), "big")
    return f"c{_base36(run.now_ms, _TIME_DIGITS)}{_base36(chance, _ID_DIGITS)}"


def _word(run: Run) -> Value:
    return WORDS[int(_chance(run) * len(WORDS))]


def _bounds(upper: Value, lower: Value, *, whole: bool) -> tuple[float, float]:
    """Lower bound and upper bound, in order. A missing one is 0, as null is a number in KRL."""
    high, low = to_number(upper), to_number(lower)
    if whole:
        high, low = (None if one is None else math.floor(one + 0.5) for one in (high, low))
    if high is None:
        high = 1 if low is None else 0
    low = 0 if low is None else low
    return (low, high) if low <= high else (high, low)


def _integer(run: Run, upper: Value = UNDEFINED, lower: Value = UNDEFINED) -> Value:
    """A whole number from `lower` to `upper`, both possible."""
    low, high = _bounds(upper, lower, whole=True)
    return number(low + math.floor(_chance(run) * (high - low + 1)))


def _number(run: Run, upper: Value = UNDEFINED, lower: Value = UNDEFINED) -> Value:
    """A number from `lower` to `upper`."""
    low, high = _bounds(upper, lower, whole=False)
    chance = _chance(run)
    # as lodash: so that the upper bound can be reached
    last_digit = 10.0 ** -(len(number_to_string(chance)) - 1)
    return number(min(low + chance * (high - low + last_digit), high))


MEMBERS: Final[Mapping[str, Member]] = MappingProxyType(
    {
        "uuid": Member("function", new_id),
        "word": Member("function", _word),
        "integer": Member("function", _integer),
        "number": Member("function", _number),
    }
)
