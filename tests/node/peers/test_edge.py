"""What strangers do to the port, and what must not happen to the honest."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import os
import socket
import time
import warnings
from contextlib import suppress

import pytest
import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.host.ping import PingService
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.security.insecure.transport import PLAINTEXT_PROTOCOL_ID, InsecureTransport
from multiaddr import Multiaddr

from pico_node.peers import AddressTaken, BadAddress, Peers, Unreachable
from pico_node.peers.frames import PREAMBLE, Kind, encode
from pico_node.peers.frames import PROTOCOL as FRAMES
from tests.node.peers.helpers import FAST, LOOPBACK, Recorder, seed_of, until


def where(peers: Peers) -> tuple[str, int]:
    _, _, ip, _, port, *_ = peers.addresses[0].split("/")
    return ip, int(port)


async def join(a: Peers, seen_a: Recorder, b: Peers, seen_b: Recorder, timeout_s: float = 5) -> None:
    a.connect(b.peer_id, b.addresses)
    await until(lambda: b.peer_id in seen_a.sessions and a.peer_id in seen_b.sessions, timeout_s)


def connection(a: Peers, b: Peers):
    return next(c for c in a._edge._connections() if str(c.muxed_conn.peer_id) == b.peer_id)


GARBAGE = {
    "http": b"GET / HTTP/1.1\r\nHost: example.org\r\n" + b"X: y\r\n" * 30 + b"\r\n",
    "random": os.urandom(4096),
    "zeros": bytes(4096),
    "tls": bytes.fromhex("16030100c8010000c40303") + os.urandom(200),
    "bad noise": b"\x13/multistream/1.0.0\n\x07/noise\n" + b"\x00\x20" + os.urandom(500),
    "no utf-8": b"\x04\xff\xfe\xfd\n",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_is_counted_and_closed_and_the_host_lives(node, garbage):
    peers, seen = await node("a", limits=dataclasses.replace(FAST, upgrade_timeout_s=0.5))
    reader, writer = await asyncio.open_connection(*where(peers))
    writer.write(garbage)
    async with asyncio.timeout(3):
        with contextlib.suppress(ConnectionResetError):  # how a close looks while input lies unread
            while await reader.read(4096):
                pass
    writer.close()
    await until(lambda: peers.counters()["garbage"] + peers.counters()["inbound_timed_out"] == 1, 3)
    other, seen_other = await node("b")
    await join(other, seen_other, peers, seen)


async def test_an_honest_peer_gets_in_at_once_past_300_silent_sockets(node):
    peers, seen = await node("a")
    silent = []
    try:
        for _ in range(300):
            silent.append(socket.socket())
            silent[-1].setblocking(False)
            await asyncio.get_running_loop().sock_connect(silent[-1], where(peers))
        await asyncio.sleep(0.2)
        other, seen_other = await node("b")
        began = time.monotonic()
        await join(other, seen_other, peers, seen)
        assert time.monotonic() - began < 1.5
        await until(lambda: peers.counters()["half_open"] == 0, 5)
        counters = peers.counters()
        assert counters["inbound_crowded_out"] + counters["inbound_timed_out"] >= 300
    finally:
        for each in silent:
            each.close()


async def test_connections_that_carry_nothing_are_closed(node):
    peers, _ = await node("a", limits=dataclasses.replace(FAST, inbound_idle_s=0.3))
    other, _ = await node("b")
    await other._guest.call(other._edge.dial, peers.peer_id, peers.addresses)
    await until(lambda: peers.counters()["inbound_idle"] == 1, 3)
    await until(lambda: not other._edge._connections(), 3)
    assert peers._edge.admission.proven == 0


async def test_a_session_without_traffic_is_not_idle(node):
    quick = dataclasses.replace(FAST, inbound_idle_s=0.2)
    a, seen_a = await node("a", limits=quick)
    b, seen_b = await node("b", limits=quick)
    await join(a, seen_a, b, seen_b)
    await asyncio.sleep(1)
    assert not seen_a.downs()


async def test_260_connections_one_after_another_are_all_taken(node):
    """py-libp2p's own swarm takes 250 in its life. (A busy machine notices late that one has gone.)"""
    peers, _ = await node(
        "a", limits=dataclasses.replace(FAST, inbound_per_peer_max=260, inbound_per_ip_max=260)
    )
    other, _ = await node("b")

    async def come_and_go() -> None:
        for _ in range(260):
            await other._edge.drop(await other._edge.dial(peers.peer_id, peers.addresses))

    await other._guest.call(come_and_go)
    await until(lambda: peers._edge.admission.proven == 0)
    assert peers.counters()["inbound"] == 260
    assert peers.counters()["inbound_refused"] == 0
    await until(lambda: not peers._edge._connections())


