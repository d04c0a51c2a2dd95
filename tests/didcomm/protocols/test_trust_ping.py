"""Pings, in both spellings."""

from __future__ import annotations

import pytest

from pico_didcomm.errors import BadMessage
from pico_didcomm.message import Message
from pico_didcomm.protocols.trust_ping import (
    PING_RESPONSE_TYPES,
    PING_TYPES,
    make_ping,
    make_ping_response,
    wants_response,
)
from tests.didcomm.helpers import vectors

A, B = "did:example:a", "did:example:b"


def test_a_ping_and_its_response() -> None:
    ping = make_ping("1", A, B)
    assert wants_response(ping)
    response = make_ping_response("2", ping, B, A)
    assert (response.type, response.thid) == ("https://didcomm.org/trust-ping/2.0/ping-response", "1")
    assert (response.from_, response.to) == (B, (A,))
    assert not wants_response(make_ping("1", A, B, response_requested=False))


@pytest.mark.parametrize(("ping", "response"), list(zip(PING_TYPES, PING_RESPONSE_TYPES, strict=True)))
def test_the_answer_uses_the_pings_spelling(ping: str, response: str) -> None:
    assert make_ping_response("2", Message("1", ping), B, A).type == response


def test_the_existing_pico_engines_ping() -> None:
    ping = Message.from_dict(vectors("pico_did_o")["messages"][0]["plaintext"])
    assert wants_response(ping)


def test_response_requested_is_true_unless_it_says_otherwise() -> None:
    assert wants_response(Message("1", PING_TYPES[0]))
    with pytest.raises(BadMessage):
        wants_response(Message("1", PING_TYPES[0], {"response_requested": "yes"}))
    with pytest.raises(BadMessage):
        wants_response(Message("1", "https://example.org/a/1.0/b"))
