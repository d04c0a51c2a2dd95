"""The mediator: takes forward messages for its clients, keeps them, hands them out. A machine without I/O.

Theory of operation. Every envelope comes in by `receive`, on a session of the edge: one for each HTTP
request, one for each WebSocket or stream, which is `lasting`. What answers a client goes back on its session
when its message asked so (`return_route`), else to wherever the client's own document says (`Post`). A
message for a client is always kept first, also in live mode, and dropped only when the client says that it
has it: so none is lost with a broken connection, in version 3.0 as in 4.0 of the pickup protocol.

A stranger may do two things: hand in forward messages, and ask to be served. Everything else has to come from
a client, authenticated. A forward is never acknowledged, and its sender hears of no problem: it has no name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from pico_didcomm.did.document import DidDocument, canonical_did
from pico_didcomm.did.peer4 import resolve_peer_4_short
from pico_didcomm.did.resolver import DidResolver, Resolver
from pico_didcomm.encoding import Entropy
from pico_didcomm.errors import BadEnvelope, DidcommError, LimitExceeded, NotSigned, UnexpectedMessage
from pico_didcomm.keys import Party, Secrets
from pico_didcomm.mediator.mailboxes import Mailboxes, MediatorLimits, Queued
from pico_didcomm.mediator.rows import Rows
from pico_didcomm.message import Message
from pico_didcomm.pack import pack_authcrypt
from pico_didcomm.protocols import coordinate_mediation, discover_features, pickup, routing, trust_ping
from pico_didcomm.protocols.pickup import LIVE_NOT_SUPPORTED, Delivered
from pico_didcomm.protocols.problem_report import ProblemReport, make_problem_report
from pico_didcomm.protocols.responder import Reply, Responder, features_of
from pico_didcomm.protocols.return_route import RETURN_ROUTE, ReturnRoute, return_route_of
from pico_didcomm.protocols.routing import FORWARD_TYPE, parse_forward
from pico_didcomm.protocols.tables import Table
from pico_didcomm.unpack import Unpacked, unpack

FEATURES: Final = features_of(
    {
        trust_ping.PROTOCOL: ("sender", "receiver"),
        discover_features.PROTOCOL: ("responder",),
        routing.PROTOCOL: ("mediator",),
        **{version.protocol: ("mediator",) for version in coordinate_mediation.VERSIONS},
        **{version.protocol: ("mediator",) for version in pickup.VERSIONS},
    }
)

CLIENTS_PER_SESSION_MAX: Final = 64
"""DIDs whose return route is remembered on one connection: a node may be the client under several."""


class MediatorIdentity(Party, Secrets, Protocol):
    """The mediator's keys: `ChannelIdentity` is one."""


