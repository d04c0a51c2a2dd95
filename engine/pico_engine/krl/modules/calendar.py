"""Days and times of the Gregorian calendar, before and after all years that Python's datetime knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DAY_MS: Final = 86_400_000
TIME_MAX_MS: Final = 8_640_000_000_000_000
"""100,000,000 days before and after 1970: the range of dates in ECMA-262 §21.4.1.1."""

_ERA_DAYS: Final = 146_097
"""Days of 400 years, after which the calendar repeats."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of day on a date, in UTC. Months and days count from 1."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    millisecond: int


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_year(year: int) -> int:
    return 366 if is_leap(year) else 365


def days_in_month(year: int, month: int) -> int:
    """Months beyond 12 or before 1 belong to other years."""
    year += (month - 1) // 12
    month = (month - 1) % 12 + 1
    if month == 2:
        return 29 if is_leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def days_since_1970(year: int, month: int, day: int) -> int:
    """Months and days beyond their range count on into the months after, or back."""
    year += (month - 1) // 12
    month = (month - 1) % 12 + 1
    # A year that begins in March has its leap day at the end.
    shifted = year - (month <= 2)
    era, year_of_era = divmod(shifted, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * _ERA_DAYS + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def moment_of(time_ms: int) -> Moment:
    """The date and time of `time_ms` milliseconds after 1970 began."""
    days, rest = divmod(time_ms, DAY_MS)
    era, day_of_era = divmod(days + 719_468, _ERA_DAYS)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    month = (shifted_month + 2) % 12 + 1
    return Moment(
        year_of_era + era * 400 + (month <= 2),
        month,
        day_of_year - (153 * shifted_month + 2) // 5 + 1,
        rest // 3_600_000,
        rest // 60_000 % 60,
        rest // 1_000 % 60,
        rest % 1_000,
    )


def weekday(days: int) -> int:
    """0 for Sunday to 6, of a day counted from 1970 began."""
    return (days + 4) % 7


def iso_text(time_ms: int) -> str:
    """As in 2010-08-08T05:00:00.000Z; a year beyond four digits has six and a sign (ECMA-262 §21.4.1.32)."""
    at = moment_of(time_ms)
    year = f"{at.year:04}" if 0 <= at.year <= 9999 else f"{at.year:+07}"
    return f"{year}-{at.month:02}-{at.day:02}T{at.hour:02}:{at.minute:02}:{at.second:02}.{at.millisecond:03}Z"
