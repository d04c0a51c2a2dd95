"""The agent: a whole node without I/O. It runs in production and in the simulator.

Theory of operation. The agent joins the engine (picos) with DIDComm (connections). It is one machine:
`receive`, `next_timer`, `handle_timer`, `next_effect`, and for durability `take_batch` and `durable`, as the
engine has them. Its driver makes each batch durable before it carries out the effects that came before the
batch was taken; so nothing is acknowledged, answered or sent that a crash could take back.

The engine calls the agent (as its `Port`) when a turn sends an event to a channel that is not in the engine;
the agent writes it to the outbox in the commit of that turn. What comes from elsewhere is handed to the
engine with a `Cursor`, which is written in the commit of the turn that applies it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pico_didcomm import peer_id_from_ed25519
from pico_didcomm.errors import NotFetched
from pico_didcomm.pico_engine import is_pico_engine_did
from pico_engine.engine import Engine
from pico_engine.errors import Busy
from pico_engine.identities import Entropy
from pico_engine.limits import EngineLimits
from pico_engine.messages import (
    SYSTEM_DOOR,
    EventAnswer,
    EventMessage,
    LogLine,
    OperationMessage,
    QueryMessage,
    RemoteQuery,
    WaitAnswer,
)
from pico_engine.port import Port
from pico_engine.registry import Registry
from pico_engine.store import Batch, StoreReader
from pico_engine.turn import Post
from pico_engine.values import Json, freeze
from pico_node.agent.carriable import check_carriable
from pico_node.agent.commands import CommandReply, Commands
from pico_node.agent.documents import Documents
from pico_node.agent.errors import BadInvitation
from pico_node.agent.farewells import Farewells, InboundEnd
from pico_node.agent.foreign import Foreign, ForeignEvent, ForeignQuery
from pico_node.agent.foreign_post import ForeignPost
from pico_node.agent.frames import HELLO, frame
from pico_node.agent.handshake import Handshake
from pico_node.agent.hosts import Hosts
from pico_node.agent.identities import DidcommIdentities
from pico_node.agent.inbound import Inbound, InboundEvent, InboundQuery
from pico_node.agent.lanes import Lanes
from pico_node.agent.limits import AgentLimits
from pico_node.agent.mediated import Mediated
from pico_node.agent.mediating import Mediating
from pico_node.agent.messages import (
    Command,
    Connect,
    DocumentFetched,
    Effect,
    ForeignMessage,
    Forget,
    LinkDown,
    LinkUp,
    Message,
    PeerDown,
    PeerFound,
    PeerFrames,
    PeerUp,
    PostAnswered,
    SendFrames,
    SocketDown,
    SocketUp,
)
from pico_node.agent.neighbours import Neighbours
from pico_node.agent.outboxes import Outboxes
from pico_node.agent.partings import Partings
from pico_node.agent.questions import Questions
from pico_node.agent.rows import (
    ESTABLISHED,
    NodeRows,
    connection_to,
    connections_of,
    is_foreign,
    numbers,
)
from pico_node.agent.visits import Visits

if TYPE_CHECKING:
    from pico_engine.pico import Pico

BUILT_IN = ("io.picolabs.wrangler", "io.picolabs.subscription")
"""Rulesets of every root pico; wrangler gives them to children."""
SOFTWARE = "picomesh/1"


class Agent(Port):
    """One node. `node_key` is its Ed25519 public key; everything else that varies comes in with messages."""

    def __init__(
        self,
        store: StoreReader,
        registry: Registry,
        entropy: Entropy,
        node_key: bytes,
        *,
        limits: AgentLimits | None = None,
        engine_limits: EngineLimits | None = None,
    ) -> None:
        self.limits = limits or AgentLimits()
        self.entropy = entropy
        self.peer_id = peer_id_from_ed25519(node_key)
        self.addresses: tuple[str, ...] = ()
        self.public_url = ""
        """Where agents of other makes reach the HTTP doors, if that is not `base_url`."""
        self.engine = Engine(store, registry, DidcommIdentities(), entropy, port=self, limits=engine_limits)
        self.node = NodeRows(self.engine.ledger)
        self.lanes = Lanes(self)
        self.outboxes = Outboxes(self)
        self.questions = Questions(self)
        self.handshake = Handshake(self)
        self.neighbours = Neighbours(self)
        self.farewells = Farewells(self)
        self.hosts = Hosts(self)
        self.inbound = Inbound(self)
        self.documents = Documents(self)
        self.foreign_post = ForeignPost(self)
        self.partings = Partings(self)
        self.mediating = Mediating(self)
        self.mediated = Mediated(self)
        self.visits = Visits(self)
        self.foreign = Foreign(self)
        self.commands = Commands(self)
        self.sessions: dict[str, int] = {}
        self.now = 0
        self._effects: deque[Effect] = deque()
        self._wanted: dict[str, None] = {}
        self._goodbyes: dict[str, None] = {}
        self._next_sweep = 0
        self._ours: dict[type, Callable[[Any, Any], None]] = {
            InboundEvent: self.inbound.event_done,
            InboundQuery: self.inbound.query_done,
            InboundEnd: self.farewells.taken,
            ForeignEvent: self.foreign.event_done,
            ForeignQuery: self.foreign.query_done,
            CommandReply: self.commands.done,
        }
        """Answers that are for the agent itself, by the kind of reply that they carry."""
        self._others: dict[type, Callable[[Any], None]] = {
            ForeignMessage: self.foreign.receive,
            SocketUp: self.mediating.opened,
            SocketDown: self.mediating.closed,
            LinkUp: self.mediated.link_up,
            LinkDown: self.mediated.link_down,
            PostAnswered: self.foreign_post.answered,
            DocumentFetched: self.documents.fetched,
        }

    # -- the machine's face -------------------------------------------------------------------------------

    def start(self, now: int, addresses: Iterable[str] = ()) -> None:
        """Begin: make the root pico of a new node, take up what was left, call the nodes we know."""
        self.now = now
        self.addresses = tuple(addresses)
        engine = self.engine
        if engine.root is None:
            engine.new_root("root", BUILT_IN, now)
        engine.start(now)
        self.hosts.start()
        root = engine.root
        assert root is not None, "it was just made"
        engine.receive(EventMessage(root, "engine", "started", door=SYSTEM_DOOR), now)
        self.foreign_post.start()
        self.partings.start()
        self.mediating.start()
        self.mediated.start()
        known = [(row["seen"], key, row["addresses"]) for key, row in self.node.peers.scan()]
        for _, peer_id, found in sorted(known, reverse=True)[: self.limits.peers_connected_max]:
            if found:
                self.effect(Connect(peer_id, tuple(found)))
        self._pump()

    def receive(self, message: Message, now: int) -> None:
        """Take a message. Nothing raises: what cannot be served is answered with `Failed`, or counted."""
        self.now = now
        if type(message) is EventMessage:  # it only joins its pico's queue
            self.engine.receive(message, now)
            if self.engine.effects:
                self._pump()
            return
        self.engine.now = now
        if isinstance(message, PeerFrames):
            if self.sessions.get(message.peer_id) == message.session:
                self.inbound.frames(message.peer_id, message.frames)
        elif isinstance(message, PeerUp):
            self._peer_up(message)
        elif isinstance(message, PeerDown):
            if self.sessions.get(message.peer_id) == message.session:
                del self.sessions[message.peer_id]
        elif isinstance(message, WaitAnswer) and message.wait < 0:
            self.hosts.answered(message)
        elif isinstance(message, Command):
            self.commands.run(message)
        elif isinstance(message, PeerFound):
            self._peer_found(message)
        elif isinstance(message, QueryMessage | OperationMessage | WaitAnswer):
            self.engine.receive(message, now)
        else:
            self._others[type(message)](message)
        self._pump()

    def receive_all(self, messages: deque[Message], now: int) -> None:
        """`receive` each of what came since the last tick, and leave none: most of it are events."""
        self.now = now
        while messages:
            self.engine.receive_events(messages, now)
            if messages:
                self.receive(messages.popleft(), now)
        if self.engine.effects:
            self._pump()

    def next_timer(self) -> int | None:
        """When `handle_timer` is wanted; a time that has passed means at once."""
        timers = (
            self.engine.next_timer(),
            self.lanes.next_retry(),
            self.questions.next_timer(),
            self.hosts.next_timer(),
            self.visits.next_timer(),
            self.mediating.next_timer(),
            self.mediated.next_timer(),
            self._next_sweep,
        )
        return min(timer for timer in timers if timer is not None)

    def handle_timer(self, now: int) -> None:
        """Do what is due."""
        self.now = now
        self.questions.handle_timer(now)
        self.lanes.retry(now)
        self.visits.handle_timer(now)
        self.mediating.handle_timer(now)
        self.mediated.handle_timer(now)
        if now >= self._next_sweep:
            self._next_sweep = now + self.engine.limits.idle_max_ms
            self.lanes.sweep(now - self.engine.limits.idle_max_ms)
            self.outboxes.expire()
            self.farewells.remind()
        self.engine.handle_timer(now)
        self._pump()

    def next_effect(self) -> Effect | None:
        """What is to be done outside, in order; only when the batch taken next is durable."""
        return self._effects.popleft() if self._effects else None

    def take_effects(self) -> deque[Effect]:
        """All that `next_effect` would answer, at once."""
        taken, self._effects = self._effects, deque()
        return taken

    @property
    def has_changes(self) -> bool:
        return self.engine.has_changes

    def take_batch(self) -> tuple[int, Batch]:
        """Everything that was committed since the last call, as one batch, and its number."""
        taken = self.engine.take_batch()
        if not self.engine.has_unfinished_turns:
            self.node.forget()
        return taken

    def durable(self, number: int) -> None:
        self.engine.durable(number)

    def _pump(self) -> None:
        """Route what the engine has to say, and send what became ready."""
        engine, ours, keep = self.engine, self._ours, self._effects.append
        while engine.effects:  # what is routed here may lead to more
            for effect in engine.take_effects():
                if type(effect) is EventAnswer:  # as most; it has a reply
                    reply: Any = effect[0]
                elif type(effect) is RemoteQuery:
                    self.questions.ask(effect)
                    continue
                else:
                    reply = getattr(effect, "reply", None)
                take = ours.get(type(reply))
                if take is None:
                    keep(effect)
                else:
                    take(reply, effect)
        self.lanes.flush()
        self.hosts.flush()
        if self.foreign_post.to_send:
            self.foreign_post.flush()
        if self.partings.to_say:
            self.partings.flush()
        self.mediated.flush()
        if self._goodbyes:
            goodbyes, self._goodbyes = self._goodbyes, {}
            for peer_id in goodbyes:
                self.farewells.send(peer_id)

    @property
    def url(self) -> str:
        """Where agents of other makes reach this node by HTTP; "" for nowhere."""
        return self.public_url or self.base_url

    # -- other nodes --------------------------------------------------------------------------------------

    def _peer_up(self, message: PeerUp) -> None:
        peer_id = message.peer_id
        self.sessions[peer_id] = message.session
        self._wanted.pop(peer_id, None)
        self.send(peer_id, [frame(HELLO, {"agent": SOFTWARE, "addresses": list(self.addresses)})])
        self.lanes.session_up(peer_id)
        self.questions.session_up(peer_id)
        self.farewells.send(peer_id)

    def _peer_found(self, message: PeerFound) -> None:
        """Somebody is there; that matters only if we have to do with them."""
        if self.node.peers.get(message.peer_id) is not None:
            self.learn_addresses(message.peer_id, message.addresses)
            self.engine.ledger.commit()
            if message.peer_id not in self.sessions:
                self.want_session(message.peer_id)

    def learn_addresses(self, peer_id: str, addresses: Iterable[str]) -> None:
        """Remember where a node can be reached. Committed by the caller."""
        if peer_id == self.peer_id:
            return
        found = [one for one in addresses if len(one) <= 512][: self.limits.addresses_max]
        known = self.node.peers.get(peer_id)
        if known is not None and (not found or list(known["addresses"]) == found):
            if self.now - known["seen"] < 3_600_000:
                return
            found = list(known["addresses"])
        elif known is not None or found:
            self.effect(Connect(peer_id, tuple(found)))
        self.node.peers.put(peer_id, freeze({"addresses": found, "seen": self.now}))

    def want_session(self, peer_id: str) -> None:
        """Ask for a session with a node, once until there is one."""
        if peer_id not in self._wanted and peer_id != self.peer_id:
            self._wanted[peer_id] = None
            known = self.node.peers.get(peer_id)
            self.effect(Connect(peer_id, tuple(known["addresses"]) if known else ()))

    def send(self, peer_id: str, frames: list[bytes]) -> None:
        """Send frames, if there is a session."""
        session = self.sessions.get(peer_id)
        if session is not None:
            self.effect(SendFrames(peer_id, session, frames))

    def said_goodbye(self, peer_id: str) -> None:
        self._goodbyes[peer_id] = None

    def forget_peer_if_unused(self, peer_id: str) -> None:
        """Let a node go with which no connection is left. Committed by the caller."""
        prefix = peer_id + "/"
        for section in (self.node.by_peer, self.node.farewells):
            if next(iter(section.scan(prefix, peer_id + "0")), None) is not None:
                return
        if self.node.peers.get(peer_id) is not None:
            self.node.peers.delete(peer_id)
            self.effect(Forget(peer_id))

    # -- the engine's port --------------------------------------------------------------------------------

    def send_event(self, pico: Pico, event: EventMessage) -> bool:
        eci = connection_to(pico, event.eci)
        if eci is None:
            return False
        lane = self.lanes.find(eci)
        waiting = numbers(pico, eci)[0] - lane.acknowledged if lane is not None else 0
        if waiting >= self.limits.outbox_max_messages:
            raise Busy(f"{waiting:,} events wait for the other side already (outbox_max_messages)")
        check_carriable(event.attrs, "attributes of an event", self.engine.limits.attributes_max_bytes)
        if is_foreign(pico, eci):
            self.foreign_post.add(pico, eci, event.domain, event.type, event.attrs)
            return True
        row = {
            "kind": "event",
            "domain": event.domain,
            "type": event.type,
            "attrs": event.attrs,
            "hops": event.hops,
        }
        self.handshake.add_to_outbox(pico, eci, row)
        return True

    def take_post(self, pico: Pico, post: Post) -> bool:
        if not self.hosts.takes(post):
            return False
        try:
            self.hosts.take(pico, post)
        except Busy as error:
            self.hosts.refuse(pico, post, error)
        return True

    def can_call(self, pico: Pico) -> bool:
        """Every pico; the node's edge decides where to (its egress policy)."""
        del pico
        return True

    def send_message(self, pico: Pico, did: str, message: Json) -> bool:
        return self.foreign_post.add_message(pico, did, message)

    def can_query(self, pico: Pico, eci: str) -> bool:
        ours = connection_to(pico, eci)
        # Of agents of other makes only the existing engine answers queries.
        return ours is not None and (not is_foreign(pico, ours) or is_pico_engine_did(eci))

    def invite(self, pico: Pico, label: str) -> dict[str, Json]:
        expires = self.now + self.limits.invitation_max_age_ms
        invitation: dict[str, Json] = self.handshake.invite(pico, "", ("", ""), label, expires)
        return invitation

    def accept(self, pico: Pico, url: str) -> dict[str, Json]:
        try:
            visit = self.visits.read(url)
        except NotFetched as error:
            raise BadInvitation(
                error.what, "accept it with `picomesh connect`, which fetches the document"
            ) from error
        begun: dict[str, Json]
        begun = self.handshake.accept(pico, url, "") if visit is None else self.visits.accept(pico, visit, "")
        return begun

    def partners(self, pico: Pico) -> dict[str, str]:
        every = connections_of(pico)
        return {row["their_did"]: eci for eci, row in every if row["state"] == ESTABLISHED}

    def channel_deleted(self, pico: Pico, eci: str) -> None:
        self.mediated.remove(eci)
        self.farewells.end(pico, eci, "the channel was deleted")

    def pico_deleted(self, pico: Pico) -> None:
        for eci in [eci for eci in pico.connections.rows if not eci.endswith("#")]:
            self.mediated.remove(eci)
            self.farewells.end(pico, eci, "the pico was deleted")

    # -- saying -------------------------------------------------------------------------------------------

    def effect(self, effect: Effect) -> None:
        self._effects.append(effect)

    def note(self, level: str, text: str) -> None:
        """Something for the node's log that belongs to no pico."""
        self._effects.append(LogLine(level, "", "", text, self.now))

    def warn(self, pico: str, text: str) -> None:
        """Something about a pico's connections that its owner should know."""
        self._effects.append(LogLine("warning", pico, "", text, self.now))
