"""What comes from other nodes: frames, the envelopes in them, and the messages in those.

Admission is strict and in this order: the frame, the channel it is for, the node that the connection's other
side lives at, the envelope (who wrote it), the number (duplicate, early), then the engine's doors (policy,
limits). Whatever is refused is counted; what proved its sender is answered with a problem report.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pico_didcomm import DidcommError, Message, Unpacked, canonical_did, recipients_of
from pico_didcomm.did.document import did_of
from pico_didcomm.jwe import parse_jwe
from pico_didcomm.protocols.connection import END_TYPE, REQUEST_TYPE, RESPONSE_TYPE, parse_end, parse_response
from pico_didcomm.protocols.events import (
    ANSWER_TYPE,
    EVENT_TYPE,
    QUERY_TYPE,
    make_answer,
    parse_answer,
    parse_event,
    parse_query,
    sender_order,
)
from pico_didcomm.protocols.problem_report import (
    PROBLEM_REPORT_TYPE,
    ProblemReport,
    make_problem_report,
    parse_problem_report,
)
from pico_didcomm.protocols.trust_ping import (
    PING_RESPONSE_TYPES,
    PING_TYPES,
    make_ping_response,
    wants_response,
)
from pico_engine.errors import Busy, EngineError, RulesetMissing
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
from pico_engine.values import decode, freeze
from pico_node.agent.carriable import answer_to
from pico_node.agent.frames import (
    ACK,
    DATA,
    END_NUMBER,
    HELLO,
    OPEN,
    UNKNOWN,
    frame,
    read_frame,
)
from pico_node.agent.rows import INVITED, INVITER, connection_of, mark_of, marks, numbers, put_received

if TYPE_CHECKING:
    from pico_engine.pico import Pico
    from pico_node.agent.agent import Agent
    from pico_node.agent.lanes import Lane

HOPS = "hops"
"""Header: how many picos the cause of an event has passed through."""
AFTER = "after"
"""Header: the mark of the numbered message before this one."""


@dataclass(slots=True)
class InboundEvent:
    """Marks an event of the lane `eci`, to see what became of it."""

    eci: str
    number: int
    message_id: str


@dataclass(slots=True)
class InboundQuery:
    """Marks a query, to send its answer back."""

    eci: str
    message_id: str


@dataclass(slots=True)
class Cursor:
    """Moves a connection's received number on, in the commit of the turn that applies the message."""

    agent: Agent
    eci: str
    number: int
    message_id: str

    def apply(self, pico: Pico) -> bool:
        received = numbers(pico, self.eci)[1]
        self.agent.lanes.to_acknowledge(self.eci)
        if self.number != received + 1 or connection_of(pico, self.eci) is None:
            return False
        put_received(pico, self.eci, self.number, self.message_id)
        return True


