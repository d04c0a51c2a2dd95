"""Lanes: how the messages of a connection reach its other side, exactly once and in order.

Theory of operation. Each direction of a connection numbers its messages (1, 2, …). A message is an outbox
row from the commit of the turn that sent it until its number is acknowledged. The receiver keeps the number
of the last message that it applied, in the commit of the turn that applied it, and acknowledges what is
durable. So after any crash on either side the sender's rows begin at most one message after what the
receiver has applied, and sending everything that is not acknowledged again is always right.

A `Lane` is what is held in memory of a connection that sends or receives at the moment. It can be dropped at
any time: what matters is in the rows.

Marks. Before a lane's first message in a session its sender says how far it is (frame O). A receiver that
has less than what was acknowledged to the sender has lost its state (an old backup): it says so to its pico
and goes on from there. One that has more than the sender ever numbered knows that the sender lost state,
and acknowledges its own number: the sender then numbers what is unsent anew from there. Each message names
the one before it (header `after`): where a sender that lost state has numbered new messages like old ones,
the first that does not follow what was applied is not taken; the acknowledgement has the mark of the last
message applied, by which the sender sees what happened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pico_didcomm.pair import PairChannel
from pico_engine.values import FrozenMap
from pico_node.agent.frames import ACK, DATA, NUMBER_MAX, OPEN, frame
from pico_node.agent.identities import channel_identity
from pico_node.agent.messages import SendFrames
from pico_node.agent.rows import REQUESTED, connection_of, mark_of, marks, numbers, outbox_key, put_numbers

if TYPE_CHECKING:
    from pico_didcomm import Unpacked
    from pico_engine.pico import Pico
    from pico_node.agent.agent import Agent


@dataclass(slots=True)
class Lane:
    """A connection in use. `sent` is the number up to which messages are on their way in `session`."""

    eci: str
    pico: str
    peer_id: str
    their_did: str
    pair: PairChannel
    session: int = 0
    acknowledged: int = 0
    sent: int = 0
    top: int = 0
    """The number of the newest message in the outbox."""
    envelopes: dict[int, bytes] = field(default_factory=dict)
    on_their_way_bytes: int = 0
    """Of the envelopes up to `sent`."""
    retry_at: int = 0
    retry_ms: int = 0
    handed: int = 0
    """The number of the last message handed to the engine, and its mark."""
    handed_mark: str = ""
    early: dict[int, Unpacked] = field(default_factory=dict)
    used_ms: int = 0
    unknown_there: int = 0
    """How often the other side's node said that it does not know this connection."""


