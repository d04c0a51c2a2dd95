"""The node as a mediator: messages wait here, durably, for agents that cannot always be reached.

The machine is `pico_didcomm.mediator.server.Mediator` over rows of the ledger. It is off until the owner
wants it. Its DID names the node's URL; with another URL it is another DID, and clients must register again.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from pico_didcomm import DidcommError, Resolver
from pico_didcomm.errors import NotFetched
from pico_didcomm.mediator.mailboxes import MediatorLimits
from pico_didcomm.mediator.server import Mediator, Post, Refused, Transmit
from pico_didcomm.protocols.out_of_band import invitation_url, make_invitation
from pico_engine.errors import BadRequest, EngineError
from pico_engine.values import Json
from pico_node.agent.foreign_post import Origin
from pico_node.agent.identities import Keys, keys_of
from pico_node.agent.mailbox_rows import SectionRows
from pico_node.agent.mediation_keys import kept_identity, mediator_services
from pico_node.agent.messages import SendSocket, SocketDown, SocketUp

if TYPE_CHECKING:
    from pico_node.agent.agent import Agent

REQUESTS_FROM = 1 << 60
"""Sessions of single requests are numbered from here on, beyond all WebSockets."""


class Mediating:
    """The mediator that a node is, if its owner wants one. `did` is "" otherwise."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.wanted = False
        self.limits = MediatorLimits()
        self.did = ""
        self._machine: Mediator | None = None
        self._keys: Keys | None = None
        self._requests = count(REQUESTS_FROM)
        self._sockets: dict[int, None] = {}
        self._expiry: int | None = None

    def start(self) -> None:
        """Begin, where it is wanted and the node has a URL."""
        agent = self._agent
        if not self.wanted or not agent.url or self._machine is not None:
            return
        services = mediator_services(agent.url, agent.peer_id, agent.addresses)
        row = kept_identity(agent.node.mediation, "mediator", agent.entropy, agent.url, services)
        self.did, self._keys = row["did"], keys_of(row["secret"])
        self._machine = Mediator(
            self._keys,
            self.did,
            agent.documents.always_beside(Resolver()),
            SectionRows(agent.node.mailboxes),
            agent.entropy,
            limits=self.limits,
        )
        for socket in self._sockets:
            self._machine.opened(socket)
        self._expiry = self._machine.next_timer()
        agent.engine.ledger.commit()

    def invitation(self) -> Json:
        """`{did, invitation}`: what clients are told. Raises BadRequest."""
        if self._keys is None:
            raise BadRequest("this node is no mediator", "start it with --mediator")
        agent = self._agent
        message = make_invitation(
            agent.entropy(16).hex(),
            self.did,
            label="mediator",
            goal_code="request-mediate",
            created_time=agent.now // 1000,
        )
        return {"did": self.did, "invitation": invitation_url(message, self._keys)}

    # -- what comes ---------------------------------------------------------------------------------------

    def opened(self, message: SocketUp) -> None:
        """Somebody has opened a WebSocket."""
        self._sockets[message.socket] = None
        if self._machine is not None:
            try:
                self._machine.opened(message.socket)
            except DidcommError as error:  # it can still make requests, not be served live
                self._agent.note("warning", f"a WebSocket is not remembered: {error}")

    def closed(self, message: SocketDown) -> None:
        """It is gone."""
        self._sockets.pop(message.socket, None)
        if self._machine is not None:
            self._machine.closed(message.socket)

    def receive(self, origin: Origin, data: bytes) -> bool:
        """An envelope for the mediator; whether there may be an answer later."""
        machine, agent = self._machine, self._agent
        assert machine is not None, "its DID is known"
        session = origin.socket or next(self._requests)
        machine.receive(data, session, agent.now)
        while (effect := machine.next_effect()) is not None:
            if isinstance(effect, Transmit):
                self._transmit(effect, session, origin)
            elif isinstance(effect, Post):
                self._post(effect)
            elif isinstance(effect, Refused):
                if isinstance(effect.error, NotFetched):
                    raise effect.error  # whoever calls waits for the document, and comes again
                agent.engine.count("mediator_refused")
                agent.note("warning", f"a message to the mediator was refused: {effect.error}")
            else:
                agent.engine.count("mediator_kept")
        agent.engine.ledger.commit()
        self._expiry = machine.next_timer()
        return False

    def _transmit(self, effect: Transmit, session: int, origin: Origin) -> None:
        if effect.session != session or origin.socket:
            self._agent.effect(SendSocket(effect.session, effect.envelope))
        else:
            self._agent.foreign_post.back(origin, effect.envelope)

    def _post(self, effect: Post) -> None:
        """To a client that did not ask for its answer on the same connection."""
        assert self._machine is not None, "it has an effect"
        agent = self._agent
        resolver = agent.documents.beside(Resolver())
        long_did = self._machine.mailboxes.long_form_of(effect.did) or effect.did
        try:
            document = resolver.resolve(long_did)
            agent.effect(agent.foreign_post.posted(document, effect.envelope, resolver))
        except (DidcommError, EngineError) as error:
            agent.engine.count("foreign_unsent")
            agent.note("warning", f"no way to a client of the mediator: {error}")

    # -- time ---------------------------------------------------------------------------------------------

    def next_timer(self) -> int | None:
        """When a message expires."""
        return self._expiry

    def handle_timer(self, now: int) -> None:
        """Drop what has expired."""
        if self._machine is not None and self._expiry is not None and self._expiry <= now:
            self._machine.handle_timer(now)
            self._agent.engine.ledger.commit()
            self._expiry = self._machine.next_timer()


__all__ = ["Mediating"]