class Inbound:
    """Takes frames from sessions."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def frames(self, peer_id: str, frames: Any) -> None:
        for data in frames:
            try:
                if data[:1] == DATA:
                    self._envelope(peer_id, bytes(data[1:]))
                else:
                    self._control(peer_id, data)
            except (DidcommError, EngineError) as error:
                self._agent.engine.count(f"inbound_refused_{error.code}")
                self._agent.note("warning", f"a message from node {peer_id} was refused: {error}")

    def _control(self, peer_id: str, data: bytes) -> None:
        agent = self._agent
        letter, content = read_frame(data)
        if letter == HELLO:
            addresses = content.get("addresses")
            if isinstance(addresses, list) and agent.node.peers.get(peer_id) is not None:
                agent.learn_addresses(peer_id, [one for one in addresses if isinstance(one, str)])
                agent.engine.ledger.commit()
        elif letter == OPEN:
            self._opened(peer_id, *content)
        elif letter == ACK:
            for eci, number, *mark in content:
                if number == END_NUMBER:
                    agent.farewells.heard(peer_id, eci)
                else:
                    agent.lanes.acknowledged(peer_id, eci, number, *mark)
        elif letter == UNKNOWN and not agent.farewells.heard(peer_id, content[1]):
            agent.handshake.unknown_there(peer_id, content[0], content[1])

    def _opened(self, peer_id: str, their_did: str, eci: str, acknowledged: int, sent: int) -> None:
        agent = self._agent
        pico = agent.engine.loaded_or_stored(agent.engine.index.get(eci))
        row = connection_of(pico, eci) if pico is not None else None
        # Who was acknowledged anything has a connection, where we have an open invitation, or nothing.
        if row is not None and (row["state"] != INVITED or not acknowledged):
            agent.lanes.opened(peer_id, eci, acknowledged, sent)
        elif not agent.farewells.say_again(peer_id, eci):
            agent.send(peer_id, [frame(UNKNOWN, [eci, their_did])])

    def _envelope(self, peer_id: str, data: bytes) -> None:
        agent = self._agent
        kids = recipients_of(data)
        eci = kids[0].partition("#")[0] if kids else ""
        pico = agent.engine.loaded_or_stored(agent.engine.index.get(eci)) if eci else None
        row = connection_of(pico, eci) if pico is not None else None
        if pico is None or row is None:
            self._unknown(peer_id, eci, data)
            return
        if row["state"] == INVITED or (row["side"] == INVITER and row["peer_id"] != peer_id):
            agent.handshake.receive_request(pico, eci, peer_id, data)
            return
        if row["peer_id"] != peer_id:
            agent.engine.count("inbound_refused_not-home")
            agent.note(
                "warning", f"a message for {eci} came from node {peer_id}, where its sender does not live"
            )
            return
        lane = agent.lanes.find(eci)
        assert lane is not None, "a connection that is no invitation has both sides"
        try:
            unpacked = lane.pair.unpack(data, agent.now)
        except DidcommError:
            if row["side"] == INVITER:  # a request again, in its own form: it was acknowledged, or will be
                agent.handshake.receive_request(pico, eci, peer_id, data)
                return
            raise
        self._message(pico, lane, unpacked)

    def _unknown(self, peer_id: str, eci: str, data: bytes) -> None:
        """Not one of our channels (any more): whoever says goodbye to it may rest."""
        self._agent.engine.count("inbound_refused_unknown-channel")
        sender = _claimed_sender(data)
        if eci and sender:
            self._agent.send(peer_id, [frame(UNKNOWN, [eci, sender])])

    def _message(self, pico: Pico, lane: Lane, unpacked: Unpacked) -> None:
        message = unpacked.message
        kind = message.type
        number = sender_order(message)
        if kind == EVENT_TYPE or (number is not None and kind not in (QUERY_TYPE, ANSWER_TYPE)):
            self._numbered(pico, lane, unpacked, number)
        elif kind == QUERY_TYPE:
            self._query(lane, message)
        elif kind == ANSWER_TYPE:
            answer = parse_answer(message)
            self._agent.questions.answered(lane.eci, answer)
        elif kind == RESPONSE_TYPE:
            self._agent.handshake.receive_response(pico, lane, parse_response(unpacked), None, unpacked)
        elif kind == END_TYPE:
            self._agent.farewells.receive(pico, lane, parse_end(unpacked))
        elif kind in PING_TYPES:
            if wants_response(message):
                self._reply(lane, make_ping_response(self._new_id(), message, lane.eci, lane.their_did))
        elif kind == PROBLEM_REPORT_TYPE:
            report = parse_problem_report(message)
            self._agent.warn(pico.did, f"the other side of {lane.eci} reports: {report.code} {report.text()}")
        elif kind not in PING_RESPONSE_TYPES:
            self._report(lane, message.id, "e.p.msg.unsupported", f"{kind} is not understood here")

    # -- numbered messages --------------------------------------------------------------------------------

    def _numbered(self, pico: Pico, lane: Lane, unpacked: Unpacked, number: int | None) -> None:
        message = unpacked.message
        if number is None:
            raise EngineError("an event without a number on a connection", "it needs sender_order")
        received = numbers(pico, lane.eci)[1]
        # A lane that was made anew does not know of messages that were with the engine at that time.
        if lane.handed < received:
            lane.handed, lane.handed_mark = received, marks(pico, lane.eci)[1]
        if number <= lane.handed:
            self._agent.engine.count("messages_repeated")
            if received >= number and not (
                message.type == REQUEST_TYPE and self._agent.handshake.respond_again(pico, lane, message.id)
            ):
                self._agent.lanes.to_acknowledge(lane.eci)
            return
        if number > lane.handed + 1:
            if len(lane.early) < self._agent.limits.reorder_max_messages:
                lane.early[number] = unpacked
            return
        following: Unpacked | None = unpacked
        while following is not None and self._follows(lane, following.message):
            self._hand_over(pico, lane, following, lane.handed + 1)
            following = lane.early.pop(lane.handed + 1, None)

    def _follows(self, lane: Lane, message: Message) -> bool:
        """Was this message sent behind the one that was handed over last? If not, its sender lost state."""
        after = message.extra.get(AFTER)
        if not after or not lane.handed_mark or after == lane.handed_mark:
            return True
        self._agent.engine.count("messages_forked")
        lane.early.clear()
        self._agent.lanes.to_acknowledge(lane.eci)
        return False

    def _hand_over(self, pico: Pico, lane: Lane, unpacked: Unpacked, number: int) -> None:
        agent = self._agent
        message = unpacked.message
        lane.handed, lane.handed_mark = number, mark_of(message.id)
        if message.type == RESPONSE_TYPE:
            reply = InboundEvent(lane.eci, number, message.id)
            agent.handshake.receive_response(pico, lane, parse_response(unpacked), number, unpacked, reply)
            return
        if message.type != EVENT_TYPE:  # also the void that takes the place of an expired event
            self._consume(InboundEvent(lane.eci, number, message.id), lane.pico)
            return
        try:
            event = parse_event(message)
        except DidcommError as error:
            self._consume(InboundEvent(lane.eci, number, message.id), lane.pico)
            self._report(lane, message.id, error.problem_code, error.what)
            return
        hops = message.extra.get(HOPS, 0)
        agent.engine.receive(
            EventMessage(
                lane.eci,
                event.domain,
                event.name,
                event.attrs,
                door=DIDCOMM_DOOR,
                sender=lane.their_did,
                reply=InboundEvent(lane.eci, number, message.id),
                eid=message.id,
                hops=max(hops, 0) if type(hops) is int else 0,
                receipt=Cursor(agent, lane.eci, number, message.id),
            ),
            agent.now,
        )

    def _consume(self, reply: InboundEvent, pico: str) -> None:
        """A numbered message that does nothing must be passed all the same, after those before it."""
        cursor = Cursor(self._agent, reply.eci, reply.number, reply.message_id)
        message = OperationMessage(pico, "message without effect", cursor.apply, reply=reply)
        self._agent.engine.receive(message, self._agent.now)

    def event_done(self, reply: InboundEvent, effect: EventAnswer | OperationAnswer | Failed) -> None:
        """The engine has answered a numbered message from another node."""
        agent = self._agent
        lane = agent.lanes.find(reply.eci)
        if lane is None:
            return
        received = numbers(agent.engine.pico(lane.pico), lane.eci)[1]
        if isinstance(effect, Failed) and not isinstance(effect.error, Busy | RulesetMissing):
            if received < reply.number:
                self._consume(reply, lane.pico)
            self._report(lane, reply.message_id, f"e.m.{effect.error.code}", effect.error.what)
        elif received < reply.number:  # there was no room for it, or for one before it: it will come again
            pico = agent.engine.pico(lane.pico)
            lane.handed, lane.handed_mark = received, marks(pico, lane.eci)[1]
            lane.early.clear()

    # -- queries ------------------------------------------------------------------------------------------

    def _query(self, lane: Lane, message: Message) -> None:
        query = parse_query(message)
        self._agent.engine.receive(
            QueryMessage(
                lane.eci,
                query.rid,
                query.name,
                freeze(query.args),
                door=DIDCOMM_DOOR,
                sender=lane.their_did,
                reply=InboundQuery(lane.eci, message.id),
            ),
            self._agent.now,
        )

    def query_done(self, reply: InboundQuery, effect: QueryAnswer | Failed) -> None:
        """Send the answer of a query back to where it came from."""
        lane = self._agent.lanes.find(reply.eci)
        if lane is None:
            return
        answer = answer_to(reply.message_id, effect, self._agent.engine.limits.attributes_max_bytes)
        self._reply(lane, make_answer(self._new_id(), lane.eci, lane.their_did, answer))

    # -- answering ----------------------------------------------------------------------------------------

    def _new_id(self) -> str:
        return self._agent.entropy(16).hex()

    def _reply(self, lane: Lane, message: Message) -> None:
        self._agent.send(lane.peer_id, [DATA + lane.pair.pack(message, self._agent.entropy)])

    def _report(self, lane: Lane, thread: str, code: str, what: str) -> None:
        report = ProblemReport(code, thread, comment=what[:1000])
        self._reply(lane, make_problem_report(self._new_id(), report, lane.eci, lane.their_did))


def _claimed_sender(data: bytes) -> str:
    """The DID that an envelope says it is from; nothing proves it."""
    try:
        sender = parse_jwe(decode(data)).sender_kid
    except (DidcommError, EngineError):
        return ""
    return canonical_did(did_of(sender)) if sender else ""


__all__ = ["HOPS", "Inbound", "InboundEvent", "InboundQuery"]
