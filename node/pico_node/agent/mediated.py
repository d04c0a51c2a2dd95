"""The node as a client of a mediator, by which agents of other makes reach it behind a NAT.

The owner names the mediator, by its DID or its invitation. The node registers there under a DID of its own,
then each DID that it makes for an agent of another make, and names the mediator in it. What waits is fetched
over a WebSocket, live, where the mediator has one; else it is asked for every few seconds. A message is
acknowledged when whatever it led to is committed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pico_didcomm import DidcommError, Resolver
from pico_didcomm.did.document import canonical_did
from pico_didcomm.did.peer4 import is_long_form
from pico_didcomm.did.resolver import DidResolver
from pico_didcomm.did.service import endpoints_of
from pico_didcomm.errors import NotFetched
from pico_didcomm.mediator import client
from pico_didcomm.mediator.client import MediatorClient, mediated_service
from pico_didcomm.protocols.out_of_band import parse_invitation_url
from pico_engine.errors import Busy, EngineError
from pico_engine.values import Json, freeze
from pico_node.agent.errors import BadInvitation
from pico_node.agent.foreign_post import Origin
from pico_node.agent.identities import keys_of
from pico_node.agent.mediation_keys import kept_identity
from pico_node.agent.messages import LinkDown, LinkUp, OpenLink, SendLink

if TYPE_CHECKING:
    from pico_node.agent.agent import Agent

FETCH_MAX: Final = 32
"""Messages that are asked for at once; the mediator may send fewer."""

POLL_MS: Final = 10_000
"""How often a mediator without WebSockets is asked what waits; also how soon what failed is tried again."""

_WANTED, _REGISTERED, _GONE = "wanted", "registered", "gone"


class Mediated:
    """Our relationship with a mediator, if the owner has named one in `wanted`. `did` is ours in it."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.wanted = ""
        self.did = ""
        self._machine: MediatorClient | None = None
        self._mediator = ""
        self._resolver: DidResolver = Resolver()
        self._live = False
        self._link = False
        self._polls_at: int | None = None
        self._fetching = False
        self._updating: tuple[str, ...] = ()
        self._changed = False
        self._safe: list[str] = []
        self._more = False

    # -- beginning ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin, where there is a mediator. Raises BadInvitation for what names none."""
        if not self.wanted or self._machine is not None:
            return
        agent = self._agent
        resolver = Resolver()
        try:
            self._mediator, invitation = mediator_of(self.wanted, agent.now)
            if is_long_form(self._mediator):
                resolver.learn(self._mediator)
            document = agent.documents.beside(resolver).resolve(self._mediator)
        except NotFetched as error:
            agent.documents.wait(error, self._start_later)
            return
        except DidcommError as error:
            raise BadInvitation(f"--mediated-by names no mediator: {error.what}", error.hint) from error
        section = agent.node.mediation
        row = kept_identity(section, "client", agent.entropy, self._mediator, ())
        self.did = row["did"]
        self._machine = MediatorClient(
            keys_of(row["secret"]),
            self.did,
            self._mediator,
            agent.documents.always_beside(resolver),
            agent.entropy,
            state="granted" if row.get("granted") else "unregistered",
            invitation=invitation,
        )
        self._resolver = agent.documents.always_beside(resolver)
        sockets = [one.uri for one in endpoints_of(document) if one.scheme in ("ws", "wss")]
        if sockets:
            self._live = True
            agent.effect(OpenLink(sockets[0]))
        else:
            self._polls_at = agent.now
        self._changed = True
        agent.engine.ledger.commit()

    def _start_later(self) -> None:
        try:
            self.start()
        except (EngineError, DidcommError) as error:
            self._agent.note("error", f"no mediator: {error}")

    # -- DIDs behind it -----------------------------------------------------------------------------------

    def service(self) -> dict[str, Any]:
        """The service of a DID behind the mediator. Raises Busy."""
        row = self._agent.node.mediation.get("client")
        if self._machine is None or row is None or not row.get("granted"):
            raise Busy("the mediator has not agreed yet to serve this node", "try again in a moment")
        return mediated_service(row["granted"][0])

    def add(self, did: str) -> None:
        """A DID of ours names the mediator; part of the turn that makes it."""
        if self.wanted:
            self._agent.node.mediation.put(f"d/{did}", freeze({"state": _WANTED}))
            self._changed = True

    def remove(self, did: str) -> None:
        """A channel of ours goes; part of the turn that deletes it."""
        section = self._agent.node.mediation
        if section.get(f"d/{did}") is not None:
            section.put(f"d/{did}", freeze({"state": _GONE}))
            self._changed = True

    # -- the machine's face -------------------------------------------------------------------------------

    def link_up(self, _message: LinkUp) -> None:
        """The WebSocket is open."""
        self._link = True
        self._fetching, self._updating = False, ()
        self._begin()

    def link_down(self, _message: LinkDown) -> None:
        """It is not."""
        self._link = False
        if self._machine is not None:
            self._machine.disconnected()

    def receive(self, origin: Origin, data: bytes) -> bool:
        """An envelope from the mediator, on whatever way."""
        del origin
        assert self._machine is not None, "its DID is known"
        self._machine.receive(data, self._agent.now)
        self._carry_out()
        return False

    def safe(self, id_: str) -> None:
        """What came of this message is committed, or will never be more."""
        self._safe.append(id_)

    def next_timer(self) -> int | None:
        """When the mediator is asked, or has taken too long."""
        machine = self._machine
        timers = (self._polls_at, machine.next_timer() if machine is not None else None)
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: int) -> None:
        """Ask what waits."""
        machine = self._machine
        if machine is None:
            return
        machine.handle_timer(now)
        self._carry_out()
        if self._polls_at is not None and self._polls_at <= now:
            self._polls_at = None if self._live else now + POLL_MS
            self._begin()

    def flush(self) -> None:
        """Say what turns have changed, and what is safe."""
        machine = self._machine
        if machine is None or not (self._safe or self._changed):
            return
        if self._safe:
            safe, self._safe = self._safe, []
            machine.received(safe)
            if self._more:
                self._more = False
                self._fetch()
        if self._changed and machine.state != "unregistered" and not self._agent.engine.has_unfinished_turns:
            self._update()
        self._carry_out()

    # -- what it does -------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Ask to be served, or what waits."""
        machine, now = self._machine, self._agent.now
        if machine is None or (self._live and not self._link):
            return
        if machine.state == "unregistered" or machine.state == "denied":
            machine.register(now)
        elif machine.state == "granted":
            if self._live:
                machine.live(now, True)
            self._changed = True
            self._fetch()
        self._carry_out()

    def _fetch(self) -> None:
        if not self._fetching and self._machine is not None:
            self._fetching = True
            self._machine.fetch(self._agent.now, FETCH_MAX)

    def _update(self) -> None:
        """Register what is wanted, take back what is gone: one request at a time."""
        section, machine = self._agent.node.mediation, self._machine
        self._changed = False
        if machine is None or self._updating or (self._live and not self._link):
            return
        by_state: dict[str, list[str]] = {_WANTED: [], _REGISTERED: [], _GONE: []}
        for key, row in section.scan("d/", "d0"):
            by_state[row["state"]].append(key.removeprefix("d/"))
        wanted, gone = by_state[_WANTED][:FETCH_MAX], by_state[_GONE][:FETCH_MAX]
        if wanted or gone:
            self._updating = (*wanted, *gone)
            machine.update(self._agent.now, add=wanted, remove=gone)

    def _carry_out(self) -> None:
        machine = self._machine
        while machine is not None and (effect := machine.next_effect()) is not None:
            if isinstance(effect, client.Transmit):
                self._transmit(effect.envelope)
            elif isinstance(effect, client.Granted):
                row = self._agent.node.mediation.get("client")
                dids = list(effect.routing_dids) or [self._mediator]
                self._agent.node.mediation.put("client", freeze({**row, "granted": dids}))
                self._agent.engine.ledger.commit()
                self._begin()
            elif isinstance(effect, client.Changed):
                self._registered(effect)
            elif isinstance(effect, client.Fetched):
                self._fetched(effect)
            elif isinstance(effect, client.Waiting):
                if effect.status.message_count:
                    self._fetch()
            elif isinstance(effect, client.Denied):
                self._agent.note(
                    "error", "the mediator does not serve this node: ask its owner for its invitation"
                )
            elif isinstance(effect, client.Failed):
                self._failed(effect)

    def _registered(self, effect: client.Changed) -> None:
        section = self._agent.node.mediation
        for one in effect.updated:
            key = f"d/{canonical_did(one.recipient_did)}"
            if one.result not in ("success", "no_change"):
                self._agent.note("error", f"the mediator did not take {key[2:66]}: {one.result}")
            row = section.get(key)
            if row is None:
                continue
            if one.action == "remove":
                section.delete(key)
            elif row["state"] == _WANTED:
                section.put(key, freeze({"state": _REGISTERED}))
        self._agent.engine.ledger.commit()
        self._updating = ()
        self._changed = True

    def _fetched(self, effect: client.Fetched) -> None:
        asked, self._fetching = self._fetching, False
        for one in effect.messages:
            self._agent.foreign.take(Origin("", fetched=one.id), one.envelope)
        if effect.messages and asked:
            self._more = True  # but what came is acknowledged first, or it would come again

    def _failed(self, effect: client.Failed) -> None:
        why = effect.problem.text() if effect.problem is not None else "it did not answer"
        self._agent.note("warning", f"the mediator, asked for {effect.request.type[-40:]}: {why}")
        self._fetching, self._updating, self._changed = False, (), False
        self._polls_at = self._agent.now + POLL_MS

    def _transmit(self, envelope: bytes) -> None:
        """On the WebSocket, or the ways that the mediator's document names."""
        agent = self._agent
        if self._live:
            if self._link:
                agent.effect(SendLink(envelope))
            return
        try:
            document = self._resolver.resolve(self._mediator)
            agent.effect(agent.foreign_post.posted(document, envelope, self._resolver, granted=True))
        except DidcommError as error:
            agent.note("error", f"no way to the mediator: {error}")

    def status(self) -> Json:
        """What the owner is shown."""
        row = self._agent.node.mediation.get("client")
        state = self._machine.state if self._machine is not None else "starting"
        dids = row["granted"] if row is not None and row.get("granted") else []
        return {"mediator": self._mediator, "state": state, "routing_dids": list(dids), "live": self._link}


def mediator_of(text: str, now: int) -> tuple[str, str | None]:
    """The DID of a mediator, and the id of the invitation if it is named by one. Raises DidcommError."""
    if text.startswith("did:"):
        return text, None
    found = parse_invitation_url(text, now, require_signature=False)
    return found.sender, found.message.id


__all__ = ["Mediated"]
