"""Acknowledgements, and the circles that they must not go in."""

from __future__ import annotations

import pytest

from pico_didcomm.acks import acknowledges, asked_acks, empty_message, pure_ack, with_acks
from pico_didcomm.errors import LimitExceeded
from pico_didcomm.message import ACKS_MAX, Message
from pico_didcomm.protocols.empty import EMPTY_TYPE, is_pure_ack
from tests.didcomm.helpers import Pair

PAIR = Pair()
ALICE, BOB = PAIR.alice.did, PAIR.bob.did


def test_the_empty_message() -> None:
    message = empty_message("1", ALICE, BOB, thid="t")
    assert (message.type, message.body, message.thid) == (EMPTY_TYPE, {}, "t")
    assert Message.from_bytes(message.to_bytes()) == message
    assert not is_pure_ack(message)


@pytest.mark.parametrize(
    ("please_ack", "ids"),
    [
        (None, ()),
        ((), ("m-1",)),
        (("",), ("m-1",)),
        (("m-1",), ("m-1",)),
        (("M-1",), ("M-1",)),
        (("a", "b"), ("a", "b", "m-1")),
        (("a", "A", ""), ("a", "m-1")),
    ],
)
def test_what_is_asked_for(please_ack: tuple[str, ...] | None, ids: tuple[str, ...]) -> None:
    assert asked_acks(PAIR.message(please_ack=please_ack)) == ids


def test_the_answer() -> None:
    message = PAIR.message(please_ack=("a", "b"), thid="t")
    answer = pure_ack(message, ["b", "other", "m-1"], "2", BOB)
    assert answer is not None
    assert (answer.ack, answer.thid, answer.to, answer.from_) == (("b", "m-1"), "t", (ALICE,), BOB)
    assert Message.from_bytes(answer.to_bytes()) == answer
    assert is_pure_ack(answer)
    assert acknowledges(answer, "M-1")
    assert not acknowledges(answer, "a")
    assert not acknowledges(message, "m-1")
    assert pure_ack(PAIR.message(), ["m-1"], "2", BOB) is None
    assert pure_ack(message, [], "2", BOB) is None
    assert pure_ack(PAIR.message(from_=None, please_ack=("",)), ["m-1"], "2", BOB) is None


def test_an_acknowledgement_is_not_acknowledged() -> None:
    answer = pure_ack(PAIR.message(please_ack=("",)), ["m-1"], "2", BOB)
    assert answer is not None
    assert answer.please_ack is None
    asking = Message(answer.id, answer.type, {}, BOB, (ALICE,), ack=answer.ack, please_ack=("",))
    assert asked_acks(asking) == ()
    assert pure_ack(asking, ["2"], "3", ALICE) is None


def test_a_message_of_the_protocol_acknowledges_too() -> None:
    answer = with_acks(PAIR.message(id="2"), ["a", "b", "A"])
    assert answer.ack == ("a", "b")
    assert answer.body == PAIR.message().body
    assert with_acks(PAIR.message(), []).ack is None
    with pytest.raises(LimitExceeded):
        with_acks(PAIR.message(), [str(i) for i in range(ACKS_MAX + 1)])
