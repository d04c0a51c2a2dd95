"""Texts from person to person."""

from __future__ import annotations

import pytest

from pico_didcomm.errors import DidcommError
from pico_didcomm.message import Message
from pico_didcomm.protocols.basic_message import (
    BASIC_MESSAGE_TYPE,
    CONTENT_CHARS_MAX,
    BasicMessage,
    make_basic_message,
    parse_basic_message,
)


@pytest.mark.parametrize(
    "basic", [BasicMessage("hello"), BasicMessage("", "de", 7), BasicMessage("a" * CONTENT_CHARS_MAX)]
)
def test_round_trip(basic: BasicMessage) -> None:
    message = make_basic_message("1", "did:example:a", "did:example:b", basic)
    assert parse_basic_message(Message.from_bytes(message.to_bytes())) == basic


def test_the_example_of_the_protocol() -> None:
    raw = {
        "id": "123456780",
        "type": "https://didcomm.org/basicmessage/2.0/message",
        "lang": "en",
        "created_time": 1547577721,
        "body": {"content": "Your hovercraft is full of eels."},
    }
    expected = BasicMessage("Your hovercraft is full of eels.", "en", 1547577721)
    assert parse_basic_message(Message.from_dict(raw)) == expected


@pytest.mark.parametrize(
    "body", [{}, {"content": None}, {"content": 1}, {"content": "a" * (CONTENT_CHARS_MAX + 1)}]
)
def test_broken_ones(body: dict[str, object]) -> None:
    with pytest.raises(DidcommError):
        parse_basic_message(Message("1", BASIC_MESSAGE_TYPE, body))
    with pytest.raises(DidcommError):
        parse_basic_message(Message("1", "https://example.org/a/1.0/b", {"content": "x"}))
