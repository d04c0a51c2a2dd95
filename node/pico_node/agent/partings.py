"""Ends of connections with agents of other makes, when our side ends them: said once, after the commit.

DIDComm v2.1 ("Ending a Relationship") has it so: a message without `from`, whose `from_prior` names no new
DID. Our channel goes at once; what is kept until it is said are its keys, because the other side's document
may have to be fetched first. Nobody tells whether it arrived, as with everything that is sent to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pico_didcomm import DidcommError, Message, canonical_did
from pico_didcomm.errors import NotFetched
from pico_didcomm.from_prior import make_from_prior
from pico_didcomm.pack import pack_anoncrypt
from pico_didcomm.pico_engine import is_pico_engine_did
from pico_didcomm.protocols.empty import EMPTY_TYPE
from pico_engine.errors import EngineError
from pico_engine.values import FrozenMap, freeze
from pico_node.agent.identities import keys_of
from pico_node.agent.rows import ESTABLISHED, REQUESTED

if TYPE_CHECKING:
    from pico_engine.pico import Pico
    from pico_node.agent.agent import Agent


class Partings:
    """What is still to be said to agents with which our side has ended a connection."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.to_say: dict[str, None] = {}

    def add(self, pico: Pico, eci: str, row: FrozenMap) -> None:
        """A connection ends, in the turn at hand; the other side hears so after the commit."""
        # The existing engine's library refuses the end of a relationship as a defective message.
        if row["state"] not in (ESTABLISHED, REQUESTED) or is_pico_engine_did(row["their_did"]):
            return
        kept = {
            "pico": pico.did,
            "secret": pico.channels.rows[eci].secret,
            "their_did": row["their_did"],
            "their_long": row["their_long"],
            "ended": self._agent.now,
        }
        self._agent.node.partings.put(eci, freeze(kept))
        self.to_say[eci] = None

    def start(self) -> None:
        """Take up what was committed and not said."""
        for eci, _ in list(self._agent.node.partings.scan()):
            self.to_say[eci] = None

    def flush(self) -> None:
        """Say what is committed."""
        agent = self._agent
        to_say, self.to_say = self.to_say, {}
        for eci in to_say:
            row = agent.node.partings.get(eci)
            pico = agent.engine.loaded_or_stored(row["pico"]) if row is not None else None
            if pico is not None and pico.turn is not None:
                self.to_say[eci] = None  # the row may be that turn's own, and be undone
            elif row is not None:
                self._say(eci, row)
        agent.engine.ledger.commit()

    def _say(self, eci: str, row: FrozenMap) -> None:
        agent = self._agent
        try:
            resolver = agent.foreign_post.resolver(row)
            document = resolver.resolve(row["their_did"])
            envelope = pack_anoncrypt(self._end(row), document, agent.entropy)
            agent.effect(agent.foreign_post.posted(document, envelope, resolver))
        except NotFetched as error:
            try:
                agent.documents.wait(error, lambda: self.to_say.update({eci: None}))
            except EngineError as busy:
                self._unsaid(eci, busy)
            else:
                return
        except DidcommError as error:
            self._unsaid(eci, error)
        agent.node.partings.delete(eci)

    def _end(self, row: FrozenMap) -> Message:
        prior = keys_of(row["secret"]).signing_key(row["secret"]["long"])  # they know us by it
        return Message(
            self._agent.foreign_post.new_id(),
            EMPTY_TYPE,
            to=(canonical_did(row["their_did"]),),
            created_time=self._agent.now // 1000,
            from_prior=make_from_prior(prior, None, row["ended"] // 1000),
        )

    def _unsaid(self, eci: str, error: Exception) -> None:
        self._agent.engine.count("foreign_unsent")
        self._agent.note("warning", f"the other side of {eci} is not told of its end: {error}")


__all__ = ["Partings"]
