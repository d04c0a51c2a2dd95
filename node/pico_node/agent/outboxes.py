"""The events that picos have sent to connections, until they are acknowledged or too old."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pico_didcomm.protocols.events import EVENT_TYPE, SENDER_ORDER
from pico_engine.errors import Busy
from pico_engine.turn import Send
from pico_engine.values import FrozenMap, freeze
from pico_node.agent.inbound import AFTER, HOPS
from pico_node.agent.rows import connection_of

if TYPE_CHECKING:
    from pico_engine.pico import Pico
    from pico_node.agent.agent import Agent
    from pico_node.agent.lanes import Lane

VOID_TYPE: Final = "https://didcomm.org/empty/1.0/empty"
"""What is sent in the place of an event that was given back."""


class Outboxes:
    """What the outboxes of this node's picos hold, as envelopes; and what becomes of it in the end."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def pack(self, lane: Lane, pico: Pico, number: int, row: FrozenMap) -> bytes:
        """The envelope of an outbox row."""
        agent = self._agent
        kind = row["kind"]
        if kind in ("request", "response"):
            return agent.handshake.pack(pico, lane, number, row)
        body: Mapping[str, Any] = {}
        if kind == "event":
            body = {"domain": row["domain"], "name": row["type"], "attrs": row["attrs"]}
        message = {
            "id": row["id"],
            "typ": "application/didcomm-plain+json",
            "type": EVENT_TYPE if kind == "event" else VOID_TYPE,
            "from": lane.eci,
            "to": [lane.their_did],
            "created_time": row["created"] // 1000,
            SENDER_ORDER: number,
            AFTER: row["after"],
            HOPS: row.get("hops", 0),
            "body": body,
        }
        return lane.pair.pack(message, agent.entropy)

    def expire(self) -> None:
        """Give back to their picos what could not be delivered for too long."""
        agent = self._agent
        before = agent.now - agent.limits.outbox_max_age_ms
        for key, did in list(agent.node.unsent.scan()):
            eci = key.rpartition("/")[2]
            pico = agent.engine.loaded_or_stored(did)
            if pico is None:
                agent.node.unsent.delete(key)
                continue
            for row_key, row in list(pico.outbox.scan(eci + "/", eci + "0")):
                if row["created"] > before:
                    break
                if row["kind"] == "event":
                    self._expire(pico, eci, row_key, row)
        agent.engine.ledger.commit()

    def _expire(self, pico: Pico, eci: str, row_key: str, row: FrozenMap) -> None:
        """A void takes the place of the event, so that the numbers behind it stay what they are."""
        agent = self._agent
        connection = connection_of(pico, eci)
        their_did = connection["their_did"] if connection is not None else ""
        void = {"id": row["id"], "after": row["after"], "created": row["created"], "kind": "void"}
        pico.outbox.put(row_key, freeze(void))
        agent.lanes.drop(eci)
        agent.lanes.added(eci)
        days = agent.limits.outbox_max_age_ms // 86_400_000
        error = Busy(f"not acknowledged for {days} days (outbox_max_age_ms)")
        send = Send(their_did, row["domain"], row["type"], row["attrs"])
        agent.engine.delivery.undeliverable(pico, send, error)
