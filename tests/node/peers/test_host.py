"""Whole nodes over libp2p: both dial at once, restarts, bootstrap, other loops. See also test_contract.py."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest
import uvloop

from pico_node.peers import BadAddress, NotRunning, Peers, PeersFace, peer_id_of_seed
from pico_node.peers.addresses import split_peer
from tests.node.peers.helpers import FAST, LOOPBACK, Recorder, seed_of, until


@pytest.mark.parametrize("n", range(5))
async def test_both_dial_at_the_same_moment(node, n):
    a, seen_a = await node(f"a{n}")
    b, seen_b = await node(f"b{n}")
    a.connect(b.peer_id, b.addresses)
    b.connect(a.peer_id, a.addresses)
    await until(lambda: seen_a.sessions and seen_b.sessions)
    await asyncio.sleep(0.2)
    assert a.send(b.peer_id, seen_a.sessions[b.peer_id], [b"from a"])
    assert b.send(a.peer_id, seen_b.sessions[a.peer_id], [b"from b"])
    await until(lambda: seen_a.received and seen_b.received)
    assert (seen_a.received, seen_b.received) == ([b"from b"], [b"from a"])
    assert len(seen_a.log) == len(seen_b.log) == 1
    assert a.counters()["sessions"] == b.counters()["sessions"] == 1
    await until(lambda: len(a._edge._connections()) == len(b._edge._connections()) == 1)


async def test_a_peer_that_comes_back_on_its_port_is_found_again(node):
    a, seen_a = await node("a")
    b, seen_b = await node("b")
    a.connect(b.peer_id, b.addresses)
    await until(lambda: seen_a.sessions and seen_b.sessions)
    first = seen_a.sessions[b.peer_id]
    addresses = b.addresses
    await b.stop()
    await until(lambda: not seen_a.sessions)
    await asyncio.sleep(0.2)
    again, seen_again = await node("b", [addresses[0].split("/p2p/")[0]])
    assert again.addresses == addresses
    await until(lambda: seen_a.sessions and seen_again.sessions)
    assert seen_a.sessions[b.peer_id] > first
    assert not a.send(b.peer_id, first, [b"late"])


async def test_new_addresses_replace_old_ones(node):
    a, seen_a = await node("a")
    b, _ = await node("b")
    b_addresses = b.addresses
    await b.stop()
    a.connect(b.peer_id, b_addresses)
    await asyncio.sleep(0.1)
    again, _ = await node("b")
    a.connect(b.peer_id, again.addresses)
    await until(lambda: seen_a.sessions)


async def test_connect_before_start_is_remembered(node):
    b, seen_b = await node("b")
    seen = Recorder()
    a = Peers(seed_of("a"), [], seen, limits=FAST)
    face: PeersFace = a
    assert face.peer_id == peer_id_of_seed(seed_of("a"))
    face.connect(b.peer_id, b.addresses)
    assert not face.send(b.peer_id, 1, [b"x"])
    with pytest.raises(NotRunning):
        await face.send_foreign(b.peer_id, b.addresses, b"{}")
    await face.start()
    await until(lambda: seen.sessions and seen_b.sessions)
    assert face.addresses == []
    await face.stop()


async def test_who_dials_before_libp2p_is_loaded_waits_for_it(node, monkeypatch):
    a, seen_a = await node("a")
    loading, go_on = threading.Event(), threading.Event()

    def load() -> None:
        loading.set()
        go_on.wait(5)

    monkeypatch.setattr("pico_node.peers.host._load", load)
    seen_b = Recorder()
    b = Peers(seed_of("b"), [LOOPBACK], seen_b, limits=FAST)
    await b.start()
    try:
        a.connect(b.peer_id, b.addresses)
        await until(loading.is_set)
        message = asyncio.create_task(b.send_foreign(a.peer_id, a.addresses, b"{}"))
        await asyncio.sleep(0.1)
        assert not seen_a.sessions
        assert not message.done()
        go_on.set()
        await until(lambda: seen_a.sessions and seen_b.sessions)
        await message
    finally:
        await b.stop()


async def test_stopping_while_libp2p_is_loaded_leaves_nothing_open(monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr("pico_node.peers.host._load", lambda: go_on.wait(5))
    peers = Peers(seed_of("a"), [LOOPBACK], Recorder(), limits=FAST)
    await peers.start()
    _, port = split_peer(peers.addresses[0])[1].rsplit("/", 1)
    waiting = asyncio.create_task(peers.until_ready())
    stopping = asyncio.create_task(peers.stop())
    await asyncio.sleep(0.05)
    go_on.set()
    await asyncio.gather(stopping, waiting)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", int(port))


async def test_bootstrap_peers_are_reported_and_connected(node):
    b, seen_b = await node("b")
    a, seen_a = await node("a", bootstrap=b.addresses)
    assert seen_a.seen == {b.peer_id: b.addresses}
    await until(lambda: seen_a.sessions and seen_b.sessions)
    with pytest.raises(BadAddress):
        Peers(seed_of("c"), [], Recorder(), bootstrap=["/ip4/127.0.0.1/tcp/1"])
    with pytest.raises(BadAddress):
        a.connect("not a peer id", [])


async def test_a_node_with_a_copy_of_our_key_gets_no_session(node):
    a, seen_a = await node("a")
    copy, seen_copy = await node("a")
    conn = await copy._guest.call(copy._edge.dial, a.peer_id, a.addresses)
    await copy._guest.call(copy._edge.open_stream, conn, "/picomesh/frames/1.0.0")
    await asyncio.sleep(0.2)
    assert not seen_a.log
    assert not seen_copy.log


async def test_mdns_reports_and_the_driver_connects(node):
    a, seen_a = await node("a", mdns=True)
    b, seen_b = await node("b", mdns=True)
    try:
        await until(lambda: b.peer_id in seen_a.seen and a.peer_id in seen_b.seen, 8)
    except TimeoutError:
        pytest.skip("no multicast on the loopback interface")
    a.connect(b.peer_id, seen_a.seen[b.peer_id])
    await until(lambda: seen_a.sessions and seen_b.sessions)


async def converse() -> None:
    seen_a, seen_b = Recorder(), Recorder()
    a = Peers(seed_of("a"), [LOOPBACK], seen_a, limits=FAST)
    b = Peers(seed_of("b"), ["/ip6/::1/tcp/0"], seen_b, limits=FAST)
    await asyncio.gather(a.start(), b.start())
    a.connect(b.peer_id, b.addresses)
    await until(lambda: seen_a.sessions and seen_b.sessions)
    assert a.send(b.peer_id, seen_a.sessions[b.peer_id], [b"x"])
    await until(lambda: seen_b.received)
    await asyncio.gather(a.stop(), b.stop())


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_one_loop_after_another(loop_factory):
    for _ in range(2):
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(converse())


def test_a_driver_that_forgets_to_stop_is_no_deadlock():
    script = (
        "import asyncio; from pico_node.peers import Peers\n"
        "from tests.node.peers.helpers import *\n"
        "async def main():\n"
        "    await Peers(seed_of('a'), [LOOPBACK], Recorder()).start()\n"
        "asyncio.run(main())"
    )
    subprocess.run([sys.executable, "-c", script], timeout=20, check=True, capture_output=True)
