"""An event's message: what few of them have is given by name, and nothing else is taken."""

from __future__ import annotations

import pytest

from pico_engine.event_message import HTTP_DOOR, EventMessage
from pico_engine.values import EMPTY_MAP


def test_most_messages_have_no_more_than_this() -> None:
    message = EventMessage("did:key:z", "a", "b")
    assert (message.attrs, message.door, message.sender, message.reply) == (EMPTY_MAP, HTTP_DOOR, None, None)
    assert (message.hops, message.weight, message.for_rid, message.receipt) == (0, 0, None, None)
    assert (message.queue_key, message.schedule_id, message.then_query) == (None, None, None)
    assert not message.durable
    assert not message.compatible


def test_the_rest_is_given_by_name() -> None:
    message = EventMessage("did:key:z", "a", "b", hops=3, then_query=("r", "q", None), compatible=True)
    assert (message.hops, message.then_query, message.compatible) == (3, ("r", "q", None), True)
    assert EventMessage("did:key:z", "a", "b").hops == 0


def test_what_no_message_has_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="unknown among"):
        EventMessage("did:key:z", "a", "b", hop=3)
