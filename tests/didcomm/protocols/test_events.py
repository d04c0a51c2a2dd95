"""Events, queries and answers."""

from __future__ import annotations

from typing import Any

import pytest

from pico_didcomm.errors import BadMessage
from pico_didcomm.message import Message
from pico_didcomm.protocols.events import (
    ANSWER_TYPE,
    EVENT_TYPE,
    NAME_CHARS_MAX,
    QUERY_TYPE,
    Answer,
    Event,
    Query,
    QueryError,
    make_answer,
    make_event,
    make_query,
    parse_answer,
    parse_event,
    parse_query,
    sender_order,
)
from tests.didcomm.helpers import vectors

A, B = "did:example:a", "did:example:b"


def again(message: Message) -> Message:
    return Message.from_bytes(message.to_bytes())


@pytest.mark.parametrize("number", [None, 0, 7, 2**53 - 1])
def test_an_event_comes_back(number: int | None) -> None:
    event = Event("sensor", "reading", {"celsius": 21.5}, number)
    message = again(make_event("1", A, B, event, created_time=5, expires_time=9))
    assert parse_event(message) == event
    assert (message.from_, message.to, message.created_time, message.expires_time) == (A, (B,), 5, 9)
    assert sender_order(message) == number


def test_a_query_and_its_answers_come_back() -> None:
    query = Query("io.picolabs.wrangler", "channels", {"tags": ["a"]}, 3)
    message = again(make_query("q-1", A, B, query, created_time=5, expires_time=9))
    assert parse_query(message) == query
    assert message.expires_time == 9
    for answer in (
        Answer("q-1", {"a": [1, None]}),
        Answer("q-1", None),
        Answer("q-1", error=QueryError("unknown-query", "no such query", "look again"), sender_order=4),
    ):
        assert parse_answer(again(make_answer("2", B, A, answer))) == answer


def test_the_existing_pico_engines_messages() -> None:
    plaintexts = [row["plaintext"] for row in vectors("pico_did_o")["messages"]]
    (event,) = [raw for raw in plaintexts if raw["type"] == EVENT_TYPE]
    (query,) = [raw for raw in plaintexts if raw["type"] == QUERY_TYPE]
    assert parse_event(Message.from_dict(event)).domain == event["body"]["domain"]
    assert parse_query(Message.from_dict(query)).rid == query["body"]["rid"]


def test_attributes_may_be_left_out() -> None:
    assert parse_event(Message("1", EVENT_TYPE, {"domain": "a", "name": "b"})) == Event("a", "b", {})
    assert parse_query(Message("1", QUERY_TYPE, {"rid": "a", "name": "b", "args": None})) == Query(
        "a", "b", {}
    )


LONG = "x" * (NAME_CHARS_MAX + 1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"domain": "a"},
        {"domain": "", "name": "b"},
        {"domain": 7, "name": "b"},
        {"domain": LONG, "name": "b"},
        {"domain": "a", "name": "b", "attrs": []},
    ],
)
def test_broken_events_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(BadMessage):
        parse_event(Message("1", EVENT_TYPE, body))


@pytest.mark.parametrize(
    "body", [{}, {"rid": "a"}, {"rid": LONG, "name": "b"}, {"rid": "a", "name": "b", "args": 7}]
)
def test_broken_queries_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(BadMessage):
        parse_query(Message("1", QUERY_TYPE, body))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"result": 1, "error": {"code": "a", "what": "b"}},
        {"error": None},
        {"error": "x"},
        {"error": {}},
        {"error": {"code": "a"}},
        {"error": {"code": "a", "what": "b", "hint": 7}},
    ],
)
def test_broken_answers_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(BadMessage):
        parse_answer(Message("1", ANSWER_TYPE, body, thid="q"))


def test_an_answer_names_its_query() -> None:
    with pytest.raises(BadMessage):
        parse_answer(Message("1", ANSWER_TYPE, {"result": 1}))


@pytest.mark.parametrize("number", [-1, 1.5, "1", True, None, 2**53])
def test_broken_numbers_are_refused(number: object) -> None:
    message = Message("1", EVENT_TYPE, {"domain": "a", "name": "b"}, extra={"sender_order": number})
    with pytest.raises(BadMessage):
        parse_event(message)


@pytest.mark.parametrize("parse", [parse_event, parse_query, parse_answer])
def test_types_are_checked(parse: Any) -> None:
    with pytest.raises(BadMessage):
        parse(Message("1", "https://example.org/a/1.0/b"))