async def test_total_inbound_limit_and_room_for_wanted_peers(node):
    peers, seen = await node("host", limits=dataclasses.replace(FAST, inbound_max=3))
    guests = [await node(f"guest{n}") for n in range(4)]
    for guest, _ in guests[:3]:
        guest.connect(peers.peer_id, peers.addresses)
    await until(lambda: len(seen.sessions) == 3)
    friend, seen_friend = guests[3]
    friend.connect(peers.peer_id, peers.addresses)
    await asyncio.sleep(0.3)
    assert not seen_friend.sessions
    assert peers.counters()["inbound_refused"] >= 1
    peers.connect(friend.peer_id, [])  # we want this one, but do not know where it is
    await until(lambda: peers.peer_id in seen_friend.sessions)


async def test_plaintext_is_refused(node):
    """Whoever knows a public key could otherwise take its name."""
    peers, seen = await node("a")
    impostor = create_new_key_pair(seed_of("impostor"))

    async def attack() -> str:
        host = new_host(key_pair=impostor, sec_opt={PLAINTEXT_PROTOCOL_ID: InsecureTransport(impostor)})
        async with host.run([]):
            try:
                with trio.fail_after(3):
                    await host.connect(info_from_p2p_addr(Multiaddr(peers.addresses[0])))
            except Exception as error:
                return repr(error)
            finally:
                await host.close()
        return ""

    assert await peers._guest.call(attack)
    assert not peers._edge._connections()
    assert not seen.sessions


async def test_a_plain_libp2p_host_can_ping_and_identify_us(node):
    peers, _ = await node("a")

    async def visit() -> tuple[list[int], list[str]]:
        host = new_host(key_pair=create_new_key_pair(seed_of("visitor")))
        async with host.run([]):
            info = info_from_p2p_addr(Multiaddr(peers.addresses[0]))
            await host.connect(info)
            pings = await PingService(host).ping(info.peer_id, 2)
            with trio.move_on_after(2):
                while not host.get_peerstore().get_protocols(info.peer_id):
                    await trio.sleep(0.02)
            protocols = host.get_peerstore().get_protocols(info.peer_id)
            await host.close()
            return pings, protocols

    pings, protocols = await peers._guest.call(visit)
    assert len(pings) == 2
    assert {FRAMES, "didcomm/v2"} <= set(protocols)


@pytest.mark.parametrize(
    "opening",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        PREAMBLE + encode(Kind.HELLO, b"short"),
        PREAMBLE + encode(Kind.DATA, b"too early"),
        PREAMBLE + b"\xff\xff\xff\xff\x01",
        b"",
    ],
    ids=["http", "short hello", "early data", "endless hello", "silence"],
)
async def test_a_stream_that_does_not_speak_frames_is_closed(node, opening):
    peers, seen = await node("a", limits=dataclasses.replace(FAST, handshake_timeout_s=0.5))
    other, seen_other = await node("b")

    async def visit() -> None:
        conn = await other._edge.dial(peers.peer_id, peers.addresses)
        stream = await other._edge.open_stream(conn, FRAMES)
        await stream.write(opening or PREAMBLE[:3])
        with trio.fail_after(3):
            try:
                while await stream.read(4096):
                    pass
            except Exception as error:
                print(repr(error))
        await other._edge.drop(conn)

    await other._guest.call(visit)
    assert not seen.sessions
    await join(other, seen_other, peers, seen)


async def test_an_exception_in_a_stream_handler_ends_that_stream_only(node):
    a, seen_a = await node("a")
    b, seen_b = await node("b")

    async def explode(peer_id, stream):
        raise ValueError("a handler with a bug")

    b._edge._handlers["/test/explode"] = explode
    b._edge._host.get_mux().add_handler("/test/explode", None)
    await join(a, seen_a, b, seen_b)
    for _ in range(3):
        with suppress(Unreachable):  # it may be reset before we learn that it was opened
            await a._guest.call(a._edge.open_stream, connection(a, b), "/test/explode")
    await until(lambda: b.counters()["handler_errors"] == 3)
    assert not seen_b.downs()
    assert b.counters()["edge_restarts"] == 0


async def test_too_many_streams_cost_the_connection(node):
    a, seen_a = await node("a")
    b, seen_b = await node("b")
    await join(a, seen_a, b, seen_b)

    async def flood() -> None:
        muxed = connection(a, b).muxed_conn
        try:
            for _ in range(2 * FAST.streams_per_connection_max):
                await muxed.open_stream()
        except Exception as error:
            print(repr(error))

    await a._guest.call(flood)
    await until(lambda: b.counters()["streams_refused"])
    await until(lambda: seen_b.downs())
    await until(lambda: seen_a.sessions and seen_b.sessions)


async def test_finished_streams_leave_nothing_behind(node):
    a, seen_a = await node("a", limits=dataclasses.replace(FAST, foreign_per_peer_burst=1000))
    b, seen_b = await node("b")
    await join(a, seen_a, b, seen_b)
    for n in range(100):
        await b.send_foreign(a.peer_id, a.addresses, b"%d" % n)
    await until(lambda: len(seen_a.foreign) == 100)
    for one, two in ((a, b), (b, a)):
        muxed = connection(one, two).muxed_conn
        await until(lambda muxed=muxed: len(muxed.streams) == 1)


