"""Agents of other makes: connections with whoever speaks plain DIDComm v2.1, and what they say on them.

Whoever holds an invitation of ours may answer it with any authenticated message, in the invitation's thread:
that makes a connection, as a request of a picomesh node does. On such a connection nothing is numbered: what
comes is taken at once, what goes leaves once, after the commit of the turn that sent it. A message that came
before is passed over, as far as this process remembers.

Answers go back where the message said they may (`return_route`), else to the endpoints that the other side's
document names: libp2p by `didcomm/v2`, HTTP by POST. What the pico's rulesets are told are events of the
domain `didcomm`, under the channel's policy as every event.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pico_didcomm import DidcommError, Message, Resolver, Unpacked, canonical_did, recipients_of, unpack
from pico_didcomm.did.document import DidDocument
from pico_didcomm.did.peer4 import is_long_form
from pico_didcomm.did.service import Endpoint
from pico_didcomm.errors import BadMessage, LimitExceeded, NoRoute, NotSigned, SenderMismatch
from pico_didcomm.pack import pack_authcrypt
from pico_didcomm.protocols.basic_message import BasicMessage, make_basic_message
from pico_didcomm.protocols.connection import REQUEST_TYPE, next_state
from pico_didcomm.protocols.discover_features import Feature
from pico_didcomm.protocols.empty import make_ack, wants_ack
from pico_didcomm.protocols.events import (
    EVENT_TYPE,
    QUERY_TYPE,
    Answer,
    Event,
    QueryError,
    make_answer,
    make_event,
    parse_event,
    parse_query,
)
from pico_didcomm.protocols.problem_report import ProblemReport, make_problem_report
from pico_didcomm.protocols.responder import BASIC_FEATURES, Received, Reply, Responder
from pico_didcomm.protocols.return_route import return_route_of
from pico_didcomm.protocols.routing import routes_to, wrap
from pico_didcomm.protocols.trust_ping import PING_TYPES
from pico_didcomm.protocols.user_profile import Profile
from pico_engine.errors import EngineError
from pico_engine.messages import (
    DIDCOMM_DOOR,
    EventAnswer,
    EventMessage,
    Failed,
    OperationAnswer,
    OperationMessage,
    QueryAnswer,
    QueryMessage,
)
from pico_engine.values import FrozenMap, Json, freeze, thaw
from pico_node.agent.carriable import check_carriable
from pico_node.agent.frames import DATA
from pico_node.agent.handshake import raise_connection
from pico_node.agent.identities import channel_identity
from pico_node.agent.messages import ForeignAnswer, ForeignMessage, PostMessage, SendForeign
from pico_node.agent.rows import (
    ESTABLISHED,
    INVITED,
    connection_of,
    numbers,
    outbox_key,
    put_connection,
    put_numbers,
)

if TYPE_CHECKING:
    from pico_engine.pico import Pico
    from pico_node.agent.agent import Agent

DOMAIN: Final = "didcomm"
"""Of the events that tell a pico what another agent said, and of `didcomm:basic_message` to it."""

REMEMBERED_MAX: Final = 10_000
"""Ids of messages that were taken: a repeated one does nothing. About 100 bytes each."""

UNSENT: Final = "foreign/"
"""Where the node's rows say which connections with other agents have something to send."""

LIBP2P_SCHEME: Final = "libp2p-peerid"


@dataclass(slots=True)
class Origin:
    """How a message came, and what it allows: the node it came from, or whoever waits for its answer."""

    peer_id: str
    reply: Any = None


@dataclass(slots=True)
class ForeignEvent:
    """Marks an event or a query of another agent, to see what became of it."""

    eci: str
    unpacked: Unpacked
    origin: Origin


@dataclass(slots=True)
class ForeignQuery(ForeignEvent):
    """A query, which is answered."""


