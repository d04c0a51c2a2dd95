"""Agents of other makes: connections with whoever speaks plain DIDComm v2.1, and what they say on them.

Whoever holds an invitation of ours may answer it with any authenticated message, in the invitation's thread:
that makes a connection, as a request of a picomesh node does. On such a connection nothing is numbered: what
comes is taken at once, what goes leaves once, after the commit of the turn that sent it. A message that had
its effect on the pico is remembered in the commit of that turn, and acknowledged only then: whoever repeats
what was not acknowledged is sure that it has its effect once. What has none on the pico, a ping or a query,
is passed over when it comes again, as far as this process remembers.

Answers go back where the message said they may (`return_route`), else to the endpoints that the other side's
document names: libp2p by `didcomm/v2`, HTTP by POST. What the pico's rulesets are told are events of the
domain `didcomm`, under the channel's policy as every event.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from pico_didcomm import DidcommError, Unpacked, canonical_did, recipients_of, unpack
from pico_didcomm.errors import BadMessage, NotFetched, NotSigned, SenderMismatch
from pico_didcomm.pico_engine import clear_answer, is_pico_engine_did
from pico_didcomm.protocols.basic_message import BASIC_MESSAGE_TYPE, BasicMessage
from pico_didcomm.protocols.connection import REQUEST_TYPE, End, next_state
from pico_didcomm.protocols.discover_features import DISCLOSE_TYPE, Feature
from pico_didcomm.protocols.empty import make_ack, wants_ack
from pico_didcomm.protocols.events import (
    EVENT_TYPE,
    QUERY_TYPE,
    make_answer,
    parse_event,
    parse_query,
)
from pico_didcomm.protocols.problem_report import PROBLEM_REPORT_TYPE, ProblemReport, make_problem_report
from pico_didcomm.protocols.responder import BASIC_FEATURES, Received, Reply, Responder
from pico_didcomm.protocols.trust_ping import PING_RESPONSE_TYPE, PING_TYPES
from pico_didcomm.protocols.user_profile import PROFILE_TYPE, Profile
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
from pico_engine.routes import route_of
from pico_engine.values import FrozenMap, Json, freeze, thaw
from pico_node.agent.carriable import answer_to
from pico_node.agent.foreign_post import DOMAIN, Origin
from pico_node.agent.frames import DATA
from pico_node.agent.handshake import raise_connection
from pico_node.agent.identities import keys_of
from pico_node.agent.messages import ForeignMessage
from pico_node.agent.rows import INVITED, REQUESTED, connection_of, put_connection
from pico_node.agent.taken import Taken

if TYPE_CHECKING:
    from pico_engine.pico import Pico
    from pico_node.agent.agent import Agent

_UNROUTED: Final = frozenset({EVENT_TYPE, QUERY_TYPE, PING_RESPONSE_TYPE, *PING_TYPES})
"""Types that a ruleset cannot take over: the connection itself lives by them."""

REMEMBERED_MAX: Final = 10_000
"""Ids of pings, queries and the like that were answered: a repeated one is not. About 100 bytes each."""

TOLD_TYPES: Final = frozenset(
    {BASIC_MESSAGE_TYPE, PROFILE_TYPE, DISCLOSE_TYPE, PROBLEM_REPORT_TYPE, EVENT_TYPE}
)
"""Messages whose pico is told of them by an event."""


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
        self._post = agent.foreign_post
        self._responder = Responder(self._post.new_id, BASIC_FEATURES)
        self._remembered: OrderedDict[tuple[str, str], None] = OrderedDict()

    # -- what comes ---------------------------------------------------------------------------------------

    def receive(self, message: ForeignMessage) -> None:
        """One DIDComm message by a transport of other agents. What cannot be taken is counted."""
        self.take(Origin(message.peer_id, message.reply, message.socket), message.message)

    def take(self, origin: Origin, data: bytes) -> None:
        """The same for one that came on whatever way."""
        try:
            waits = self._receive(origin, data)
        except NotFetched as error:
            waits = self._wait(error, origin, data)
        except (DidcommError, EngineError) as error:
            self._refuse(error)
            waits = False
        if not waits:
            self._post.settle(origin, None)

    def _wait(self, error: NotFetched, origin: Origin, data: bytes) -> bool:
        try:
            self._agent.documents.wait(error, lambda: self.take(origin, data))
        except EngineError as busy:
            self._refuse(busy)
            return False
        return True

    def _refuse(self, error: DidcommError | EngineError) -> None:
        self._agent.engine.count(f"inbound_refused_{error.code}")
        self._agent.note("warning", f"a message of another agent was refused: {error}")

    def _receive(self, origin: Origin, data: bytes) -> bool:
        """Whether there may be an answer later."""
        agent = self._agent
        recipients = [_did(kid) for kid in recipients_of(data)]
        for machine in (agent.mediating, agent.mediated):
            if machine.did and machine.did in recipients:
                return machine.receive(origin, data)
        eci = next((did for did in recipients if agent.engine.index.get(did)), "")
        pico = agent.engine.loaded_or_stored(agent.engine.index.get(eci)) if eci else None
        row = connection_of(pico, eci) if pico is not None else None
        if pico is None or row is None:
            agent.engine.count("inbound_refused_unknown-channel")
            return False
        if "foreign" not in row and row["state"] != INVITED:
            agent.inbound.frames(origin.peer_id, [DATA + data])
            return False
        keys = keys_of(pico.channels.rows[eci].secret)
        unpacked = unpack(data, keys, self._post.resolver(row), agent.now)
        if "foreign" not in row and unpacked.message.type == REQUEST_TYPE:
            agent.inbound.frames(origin.peer_id, [DATA + data])
            return False
        return self._opened(pico, eci, row, unpacked, origin)

    def _opened(self, pico: Pico, eci: str, row: FrozenMap, unpacked: Unpacked, origin: Origin) -> bool:
        """An envelope that was opened: on a connection, or to begin one."""
        if "foreign" in row and unpacked.rotation is not None and unpacked.rotation.new is None:
            return self._ended(pico, eci, row, unpacked, origin)
        if unpacked.sender is None or not unpacked.encrypted:
            raise NotSigned("a message that does not prove its sender", "encrypt it with authcrypt")
        if "foreign" not in row:
            return self._greeted(pico, eci, row, unpacked, origin)
        if row["state"] == REQUESTED:
            return self._agent.visits.opened(pico, eci, row, unpacked, origin)
        if unpacked.sender != row["their_did"]:
            return self._renamed(pico, eci, row, unpacked, origin)
        return self._taken(pico, eci, unpacked, origin)

    def _ended(self, pico: Pico, eci: str, row: FrozenMap, unpacked: Unpacked, origin: Origin) -> bool:
        """The other side ends the relationship (`from_prior` without a successor)."""
        rotation = unpacked.rotation
        if rotation is None or canonical_did(rotation.prior) != row["their_did"]:
            raise SenderMismatch("the end of a relationship, not by the other side of this connection")
        # The proof names nobody: others who have received it could end our connection with it. A did:peer
        # is known to us alone.
        if unpacked.sender is None and not row["their_did"].startswith("did:peer:"):
            raise NotSigned("the end of a relationship with a public DID", "encrypt it with authcrypt")
        end = partial(self._agent.farewells.take, eci=eci, end=End("ended by the other side"))
        reply = ForeignEvent(eci, unpacked, origin)
        self._agent.engine.receive(
            OperationMessage(pico.did, "connection end", end, reply=reply), self._agent.now
        )
        return True

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
        self._post.resolver(row).resolve(message.from_ or "")

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
        message = unpacked.message
        route = None if message.type in _UNROUTED else route_of(pico, message.type)
        if route is not None:
            attrs = {"message": message.to_dict(), "metadata": _metadata(unpacked)}
            self._raise(eci, unpacked, origin, *route, freeze(attrs))
            return True
        if message.type not in TOLD_TYPES and self._was_answered(eci, message.id):
            self._agent.engine.count("messages_repeated")
            return False
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
            # Of what the pico is told the acknowledgement has to wait for the commit.
            told = message.type in TOLD_TYPES
            heard = unpacked._replace(message=replace(message, please_ack=None)) if told else unpacked
            self._responder.receive(heard, self._mine(eci, unpacked))
        return self._answer(pico, eci, unpacked, origin)

    def _was_answered(self, eci: str, message_id: str) -> bool:
        """Whether this is a repeated message; from now on it is."""
        key = (eci, message_id)
        if key in self._remembered:
            return True
        self._remembered[key] = None
        if len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        return False

    def _answer(self, pico: Pico, eci: str, unpacked: Unpacked, origin: Origin) -> bool:
        """Do what the responder says; whether there may be an answer later."""
        waits = False
        while (effect := self._responder.next_effect()) is not None:
            if isinstance(effect, Reply):
                self._post.send(pico, eci, effect.message, unpacked.message, origin)
            else:
                waits |= self._told(eci, effect, unpacked, origin)
        return waits

    def _told(self, eci: str, received: Received, unpacked: Unpacked, origin: Origin) -> bool:
        """Tell the pico what there is to tell."""
        name, attrs = _event_of(received)
        if name:
            told = {**attrs, "message_id": unpacked.message.id, "thid": unpacked.message.thid}
            self._raise(eci, unpacked, origin, DOMAIN, name, freeze(told))
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
                receipt=Taken(self._agent, eci, unpacked.message.id),
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
                    self._post.settle(reply.origin, None)
                return
        elif pico is not None and isinstance(effect, Failed):
            report = ProblemReport(
                f"e.m.{effect.error.code}", message.thread, comment=effect.error.what[:1000]
            )
            mine, theirs = self._mine(reply.eci, reply.unpacked), reply.unpacked.sender or ""
            answer = make_problem_report(self._post.new_id(), report, mine, theirs, ack=message.id)
            self._post.send(pico, reply.eci, answer, message, reply.origin)
        elif pico is not None and wants_ack(message):
            mine, theirs = self._mine(reply.eci, reply.unpacked), reply.unpacked.sender or ""
            self._post.send(
                pico, reply.eci, make_ack(self._post.new_id(), mine, theirs, message), message, reply.origin
            )
        self._post.settle(reply.origin, None)

    def query_done(self, reply: ForeignQuery, effect: QueryAnswer | Failed) -> None:
        """Send the answer of a query back."""
        pico = self._pico_of(reply.eci)
        if (
            pico is not None
            and reply.origin.reply is not None
            and is_pico_engine_did(reply.unpacked.sender or "")
        ):
            value = f"Unable to query: {effect.error}" if isinstance(effect, Failed) else effect.value
            self._post.settle(reply.origin, clear_answer(thaw(value)))
        elif pico is not None:
            message = reply.unpacked.message
            answer = answer_to(message.id, effect, self._agent.engine.limits.attributes_max_bytes)
            mine, theirs = self._mine(reply.eci, reply.unpacked), reply.unpacked.sender or ""
            self._post.send(
                pico, reply.eci, make_answer(self._post.new_id(), mine, theirs, answer), message, reply.origin
            )
        self._post.settle(reply.origin, None)

    # -- names --------------------------------------------------------------------------------------------

    def _mine(self, eci: str, unpacked: Unpacked) -> str:
        """Our DID as the other side called it: it may not know the long form's short one yet."""
        return next((did for did in unpacked.message.to if canonical_did(did) == eci), eci)

    def _pico_of(self, eci: str) -> Pico | None:
        return self._agent.engine.loaded_or_stored(self._agent.engine.index.get(eci))


def _did(kid: str) -> str:
    return kid.partition("#")[0]


def _metadata(unpacked: Unpacked) -> dict[str, Json]:
    """What a routed message's envelope has proven, by the names that the existing engine gives it."""
    return {
        "encrypted": unpacked.encrypted,
        "authenticated": unpacked.sender is not None,
        "anonymous_sender": unpacked.sender is None,
    }


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


__all__ = ["Foreign", "ForeignEvent", "ForeignQuery"]
