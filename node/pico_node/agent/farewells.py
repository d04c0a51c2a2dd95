"""Ending connections: a farewell is kept until the other side has heard it, whenever that is.

Our side of the connection is gone at once, with its channel and keys; what remains is one envelope per
connection, made beforehand. The other side acknowledges it with END_NUMBER in the commit that ends its own
side, or says that it does not know the channel (any more).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pico_didcomm.protocols.connection import End, make_end
from pico_engine.messages import Failed, OperationAnswer, OperationMessage
from pico_engine.values import FrozenMap
from pico_node.agent.frames import ACK, DATA, END_NUMBER, frame
from pico_node.agent.handshake import raise_connection
from pico_node.agent.rows import ESTABLISHED, REQUESTED, connection_of, drop_connection
from pico_node.agent.taken import forget_taken

if TYPE_CHECKING:
    from pico_engine.pico import Pico
    from pico_node.agent.agent import Agent
    from pico_node.agent.lanes import Lane


@dataclass(slots=True)
class InboundEnd:
    """Marks the other side's farewell, to acknowledge it when our side has ended too."""

    peer_id: str
    their_did: str


class Farewells:
    """Ends of connections, ours and theirs."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    # -- our side -----------------------------------------------------------------------------------------

    def end(self, pico: Pico, eci: str, reason: str) -> None:
        """Our side ends a connection, in the turn at hand: keep what tells the other side so."""
        agent = self._agent
        row = connection_of(pico, eci)
        if row is None:
            return
        if row["peer_id"] == agent.peer_id:
            agent.neighbours.end(eci, row, reason)
        elif "foreign" in row:
            agent.partings.add(pico, eci, row)
        elif row["state"] in (ESTABLISHED, REQUESTED):
            lane = agent.lanes.find(eci)
            assert lane is not None, "its other side is known"
            message = make_end(agent.entropy(16).hex(), eci, row["their_did"], End(reason))
            envelope = b64encode(lane.pair.pack(message, agent.entropy)).decode()
            farewell = {"envelope": envelope, "created": agent.now, "to": row["their_did"], "pico": pico.did}
            agent.node.farewells.put(f"{row['peer_id']}/{eci}", FrozenMap(farewell))
            agent.said_goodbye(row["peer_id"])
        self._drop(pico, eci, row)

    def _drop(self, pico: Pico, eci: str, row: FrozenMap) -> int:
        """Forget a connection; answers how many events were not acknowledged by the other side."""
        agent = self._agent
        waiting = sum(1 for _, one in pico.outbox.scan(eci + "/", eci + "0") if one["kind"] == "event")
        if waiting:
            agent.warn(
                pico.did,
                f"connection {row['id']} ended; {waiting} events were not acknowledged by the other side",
            )
        drop_connection(pico, eci)
        if row["peer_id"]:
            agent.node.unsent.delete(f"{row['peer_id']}/{eci}")
            agent.node.by_peer.delete(f"{row['peer_id']}/{eci}")
            agent.forget_peer_if_unused(row["peer_id"])
        agent.lanes.drop(eci)
        if "foreign" in row:
            forget_taken(agent.node.taken, eci)
        return waiting

    def send(self, peer_id: str) -> None:
        """Tell a node which connections have ended, until it has said that it knows."""
        agent = self._agent
        frames = []
        for _, row in list(agent.node.farewells.scan(peer_id + "/", peer_id + "0")):
            pico = agent.engine.loaded_or_stored(row["pico"])
            if pico is not None and pico.turn is not None:
                agent.said_goodbye(peer_id)  # the turn that says it waits, and may be undone
            else:
                frames.append(DATA + b64decode(row["envelope"]))
        if frames:
            agent.send(peer_id, frames)

    def say_again(self, peer_id: str, eci: str) -> bool:
        """The other side talks to our former channel `eci`: it has not heard the farewell."""
        row = self._agent.node.farewells.get(f"{peer_id}/{eci}")
        if row is not None:
            self.send(peer_id)
        return row is not None

    def remind(self) -> None:
        """Say again what no node has said to have heard; a frame may get lost inside a session."""
        for peer_id in {key.partition("/")[0]: None for key, _ in self._agent.node.farewells.scan()}:
            self.send(peer_id)

    def heard(self, peer_id: str, eci: str) -> bool:
        """The other side knows that the connection of our former channel `eci` has ended."""
        agent = self._agent
        key = f"{peer_id}/{eci}"
        row = agent.node.farewells.get(key)
        if row is None:
            return False
        pico = agent.engine.loaded_or_stored(row["pico"])
        if pico is not None and pico.turn is not None:
            return True  # the row may be that turn's own; it will be said again
        agent.node.farewells.delete(key)
        agent.forget_peer_if_unused(peer_id)
        agent.engine.ledger.commit()
        return True

    # -- their side ---------------------------------------------------------------------------------------

    def receive(self, pico: Pico, lane: Lane, end: End) -> None:
        """The other side has ended the connection."""
        eci, reply = lane.eci, InboundEnd(lane.peer_id, lane.their_did)
        self._agent.engine.receive(
            OperationMessage(pico.did, "connection end", lambda one: self.take(one, eci, end), reply=reply),
            self._agent.now,
        )

    def take(self, pico: Pico, eci: str, end: End) -> None:
        """End our side, too, inside an operation on the pico."""
        row = connection_of(pico, eci)
        if row is None:
            return
        unacknowledged = self._drop(pico, eci, row)
        if eci in pico.channels.rows:
            self._agent.engine.family.delete_channel(pico, eci)
        raise_connection(pico, "ended", row, eci, reason=end.reason, unacknowledged=unacknowledged)

    def taken(self, reply: InboundEnd, effect: OperationAnswer | Failed) -> None:
        """Our side has ended, in a commit of the tick at hand; if it could not, they will say it again."""
        if isinstance(effect, OperationAnswer):
            self._agent.send(reply.peer_id, [frame(ACK, [[reply.their_did, END_NUMBER]])])
