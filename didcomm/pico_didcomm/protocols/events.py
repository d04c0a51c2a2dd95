"""Events and queries between picos, in the message types of the existing pico engine, and their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pico_didcomm.errors import BadMessage
from pico_didcomm.message import Message
from pico_didcomm.protocols.fields import check_type, integer, mapping, text

EVENT_TYPE: Final = "https://picolabs.io/event/1.0/event"
QUERY_TYPE: Final = "https://picolabs.io/query/1.0/query"
ANSWER_TYPE: Final = "https://picolabs.io/query/1.0/answer"

NAME_CHARS_MAX: Final = 256
"""Of an event's domain and name, a ruleset id, a query's name."""

SENDER_ORDER: Final = "sender_order"
"""The header that numbers a sender's messages (DIF extension advanced_sequencing)."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event: `domain:name` with attributes. `sender_order` is its number, None if it has none."""

    domain: str
    name: str
    attrs: Mapping[str, Any]
    sender_order: int | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A query: the function `name` of the ruleset `rid`."""

    rid: str
    name: str
    args: Mapping[str, Any]
    sender_order: int | None = None


@dataclass(frozen=True, slots=True)
class QueryError:
    """Why a query has no result."""

    code: str
    what: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to the query in thread `thid`: a result, which may be None, or an error."""

    thid: str
    result: Any = None
    error: QueryError | None = None
    sender_order: int | None = None


def make_event(
    message_id: str,
    from_did: str,
    to_did: str,
    event: Event,
    *,
    created_time: int | None = None,
    expires_time: int | None = None,
) -> Message:
    """The message that carries an event."""
    return Message(
        message_id,
        EVENT_TYPE,
        {"domain": event.domain, "name": event.name, "attrs": event.attrs},
        from_=from_did,
        to=(to_did,),
        created_time=created_time,
        expires_time=expires_time,
        extra=_numbered(event.sender_order),
    )


def parse_event(message: Message) -> Event:
    """Reads an event. Attributes may be left out."""
    check_type(message, EVENT_TYPE)
    return Event(
        text(message.body, "domain", NAME_CHARS_MAX),
        text(message.body, "name", NAME_CHARS_MAX),
        _optional_mapping(message.body, "attrs"),
        sender_order(message),
    )


def make_query(
    message_id: str,
    from_did: str,
    to_did: str,
    query: Query,
    *,
    created_time: int | None = None,
    expires_time: int | None = None,
) -> Message:
    """The message that carries a query. Its id is the thread of the answer."""
    return Message(
        message_id,
        QUERY_TYPE,
        {"rid": query.rid, "name": query.name, "args": query.args},
        from_=from_did,
        to=(to_did,),
        created_time=created_time,
        expires_time=expires_time,
        extra=_numbered(query.sender_order),
    )


def parse_query(message: Message) -> Query:
    """Reads a query. Arguments may be left out."""
    check_type(message, QUERY_TYPE)
    return Query(
        text(message.body, "rid", NAME_CHARS_MAX),
        text(message.body, "name", NAME_CHARS_MAX),
        _optional_mapping(message.body, "args"),
        sender_order(message),
    )


def make_answer(message_id: str, from_did: str, to_did: str, answer: Answer) -> Message:
    """The message that carries an answer."""
    body: dict[str, Any] = {"result": answer.result}
    if (error := answer.error) is not None:
        body = {"error": {"code": error.code, "what": error.what, "hint": error.hint}}
    return Message(
        message_id,
        ANSWER_TYPE,
        body,
        from_=from_did,
        to=(to_did,),
        thid=answer.thid,
        extra=_numbered(answer.sender_order),
    )


def parse_answer(message: Message) -> Answer:
    """Reads an answer, which has either a result or an error."""
    check_type(message, ANSWER_TYPE)
    if message.thid is None:
        raise BadMessage("an answer that does not say to which query")
    if ("result" in message.body) == ("error" in message.body):
        raise BadMessage("an answer needs either a result or an error")
    number = sender_order(message)
    if "result" in message.body:
        return Answer(message.thid, message.body["result"], sender_order=number)
    raw = mapping(message.body, "error")
    error = QueryError(
        text(raw, "code", NAME_CHARS_MAX),
        text(raw, "what", 4096),
        text(raw, "hint", 4096, empty=True) if "hint" in raw else "",
    )
    return Answer(message.thid, error=error, sender_order=number)


def sender_order(message: Message) -> int | None:
    """The message's number in its sender's sequence, None if it has none."""
    return integer(message.extra, SENDER_ORDER) if SENDER_ORDER in message.extra else None


def _numbered(number: int | None) -> dict[str, Any]:
    return {} if number is None else {SENDER_ORDER: number}


def _optional_mapping(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    return mapping(body, name) if body.get(name) is not None else {}
