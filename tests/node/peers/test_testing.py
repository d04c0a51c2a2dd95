"""Peers without a network: what the switchboard takes away and gives back.

What LoopbackPeers have in common with the real ones is in test_contract.py.
"""

from __future__ import annotations

import asyncio

import pytest

from pico_node.peers import BadAddress, FrameTooLarge, Unreachable
from pico_node.peers.errors import NotRunning
from pico_node.peers.limits import PeerLimits
from pico_node.peers.testing import LoopbackPeers, Switchboard
from tests.node.peers.helpers import Recorder, seed_of

LIMITS = PeerLimits()


async def settle() -> None:
    """Let everything happen that follows from what was done: each step takes a turn of the loop."""
    for _ in range(10):
        await asyncio.sleep(0)


class Pair:
    """Two peers at one switchboard; `a` wants a session with `b`."""

    def __init__(self) -> None:
        self.board = Switchboard()
        self.seen_a, self.seen_b = Recorder(), Recorder()
        self.a = LoopbackPeers(seed_of("a"), self.board, self.seen_a)
        self.b = LoopbackPeers(seed_of("b"), self.board, self.seen_b)
        self.ids = (self.a.peer_id, self.b.peer_id)

    async def start(self) -> None:
        await self.a.start()
        await self.b.start()
        self.a.connect(self.b.peer_id, [])
        await settle()

    def send(self, *frames: bytes) -> bool:
        return self.a.send(self.b.peer_id, self.seen_a.sessions[self.b.peer_id], frames)

    @property
    def joined(self) -> tuple[bool, bool]:
        return (bool(self.seen_a.sessions), bool(self.seen_b.sessions))


@pytest.fixture
async def pair():
    pair = Pair()
    await pair.start()
    assert pair.joined == (True, True)
    yield pair
    await pair.a.stop()
    await pair.b.stop()


async def test_a_cut_is_told_to_both_and_lasts_until_it_is_restored(pair):
    pair.board.cut(*pair.ids)
    await settle()
    assert pair.joined == (False, False)
    assert ("cut" in pair.seen_a.downs()[0][3], "cut" in pair.seen_b.downs()[0][3]) == (True, True)
    pair.a.connect(pair.b.peer_id, [])
    await settle()
    assert pair.joined == (False, False)
    with pytest.raises(Unreachable):
        await pair.a.send_foreign(pair.b.peer_id, [], b"{}")
    pair.board.restore(*pair.ids)
    await settle()
    assert pair.joined == (True, True)
    assert pair.send(b"again")
    await settle()
    assert pair.seen_b.received == [b"again"]


async def test_a_cut_may_be_named_from_either_side(pair):
    pair.board.cut(*reversed(pair.ids))
    await settle()
    assert pair.joined == (False, False)
    pair.board.restore(*pair.ids)
    await settle()
    assert pair.joined == (True, True)


async def test_what_is_held_vanishes_unnoticed_until_the_cut(pair):
    pair.board.hold(*pair.ids)
    assert not pair.board.carries(*reversed(pair.ids))
    assert pair.send(*[bytes(LIMITS.frame_bytes_max)] * 5)  # more than half a queue
    await settle()
    assert pair.seen_b.received == []
    assert pair.joined == (True, True)
    assert pair.a.writable(pair.b.peer_id, pair.seen_a.sessions[pair.b.peer_id])
    pair.board.cut(*pair.ids)
    pair.board.restore(*pair.ids)
    await settle()
    assert pair.send(b"on the new session")
    await settle()
    assert pair.seen_b.received == [b"on the new session"]


async def test_a_hold_ends_without_a_cut_too(pair):
    pair.board.hold(*pair.ids)
    assert pair.send(b"into the void")
    await settle()
    pair.board.restore(*pair.ids)
    assert pair.send(b"on the same session")
    await settle()
    assert pair.seen_b.received == [b"on the same session"]
    assert pair.seen_b.downs() == []


async def test_a_frame_of_an_ended_session_does_not_arrive_in_the_next(pair):
    old = pair.seen_a.sessions[pair.b.peer_id]
    pair.b.pause(pair.a.peer_id)
    assert pair.send(b"old")
    await settle()
    pair.board.cut(*pair.ids)
    pair.board.restore(*pair.ids)
    await settle()
    pair.b.resume(pair.a.peer_id)
    assert not pair.a.send(pair.b.peer_id, old, [b"on the old number"])
    assert pair.send(b"new")
    await settle()
    assert pair.seen_b.received == [b"new"]


async def test_nothing_happens_within_the_call(pair):
    """A driver must never be called back while it calls."""
    assert pair.send(b"x")
    pair.a.forget(pair.b.peer_id)
    assert pair.seen_b.received == []
    assert pair.joined == (True, True)
    await settle()
    assert pair.seen_b.received == [b"x"]
    assert pair.joined == (False, False)


async def test_only_who_runs_is_found(pair):
    assert pair.board.find(*pair.ids) is pair.b
    assert pair.board.find(pair.a.peer_id, "nobody") is None
    await pair.b.stop()
    assert pair.board.find(*pair.ids) is None
    await settle()
    assert pair.joined == (False, False)
    await pair.b.start()
    await settle()
    assert pair.joined == (True, True)


async def test_wanting_before_the_other_is_there():
    pair = Pair()
    await pair.a.start()
    pair.a.connect(pair.b.peer_id, [])
    await settle()
    assert pair.joined == (False, False)
    await pair.b.start()
    await settle()
    assert pair.joined == (True, True)
    await pair.a.stop()
    await pair.b.stop()


async def test_peers_that_do_not_run():
    pair = Pair()
    pair.a.connect(pair.b.peer_id, [])
    pair.a.forget(pair.b.peer_id)
    assert not pair.a.send(pair.b.peer_id, 1, [b"x"])
    with pytest.raises(NotRunning):
        await pair.a.send_foreign(pair.b.peer_id, [], b"{}")
    with pytest.raises(BadAddress):
        pair.a.connect(pair.a.peer_id, [])
    await pair.a.stop()


async def test_limits_are_those_of_the_real_ones(pair):
    with pytest.raises(FrameTooLarge):
        pair.send(bytes(LIMITS.frame_bytes_max + 1))
    with pytest.raises(FrameTooLarge):
        await pair.a.send_foreign(pair.b.peer_id, [], bytes(LIMITS.foreign_message_bytes_max + 1))


async def test_one_send_may_always_go_into_an_empty_queue():
    pair = Pair()
    await pair.start()
    pair.a._limits = PeerLimits(frame_bytes_max=1_000, outgoing_bytes_max=1_500)
    assert pair.send(bytes(1_000), bytes(1_000))
    assert not pair.a.writable(pair.b.peer_id, pair.seen_a.sessions[pair.b.peer_id])
    assert not pair.send(b"x")
    await settle()
    assert pair.send(b"x")
    await settle()
    assert pair.seen_b.received == [bytes(1_000), bytes(1_000), b"x"]
    await pair.a.stop()
    await pair.b.stop()


async def test_what_is_counted(pair):
    pair.send(b"1", b"2")
    await pair.a.send_foreign(pair.b.peer_id, [], b"{}")
    await settle()
    assert {name: n for name, n in pair.a.counters().items() if n} == {"sessions": 1, "frames_out": 2}
    assert {name: n for name, n in pair.b.counters().items() if n} == {
        "sessions": 1, "frames_in": 2, "foreign_in": 1,
    }  # fmt: skip
    pair.board.cut(*pair.ids)
    await settle()
    assert pair.a.counters()["sessions"] == 0