@dataclass(frozen=True, slots=True)
class Transmit:
    """Send an envelope back on a session; if it is gone, nothing is lost."""

    session: int
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Post:
    """Send an envelope to the endpoint that the document of `did` names, if it names one."""

    did: str
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message for a client was kept: a node may wake the client up."""

    message: Queued


@dataclass(frozen=True, slots=True)
class Refused:
    """What came on a session could not be taken; HTTP says so in its status."""

    session: int
    error: DidcommError


Effect = Transmit | Post | Arrived | Refused


@dataclass(slots=True)
class _Session:
    """A connection. `live` holds the clients in live mode on it, and the version in which they asked."""

    lasting: bool
    routes: dict[str, ReturnRoute] = field(default_factory=dict)
    live: dict[str, pickup.Version] = field(default_factory=dict)


class Mediator:
    """A mediator under one DID.

    `receive(data, session, now_ms)` takes an envelope, `opened` and `closed` tell of lasting sessions (one
    that was not opened is a single request), `next_timer` and `handle_timer` expire messages, `next_effect`
    gives what is to be done, in order, once the rows are durable. Nothing raises for what others send.
    `admits` decides who is served, by DID and by the id of the invitation that the request answers, if any:
    the mediator keeps mailboxes for whom it serves, so on the public internet it should know them.
    """

    def __init__(
        self,
        identity: MediatorIdentity,
        did: str,
        resolver: Resolver,
        rows: Rows,
        entropy: Entropy,
        *,
        limits: MediatorLimits | None = None,
        admits: Callable[[str, str | None], bool] = lambda _did, _invitation: True,
    ) -> None:
        self.did = did
        self.limits = limits or MediatorLimits()
        self.mailboxes = Mailboxes(rows, entropy, self.limits)
        self._identity = identity
        self._resolver = resolver
        self._entropy = entropy
        self._admits = admits
        self._responder = Responder(self._new_id, FEATURES)
        self._sessions: dict[int, _Session] = {}
        self._live: dict[str, list[int]] = {}
        self._effects: deque[Effect] = deque()

    # -- the machine's face -------------------------------------------------------------------------------

    def opened(self, session: int) -> None:
        """A lasting connection is there, such as a WebSocket."""
        if len(self._sessions) >= self.limits.sessions_max:
            raise LimitExceeded(f"{len(self._sessions)} connections are open (sessions_max)")
        self._sessions[session] = _Session(lasting=True)

    def closed(self, session: int) -> None:
        """It is gone: live mode ends, what was not acknowledged waits to be fetched."""
        gone = self._sessions.pop(session, None)
        for client in gone.live if gone is not None else ():
            self._not_live(client, session)

    def receive(self, data: bytes, session: int, now_ms: int) -> None:
        """Take an envelope."""
        resolver = _ClientResolver(self.mailboxes, self._resolver.at(now_ms))
        try:
            unpacked = unpack(data, self._identity, resolver, now_ms)
            if unpacked.message.type == FORWARD_TYPE:
                self._forward(unpacked, resolver, now_ms)
            else:
                self._from_client(unpacked, session, resolver, now_ms)
        except DidcommError as error:
            self._effects.append(Refused(session, error))

    def revoke(self, client: str) -> None:
        """Serve a client no more."""
        client = canonical_did(client)
        for session in list(self._live.get(client, ())):
            self._not_live(client, session)
        self.mailboxes.revoke(client)

    def next_timer(self) -> int | None:
        """When `handle_timer` is wanted."""
        return self.mailboxes.next_expiry()

    def handle_timer(self, now_ms: int) -> None:
        """Drop what has expired."""
        self.mailboxes.expire(now_ms)

    def next_effect(self) -> Effect | None:
        """What is to be done next."""
        return self._effects.popleft() if self._effects else None

    # -- forward messages ---------------------------------------------------------------------------------

    def _forward(self, unpacked: Unpacked, resolver: DidResolver, now_ms: int) -> None:
        if not unpacked.encrypted:
            raise BadEnvelope("a forward message that is not encrypted")
        forward = parse_forward(unpacked.message)
        expires_ms = None if forward.expires_time is None else forward.expires_time * 1000
        for payload in forward.payloads:
            message = self.mailboxes.put(forward.next, payload, now_ms, expires_ms)
            self._effects.append(Arrived(message))
            self._deliver_live(message, resolver)

    def _deliver_live(self, message: Queued, resolver: DidResolver) -> None:
        """On the connection that went live last; where it breaks, the message still waits."""
        sessions = self._live.get(message.client)
        if not sessions:
            return
        version = self._sessions[sessions[-1]].live[message.client]
        delivered = [Delivered(message.id, message.envelope)]
        delivery = pickup.make_delivery(self._new_id(), self.did, message.client, delivered, version)
        with suppress(DidcommError):  # a client whose DID can no longer be resolved may still come back
            self._effects.append(Transmit(sessions[-1], self._pack(delivery, message.client, resolver)))

    # -- clients ------------------------------------------------------------------------------------------

    def _from_client(self, unpacked: Unpacked, session: int, resolver: DidResolver, now_ms: int) -> None:
        client, message = unpacked.sender, unpacked.message
        if client is None or not unpacked.encrypted:
            raise NotSigned(
                "a message to the mediator that does not prove its sender", "encrypt it with authcrypt"
            )
        opened = self._sessions.get(session, _Session(lasting=False))
        if RETURN_ROUTE in message.extra or client not in opened.routes:
            opened.routes.pop(client, None)
            opened.routes[client] = return_route_of(message)
            if len(opened.routes) > CLIENTS_PER_SESSION_MAX:
                del opened.routes[next(iter(opened.routes))]
        asked = _Asked(message, client, session, opened, now_ms)
        try:
            reply = self._answer(asked, unpacked)
        except DidcommError as error:
            self._responder.report(unpacked, self.did, error)
            reply = None
        if reply is not None:
            self._send(asked, reply, resolver)
        while (effect := self._responder.next_effect()) is not None:
            if isinstance(effect, Reply):
                self._send(asked, effect.message, resolver)

    def _answer(self, asked: _Asked, unpacked: Unpacked) -> Message | None:
        message = asked.message
        coordination = coordinate_mediation.version_of(message.type)
        if coordination is not None:
            return self._coordinate(asked, coordination)
        found = pickup.version_of(message.type)
        if found is None:
            self._responder.receive(unpacked, self.did)
            return None
        if not self.mailboxes.is_client(asked.client):
            raise UnexpectedMessage(
                "messages are held for registered recipients only", "send a mediate-request first"
            )
        return self._pickup(asked, *found)

    def _send(self, asked: _Asked, message: Message, resolver: DidResolver) -> None:
        envelope = self._pack(message, asked.client, resolver)
        if asked.opened.routes[asked.client].carries(message):
            self._effects.append(Transmit(asked.session, envelope))
        else:
            self._effects.append(Post(asked.client, envelope))

    # -- coordinate mediation -----------------------------------------------------------------------------

    def _coordinate(self, asked: _Asked, version: coordinate_mediation.Version) -> Message:
        message, client = asked.message, asked.client
        table = _COORDINATION[version.protocol]
        state = "granted" if self.mailboxes.is_client(client) else table.initial
        if message.type == version.request_type:
            granted = self._admits(client, message.pthid)
            table.after(state, "grant" if granted or state == "granted" else "deny")
            if not granted and state != "granted":
                return coordinate_mediation.make_deny(self._new_id(), self.did, message)
            self.mailboxes.grant(client, message.from_ or client, asked.now_ms)
            return coordinate_mediation.make_grant(self._new_id(), self.did, message, self.did)
        table.after(state, "receive " + message.type.rpartition("/")[2])
        if message.type == version.update_type:
            return self._update(message, client)
        limit, offset = coordinate_mediation.parse_query(message)
        page = self.mailboxes.page(client, limit, offset)
        return coordinate_mediation.make_list(self._new_id(), self.did, message, page)

    def _update(self, message: Message, client: str) -> Message:
        change = {"add": self.mailboxes.add, "remove": self.mailboxes.remove}
        updated = [
            coordinate_mediation.Updated(
                one.recipient_did, one.action, change[one.action](client, one.recipient_did)
            )
            for one in coordinate_mediation.parse_update(message)
        ]
        return coordinate_mediation.make_update_response(self._new_id(), self.did, message, updated)

    # -- pickup -------------------------------------------------------------------------------------------

    def _pickup(self, asked: _Asked, version: pickup.Version, name: str) -> Message | None:
        message, client, table = asked.message, asked.client, _PICKUP[version.protocol]
        state = "live" if client in asked.opened.live else table.initial
        if name == "live-delivery-change":
            return self._change_live(asked, version, table, state)
        table.after(state, f"receive {name}")
        if name == "status-request":
            return self._status(asked, pickup.parse_status_request(message))
        if name == "messages-received":
            self.mailboxes.drop(client, pickup.parse_messages_received(message))
            # 4.0 wants no answer; 3.0 wants to hear what is left.
            return None if version.empty_delivery else self._status(asked, None)
        request = pickup.parse_delivery_request(message)
        found = self.mailboxes.waiting(client, request.recipient_did, request.limit)
        if not found and not version.empty_delivery:
            return self._status(asked, request.recipient_did)
        return pickup.make_delivery(
            self._new_id(),
            self.did,
            client,
            found,
            version,
            request=message,
            recipient_did=request.recipient_did,
        )

    def _status(self, asked: _Asked, did: str | None) -> Message:
        live = asked.client in asked.opened.live
        status = self.mailboxes.status(asked.client, did)
        told = replace(status, live_delivery=live)
        return pickup.make_status(self._new_id(), self.did, asked.message, told, asked.now_ms)

    def _change_live(self, asked: _Asked, version: pickup.Version, table: Table, state: str) -> Message:
        wanted = pickup.parse_live_delivery_change(asked.message)
        if wanted and not asked.opened.lasting:
            report = ProblemReport(
                LIVE_NOT_SUPPORTED, asked.message.thread, "Connection does not support Live Delivery"
            )
            return make_problem_report(self._new_id(), report, self.did, asked.client, ack=asked.message.id)
        table.after(state, "receive live-delivery-change " + ("on" if wanted else "off"))
        self._not_live(asked.client, asked.session)
        if wanted:
            asked.opened.live[asked.client] = version
            self._live.setdefault(asked.client, []).append(asked.session)
        return self._status(asked, None)

    def _not_live(self, client: str, session: int) -> None:
        opened = self._sessions.get(session)
        if opened is not None:
            opened.live.pop(client, None)
        sessions = [one for one in self._live.pop(client, ()) if one != session]
        if sessions:
            self._live[client] = sessions

    # -- sealing ------------------------------------------------------------------------------------------

    def _pack(self, message: Message, client: str, resolver: DidResolver) -> bytes:
        return pack_authcrypt(message, self._identity, resolver.resolve(client), self._entropy)

    def _new_id(self) -> str:
        return self._entropy(16).hex()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A client's message that is being answered."""

    message: Message
    client: str
    session: int
    opened: _Session
    now_ms: int


@dataclass(frozen=True, slots=True)
class _ClientResolver:
    """Knows the long forms of the clients, and those that came with the message at hand."""

    mailboxes: Mailboxes
    others: DidResolver
    seen: dict[str, str] = field(default_factory=dict)

    def resolve(self, did: str) -> DidDocument:
        short = canonical_did(did)
        if short != did:
            self.seen[short] = did
        elif did.startswith("did:peer:4"):
            long_did = self.seen.get(did) or self.mailboxes.long_form_of(did)
            if long_did is not None and long_did != did:
                return resolve_peer_4_short(long_did)
        return self.others.resolve(did)


_COORDINATION: Final[Mapping[str, Table]] = {
    table.protocol: table for table in coordinate_mediation.TABLES if table.role == "mediator"
}
_PICKUP: Final[Mapping[str, Table]] = {
    table.protocol: table for table in pickup.TABLES if table.role == "mediator"
}
