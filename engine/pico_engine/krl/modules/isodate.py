"""Reads dates in forms of ISO 8601 as the JavaScript library moment 2 does: first the form, then its parts.

Which form a text has is found by one expression for the whole and a table of forms for date and time. The
parts are then read one after the other, each from where the one before ended. That is more lenient than the
forms are: a year with a sign before a week, say, loses its sign and its last digits, here as there.
"""

from __future__ import annotations

import re
from typing import Final

from pico_engine.krl.modules.calendar import (
    DAY_MS,
    TIME_MAX_MS,
    days_in_month,
    days_in_year,
    days_since_1970,
    iso_text,
    weekday,
)

_SPACE: Final = r"[\t\n\v\f\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]*"
_ZONE: Final = rf"([+-]\d\d(?::?\d\d)?|{_SPACE}Z)?"
_WHOLE: Final = tuple(
    re.compile(rf"{_SPACE}((?:[+-]\d{{6}}|\d{{4}}){date})(?:([T ])({time}){_ZONE})?", re.ASCII)
    for date, time in (
        (r"-(?:\d\d-\d\d|W\d\d-\d|W\d\d|\d\d\d|\d\d)", r"\d\d(?::\d\d(?::\d\d(?:[.,]\d+)?)?)?"),
        (r"(?:\d\d\d\d|W\d\d\d|W\d\d|\d\d\d|\d\d|)", r"\d\d(?:\d\d(?:\d\d(?:[.,]\d+)?)?)?"),
    )
)

_DATES: Final = tuple(
    (re.compile(form, re.ASCII), parts, with_time)
    for form, parts, with_time in (
        (r"[+-]\d{6}-\d\d-\d\d", "signed-year - month - day", True),
        (r"\d{4}-\d\d-\d\d", "year - month - day", True),
        (r"\d{4}-W\d\d-\d", "week-year - W week - weekday", True),
        (r"\d{4}-W\d\d", "week-year - W week", False),
        (r"\d{4}-\d{3}", "year - day-of-year", True),
        (r"\d{4}-\d\d", "year - month", False),
        (r"[+-]\d{10}", "signed-year month day", True),
        (r"\d{8}", "year month day", True),
        (r"\d{4}W\d{3}", "week-year W week weekday", True),
        (r"\d{4}W\d{2}", "week-year W week", False),
        (r"\d{7}", "year day-of-year", True),
        (r"\d{6}", "year month", False),
        (r"\d{4}", "year", False),
    )
)
_TIMES: Final = tuple(
    (re.compile(form, re.ASCII), parts)
    for form, parts in (
        (r"\d\d:\d\d:\d\d[.,]\d+", "hour : minute : second [.,] fraction"),
        (r"\d\d:\d\d:\d\d", "hour : minute : second"),
        (r"\d\d:\d\d", "hour : minute"),
        (r"\d{6}[.,]\d+", "hour minute second [.,] fraction"),
        (r"\d{6}", "hour minute second"),
        (r"\d{4}", "hour minute"),
        (r"\d\d", "hour"),
    )
)

_PARTS: Final = {
    "signed-year": re.compile(r"[+-]?\d{1,6}", re.ASCII),
    "year": re.compile(r"\d{1,4}", re.ASCII),
    "week-year": re.compile(r"\d{1,4}", re.ASCII),
    "day-of-year": re.compile(r"\d{1,3}", re.ASCII),
    "fraction": re.compile(r"\d+", re.ASCII),
}
_NAMES: Final = frozenset(_PARTS) | {"month", "day", "week", "weekday", "hour", "minute", "second"}
_TWO_DIGITS: Final = re.compile(r"\d\d?", re.ASCII)
_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d)?", re.ASCII)
_FRACTION_MAX_DIGITS: Final = 100
"""Milliseconds do not depend on more."""