class Foreign:
    """Connections with agents of other makes."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._responder = Responder(self._new_id, BASIC_FEATURES)
        self._remembered: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.to_send: dict[str, None] = {}

    # -- what comes ---------------------------------------------------------------------------------------

    def receive(self, message: ForeignMessage) -> None:
        """One DIDComm message by a transport of other agents. What cannot be taken is counted."""
        origin = Origin(message.peer_id, message.reply)
        try:
            waits = self._receive(origin, message.message)
        except (DidcommError, EngineError) as error:
            self._agent.engine.count(f"inbound_refused_{error.code}")
            self._agent.note("warning", f"a message of another agent was refused: {error}")
            waits = False
        if not waits:
            self._settle(origin, None)

    def _receive(self, origin: Origin, data: bytes) -> bool:
        """Whether there may be an answer later."""
        agent = self._agent
        eci = next((did for did in map(_did, recipients_of(data)) if agent.engine.index.get(did)), "")
        pico = agent.engine.loaded_or_stored(agent.engine.index.get(eci)) if eci else None
        row = connection_of(pico, eci) if pico is not None else None
        if pico is None or row is None:
            agent.engine.count("inbound_refused_unknown-channel")
            return False
        if "foreign" not in row and row["state"] != INVITED:
            agent.inbound.frames(origin.peer_id, [DATA + data])
            return False
        identity = channel_identity(pico.channels.rows[eci].secret)
        unpacked = unpack(data, identity, _resolver_of(row), agent.now)
        if "foreign" not in row and unpacked.message.type == REQUEST_TYPE:
            agent.inbound.frames(origin.peer_id, [DATA + data])
            return False
        if unpacked.sender is None or not unpacked.encrypted:
            raise NotSigned("a message that does not prove its sender", "encrypt it with authcrypt")
        if "foreign" not in row:
            return self._greeted(pico, eci, row, unpacked, origin)
        if unpacked.sender != row["their_did"]:
            return self._renamed(pico, eci, row, unpacked, origin)
        return self._taken(pico, eci, unpacked, origin)

    def _renamed(self, pico: Pico, eci: str, row: FrozenMap, unpacked: Unpacked, origin: Origin) -> bool:
        """Somebody else than the other side, or the other side under a new DID, which it has proven."""
        rotation = unpacked.rotation
        if rotation is None or rotation.new is None or canonical_did(rotation.prior) != row["their_did"]:
            raise SenderMismatch("a message on this connection that is not from its other side")

        def rename(one: Pico) -> None:
            found = connection_of(one, eci)
            if found is not None and found["their_did"] == row["their_did"]:
                long_did = unpacked.message.from_
                put_connection(one, eci, found, their_did=unpacked.sender, their_long=long_did)
                one.channels.put(eci, one.channels.rows[eci].changed(peer=unpacked.sender))

        reply = ForeignEvent(eci, unpacked, origin)
        operation = OperationMessage(pico.did, "connection renamed", rename, reply=reply)
        self._agent.engine.receive(operation, self._agent.now)
        return True

    def _greeted(self, pico: Pico, eci: str, row: FrozenMap, unpacked: Unpacked, origin: Origin) -> bool:
        """Somebody answers an invitation in plain DIDComm."""
        message = unpacked.message
        if row["expires"] <= self._agent.now:
            raise BadMessage("the invitation has expired", "ask for a new invitation")
        # Older pico engines do not say which invitation they answer; its DID is in no other.
        if message.pthid != row["id"] and message.type not in PING_TYPES:
            raise BadMessage("a message to an invitation's DID that does not answer it", "set pthid")
        _resolver_of(row).resolve(message.from_ or "")

        def establish(one: Pico) -> None:
            found = connection_of(one, eci)
            if found is None or found["state"] != INVITED:
                return
            found = put_connection(
                one,
                eci,
                found,
                state=next_state("inviter", found["state"], "request accepted"),
                their_did=unpacked.sender,
                their_long=message.from_,
                foreign=True,
                record=(unpacked.jws or b"").decode(),
            )
            one.channels.put(eci, one.channels.rows[eci].changed(peer=unpacked.sender))
            raise_connection(one, "established", found, eci)

        reply = ForeignEvent(eci, unpacked, origin)
        operation = OperationMessage(pico.did, "connection request", establish, reply=reply)
        self._agent.engine.receive(operation, self._agent.now)
        return True

    def _taken(self, pico: Pico, eci: str, unpacked: Unpacked, origin: Origin) -> bool:
        message, key = unpacked.message, (eci, unpacked.message.id)
        if key in self._remembered:
            self._agent.engine.count("messages_repeated")
            return False
        self._remembered[key] = None
        if len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        try:
            if message.type == EVENT_TYPE:
                event = parse_event(message)
                self._raise(eci, unpacked, origin, event.domain, event.name, freeze(event.attrs))
                return True
            if message.type == QUERY_TYPE:
                self._ask(eci, unpacked, origin)
                return True
        except DidcommError as error:
            self._responder.report(unpacked, self._mine(eci, unpacked), error)
        else:
            self._responder.receive(unpacked, self._mine(eci, unpacked))
        return self._answer(pico, eci, unpacked, origin)

    def _answer(self, pico: Pico, eci: str, unpacked: Unpacked, origin: Origin) -> bool:
        """Do what the responder says; whether there may be an answer later."""
        waits = False
        while (effect := self._responder.next_effect()) is not None:
            if isinstance(effect, Reply):
                self._send(pico, eci, effect.message, unpacked.message, origin)
            else:
                waits |= self._told(eci, effect, origin)
        return waits

    def _told(self, eci: str, received: Received, origin: Origin) -> bool:
        """Tell the pico what there is to tell."""
        name, attrs = _event_of(received)
        if name:
            message = received.unpacked.message
            told = {**attrs, "message_id": message.id, "thid": message.thid}
            unpacked = received.unpacked
            # The responder has acknowledged it already.
            quiet = unpacked._replace(message=replace(message, please_ack=None))
            self._raise(eci, quiet, origin, DOMAIN, name, freeze(told))
        return bool(name)

    def _raise(
        self, eci: str, unpacked: Unpacked, origin: Origin, domain: str, name: str, attrs: Json
    ) -> None:
        self._agent.engine.receive(
            EventMessage(
                eci,
                domain,
                name,
                attrs,
                door=DIDCOMM_DOOR,
                sender=unpacked.sender,
                reply=ForeignEvent(eci, unpacked, origin),
                eid=unpacked.message.id,
            ),
            self._agent.now,
        )

    def _ask(self, eci: str, unpacked: Unpacked, origin: Origin) -> None:
        asked = parse_query(unpacked.message)
        self._agent.engine.receive(
            QueryMessage(
                eci,
                asked.rid,
                asked.name,
                freeze(asked.args),
                door=DIDCOMM_DOOR,
                sender=unpacked.sender,
                reply=ForeignQuery(eci, unpacked, origin),
            ),
            self._agent.now,
        )

    # -- what became of it --------------------------------------------------------------------------------

    def event_done(self, reply: ForeignEvent, effect: EventAnswer | OperationAnswer | Failed) -> None:
        """The engine has answered: acknowledge, report, or go on with the greeting."""
        pico = self._pico_of(reply.eci)
        message = reply.unpacked.message
        if pico is not None and isinstance(effect, OperationAnswer):
            row = connection_of(pico, reply.eci)
            if row is not None and row["their_did"] == reply.unpacked.sender:
                if not self._taken(pico, reply.eci, reply.unpacked, reply.origin):
                    self._settle(reply.origin, None)
                return
        elif pico is not None and isinstance(effect, Failed):
            report = ProblemReport(
                f"e.m.{effect.error.code}", message.thread, comment=effect.error.what[:1000]
            )
            mine, theirs = self._mine(reply.eci, reply.unpacked), reply.unpacked.sender or ""
            answer = make_problem_report(self._new_id(), report, mine, theirs, ack=message.id)
            self._send(pico, reply.eci, answer, message, reply.origin)
        elif pico is not None and wants_ack(message):
            mine, theirs = self._mine(reply.eci, reply.unpacked), reply.unpacked.sender or ""
            self._send(
                pico, reply.eci, make_ack(self._new_id(), mine, theirs, message), message, reply.origin
            )
        self._settle(reply.origin, None)

    def query_done(self, reply: ForeignQuery, effect: QueryAnswer | Failed) -> None:
        """Send the answer of a query back."""
        pico = self._pico_of(reply.eci)
        if pico is not None:
            message = reply.unpacked.message
            try:
                if isinstance(effect, Failed):
                    raise effect.error
                bytes_max = self._agent.engine.limits.attributes_max_bytes
                check_carriable(effect.value, "the answer of a query", bytes_max)
                answer = Answer(message.id, effect.value)
            except EngineError as error:
                answer = Answer(message.id, error=QueryError(error.code, error.what, error.hint))
            mine, theirs = self._mine(reply.eci, reply.unpacked), reply.unpacked.sender or ""
            self._send(
                pico, reply.eci, make_answer(self._new_id(), mine, theirs, answer), message, reply.origin
            )
        self._settle(reply.origin, None)

    # -- what goes ----------------------------------------------------------------------------------------

    def add(self, pico: Pico, eci: str, domain: str, name: str, attrs: Json) -> None:
        """An event of the pico for the other side, in the turn at hand; it leaves after the commit."""
        sent, received = numbers(pico, eci)
        put_numbers(pico, eci, sent + 1, received)
        row = {"kind": "foreign", "domain": domain, "type": name, "attrs": attrs, "id": self._new_id()}
        pico.outbox.put(outbox_key(eci, sent + 1), freeze({**row, "created": self._agent.now, "after": ""}))
        self._agent.node.unsent.put(UNSENT + eci, pico.did)
        self.to_send[eci] = None

    def start(self) -> None:
        """Take up what was committed and not sent."""
        for key, _ in list(self._agent.node.unsent.scan(UNSENT, UNSENT[:-1] + "0")):
            self.to_send[key.removeprefix(UNSENT)] = None

    def flush(self) -> None:
        """Send what turns have committed. Once: whether it arrives nobody tells."""
        agent = self._agent
        to_send, self.to_send = self.to_send, {}
        for eci in to_send:
            pico = self._pico_of(eci)
            if pico is not None and pico.turn is not None:
                self.to_send[eci] = None  # the rows may be that turn's own, and be undone
                continue
            for key, row in list(pico.outbox.scan(eci + "/", eci + "0")) if pico is not None else ():
                if pico is not None:
                    self._send_row(pico, eci, row)
                    pico.outbox.delete(key)
            agent.node.unsent.delete(UNSENT + eci)
        agent.engine.ledger.commit()

    def _send_row(self, pico: Pico, eci: str, row: FrozenMap) -> None:
        connection = connection_of(pico, eci)
        if connection is None or connection["state"] != ESTABLISHED:
            return
        mine, theirs, seconds = self._long(pico, eci), connection["their_did"], row["created"] // 1000
        attrs = thaw(row["attrs"])
        content = attrs.get("content") if isinstance(attrs, dict) else None
        if (row["domain"], row["type"]) == (DOMAIN, "basic_message") and isinstance(content, str):
            lang = attrs.get("lang") if isinstance(attrs.get("lang"), str) else None
            message = make_basic_message(row["id"], mine, theirs, BasicMessage(content, lang, seconds))
        else:
            event = Event(row["domain"], row["type"], attrs)
            message = make_event(row["id"], mine, theirs, event, created_time=seconds)
        self._send(pico, eci, message, None, Origin(""))

    def _send(self, pico: Pico, eci: str, message: Message, answers: Message | None, origin: Origin) -> None:
        """Seal a message and let it go the way that there is."""
        agent = self._agent
        row = connection_of(pico, eci)
        if row is None:
            return
        resolver = _resolver_of(row)
        identity = channel_identity(pico.channels.rows[eci].secret)
        try:
            document = resolver.resolve(row["their_did"])
            envelope = pack_authcrypt(message, identity, document, agent.entropy)
            if answers is not None and return_route_of(answers).carries(message):
                if origin.reply is not None:
                    self._settle(origin, envelope)
                    return
                if origin.peer_id:
                    agent.effect(SendForeign(origin.peer_id, (), envelope))
                    return
            agent.effect(self._posted(row["their_did"], document, envelope, resolver))
        except DidcommError as error:
            agent.engine.count("foreign_unsent")
            agent.note("warning", f"no way to the other side of {eci}: {error}")

    def _posted(
        self, their_did: str, document: DidDocument, envelope: bytes, resolver: Resolver
    ) -> SendForeign | PostMessage:
        """An envelope on the first of the ways that their document names and this node has."""
        route = next((one for one in routes_to(document, resolver) if _is_ours(one.endpoint)), None)
        if route is None:
            raise NoRoute("none of its endpoints is of a transport that this node has")
        wrapped = wrap(envelope, their_did, route.hops, resolver, self._agent.entropy, self._new_id)
        endpoint = route.endpoint
        if endpoint.scheme == LIBP2P_SCHEME:
            return SendForeign(endpoint.uri.partition(":")[2], _addresses(endpoint), wrapped)
        return PostMessage(endpoint.uri, wrapped)

    def _settle(self, origin: Origin, envelope: bytes | None) -> None:
        """Answer whoever waits on the message's own connection, once."""
        if origin.reply is not None:
            reply, origin.reply = origin.reply, None
            self._agent.effect(ForeignAnswer(reply, envelope))

    # -- names --------------------------------------------------------------------------------------------

    def _mine(self, eci: str, unpacked: Unpacked) -> str:
        """Our DID as the other side called it: it may not know the long form's short one yet."""
        return next((did for did in unpacked.message.to if canonical_did(did) == eci), eci)

    def _long(self, pico: Pico, eci: str) -> str:
        long_did: str = pico.channels.rows[eci].secret["long"]
        return long_did

    def _pico_of(self, eci: str) -> Pico | None:
        return self._agent.engine.loaded_or_stored(self._agent.engine.index.get(eci))

    def _new_id(self) -> str:
        return self._agent.entropy(16).hex()


