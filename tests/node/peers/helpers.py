"""What several tests of the network edge need: recorders, wires in memory, a child process."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import trio

from pico_node.peers import PeerLimits

LOOPBACK = "/ip4/127.0.0.1/tcp/0"
CHILD = Path(__file__).parent / "child.py"
FAST = PeerLimits(
    ping_after_s=0.3,
    dead_after_s=1.0,
    handshake_timeout_s=2.0,
    upgrade_timeout_s=1.5,
    redial_first_s=0.05,
    redial_most_s=0.3,
    goodbye_timeout_s=0.3,
)


def seed_of(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


class Recorder:
    """PeerEvents that remember everything, and wake whoever waits."""

    def __init__(self) -> None:
        self.log: list[tuple] = []
        self.sessions: dict[str, int] = {}
        self.received: list[bytes] = []
        self.foreign: list[tuple[str, bytes]] = []
        self.seen: dict[str, list[str]] = {}
        self.explode = False

    def peer_up(self, peer_id: str, session: int) -> None:
        assert peer_id not in self.sessions, "two sessions with one peer"
        self.sessions[peer_id] = session
        self.log.append(("up", peer_id, session))

    def peer_down(self, peer_id: str, session: int, reason: str) -> None:
        assert self.sessions.pop(peer_id, None) == session
        assert reason
        self.log.append(("down", peer_id, session, reason))

    def frames(self, peer_id: str, session: int, frames: list[bytes]) -> None:
        assert self.sessions.get(peer_id) == session
        self.received += frames
        if self.explode:
            raise ValueError("a driver with a bug")

    def foreign_message(self, peer_id: str, message: bytes) -> None:
        self.foreign.append((peer_id, message))
        if self.explode:
            raise ValueError("a driver with a bug")

    def found(self, peer_id: str, addresses: list[str]) -> None:
        self.seen[peer_id] = addresses

    def downs(self) -> list[tuple]:
        return [entry for entry in self.log if entry[0] == "down"]


async def until(condition, timeout_s: float = 5.0) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)


class Pipe:
    """One end of a stream in memory, with a flow-control window. Use `pipe()`."""

    def __init__(self, window: int) -> None:
        self.other: Pipe = self
        self.window = window
        self.latency_s = 0.0
        self.unread = bytearray()
        self.closed = False
        self.arrived = trio.Event()
        self.in_flight: list[tuple[float, bytes]] = []
        self.dropped = False
        self.written = 0

    @property
    def send_window(self) -> int:
        return self.window - len(self.other.unread) - sum(len(data) for _, data in self.other.in_flight)

    async def write(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        if self.closed or self.other.closed:
            raise OSError("closed")
        assert len(data) <= self.send_window, "wrote beyond the window"
        self.written += len(data)
        self.other.in_flight.append((trio.current_time() + self.latency_s, bytes(data)))
        self.other.wake()

    async def read(self, n: int) -> bytes:
        await trio.lowlevel.checkpoint()
        while True:
            while self.in_flight and self.in_flight[0][0] <= trio.current_time():
                self.unread += self.in_flight.pop(0)[1]
            if self.unread:
                data = bytes(self.unread[:n])
                del self.unread[:n]
                return data
            if self.closed or (self.other.closed and not self.in_flight):
                return b""
            self.arrived = trio.Event()
            with trio.move_on_at(self.in_flight[0][0]) if self.in_flight else trio.CancelScope():
                await self.arrived.wait()

    def wake(self) -> None:
        self.arrived.set()

    def close(self) -> None:
        self.closed = True
        self.wake()
        self.other.wake()


def pipe(window: int = 256 * 1024) -> tuple[Pipe, Pipe]:
    a, b = Pipe(window), Pipe(window)
    a.other, b.other = b, a
    return a, b


@dataclass
class Child:
    """A node's network edge in a process of its own; it echoes frames. See child.py."""

    process: subprocess.Popen
    peer_id: str
    address: str
    stopped: bool = field(default=False)

    def stand_still(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)
        self.stopped = True

    def go_on(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)
        self.stopped = False

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self) -> tuple[str, str]:
        if self.stopped:
            self.go_on()
        try:
            return self.process.communicate(input="", timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


def start_child(name: str, *dials: str, port: int = 0) -> Child:
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", str(CHILD), name, str(port), *dials],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline().split()
    if not line:
        raise RuntimeError(process.communicate()[1])
    return Child(process, line[0], line[1])
