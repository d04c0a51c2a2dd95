"""The module `time` beyond the recorded cases: the turn's clock, all amounts, the ends of the calendar."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.krl.errors import KrlLimitExceeded, KrlRuntimeError
from pico_engine.krl.modules.time import MEMBERS
from pico_engine.krl.values import UNDEFINED
from tests.engine.krl.helpers import CountingRun


def call(name: str, *args: Any, **named: Any) -> Any:
    return CountingRun().call(MEMBERS[name].invocable(name), args, named)


def test_now_is_the_time_of_the_turn_in_utc() -> None:
    assert call("now") == "2023-11-14T22:13:20.000Z"
    assert call("now", {"tz": "America/Denver"}) == "2023-11-14T22:13:20.000Z"
    assert call("now", opts={"tz": None}) == "2023-11-14T22:13:20.000Z"


@pytest.mark.parametrize(
    ("opts", "message"),
    [
        ("x", "TypeError: time:now was given x instead of an opts map"),
        ([1], "TypeError: time:now was given [Array] instead of an opts map"),
        ({"tz": 5}, "Error: Time zone name must be a string, got 5 [number]"),
        ({"tz": True}, "Error: Time zone name must be a string, got true [boolean]"),
        ({"tz": {}}, "Error: Time zone name must be a string, got [object Object] [object]"),
    ],
)
def test_options_of_now(opts: Any, message: str) -> None:
    with pytest.raises(KrlRuntimeError) as caught:
        call("now", opts)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("date", "spec", "later"),
    [
        ("2010-01-31", {"months": 1}, "2010-02-28T00:00:00.000Z"),
        ("2012-02-29", {"years": 1}, "2013-02-28T00:00:00.000Z"),
        ("2010-01-31", {"months": 1, "days": 1}, "2010-03-01T00:00:00.000Z"),
        ("2010-11-30", {"quarters": 1}, "2011-02-28T00:00:00.000Z"),
        ("2010-03-31", {"M": -1, "h": -1}, "2010-02-27T23:00:00.000Z"),
        ("2010-01-01", {"w": 1, "W": 5}, "2010-01-08T00:00:00.000Z"),
        ("2010-01-01", {"days": 1.5, "hours": 1.5}, "2010-01-03T01:30:00.000Z"),
        ("2010-01-01", {"days": -1.5}, "2009-12-30T00:00:00.000Z"),
        ("2010-01-01", {"hours": "3", "minutes": "x"}, "2010-01-01T00:00:00.000Z"),
        ("2010-01-01", {"ms": 1.9}, "2010-01-01T00:00:00.001Z"),
        ("2010-01-01", {"D": 3, "unknown": 1}, "2010-01-01T00:00:00.000Z"),
        ("2010-01-01", {"Hours": 3}, "2010-01-01T03:00:00.000Z"),
        ("2010-01-01", {"from": "2010-01-01", "to": "2010-02-01"}, "2010-01-01T00:00:00.000Z"),
        ("2010-01-01", {"years": 300_000}, None),
        ("2010-01-01", {"days": 1e300}, None),
    ],
)
def test_add(date: str, spec: dict[str, Any], later: str | None) -> None:
    assert call("add", date, spec) == later


def test_numbers_are_milliseconds() -> None:
    assert call("new", 1e12) == "2001-09-09T01:46:40.000Z"
    assert call("new", -0.5) == "1970-01-01T00:00:00.000Z"
    with pytest.raises(KrlRuntimeError, match="RangeError: Invalid time value"):
        call("new", 1e16)
    with pytest.raises(KrlRuntimeError, match="needs a date string"):
        call("new", UNDEFINED)


def test_named_arguments() -> None:
    assert call("strftime", fmt="%Y", date="2010") == "2010"


def test_long_templates_are_counted() -> None:
    run = CountingRun(chars_max=100_000)
    with pytest.raises(KrlLimitExceeded):
        run.call(MEMBERS["strftime"].invocable("strftime"), ["2010", "%c" * 10_000])
