"""Events that wait for a pico durably: each is a row until the turn that handles it commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pico_engine.admission import weight_of
from pico_engine.messages import EventMessage
from pico_engine.values import FrozenMap

if TYPE_CHECKING:
    from pico_engine.pico import Pico


def enqueue_row(pico: Pico, message: EventMessage) -> None:
    """Write the row of an event; it commits with whatever turn is at hand."""
    key = f"{pico.next_queue_number:016x}"
    pico.next_queue_number += 1
    message.queue_key = key
    row = {
        "eci": message.eci,
        "domain": message.domain,
        "type": message.type,
        "attrs": message.attrs,
        "door": message.door,
        "sender": message.sender,
        "eid": message.eid,
        "hops": message.hops,
    }
    if message.for_rid is not None:
        row["for_rid"] = message.for_rid
    pico.queue.put(key, FrozenMap(row))


def dequeue_row(pico: Pico, message: EventMessage) -> None:
    """The event had its effect."""
    assert message.queue_key is not None, "only queued events are taken from the queue"
    pico.queue.delete(message.queue_key)


def queued_messages(pico: Pico) -> list[EventMessage]:
    """What waited when the pico was last in memory, in the order in which it came."""
    return [
        EventMessage(**row, queue_key=key, weight=weight_of(row["attrs"]))
        for key, row in sorted(pico.queue.items())
    ]
