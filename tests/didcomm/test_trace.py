"""Tracing is off unless a policy grants it, one URI at a time."""

from __future__ import annotations

import pytest

from pico_didcomm.errors import BadMessage
from pico_didcomm.message import Message
from pico_didcomm.trace import TRACE_TYPE, URI_CHARS_MAX, TraceReport, trace_report
from tests.didcomm.helpers import Pair

PAIR = Pair()
URI = "https://trace.example/reports"


def test_nothing_is_traced_by_default() -> None:
    for trace in (URI, 7, "file:///etc"):
        assert trace_report(PAIR.message(extra={"trace": trace}), "me") is None


def test_a_granted_trace() -> None:
    message = Message.from_bytes(PAIR.message(extra={"trace": URI}).to_bytes())
    report = trace_report(message, "me", lambda _message, uri: uri == URI)
    body = {"type": TRACE_TYPE, "pthid": "m-1", "handler": "me", "traced_type": message.type}
    assert report == TraceReport(URI, body)
    assert trace_report(message, "me", lambda _message, _uri: False) is None
    assert trace_report(PAIR.message(), "me", lambda _message, _uri: True) is None


@pytest.mark.parametrize(
    "uri", [7, "", "file:///etc/passwd", "ftp://a.example", "https://" + "x" * URI_CHARS_MAX]
)
def test_other_places_are_refused(uri: object) -> None:
    with pytest.raises(BadMessage):
        trace_report(PAIR.message(extra={"trace": uri}), "me", lambda _message, _uri: True)
