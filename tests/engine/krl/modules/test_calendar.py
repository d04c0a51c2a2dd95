"""The calendar against Python's datetime where that knows the year, and against itself elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.modules.calendar import (
    DAY_MS,
    TIME_MAX_MS,
    days_in_month,
    days_in_year,
    days_since_1970,
    iso_text,
    moment_of,
    weekday,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.datetimes(timezones=st.just(UTC)))
def test_as_datetime(at: datetime) -> None:
    time_ms = (at - EPOCH) // timedelta(milliseconds=1)
    assert iso_text(time_ms) == at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    days = days_since_1970(at.year, at.month, at.day)
    assert days == (at - EPOCH).days
    assert weekday(days) == at.isoweekday() % 7


@given(st.integers(-TIME_MAX_MS, TIME_MAX_MS))
def test_there_and_back(time_ms: int) -> None:
    at = moment_of(time_ms)
    clock_ms = at.hour * 3_600_000 + at.minute * 60_000 + at.second * 1_000 + at.millisecond
    assert days_since_1970(at.year, at.month, at.day) * DAY_MS + clock_ms == time_ms
    assert 1 <= at.day <= days_in_month(at.year, at.month)


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (TIME_MAX_MS, "+275760-09-13T00:00:00.000Z"),
        (-TIME_MAX_MS, "-271821-04-20T00:00:00.000Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        (-62_167_219_200_001, "-000001-12-31T23:59:59.999Z"),
    ],
)
def test_text(time_ms: int, text: str) -> None:
    assert iso_text(time_ms) == text


def test_months_and_days_beyond_their_range_count_on() -> None:
    assert days_since_1970(2010, 14, 1) == days_since_1970(2011, 2, 1)
    assert days_since_1970(2010, -1, 1) == days_since_1970(2009, 11, 1)
    assert days_since_1970(2010, 1, 32) == days_since_1970(2010, 2, 1)
    assert [days_in_month(2012, month) for month in (2, 14, 0)] == [29, 28, 31]
    assert [days_in_year(year) for year in (1900, 2000, 2012, 2013)] == [365, 366, 366, 365]
