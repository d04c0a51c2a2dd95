"""Acknowledgements, and that they come to an end."""

from __future__ import annotations

from dataclasses import replace

from pico_didcomm.message import Message
from pico_didcomm.protocols.empty import EMPTY_TYPE, is_pure_ack, make_ack, wants_ack

MESSAGE = Message("m", "https://example.org/a/1.0/b", from_="did:example:a", please_ack=("",))


def test_an_acknowledgement() -> None:
    ack = make_ack("k", "did:example:b", "did:example:a", MESSAGE)
    assert (ack.type, ack.thid, ack.ack) == (EMPTY_TYPE, "m", ("m",))
    assert is_pure_ack(ack)
    assert make_ack("k", "did:example:b", "did:example:a", replace(MESSAGE, thid="t")).thid == "t"


def test_who_wants_one() -> None:
    assert wants_ack(MESSAGE)
    assert wants_ack(replace(MESSAGE, type=EMPTY_TYPE))
    assert not wants_ack(replace(MESSAGE, please_ack=None))
    # an acknowledgement that asks for one: two agents would never stop
    assert not wants_ack(replace(MESSAGE, type=EMPTY_TYPE, ack=("x",)))
    # another message that also acknowledges may ask
    assert wants_ack(replace(MESSAGE, ack=("x",)))