def _did(kid: str) -> str:
    return kid.partition("#")[0]


def _resolver_of(row: Mapping[str, Json]) -> Resolver:
    """Knows the other side of a connection by the short form of its DID, too."""
    resolver = Resolver(documents_cached_max=4)
    if row["their_long"] and is_long_form(row["their_long"]):
        resolver.learn(row["their_long"])
    return resolver


def _event_of(received: Received) -> tuple[str, dict[str, Json]]:
    """The name and attributes of the event that tells a pico what was received; "" for nothing."""
    content = received.content
    if isinstance(content, BasicMessage):
        return "basic_message", {
            "content": content.content,
            "lang": content.lang,
            "sent_time": content.sent_time,
        }
    if isinstance(content, Profile):
        return "user_profile", {"profile": dict(content.changes)}
    if isinstance(content, ProblemReport):
        return "problem_report", {"code": content.code, "pthid": content.pthid, "text": content.text()}
    if isinstance(content, tuple) and all(isinstance(one, Feature) for one in content):
        return "features", {
            "features": [
                {"type": one.feature_type, "id": one.id, "roles": list(one.roles)} for one in content
            ]
        }
    return "", {}


def _is_ours(endpoint: Endpoint) -> bool:
    """Whether this node has the transport."""
    return endpoint.scheme in (LIBP2P_SCHEME, "https", "http")


def _addresses(endpoint: Endpoint) -> tuple[str, ...]:
    """libp2p addresses beside the peer id, as the DIF's extension has them."""
    found = endpoint.extra.get("multiAddrs")
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(one, str) and len(one) <= 512 for one in found):
        raise BadMessage("multiAddrs is not a list of addresses")
    if len(found) > 16:
        raise LimitExceeded("more than 16 multiAddrs")
    return tuple(found)


__all__ = ["DOMAIN", "Foreign", "ForeignEvent", "ForeignQuery"]
