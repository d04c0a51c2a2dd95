"""The simulator finds bugs: each mistake made here in the real code is found within a few seeds.

A simulator that never fails proves nothing. Every mistake below is one that a careful programmer could make
in the agent, the engine or the driver, and that every test without faults would let pass.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pico_node.agent.agent import Agent
from pico_node.agent.frames import ACK, frame
from pico_node.agent.handshake import Handshake
from pico_node.agent.inbound import Cursor, Inbound
from pico_node.agent.lanes import Lanes
from pico_node.agent.rows import numbers, outbox_key, put_numbers
from pico_simnet.host import SimulatedHost
from pico_simnet.runs import run

SEEDS_MAX = 30
Mutation = Callable[[pytest.MonkeyPatch], None]


def effects_before_durable(patch) -> None:
    """The driver lets out what it should keep until the sync returned."""
    begin = SimulatedHost._begin

    def wrong(self, number, batch, effects):
        begin(self, number, batch, [])
        self._let_out(effects)

    patch.setattr(SimulatedHost, "_begin", wrong)


def acknowledged_on_arrival(patch) -> None:
    """A message is acknowledged when it comes, not when it was applied."""
    hand_over = Inbound._hand_over

    def wrong(self, pico, lane, unpacked, number):
        hand_over(self, pico, lane, unpacked, number)
        self._agent.send(lane.peer_id, [frame(ACK, [[lane.their_did, number]])])

    patch.setattr(Inbound, "_hand_over", wrong)


def acknowledged_while_waiting(patch) -> None:
    """The pico's turn waits, its rows are ahead of the disk, and they are told all the same."""
    flush = Lanes.flush

    def wrong(self):
        acks = {}
        for eci in self._to_acknowledge:
            lane = self.find(eci)
            if lane is not None:
                received = numbers(self._agent.engine.pico(lane.pico), eci)[1]
                acks.setdefault(lane.peer_id, []).append([lane.their_did, received])
        self._to_acknowledge.clear()
        for peer_id, rows in acks.items():
            self._agent.send(peer_id, [frame(ACK, rows)])
        flush(self)

    patch.setattr(Lanes, "flush", wrong)


def no_duplicate_check(patch) -> None:
    """Whatever comes again is applied again."""

    def apply(self, pico):
        sent, received = numbers(pico, self.eci)
        self.agent.lanes.to_acknowledge(self.eci)
        put_numbers(pico, self.eci, sent, max(received, self.number))
        return True

    def wrong(self, pico, lane, unpacked, number):
        if number <= lane.handed + 1:
            self._hand_over(pico, lane, unpacked, number)

    patch.setattr(Cursor, "apply", apply)
    patch.setattr(Inbound, "_numbered", wrong)


def cursor_in_a_later_commit(patch) -> None:
    """The event's effect and the cursor that says so are written by two commits."""
    receive = Agent.receive

    def apply(self, pico):
        known = self.agent.__dict__.setdefault("_late", {})
        _, received = numbers(pico, self.eci)
        if self.number != known.get(self.eci, (pico, received))[1] + 1:
            return False
        known[self.eci] = (pico, self.number)
        return True

    def late(self, message, now):
        for eci, (pico, number) in self.__dict__.get("_late", {}).items():
            sent, received = numbers(pico, eci)
            if pico.turn is None and received < number and eci in pico.connections.rows:
                put_numbers(pico, eci, sent, number)
                self.engine.ledger.commit()
                self.lanes.to_acknowledge(eci)
        receive(self, message, now)

    patch.setattr(Cursor, "apply", apply)
    patch.setattr(Agent, "receive", late)


def deleted_when_sent(patch) -> None:
    """An outbox row goes when its message was sent, not when it was acknowledged."""
    push = Lanes._push

    def wrong(self, lane, pico):
        before = lane.sent
        push(self, lane, pico)
        for number in range(before + 1, lane.sent + 1):
            pico.outbox.delete(outbox_key(lane.eci, number))
        self._agent.engine.ledger.commit()

    patch.setattr(Lanes, "_push", wrong)


def out_of_order(patch) -> None:
    """What comes early is applied early."""

    def apply(self, pico):
        sent, received = numbers(pico, self.eci)
        self.agent.lanes.to_acknowledge(self.eci)
        if self.number <= received:
            return False
        put_numbers(pico, self.eci, sent, self.number)
        return True

    def wrong(self, pico, lane, unpacked, number):
        if number > lane.handed:
            self._hand_over(pico, lane, unpacked, number)

    patch.setattr(Cursor, "apply", apply)
    patch.setattr(Inbound, "_numbered", wrong)


def resent_backwards(patch) -> None:
    """The frames of a resend go out in the wrong order, and the receiver does not sort them."""
    out_of_order(patch)
    send = SimulatedHost._carry_out

    def wrong(self, effect):
        if hasattr(effect, "frames") and len(effect.frames) > 2:
            effect.frames = [effect.frames[0], *effect.frames[:0:-1]]
        send(self, effect)

    patch.setattr(SimulatedHost, "_carry_out", wrong)


def outbox_in_memory(patch) -> None:
    """A message gets its number durably, its row is kept in memory only."""
    add = Handshake.add_to_outbox

    def wrong(self, pico, eci, row):
        number = add(self, pico, eci, row)
        journal = self._agent.engine.ledger.journal
        journal[:] = [entry for entry in journal if entry[0] is not pico.outbox]
        return number

    patch.setattr(Handshake, "add_to_outbox", wrong)


def nothing_sent_again(patch) -> None:
    """A new session begins with what is new."""
    patch.setattr(Lanes, "session_up", lambda self, peer_id: None)


def no_retry(patch) -> None:
    """Inside a session nothing is sent twice."""
    patch.setattr(Lanes, "retry", lambda self, now: None)
    patch.setattr(Lanes, "next_retry", lambda self: None)


def queue_not_kept(patch) -> None:
    """A durable event is answered, and kept in memory only."""

    take_batch = Agent.take_batch

    def wrong(self):
        number, batch = take_batch(self)
        for key in [key for key in batch.rows if b"/q/" in key]:
            del batch.rows[key]
        return number, batch

    patch.setattr(Agent, "take_batch", wrong)


MUTATIONS = [
    effects_before_durable,
    acknowledged_on_arrival,
    acknowledged_while_waiting,
    no_duplicate_check,
    cursor_in_a_later_commit,
    deleted_when_sent,
    out_of_order,
    resent_backwards,
    outbox_in_memory,
    nothing_sent_again,
    no_retry,
    queue_not_kept,
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_mistake_is_found(mutation: Mutation, monkeypatch) -> None:
    mutation(monkeypatch)
    failures = (run(seed).failure for seed in range(SEEDS_MAX))
    found = next((failure for failure in failures if failure is not None), None)
    assert found is not None, f"{mutation.__name__} was not found in {SEEDS_MAX} seeds"
