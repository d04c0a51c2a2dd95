"""One session: frames both ways over one stream, with heartbeat, coalesced writes and backpressure.

Runs under trio; `queue`, `pause`, `resume`, `say_goodbye` and `cancel` may be called from asyncio as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import trio

from pico_node.peers.counters import Counters
from pico_node.peers.errors import FrameTooLarge, Misbehaved
from pico_node.peers.frames import PREAMBLE, FrameReader, Hello, Kind, encode, header
from pico_node.peers.limits import KIB, PeerLimits

READ_BYTES = 256 * KIB  # more at once would keep the driver, and the heartbeat, waiting
BATCH_BYTES = 256 * KIB  # what is joined into one write; more would only delay a PONG behind it
# One write becomes one multiplexer frame in one Noise message: 65,535 less 16 (MAC) less 12 (yamux header).
WRITE_BYTES = 65_507
WINDOW_POLL_S = (0.002, 0.05)  # first and longest pause while the peer takes nothing
BYE_TEXT_BYTES_MAX = 200
_HEADER_BYTES = len(header(Kind.DATA, 0))
_PING = encode(Kind.PING)
_PATIENCE_STEPS = 4


class Wire(Protocol):
    """What a session needs of a multiplexed stream."""

    @property
    def send_window(self) -> int:
        """How many bytes the other side will take now."""
        ...

    async def read(self, n: int) -> bytes:
        """Up to `n` bytes; raises, or returns none, at the end."""
        ...

    async def write(self, data: bytes) -> None: ...


class Ended(Exception):
    """The session is over; the text says why."""


class Session:
    """Use `greet`, then `accept` or `accepted`, then `run`, which returns the reason when it is over."""

    def __init__(self, wire: Wire, limits: PeerLimits, counters: Counters) -> None:
        self.number = 0
        self.remote = Hello(b"", 0)
        self.opened_at = trio.current_time()
        self._wire = wire
        self._limits = limits
        self._counters = counters
        self._reader = FrameReader()
        self._inbox: deque[tuple[Kind, bytes]] = deque()
        self._control: list[bytes] = []
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._wake = trio.Event()
        self._paused: trio.Event | None = None
        self._heard = self.opened_at
        self._goodbye: str | None = None
        self._scope = trio.CancelScope()

    # Opening

    async def greet(self, hello: Hello) -> None:
        """Exchange HELLOs; what the peer said is in `remote`."""
        await self._write(PREAMBLE + encode(Kind.HELLO, hello.encode()))
        self.remote = Hello.decode(await self._expect(Kind.HELLO))

    def accept(self) -> None:
        """Decide that this stream is the session."""
        self._control.append(encode(Kind.ACCEPT))
        self._reader.open_data(self._limits.frame_bytes_max)

    async def accepted(self) -> None:
        """Wait until the peer decides that this stream is the session. Raises Ended when it is not."""
        await self._expect(Kind.ACCEPT)
        self._reader.open_data(self._limits.frame_bytes_max)

    async def decline(self, reason: str) -> None:
        """Tell the peer that this stream will not be the session."""
        await self._write(_bye(reason))

    async def _expect(self, wanted: Kind) -> bytes:
        while not self._inbox:
            self._inbox.extend(self._reader.feed(await self._read()))
        kind, payload = self._inbox.popleft()
        if kind is Kind.BYE:
            raise Ended(_said(payload))
        if kind is not wanted:
            raise Misbehaved(f"a {kind.name} where {wanted.name} is due")
        return payload

    # What the driver does

    def queue(self, frames: Sequence[bytes]) -> bool:
        """Queue all of these, or none when there is no room."""
        largest = min(self.remote.frame_bytes_max, self._limits.frame_bytes_max)
        for frame in frames:
            if len(frame) > largest:
                raise FrameTooLarge(f"a frame of {len(frame)} bytes, the peer takes {largest}")
        size = sum(map(len, frames)) + _HEADER_BYTES * len(frames)
        room = self._limits.outgoing_bytes_max - self._queued_bytes
        if self._goodbye is not None or (self._queued_bytes and size > room):
            return False
        for frame in frames:
            self._queue.append(header(Kind.DATA, len(frame)))
            self._queue.append(frame)
        self._queued_bytes += size
        self._counters.frames_out += len(frames)
        self._wake.set()
        return True

    @property
    def writable(self) -> bool:
        return self._goodbye is None and self._queued_bytes * 2 < self._limits.outgoing_bytes_max

    def pause(self) -> None:
        if self._paused is None:
            self._paused = trio.Event()

    def resume(self) -> None:
        if self._paused is not None:
            self._paused.set()
            self._paused = None

    def say_goodbye(self, reason: str) -> None:
        """Let what is queued go out, for a little while, then end."""
        if self._goodbye is None:
            self._goodbye = reason
            self._scope.deadline = trio.current_time() + self._limits.goodbye_timeout_s
            self._wake.set()

    def cancel(self) -> None:
        """End at once."""
        self._scope.cancel()

    # Running

    async def run(self, deliver: Callable[[list[bytes]], None]) -> str:
        """Carry frames until the session is over; the result says why it is."""
        reason = "lost"
        with self._scope:
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write_queued)
                    nursery.start_soon(self._read_frames, deliver)
                    nursery.start_soon(self._watch)
            except* Misbehaved as group:
                self._counters.garbage += 1
                reason = f"closed: {_first(group)}"
            except* Ended as group:
                reason = _first(group)
            except* Exception as group:  # noqa: BLE001 - whatever a broken stream raises
                reason = f"lost: {_first(group)}"
        return reason if self._goodbye is None else self._goodbye

    async def _write_queued(self) -> None:
        while True:
            while not (self._control or self._queue):
                if self._goodbye is not None:
                    await self._write(_bye(self._goodbye))
                    raise Ended(self._goodbye)
                self._wake = trio.Event()
                await self._wake.wait()
            batch, data_bytes = self._take()
            await self._write(batch)
            self._queued_bytes -= data_bytes

    def _take(self) -> tuple[bytes, int]:
        parts, self._control = self._control, []
        if self._queued_bytes <= BATCH_BYTES:
            data_bytes = sum(map(len, self._queue))
            parts.extend(self._queue)
            self._queue.clear()
        else:
            data_bytes = 0
            while self._queue and data_bytes < BATCH_BYTES:
                part = self._queue.popleft()
                data_bytes += len(part)
                parts.append(part)
        return b"".join(parts), data_bytes

    async def _write(self, data: bytes) -> None:
        """Write as the peer's window allows.

        The multiplexer's own write gives up, and resets the stream, when the window stays shut for 5 s; a
        peer that takes its time is no error, so we never write more than the window holds.
        """
        position = 0
        while position < len(data):
            window = self._wire.send_window or await self._window_opens()
            part = data[position : position + min(window, WRITE_BYTES)]
            await self._wire.write(part)
            position += len(part)
            self._counters.bytes_out += len(part)

    async def _window_opens(self) -> int:
        self._counters.stalls += 1
        pause, longest = WINDOW_POLL_S
        while True:
            await trio.sleep(pause)
            window = self._wire.send_window
            if window > 0:
                return window
            pause = min(pause * 2, longest)

    async def _read(self) -> bytes:
        data = await self._wire.read(READ_BYTES)
        if not data:
            raise Ended("the stream ended")
        self._heard = trio.current_time()
        self._counters.bytes_in += len(data)
        return data

    async def _read_frames(self, deliver: Callable[[list[bytes]], None]) -> None:
        pending: Iterable[tuple[Kind, bytes]] = [*self._inbox, *self._reader.feed(b"")]
        while True:
            self._handle(pending, deliver)
            if self._paused is not None:
                self._counters.pauses += 1
                await self._paused.wait()
                self._heard = trio.current_time()
            pending = self._reader.feed(await self._read())

    def _handle(self, frames: Iterable[tuple[Kind, bytes]], deliver: Callable[[list[bytes]], None]) -> None:
        data: list[bytes] = []
        ended: Exception | None = None
        for kind, payload in frames:
            if kind is Kind.DATA:
                data.append(payload)
            elif kind is Kind.PING:
                pong = encode(Kind.PONG, payload)
                if pong not in self._control:  # while we cannot write, answers must not pile up
                    self._control.append(pong)
                    self._wake.set()
            elif kind is Kind.BYE:
                ended = Ended(_said(payload))
                break
            elif kind is not Kind.PONG:
                ended = Misbehaved(f"a {kind.name} in the middle of a session")
                break
        if data:
            self._counters.frames_in += len(data)
            deliver(data)
        if ended is not None:
            raise ended

    async def _watch(self) -> None:
        """Ask a silent peer for a sign of life; end the session when none comes.

        While we are paused we read nothing, so silence proves nothing; we still send PINGs, by which the
        peer knows that we live.
        """
        limits = self._limits
        while True:
            due = self._heard + limits.ping_after_s
            if trio.current_time() < due:
                await trio.sleep_until(due)
                continue
            asked_at = trio.current_time()
            if _PING not in self._control:
                self._control.append(_PING)
                self._wake.set()
            if not await self._hears(asked_at, limits.dead_after_s - limits.ping_after_s):
                raise Ended(f"silent for {limits.dead_after_s:g} s")

    async def _hears(self, since: float, patience_s: float) -> bool:
        # In steps: when this very process stood still (a long callback, SIGSTOP, a sleeping laptop), only one
        # step is used up, and the peer's answer, which has long arrived, is read during the next.
        for _ in range(_PATIENCE_STEPS):
            await trio.sleep(patience_s / _PATIENCE_STEPS)
            if self._heard >= since or self._paused is not None:
                return True
        return False


def _bye(reason: str) -> bytes:
    return encode(Kind.BYE, reason.encode()[:BYE_TEXT_BYTES_MAX])


def _said(payload: bytes) -> str:
    text = payload.decode("utf-8", "replace")
    return "the peer said: " + "".join(c if c.isprintable() else "?" for c in text)


def _first(group: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
