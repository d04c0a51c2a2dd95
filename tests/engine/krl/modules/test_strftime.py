"""All conversions. Expected values are those of the npm package strftime 0.10 in UTC."""

from __future__ import annotations

import pytest

from pico_engine.krl.modules.isodate import parse_date
from pico_engine.krl.modules.strftime import strftime


def filled(template: str, date: str) -> str:
    time_ms = parse_date(date, 0)
    assert time_ms is not None
    return strftime(template, time_ms)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("%A %a %B %b %h", "Wednesday Wed October Oct Oct"),
        ("%Y %C %y", "2010 20 10"),
        ("%m %d %e %j %o", "10 06  6 279 6th"),
        ("%H %I %k %l %M %S %L", "18 06 18  6 25 55 123"),
        ("%p %P", "PM pm"),
        ("%U %W %u %w", "40 40 3 3"),
        ("%s", "1286389555"),
        ("%D|%x|%F|%v", "10/06/10|10/06/10|2010-10-06| 6-Oct-2010"),
        ("%R|%r|%T|%X", "18:25|06:25:55 PM|18:25:55|06:25:55 PM"),
        ("%c", "Wed 06 Oct 2010 06:25:55 PM Coordinated Universal Time"),
        ("%Z %z %:z", "Coordinated Universal Time +0000 +00:00"),
        ("%%%n%t", "%\n\t"),
        ("%-d|%_d|%0e|%-I", "6| 6|06|6"),
        ("%Q|%5|%", "%Q|%5|"),
        ("year month", "year month"),
    ],
)  # fmt: skip
def test_conversions(template: str, text: str) -> None:
    assert filled(template, "2010-10-06T18:25:55.123Z") == text


def test_days_and_hours_at_their_ends() -> None:
    assert filled("%j %I %l %p", "2010-01-01") == "000 12 12 AM"
    assert filled("%j %I %p", "2010-01-01T12:00") == "001 12 PM"
    assert [filled("%o", f"2010-01-{day}") for day in ("01", "02", "03", "11", "12", "13", "21", "31")] == [
        "1st", "2nd", "3rd", "11th", "12th", "13th", "21st", "31st",
    ]  # fmt: skip
    assert filled("%u %w", "2010-01-03") == "7 0"
