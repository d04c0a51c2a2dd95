"""Writes dates by a template of `%` conversions, as the npm package strftime 0.10 does in English and UTC."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from pico_engine.krl.modules.calendar import DAY_MS, Moment, days_since_1970, moment_of, weekday

_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_COMPOSED: Final = {
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "R": "%H:%M",
    "r": "%I:%M:%S %p",
    "T": "%H:%M:%S",
    "v": "%e-%b-%Y",
    "X": "%r",
    "x": "%D",
    "c": "%a %d %b %Y %X %Z",
}
_PADDING: Final = {"-": "", "_": " ", "0": "0"}


def _padded(number: int, padding: str) -> str:
    return f"{number}" if not padding or number > 9 else f"{padding}{number}"


def _three(number: int) -> str:
    return f"{number}" if number > 99 else f"0{number}" if number > 9 else f"00{number}"


def _hour12(at: Moment) -> int:
    return at.hour % 12 or 12


def _remainder(number: int, divisor: int) -> int:
    """With the sign of `number`, as in JavaScript."""
    return int(math.fmod(number, divisor))


def _days_of(at: Moment) -> int:
    return days_since_1970(at.year, at.month, at.day)


def _year_mapped(year: int) -> int:
    """JavaScript takes years below 100 that are given as a number for those after 1900."""
    return 1900 + year if 0 <= year <= 99 else year


def _week(at: Moment, first_weekday: int) -> int:
    year = _year_mapped(at.year)
    day_of_year = days_since_1970(year, at.month, at.day) - days_since_1970(year, 1, 1)
    return (day_of_year + 7 - (weekday(_days_of(at)) - first_weekday) % 7) // 7


def _day_of_year(at: Moment, time_ms: int) -> str:
    """Days since New Year, rounded up: 0 at its midnight, and 1 at any time after it."""
    begin_ms = days_since_1970(_year_mapped(at.year), 1, 1) * DAY_MS
    return _three(-((begin_ms - time_ms) // DAY_MS))


def _ordinal(day: int) -> str:
    ending = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


_NUMBERS: Final[Mapping[str, tuple[Callable[[Moment], int], str]]] = {
    "C": (lambda at: at.year // 100, "0"),
    "H": (lambda at: at.hour, "0"),
    "I": (_hour12, "0"),
    "M": (lambda at: at.minute, "0"),
    "S": (lambda at: at.second, "0"),
    "U": (lambda at: _week(at, 0), "0"),
    "W": (lambda at: _week(at, 1), "0"),
    "d": (lambda at: at.day, "0"),
    "e": (lambda at: at.day, " "),
    "k": (lambda at: at.hour, " "),
    "l": (_hour12, " "),
    "m": (lambda at: at.month, "0"),
    "y": (lambda at: _remainder(at.year, 100), "0"),
}
"""Conversions to a number of two digits, and what fills it."""

_TEXTS: Final[Mapping[str, Callable[[Moment, int], str]]] = {
    "%": lambda _at, _ms: "%",
    "A": lambda at, _ms: _DAYS[weekday(_days_of(at))],
    "B": lambda at, _ms: _MONTHS[at.month - 1],
    "L": lambda _at, ms: _three(_remainder(ms, 1000)),
    "P": lambda at, _ms: "am" if at.hour < 12 else "pm",
    "Y": lambda at, _ms: f"{at.year}",
    "Z": lambda _at, _ms: "Coordinated Universal Time",
    "a": lambda at, _ms: _DAYS[weekday(_days_of(at))][:3],
    "b": lambda at, _ms: _MONTHS[at.month - 1][:3],
    "h": lambda at, _ms: _MONTHS[at.month - 1][:3],
    "j": _day_of_year,
    "n": lambda _at, _ms: "\n",
    "o": lambda at, _ms: _ordinal(at.day),
    "p": lambda at, _ms: "AM" if at.hour < 12 else "PM",
    "s": lambda _at, ms: f"{ms // 1000}",
    "t": lambda _at, _ms: "\t",
    "u": lambda at, _ms: f"{weekday(_days_of(at)) or 7}",
    "w": lambda at, _ms: f"{weekday(_days_of(at))}",
}


def strftime(template: str, time_ms: int) -> str:
    """`template` filled in for a time in milliseconds since 1970.

    `%-d`, `%_d` and `%0d` say how a number is filled up, `%:z` writes a colon. A `%` that nothing follows is
    left out, one before an unknown letter stays.
    """
    at = moment_of(time_ms)
    pieces: list[str] = []
    padding: str | None = None
    converting = colon = False
    for char in template:
        if not converting:
            converting = char == "%"
            if not converting:
                pieces.append(char)
        elif char in _PADDING:
            padding = _PADDING[char]
        elif char == ":":
            colon = True
        else:
            pieces.append(_converted(char, at, time_ms, padding, colon=colon))
            converting, padding = False, None
    return "".join(pieces)


def _converted(char: str, at: Moment, time_ms: int, padding: str | None, *, colon: bool) -> str:
    if char in _NUMBERS:
        number, usual = _NUMBERS[char]
        return _padded(number(at), usual if padding is None else padding)
    if char in _TEXTS:
        return _TEXTS[char](at, time_ms)
    if char in _COMPOSED:
        return strftime(_COMPOSED[char], time_ms)
    if char == "z":
        return "+00:00" if colon else "+0000"
    return "%" + char
