"""Messages: what stands in them when nothing is said."""

from __future__ import annotations

from pico_engine.messages import HTTP_DOOR, INSIDE_DOORS, OWNER, SYSTEM_DOOR, EventMessage, QueryMessage


def test_a_message_without_a_door_is_a_strangers() -> None:
    for message in (EventMessage("did:x", "a", "b"), QueryMessage("did:x", "rid", "name")):
        assert message.door == HTTP_DOOR
        assert message.sender is None
        assert message.reply is None
    event = EventMessage("did:x", "a", "b")
    assert (event.durable, event.hops, event.attrs) == (False, 0, {})


def test_only_the_owner_and_the_engine_are_inside() -> None:
    assert set(INSIDE_DOORS) == {OWNER, SYSTEM_DOOR}