class Lanes:
    """All lanes of an agent."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lanes: dict[str, Lane] = {}
        self._to_send: dict[str, None] = {}
        self._to_acknowledge: dict[str, None] = {}
        self._on_their_way: dict[str, None] = {}  # in an order that a replay repeats

    def __len__(self) -> int:
        return len(self._lanes)

    # -- which lanes there are ----------------------------------------------------------------------------

    def find(self, eci: str) -> Lane | None:
        """The lane of this channel, made from its rows if it is not in use yet; None without connection."""
        lane = self._lanes.get(eci)
        if lane is None:
            pico = self._agent.engine.loaded_or_stored(self._agent.engine.index.get(eci))
            lane = self._make(pico, eci) if pico is not None else None
        if lane is not None:
            lane.used_ms = self._agent.now
        return lane

    def _make(self, pico: Pico, eci: str) -> Lane | None:
        row = connection_of(pico, eci)
        channel = pico.channels.rows.get(eci)
        if row is None or channel is None or not row["their_long"] or "foreign" in row:
            return None
        pair = PairChannel(channel_identity(channel.secret), row["their_long"])
        sent, received = numbers(pico, eci)
        first = next((key for key, _ in pico.outbox.scan(eci + "/", eci + "0")), None)
        acknowledged = sent if first is None else int(first.rpartition("/")[2], 16) - 1
        lane = Lane(
            eci,
            pico.did,
            row["peer_id"],
            row["their_did"],
            pair,
            acknowledged=acknowledged,
            sent=acknowledged,
            top=sent,
            handed=received,
            handed_mark=marks(pico, eci)[1],
        )
        self._lanes[eci] = lane
        return lane

    def drop(self, eci: str) -> None:
        """The connection is gone, or has changed: begin anew from its rows."""
        self._lanes.pop(eci, None)
        self._to_send.pop(eci, None)
        self._to_acknowledge.pop(eci, None)
        self._on_their_way.pop(eci, None)

    def sweep(self, before_ms: int) -> None:
        """Forget lanes that were not used and have nothing on their way."""
        for lane in [lane for lane in self._lanes.values() if lane.used_ms < before_ms]:
            if lane.acknowledged >= lane.top and not lane.early:
                self.drop(lane.eci)

    # -- sending ------------------------------------------------------------------------------------------

    def added(self, eci: str) -> None:
        """A row was added to the outbox of this channel."""
        self._to_send[eci] = None

    def to_acknowledge(self, eci: str) -> None:
        """Messages of this channel were applied."""
        self._to_acknowledge[eci] = None

    def flush(self) -> None:
        """Send what is ready: at the end of a tick, to be let out when its batch is durable.

        A pico whose turn waits shows rows that no batch will hold before that turn ends: until then nothing
        of its connections is told.
        """
        acks: dict[str, list[list[object]]] = {}
        to_acknowledge, self._to_acknowledge = self._to_acknowledge, {}
        for eci in to_acknowledge:
            lane = self.find(eci)
            pico = self._agent.engine.pico(lane.pico) if lane is not None else None
            if lane is None or pico is None:
                continue
            if pico.turn is not None:
                self._to_acknowledge[eci] = None
            else:
                row = [lane.their_did, numbers(pico, eci)[1], marks(pico, eci)[1]]
                acks.setdefault(lane.peer_id, []).append(row)
        for peer_id, rows in acks.items():
            self._agent.send(peer_id, [frame(ACK, rows)])
        to_send, self._to_send = self._to_send, {}
        for eci in to_send:
            lane = self.find(eci)
            pico = self._agent.engine.pico(lane.pico) if lane is not None else None
            if lane is None or pico is None:
                continue
            if pico.turn is not None:
                self._to_send[eci] = None
            else:
                lane.top = numbers(pico, eci)[0]
                self._push(lane, pico)

    def _push(self, lane: Lane, pico: Pico) -> None:
        """Send messages of the lane's window that are not on their way yet."""
        session = self._agent.sessions.get(lane.peer_id)
        if session is None:
            if lane.sent < lane.top:
                self._agent.want_session(lane.peer_id)
            return
        frames = []
        if lane.session != session:
            lane.session = session
            lane.sent, lane.on_their_way_bytes = lane.acknowledged, 0
            lane.retry_ms = self._agent.limits.retry_first_ms
            row = [lane.eci, lane.their_did, lane.acknowledged, lane.top]
            frames.append(frame(OPEN, row))
        end = min(lane.top, lane.acknowledged + self._agent.limits.window_max_messages)
        nothing_waits = lane.sent == lane.acknowledged
        while lane.sent < end and lane.on_their_way_bytes < self._agent.limits.window_max_bytes:
            lane.sent += 1
            envelope = self._envelope(lane, pico, lane.sent)
            if envelope is not None:
                frames.append(DATA + envelope)
                lane.on_their_way_bytes += len(envelope)
        if frames:
            self._on_their_way[lane.eci] = None
            if nothing_waits:  # else what was sent before is due first, however much follows it
                lane.retry_at = self._agent.now + lane.retry_ms
            self._agent.effect(SendFrames(lane.peer_id, session, frames))

    def _envelope(self, lane: Lane, pico: Pico, number: int) -> bytes | None:
        envelope = lane.envelopes.get(number)
        if envelope is None:
            row = pico.outbox.get(outbox_key(lane.eci, number))
            if row is None:
                return None
            envelope = self._agent.outboxes.pack(lane, pico, number, row)
            lane.envelopes[number] = envelope
        return envelope

    def session_up(self, peer_id: str) -> None:
        """Send again what the other side may not have: all that it did not acknowledge."""
        prefix = peer_id + "/"
        for key, _ in list(self._agent.node.unsent.scan(prefix, peer_id + "0")):
            self.added(key[len(prefix) :])
        for lane in self._lanes.values():
            if lane.peer_id == peer_id:
                lane.early.clear()

    def acknowledged(self, peer_id: str, eci: str, number: int, mark: str = "") -> None:
        """The other side has applied messages up to `number`, whose id begins with `mark`."""
        lane = self.find(eci)
        if lane is None or lane.peer_id != peer_id or not lane.acknowledged <= number <= NUMBER_MAX:
            return
        pico = self._agent.engine.pico(lane.pico)
        sent = numbers(pico, eci)[0]
        ours = self._mark(pico, eci, number)
        if number > sent or (mark and ours and mark != ours):
            self._catch_up(lane, pico, number, mark)
            return
        for done in range(lane.acknowledged + 1, number + 1):
            pico.outbox.delete(outbox_key(eci, done))
            envelope = lane.envelopes.pop(done, b"")
            if done <= lane.sent:
                lane.on_their_way_bytes -= len(envelope)
        lane.acknowledged = number
        lane.sent = max(lane.sent, number)
        lane.retry_ms = self._agent.limits.retry_first_ms
        lane.retry_at = self._agent.now + lane.retry_ms
        if number >= sent:
            self._agent.node.unsent.delete(f"{peer_id}/{eci}")
        self._agent.engine.ledger.commit()
        if lane.sent < lane.top:
            self.added(eci)

    def _mark(self, pico: Pico, eci: str, number: int) -> str:
        """The mark of our message of this number, if we still know it."""
        if number == numbers(pico, eci)[0]:
            return marks(pico, eci)[0]
        row = pico.outbox.get(outbox_key(eci, number))
        if row is not None:
            return mark_of(row["id"])
        following = pico.outbox.get(outbox_key(eci, number + 1))
        return following["after"] if following is not None else ""

    def _catch_up(self, lane: Lane, pico: Pico, number: int, mark: str) -> None:
        """The other side knows other messages than we remember having sent: we began from an old copy."""
        row = connection_of(pico, lane.eci)
        if pico.turn is not None or row is None or row["state"] == REQUESTED:
            return  # when the turn has ended, or the response is here, this will be said again
        rows = list(pico.outbox.scan(lane.eci + "/", lane.eci + "0"))
        for key, _ in rows:
            pico.outbox.delete(key)
        # A request or response was heard if the other side knows any message of ours.
        unsent = [row for _, row in rows if row["kind"] not in ("request", "response")]
        after, received, received_mark = mark, numbers(pico, lane.eci)[1], marks(pico, lane.eci)[1]
        for offset, row in enumerate(unsent, start=1):
            pico.outbox.put(outbox_key(lane.eci, number + offset), FrozenMap({**row, "after": after}))
            after = mark_of(row["id"])
        put_numbers(pico, lane.eci, number + len(unsent), received, after, received_mark)
        self._agent.engine.ledger.commit()
        self._agent.warn(
            pico.did,
            f"connection {lane.eci}: the other side has seen a message {number} which this node does not "
            "remember: its store is older than it was. What is unsent was numbered anew",
        )
        self.drop(lane.eci)
        self.added(lane.eci)

    # -- time ---------------------------------------------------------------------------------------------

    def next_retry(self) -> int | None:
        waiting = [lane.retry_at for lane in self._waiting()]
        return min(waiting, default=None)

    def _waiting(self) -> list[Lane]:
        """Lanes with messages on their way in a session that is still open."""
        found = []
        for eci in list(self._on_their_way):
            lane = self._lanes.get(eci)
            if lane is None or lane.acknowledged >= lane.sent:
                self._on_their_way.pop(eci, None)
            elif self._agent.sessions.get(lane.peer_id) == lane.session:
                found.append(lane)
        return found

    def retry(self, now: int) -> None:
        """Send again what was not acknowledged in time."""
        for lane in self._waiting():
            if lane.retry_at <= now:
                self._agent.engine.count("messages_resent", lane.sent - lane.acknowledged)
                backoff = min(lane.retry_ms * 2, self._agent.limits.retry_max_ms)
                lane.session = 0  # begin as in a new session: say how far we are, send all
                self._push(lane, self._agent.engine.pico(lane.pico))
                lane.retry_ms = backoff
                lane.retry_at = now + backoff

    # -- the other side's marks ---------------------------------------------------------------------------

    def opened(self, peer_id: str, eci: str, their_acknowledged: int, their_sent: int) -> None:
        """The other side of the connection of `eci` is about to send: does it know what we know?"""
        lane = self.find(eci)
        if lane is None or lane.peer_id != peer_id:
            return
        pico = self._agent.engine.pico(lane.pico)
        sent, received = numbers(pico, eci)
        if received > their_sent:
            self.to_acknowledge(eci)
        elif received < their_acknowledged and lane.handed <= received and pico.turn is None:
            put_numbers(pico, eci, sent, their_acknowledged, marks(pico, eci)[0])
            self._agent.engine.ledger.commit()
            lane.handed, lane.handed_mark = their_acknowledged, ""
            self._agent.warn(
                pico.did,
                f"connection {eci}: this node acknowledged messages {received + 1} to {their_acknowledged} "
                "and does not remember them: its store is older than it was. They are lost",
            )
