"""Two nodes in two processes: kills, black holes, and processes that stand still."""

from __future__ import annotations

import asyncio
import time

import pytest

from pico_node.peers import Peers
from tests.node.peers.helpers import FAST, Recorder, until

pytestmark = pytest.mark.processes


async def echoed(peers: Peers, seen: Recorder, peer_id: str, frame: bytes) -> None:
    """Send a frame and wait for its echo, over whichever session there is."""
    async with asyncio.timeout(10):
        while frame not in seen.received:
            if peer_id in seen.sessions:
                peers.send(peer_id, seen.sessions[peer_id], [frame])
            await asyncio.sleep(0.02)


async def test_a_killed_peer_is_noticed_and_found_again(node, child):
    a, seen_a = await node("a")
    first = child("b")
    a.connect(first.peer_id, [first.address])
    await echoed(a, seen_a, first.peer_id, b"one")
    began = time.monotonic()
    first.kill()
    await until(lambda: not seen_a.sessions)
    assert time.monotonic() - began < 0.5
    again = child("b", port=int(first.address.split("/")[4]))
    await echoed(a, seen_a, again.peer_id, b"two")


async def test_a_peer_that_dials_again_after_a_kill_gets_in_at_once(node, child):
    """Its old session may still look alive to us."""
    a, seen_a = await node("a")
    first = child("b", a.addresses[0])
    await until(lambda: first.peer_id in seen_a.sessions)
    first.stand_still()  # no FIN, no RST: nothing tells us
    again = child("b", a.addresses[0])
    await until(lambda: seen_a.downs() and seen_a.sessions)
    assert "replaced" in seen_a.downs()[0][3]
    await echoed(a, seen_a, again.peer_id, b"hello")
    first.kill()


async def test_a_black_hole_is_noticed_and_left_when_it_ends(node, child):
    a, seen_a = await node("a")
    b = child("b")
    a.connect(b.peer_id, [b.address])
    await echoed(a, seen_a, b.peer_id, b"one")
    b.stand_still()
    began = time.monotonic()
    a.send(b.peer_id, seen_a.sessions[b.peer_id], [bytes(1_000_000)] * 5)  # more than any socket buffer takes
    await until(lambda: not seen_a.sessions)
    assert time.monotonic() - began < FAST.dead_after_s + 1
    assert "silent" in seen_a.downs()[0][3]
    b.go_on()
    await echoed(a, seen_a, b.peer_id, b"two")


async def test_a_peer_that_stands_still_for_a_moment_keeps_its_session(node, child):
    a, seen_a = await node("a")
    b = child("b")
    a.connect(b.peer_id, [b.address])
    await echoed(a, seen_a, b.peer_id, b"one")
    b.stand_still()
    await asyncio.sleep(FAST.dead_after_s / 2)
    b.go_on()
    await echoed(a, seen_a, b.peer_id, b"two")
    assert not seen_a.downs()


async def test_when_this_process_stands_still_no_peer_is_blamed(node, child):
    a, seen_a = await node("a")
    b = child("b")
    a.connect(b.peer_id, [b.address])
    await echoed(a, seen_a, b.peer_id, b"one")
    for _ in range(3):
        time.sleep(0.8 * FAST.dead_after_s)  # the loop is blocked; the peer has patience for this long
        await asyncio.sleep(0.1)
    assert not seen_a.downs()


async def test_a_child_ends_without_a_word_on_stderr(node, child):
    a, seen_a = await node("a")
    b = child("b", a.addresses[0])
    await until(lambda: seen_a.sessions)
    out, err = await asyncio.to_thread(b.end)
    assert b.process.returncode == 0
    assert (out, err) == ("", "")
    await until(lambda: not seen_a.sessions)
    assert "stopping" in seen_a.downs()[0][3]
