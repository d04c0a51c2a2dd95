"""The short way through libp2p: a socket that reads ahead, and a stream that keeps to its window."""

from __future__ import annotations

import os

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from libp2p.io.exceptions import ConnectionClosedError

from pico_node.peers.frames import PROTOCOL as FRAMES
from pico_node.peers.wire import TcpStream, YamuxWire
from tests.node.peers.helpers import FAST


async def tcp_pair() -> tuple[TcpStream, TcpStream]:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        near = await trio.open_tcp_stream("127.0.0.1", listener.socket.getsockname()[1])
        far = await listener.accept()
    return TcpStream(near), TcpStream(far)


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=2000), st.lists(st.integers(1, 300), min_size=1, max_size=10))
def test_reading_ahead_changes_nothing(data, sizes):
    async def main():
        near, far = await tcp_pair()
        await near.write(data)
        await near.close()
        got, n = bytearray(), 0
        while part := await far.read(sizes[n % len(sizes)]):
            assert len(part) <= sizes[n % len(sizes)]
            got += part
            n += 1
        assert got == data
        assert await far.read(5) == b""
        await far.close()

    trio.run(main)


def test_a_closed_socket_reads_as_ended_and_refuses_writes():
    async def main():
        near, far = await tcp_pair()
        assert near.get_remote_address()[0] == "127.0.0.1"
        await near.close()
        assert await near.read(1) == b""
        with pytest.raises(ConnectionClosedError):
            await near.write(b"x")
        await far.close()

    trio.run(main)


async def test_a_stream_passes_many_windows_and_grants_no_more_than_its_limit(node):
    a, _ = await node("a")
    b, _ = await node("b")
    amount, wires = 20_000_000, {}
    payload = os.urandom(60_000)

    async def take(peer_id, stream):
        wire = wires["b"] = YamuxWire(stream.muxed_stream, FAST)
        got = 0
        while got < amount:
            data = await wire.read(256 * 1024)
            assert data
            got += len(data)
            assert stream.muxed_stream.recv_window <= FAST.unread_bytes_max
        await wire.write(b"done")

    async def give() -> bytes:
        conn = await a._edge.dial(b.peer_id, b.addresses)
        stream = await a._edge.open_stream(conn, FRAMES)
        wire, sent = YamuxWire(stream.muxed_stream, FAST), 0
        while sent < amount:
            while wire.send_window < len(payload):
                await trio.sleep(0.001)
            await wire.write(payload)
            sent += len(payload)
        answer = await wire.read(10)
        await a._edge.drop(conn)
        with pytest.raises(ConnectionClosedError):
            while True:
                await trio.sleep(0.01)
                await wire.write(b"late")
        return answer

    b._edge._handlers[FRAMES] = take
    assert await a._guest.call(give) == b"done"
    assert b.counters()["floods"] == 0
