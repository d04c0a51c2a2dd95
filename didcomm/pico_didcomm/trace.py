"""Route tracing: what a handler reports of a message that asks for it. Off unless a policy says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from pico_didcomm.encoding import JsonObject
from pico_didcomm.errors import BadMessage
from pico_didcomm.message import Message

TRACE_TYPE: Final = "https://didcomm.org/trace/2.0/trace_report"

URI_CHARS_MAX: Final = 2048
"""Of the place that a trace is to be sent to."""

Policy = Callable[[Message, str], bool]
"""Whether a message's wish to be traced to a URI is granted."""


class TraceReport(NamedTuple):
    """A report, and the URI to which it is to be sent by HTTP POST."""

    uri: str
    body: JsonObject


def never(_message: Message, _uri: str) -> bool:
    """The policy that must be the default (DIDComm v2.1, "Route Tracing").

    A trace tells whoever asks who handles a message, and makes the handler send requests anywhere.
    """
    return False


def trace_report(message: Message, handler: str, policy: Policy = never) -> TraceReport | None:
    """The report on `message` by `handler`, a name of one's own choice; None if not asked or not granted.

    Nothing is sent. BadMessage for a `trace` that is no http(s) URI, if the policy could be asked about it.
    """
    uri = message.extra.get("trace")
    if uri is None or policy is never:
        return None
    if type(uri) is not str or len(uri) > URI_CHARS_MAX or not uri.startswith(("https://", "http://")):
        raise BadMessage("a trace header that is not an http(s) URI")
    if not policy(message, uri):
        return None
    body = {"type": TRACE_TYPE, "pthid": message.id, "handler": handler, "traced_type": message.type}
    return TraceReport(uri, body)
