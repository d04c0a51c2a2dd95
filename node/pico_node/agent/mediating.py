"""The node as a mediator: messages wait here, durably, for agents that cannot always be reached.

The machine is `pico_didcomm.mediator.server.Mediator` over rows of the ledger. It is off until the owner
wants it, and then serves whoever answers its invitation: the id in it is a secret that nobody guesses, and it
travels encrypted. Its DID names the node's URL; with another URL it is another DID, and clients must register
again. It has to: whoever writes to a client knows of the mediator nothing but its DID.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from hmac import compare_digest
from itertools import count
from typing import TYPE_CHECKING, Final

from pico_didcomm import DidcommError, Resolver
from pico_didcomm.errors import NotFetched
from pico_didcomm.mediator.mailboxes import MediatorLimits
from pico_didcomm.mediator.server import Mediator, Post, Refused, Transmit
from pico_didcomm.protocols.out_of_band import invitation_url, make_invitation
from pico_engine.errors import BadRequest, EngineError
from pico_engine.values import Json, freeze
from pico_node.agent.foreign_post import Origin
from pico_node.agent.identities import Keys, keys_of
from pico_node.agent.mailbox_rows import SectionRows
from pico_node.agent.mediation_keys import kept_identity, mediator_services
from pico_node.agent.messages import SendSocket, SocketDown, SocketUp
from pico_node.names import MEDIATOR_ADMITS

if TYPE_CHECKING:
    from pico_node.agent.agent import Agent

REQUESTS_FROM = 1 << 60
"""Sessions of single requests are numbered from here on, beyond all WebSockets."""

_NUMBER: Final = re.compile("[1-9][0-9]{0,14}")
_AT_MOST: Final = {
    name: getattr(MediatorLimits(), name) for name in ("message_bytes_max", "delivery_bytes_max")
}


def mediator_limits(settings: Iterable[str]) -> MediatorLimits:
    """The limits with these changed, each written `NAME=NUMBER`. Raises BadRequest."""
    names = [one.name for one in fields(MediatorLimits)]
    changed: dict[str, int] = {}
    for text in settings:
        name, _, number = (part.strip() for part in text.partition("="))
        if name not in names:
            hint = f"write NAME=NUMBER; there are {', '.join(names)}"
            raise BadRequest(f"{text[:80]!r} sets no limit of a mediator", hint)
        if _NUMBER.fullmatch(number) is None:
            raise BadRequest(f"{text[:80]!r} sets no number", "write a whole number above zero")
        changed[name] = int(number)
        if changed[name] > _AT_MOST.get(name, changed[name]):
            hint = "a delivery has to fit into one message of 1 MiB"
            raise BadRequest(f"{name} is {_AT_MOST[name]:,} at most", hint)
    return MediatorLimits(**changed)


class Mediating:
    """The mediator that a node is, if its owner wants one. `did` is "" otherwise."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.wanted = False
        self.limits = MediatorLimits()
        self.admits = MEDIATOR_ADMITS[0]
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
            admits=self._admits,
        )
        self._invitation_id()
        for socket in self._sockets:
            self._machine.opened(socket)
        self._expiry = self._machine.next_timer()
        agent.engine.ledger.commit()

    def _admits(self, _did: str, invitation: str | None) -> bool:
        invited = invitation is not None and compare_digest(
            invitation.encode(), self._invitation_id().encode()
        )
        return invited or self.admits == "anyone"

    def _invitation_id(self) -> str:
        """The same for ever: whoever was invited once may come later."""
        section = self._agent.node.mediation
        if section.get("invitation") is None:
            section.put("invitation", freeze({"id": self._agent.entropy(16).hex()}))
        found: str = section.get("invitation")["id"]
        return found

    def invitation(self) -> Json:
        """`{did, invitation}`: what clients are told. Raises BadRequest."""
        if self._keys is None:
            raise BadRequest("this node is no mediator", "start it with --mediator")
        agent = self._agent
        message = make_invitation(
            self._invitation_id(),
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


__all__ = ["Mediating", "mediator_limits"]