def parse_date(text: str, now_ms: int) -> int | None:
    """Milliseconds since 1970 of a date, or of a time today (in UTC); None if `text` is neither."""
    today = iso_text(now_ms).split("T")[0]
    for attempt in (text, f"{today}T{text}", f"{today.replace('-', '')}T{text}"):
        time_ms = _parse(attempt)
        if time_ms is not None:
            return time_ms
    return None


def _parse(text: str) -> int | None:
    whole = _WHOLE[0].fullmatch(text) or _WHOLE[1].fullmatch(text)
    if whole is None:
        return None
    date, separator, time, zone = whole.groups()
    parts, with_time = next((parts, with_time) for form, parts, with_time in _DATES if form.search(date))
    if time is not None:
        if not with_time:
            return None
        parts += f" {separator.strip()} " + next(parts for form, parts in _TIMES if form.search(time))
    values = _read_parts(text, parts.split())
    days = _days(values)
    clock_ms = _clock_ms(values)
    offset_minutes = _offset_minutes(zone)
    if days is None or clock_ms is None or offset_minutes is None:
        return None
    time_ms = days * DAY_MS + clock_ms - offset_minutes * 60_000
    return time_ms if abs(time_ms) <= TIME_MAX_MS else None


def _read_parts(text: str, parts: list[str]) -> dict[str, str]:
    """The text of each named part; what is no name stands for itself."""
    values: dict[str, str] = {}
    at = 0
    for part in parts:
        is_name = part in _NAMES
        found = (_PARTS.get(part, _TWO_DIGITS) if is_name else re.compile(part)).search(text, at)
        if found is not None:
            at = found.end()
            if is_name:
                values[part] = found[0]
    return values


def _days(values: dict[str, str]) -> int | None:
    """Days since 1970; None for a month, day or week that is not in the calendar."""
    if "week-year" in values:
        return _days_of_week(int(values["week-year"]), int(values["week"]), int(values.get("weekday", 1)))
    year = int(values["signed-year"] if "signed-year" in values else values["year"])
    if "day-of-year" in values:
        day = int(values["day-of-year"])
        return days_since_1970(year, 1, day) if 1 <= day <= days_in_year(year) else None
    month, day = int(values.get("month", 1)), int(values.get("day", 1))
    if not 1 <= month <= 12 or not 1 <= day <= days_in_month(year, month):
        return None
    return days_since_1970(year, month, day)


def _days_of_week(year: int, week: int, day: int) -> int | None:
    """Weeks begin on Mondays; the first one has January 4."""
    monday, next_monday = _first_monday(year), _first_monday(year + 1)
    if not 1 <= week <= (next_monday - monday) // 7 or not 1 <= day <= 7:
        return None
    return monday + 7 * (week - 1) + day - 1


def _first_monday(year: int) -> int:
    fourth = days_since_1970(year, 1, 4)
    return fourth - (weekday(fourth) + 6) % 7


def _clock_ms(values: dict[str, str]) -> int | None:
    """Milliseconds since midnight; 24:00 is the midnight after."""
    hour, minute, second = (int(values.get(name, 0)) for name in ("hour", "minute", "second"))
    fraction = values.get("fraction", "0")[:_FRACTION_MAX_DIGITS]
    clock_ms = hour * 3_600_000 + minute * 60_000 + second * 1_000 + int(float(f"0.{fraction}") * 1_000)
    if minute > 59 or second > 59 or clock_ms > DAY_MS or hour > 24:
        return None
    return clock_ms


def _offset_minutes(zone: str | None) -> int | None:
    """0 without a zone; None for one that does not exist."""
    found = _OFFSET.fullmatch(zone) if zone is not None else None
    if found is None:
        return 0
    sign, hours, rest = found[1], int(found[2]), int(found[3] or 0)
    minutes = 60 * hours + rest
    if rest > 59 or minutes > (14 * 60 if sign == "+" else 12 * 60):
        return None
    return minutes if sign == "+" else -minutes
