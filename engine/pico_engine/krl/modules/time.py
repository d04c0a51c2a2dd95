"""The module `time`: dates as text in ISO 8601, in UTC. The time of day is that of the turn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pico_engine.krl.conversion import js_number, js_string
from pico_engine.krl.errors import KrlRuntimeError, type_error
from pico_engine.krl.modules.calendar import (
    DAY_MS,
    TIME_MAX_MS,
    days_in_month,
    days_since_1970,
    iso_text,
    moment_of,
)
from pico_engine.krl.modules.isodate import parse_date
from pico_engine.krl.modules.member import Member
from pico_engine.krl.modules.strftime import strftime
from pico_engine.krl.values import UNDEFINED, Run, Value, is_number, to_string, truth

_UNITS: Final = {
    "year": "year", "years": "year", "y": "year",
    "quarter": "quarter", "quarters": "quarter", "Q": "quarter",
    "month": "month", "months": "month", "M": "month",
    "week": "week", "weeks": "week", "w": "week",
    "isoweek": "isoweek", "isoweeks": "isoweek", "W": "isoweek",
    "day": "day", "days": "day", "d": "day", "D": "date",
    "hour": "hour", "hours": "hour", "h": "hour",
    "minute": "minute", "minutes": "minute", "m": "minute",
    "second": "second", "seconds": "second", "s": "second",
    "millisecond": "millisecond", "milliseconds": "millisecond", "ms": "millisecond",
}  # fmt: skip
"""Names of what `time:add` adds; what is not here is looked for in lower case. A date cannot be added."""

_STEPS_PER_DATE: Final = 50
"""To read a date takes about as long as so many calls."""
_EXPANDED_MAX: Final = 16
"""How many characters one conversion of `strftime` becomes about, at most of those that people use."""


def _now(run: Run, opts: Value = UNDEFINED) -> Value:
    if truth(opts):
        if not isinstance(opts, dict):
            raise type_error(f"time:now was given {to_string(opts)} instead of an opts map")
        zone = opts.get("tz")
        # the zone must be text; the answer is in UTC whatever it is, as it always was
        if truth(zone) and not isinstance(zone, str):
            kind = {bool: "boolean", int: "number", float: "number"}.get(type(zone), "object")
            raise KrlRuntimeError(
                "Error", f"Time zone name must be a string, got {js_string(run, zone)} [{kind}]"
            )
    return iso_text(run.now_ms)


def _new(run: Run, date: Value = UNDEFINED) -> Value:
    if not truth(date):
        raise KrlRuntimeError("Error", "time:new needs a date string")
    if not is_number(date):
        return iso_text(_parsed(run, "time:new", date))
    if abs(date) > TIME_MAX_MS:
        raise KrlRuntimeError("RangeError", "Invalid time value")
    return iso_text(int(date))


def _add(run: Run, date: Value = UNDEFINED, spec: Value = UNDEFINED) -> Value:
    if not truth(date):
        raise KrlRuntimeError("Error", "time:add needs a date string")
    if not truth(spec):
        raise KrlRuntimeError("Error", "time:add needs a spec map")
    time_ms = _parsed(run, "time:add", date)
    if not isinstance(spec, dict):
        raise type_error(f"time:add was given {to_string(spec)} instead of a spec map")
    run.step(len(spec))
    amounts: dict[str, Value] = {}
    for name, amount in spec.items():
        unit = _UNITS.get(name) or _UNITS.get(name.lower())
        if unit is not None:
            amounts[unit] = amount
    later_ms = _later(run, time_ms, amounts)
    return None if later_ms is None else iso_text(later_ms)


def _later(run: Run, time_ms: int, amounts: Mapping[str, Value]) -> int | None:
    """Months first, which keep the day of the month if they can, then days, then what is shorter.

    What is no number counts as nothing. None: outside of the calendar.
    """

    def amount(*units: str) -> float:
        for unit in units:
            value = amounts.get(unit)
            if truth(value):
                return js_number(run, value)
        return 0.0

    months = _rounded(amount("month") + 3 * amount("quarter") + 12 * amount("year"))
    days = _rounded(amount("day") + 7 * amount("week", "isoweek"))
    hours_ms = amount("hour") * 1e3 * 60 * 60
    clock_ms = amount("millisecond") + amount("second") * 1e3 + amount("minute") * 6e4 + hours_ms
    clock_ms = 0.0 if clock_ms != clock_ms else clock_ms
    if any(abs(number) > TIME_MAX_MS for number in (months, days, clock_ms)):
        return None
    at = moment_of(time_ms)
    if months:
        month = at.month + int(months)
        day = min(at.day, days_in_month(at.year, month))
        time_ms = days_since_1970(at.year, month, day) * DAY_MS + time_ms % DAY_MS
    for more in (int(days) * DAY_MS, clock_ms):
        if abs(time_ms) > TIME_MAX_MS:
            return None
        time_ms = int(time_ms + more)
    return time_ms if abs(time_ms) <= TIME_MAX_MS else None


def _rounded(number: float) -> float:
    """To a whole number, halves away from zero; what is no number is 0."""
    if number != number:
        return 0
    if math.isinf(number):
        return number
    return math.copysign(math.floor(abs(number) + 0.5), number)


def _strftime(run: Run, date: Value = UNDEFINED, fmt: Value = UNDEFINED) -> Value:
    if not truth(date):
        raise KrlRuntimeError("Error", "time:strftime needs a date string")
    if not truth(fmt):
        raise KrlRuntimeError("Error", "time:strftime needs a fmt string")
    time_ms = _parsed(run, "time:strftime", date)
    if not isinstance(fmt, str):
        raise type_error(f"time:strftime was given {to_string(fmt)} instead of a fmt string")
    run.step(len(fmt))
    run.grow(_EXPANDED_MAX * len(fmt))
    return strftime(fmt, time_ms)


def _parsed(run: Run, what: str, date: Value) -> int:
    text = to_string(date)
    run.step(_STEPS_PER_DATE + len(text) // 64)
    time_ms = parse_date(text, run.now_ms)
    if time_ms is not None:
        return time_ms
    if isinstance(date, str):
        raise KrlRuntimeError("Error", f"{what} was given an invalid date string ({text})")
    raise type_error(f"{what} was given {text} instead of a date string")


MEMBERS: Final[Mapping[str, Member]] = MappingProxyType(
    {
        "now": Member("function", _now),
        "new": Member("function", _new),
        "add": Member("function", _add),
        "strftime": Member("function", _strftime),
    }
)
