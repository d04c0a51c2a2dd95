"""Dates in all forms of ISO 8601. Expected values are those of moment 2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.modules.calendar import TIME_MAX_MS, iso_text
from pico_engine.krl.modules.isodate import parse_date

NOW_MS = 1_700_000_000_000
"""2023-11-14."""


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2010-08-08", "2010-08-08T00:00:00.000Z"),
        ("20100808", "2010-08-08T00:00:00.000Z"),
        ("2010-08", "2010-08-01T00:00:00.000Z"),
        ("2010", "2010-01-01T00:00:00.000Z"),
        ("1967342", "1967-12-08T00:00:00.000Z"),
        ("2009-W53-7", "2010-01-03T00:00:00.000Z"),
        ("2010-W01", "2010-01-04T00:00:00.000Z"),
        ("+012010-08-08", "+012010-08-08T00:00:00.000Z"),
        ("-000001-01-01", "-000001-01-01T00:00:00.000Z"),
        ("+002010123", "0020-10-12T00:00:00.000Z"),
        ("2010-08-08T05", "2010-08-08T05:00:00.000Z"),
        ("2010-08-08 05:06:07.891234", "2010-08-08T05:06:07.891Z"),
        ("20100808T050607,5", "2010-08-08T05:06:07.500Z"),
        ("2010-08-08T05:00+02:30", "2010-08-08T02:30:00.000Z"),
        ("2010-08-08T05:00-0300", "2010-08-08T08:00:00.000Z"),
        ("2010-08-08T05:00 Z", "2010-08-08T05:00:00.000Z"),
        ("2010-12-31T24:00", "2011-01-01T00:00:00.000Z"),
        ("0050-12-31T24:00", "0051-01-01T00:00:00.000Z"),
        (" 2010-08-08", "2010-08-08T00:00:00.000Z"),
        ("10:30", "2023-11-14T10:30:00.000Z"),
        ("103015", "2023-11-14T10:30:15.000Z"),
    ],
)
def test_forms(text: str, date: str) -> None:
    time_ms = parse_date(text, NOW_MS)
    assert time_ms is not None
    assert iso_text(time_ms) == date


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "67342", "2010-13-01", "2010-02-29", "2010-366", "2010-W53", "2010-W01-8", "2010-08T05:00",
        "2010-08-08T25", "2010-08-08T24:01", "2010-08-08T05:60", "2010-08-08T05:00+15:00", "2010-08-08Z",
        "2010-08-08 ", "2010-08-08\n", "2010-08-08t05", "2010-8-8", "+275761-01-01", "20100808T05:00",
        "٢٠١٠-08-08",
    ],
)  # fmt: skip
def test_what_is_no_date(text: str) -> None:
    assert parse_date(text, NOW_MS) is None


@given(st.text(alphabet="0123456789-+:.,TWZ ", max_size=30))
def test_anything_is_a_date_within_the_calendar_or_none(text: str) -> None:
    time_ms = parse_date(text, NOW_MS)
    assert time_ms is None or abs(time_ms) <= TIME_MAX_MS