async def test_a_loud_agent_is_throttled_and_its_session_lives(node):
    a, seen_a = await node("a", limits=dataclasses.replace(FAST, foreign_per_peer_burst=5))
    b, seen_b = await node("b")
    await join(a, seen_a, b, seen_b)
    done = await asyncio.gather(
        *(b.send_foreign(a.peer_id, a.addresses, b"x") for _ in range(10)), return_exceptions=True
    )
    await until(lambda: len(seen_a.foreign) + a.counters()["foreign_refused"] == 10)
    assert 5 <= len(seen_a.foreign) < 10
    # A stream that is refused may look sent: `didcomm/v2` has no acknowledgement. Never the other way round.
    assert sum(result is None for result in done) >= len(seen_a.foreign)
    assert not seen_a.downs()


async def test_a_taken_port_is_noticed(node):
    peers, _ = await node("a")
    _, port = where(peers)
    for host in ("127.0.0.1", "0.0.0.0"):
        second = Peers(seed_of("b"), [LOOPBACK, f"/ip4/{host}/tcp/{port}"], Recorder())
        with pytest.raises(AddressTaken, match=str(port)):
            await second.start()
        await second.stop()


async def test_an_address_of_another_machine_cannot_be_listened_on():
    peers = Peers(seed_of("b"), ["/ip4/203.0.113.1/tcp/0"], Recorder())
    with pytest.raises(BadAddress):
        await peers.start()
    with pytest.raises(BadAddress):
        Peers(seed_of("b"), ["/ip4/127.0.0.1/udp/1/quic-v1"], Recorder())


async def test_dialing_takes_no_quarter_of_a_second_and_a_stale_address_does_no_harm(node):
    a, seen_a = await node("a")
    b, seen_b = await node("b")
    c, seen_c = await node("c")
    took = []
    for name in "defgh":  # a busy machine may hold up some of them, never all
        other, seen_other = await node(name)
        began = time.monotonic()
        await join(a, seen_a, other, seen_other)
        took.append(time.monotonic() - began)
    assert min(took) < 0.2
    await join(a, seen_a, b, seen_b)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        stale = [f"/ip4/127.0.0.1/tcp/{nobody.getsockname()[1]}", a.addresses[0].split("/p2p/")[0]]
        b.connect(c.peer_id, [*stale, *c.addresses])
        await until(lambda: b.peer_id in seen_c.sessions)


@pytest.mark.slow
async def test_a_session_survives_a_reader_that_stalls_for_longer_than_upstream_allows(node):
    """py-libp2p resets a stream whose peer takes nothing for 5 s."""
    a, seen_a = await node("a")
    b, seen_b = await node("b")
    await join(a, seen_a, b, seen_b)
    b.pause(a.peer_id)
    sent = 0
    while a.send(b.peer_id, seen_a.sessions[b.peer_id], [bytes(100_000)]):
        sent += 1
        await asyncio.sleep(0)
    await asyncio.sleep(6)
    assert not seen_a.downs()
    assert not seen_b.downs()
    b.resume(a.peer_id)
    await until(lambda: len(seen_b.received) == sent)
    assert a.counters()["stalls"] > 0
    assert b.counters()["floods"] == 0


async def test_stopping_leaves_no_socket_open():
    def sockets() -> int:
        gc.collect()
        return sum(os.readlink(f"/proc/self/fd/{fd}").startswith("socket:") for fd in open_fds())

    def open_fds() -> list[str]:
        return [fd for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]

    before = sockets()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            nodes = [
                (Peers(seed_of(name), [LOOPBACK], seen := Recorder(), limits=FAST), seen) for name in "abc"
            ]
            for peers, _ in nodes:
                await peers.start()
            (a, seen_a), (b, seen_b), (c, seen_c) = nodes
            await join(a, seen_a, b, seen_b)
            await join(b, seen_b, c, seen_c)
            await asyncio.gather(*(peers.stop() for peers, _ in nodes))
    assert sockets() <= before


async def test_the_edge_starts_again_when_it_fails_as_a_whole(node, monkeypatch, caplog):
    a, seen_a = await node("a")
    b, seen_b = await node("b")
    await join(a, seen_a, b, seen_b)
    monkeypatch.setattr("pico_node.peers.host.RESTART_PAUSE_S", 0.05)

    async def bug() -> None:
        raise RuntimeError("a bug in libp2p")

    async def plant() -> None:
        b._edge._swarm.manager.run_task(bug)

    await b._guest.call(plant)
    await until(lambda: seen_b.downs() and seen_a.downs())
    await until(lambda: seen_a.sessions and seen_b.sessions)
    assert b.counters()["edge_restarts"] == 1
    assert "a bug in libp2p" in caplog.text
