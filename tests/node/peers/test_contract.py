"""What the driver may rely on, for `Peers` over libp2p and for `LoopbackPeers` alike."""

from __future__ import annotations

import asyncio

import pytest

from pico_node.peers import BadAddress, FrameTooLarge, PeersFace, Unreachable
from tests.node.peers.helpers import FAST, until


async def joined(any_node):
    a, seen_a = await any_node("a")
    b, seen_b = await any_node("b")
    a.connect(b.peer_id, b.addresses)
    await until(lambda: seen_a.sessions and seen_b.sessions)
    return a, seen_a, b, seen_b


async def test_frames_go_both_ways_in_order(any_node):
    a, seen_a, b, seen_b = await joined(any_node)
    face: PeersFace = a
    to_b = [b"a%d" % n for n in range(500)]
    to_a = [b"b%d" % n for n in range(500)]
    for n in range(0, 500, 10):
        assert face.send(b.peer_id, seen_a.sessions[b.peer_id], to_b[n : n + 10])
        assert b.send(a.peer_id, seen_b.sessions[a.peer_id], to_a[n : n + 10])
        if n % 100 == 0:
            await asyncio.sleep(0)
    await until(lambda: len(seen_a.received) == len(seen_b.received) == 500)
    assert seen_b.received == to_b
    assert seen_a.received == to_a
    assert face.counters()["frames_out"] == 500
    assert face.counters()["frames_in"] == 500


async def test_addresses_end_in_the_peer_id(any_node):
    a, _ = await any_node("a")
    assert a.addresses
    assert all(address.endswith(f"/p2p/{a.peer_id}") for address in a.addresses)


async def test_send_on_a_session_that_is_not_there_says_no(any_node):
    a, seen_a, b, _ = await joined(any_node)
    session = seen_a.sessions[b.peer_id]
    assert not a.send(b.peer_id, session + 1, [b"x"])
    assert not a.send(a.peer_id, session, [b"x"])
    assert not a.writable(b.peer_id, session + 1)
    assert a.writable(b.peer_id, session)


async def test_a_frame_over_the_limit_is_refused_where_it_is_sent(any_node):
    a, seen_a, b, seen_b = await joined(any_node)
    session = seen_a.sessions[b.peer_id]
    with pytest.raises(FrameTooLarge):
        a.send(b.peer_id, session, [b"before", bytes(FAST.frame_bytes_max + 1)])
    assert a.send(b.peer_id, session, [bytes(FAST.frame_bytes_max)])
    await until(lambda: seen_b.received)
    assert seen_b.received == [bytes(FAST.frame_bytes_max)]


async def test_forget_ends_the_session_and_connect_brings_it_back(any_node):
    a, seen_a, b, seen_b = await joined(any_node)
    first = seen_a.sessions[b.peer_id]
    a.forget(b.peer_id)
    await until(lambda: not seen_a.sessions and not seen_b.sessions)
    await asyncio.sleep(0.3)
    assert not seen_a.sessions
    a.connect(b.peer_id, b.addresses)
    await until(lambda: seen_a.sessions and seen_b.sessions)
    assert seen_a.sessions[b.peer_id] != first


async def test_a_peer_that_stops_is_reported_down_with_a_reason(any_node):
    _, seen_a, b, seen_b = await joined(any_node)
    await b.stop()
    await until(lambda: not seen_a.sessions and not seen_b.sessions)
    assert "stopping" in seen_a.downs()[0][3]
    assert "stopping" in seen_b.downs()[0][3]
    await b.stop()  # twice is allowed


async def test_what_was_queued_before_stop_arrives(any_node):
    a, seen_a, b, seen_b = await joined(any_node)
    assert a.send(b.peer_id, seen_a.sessions[b.peer_id], [b"last words"])
    await a.stop()
    await until(lambda: not seen_b.sessions)
    assert seen_b.received == [b"last words"]


async def test_nothing_is_delivered_while_paused(any_node):
    a, seen_a, b, seen_b = await joined(any_node)
    session = seen_a.sessions[b.peer_id]
    b.pause(a.peer_id)
    assert a.send(b.peer_id, session, [b"first"])  # may slip through: reading had begun
    await asyncio.sleep(0.05)
    before = len(seen_b.received)
    assert a.send(b.peer_id, session, [b"second"])
    await asyncio.sleep(0.1)
    assert len(seen_b.received) == before
    b.resume(a.peer_id)
    await until(lambda: len(seen_b.received) == 2)
    assert seen_b.received == [b"first", b"second"]


async def test_a_full_queue_says_no_and_loses_nothing(any_node):
    a, seen_a, b, seen_b = await joined(any_node)
    session = seen_a.sessions[b.peer_id]
    b.pause(a.peer_id)
    sent = 0
    while a.send(b.peer_id, session, [sent.to_bytes(4, "big") * 25_000]):
        sent += 1
        await asyncio.sleep(0)
        assert sent < 1000, "the queue has no limit"
    assert not a.writable(b.peer_id, session)
    b.resume(a.peer_id)
    await until(lambda: len(seen_b.received) == sent)
    assert [int.from_bytes(frame[:4], "big") for frame in seen_b.received] == list(range(sent))
    await until(lambda: a.writable(b.peer_id, session))
    assert a.send(b.peer_id, session, [b"room again"])


async def test_foreign_messages_need_no_session(any_node):
    a, seen_a = await any_node("a")
    b, seen_b = await any_node("b")
    for message in (b"", b"{}", bytes(range(256)) * 4096):
        await a.send_foreign(b.peer_id, b.addresses, message)
        await until(lambda message=message: seen_b.foreign and seen_b.foreign[-1] == (a.peer_id, message))
    assert not seen_a.sessions
    assert not seen_b.sessions
    with pytest.raises(FrameTooLarge):
        await a.send_foreign(b.peer_id, b.addresses, bytes(FAST.foreign_message_bytes_max + 1))
    await b.stop()
    with pytest.raises(Unreachable):
        await a.send_foreign(b.peer_id, b.addresses, b"{}")


async def test_a_node_does_not_connect_to_itself(any_node):
    a, _ = await any_node("a")
    with pytest.raises(BadAddress):
        a.connect(a.peer_id, a.addresses)
