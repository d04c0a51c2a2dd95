"""What may go back on the connection of a message."""

from __future__ import annotations

from typing import Any

import pytest

from pico_didcomm.errors import BadMessage
from pico_didcomm.message import Message
from pico_didcomm.protocols.return_route import ALL, ReturnRoute, return_route_of

TYPE = "https://example.org/a/1.0/b"


def message(**extra: Any) -> Message:
    return Message("1", TYPE, extra=extra)


def test_nothing_goes_back_unless_it_is_asked_for() -> None:
    for route in (return_route_of(message()), return_route_of(message(return_route="none"))):
        assert route == ReturnRoute()
        assert not route.carries(Message("2", TYPE, thid="1"))


def test_all() -> None:
    assert return_route_of(message(return_route="all")) == ALL
    assert ALL.carries(Message("2", TYPE))


def test_a_thread() -> None:
    route = return_route_of(message(return_route="thread", return_route_thread="t"))
    assert route.carries(Message("2", TYPE, thid="t"))
    assert route.carries(Message("2", TYPE, pthid="t"))
    assert not route.carries(Message("2", TYPE))
    assert not route.carries(Message("2", TYPE, thid="u"))


@pytest.mark.parametrize("route", [ReturnRoute(), ALL, ReturnRoute("thread", "t")])
def test_round_trip(route: ReturnRoute) -> None:
    assert return_route_of(message(**route.headers())) == route


@pytest.mark.parametrize(
    "extra",
    [
        {"return_route": "some"},
        {"return_route": True},
        {"return_route": ["all"]},
        {"return_route": "thread"},
        {"return_route": "thread", "return_route_thread": ""},
        {"return_route": "thread", "return_route_thread": 7},
    ],
)
def test_broken_headers(extra: dict[str, Any]) -> None:
    with pytest.raises(BadMessage):
        return_route_of(message(**extra))
