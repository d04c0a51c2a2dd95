"""Connections between two picos of this very node: made and ended in one commit, without messages.

The invitation is the same as for anybody. When it is accepted on the node that made it, both sides are at
hand, so there is nothing to request or to respond. Afterwards the two talk within the engine; their channels
admit nobody but each other, as between nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pico_didcomm.protocols.connection import next_state
from pico_engine.errors import Busy
from pico_engine.values import FrozenMap, Json, freeze
from pico_node.agent.errors import BadInvitation
from pico_node.agent.handshake import connection_attrs, raise_connection
from pico_node.agent.rows import INVITED, INVITEE, INVITER, connection_of, drop_connection, put_connection

if TYPE_CHECKING:
    from pico_engine.pico import Pico
    from pico_node.agent.agent import Agent


class Neighbours:
    """Both sides of connections within a node. All of it inside the turn of one of the two picos."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def inviter(self, their_did: str, invitation: str) -> Pico:
        """The pico that waits for an answer on channel `their_did`. Raises BadInvitation, Busy."""
        engine = self._agent.engine
        pico = engine.loaded_or_stored(engine.index.get(their_did))
        row = connection_of(pico, their_did) if pico is not None else None
        if pico is None or row is None or row["state"] != INVITED or row["id"] != invitation:
            raise BadInvitation("the invitation was used already, or withdrawn")
        if row["expires"] <= self._agent.now:
            raise BadInvitation("the invitation has expired")
        if pico.turn is not None:
            raise Busy(f"the inviting pico {pico.did} is in the middle of a turn")
        return pico

    def connect(self, inviter: Pico, invitee: Pico, eci: str, row: FrozenMap) -> FrozenMap:
        """Establish both sides; `row` is the invitee's, for its channel `eci`. Answers it as it is then."""
        their_did = row["their_did"]
        theirs = connection_of(inviter, their_did)
        assert theirs is not None, "the inviter was looked up"
        theirs = put_connection(
            inviter,
            their_did,
            theirs,
            state=next_state(INVITER, theirs["state"], "request accepted"),
            their_did=eci,
            their_long=invitee.channels.rows[eci].secret["long"],
            their_label=invitee.name,
            their_pico=invitee.did,
            peer_id=self._agent.peer_id,
        )
        inviter.channels.put(their_did, inviter.channels.rows[their_did].changed(peer=eci))
        attrs = freeze(connection_attrs(theirs, their_did))
        self._agent.engine.tell(inviter, "connection", "established", attrs)
        state = next_state(INVITEE, row["state"], "response accepted")
        row = put_connection(invitee, eci, row, state=state, their_pico=inviter.did)
        raise_connection(invitee, "established", row, eci)
        return row

    def end(self, eci: str, row: FrozenMap, reason: str) -> None:
        """The side with channel `eci` ends the connection: end the other side, too."""
        engine = self._agent.engine
        their_did = row["their_did"]
        other = engine.loaded_or_stored(engine.index.get(their_did))
        theirs = connection_of(other, their_did) if other is not None else None
        if other is None or theirs is None:
            return
        drop_connection(other, their_did)
        other.channels.delete(their_did)
        engine.index.delete(their_did)
        attrs: dict[str, Json] = {**connection_attrs(theirs, their_did), "Tx": eci, "reason": reason}
        engine.tell(other, "connection", "ended", freeze(attrs))
