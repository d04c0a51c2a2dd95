"""Links between simulated hosts: sessions that come and go, and what happens to frames on their way.

A link of kind `STREAM` is what a libp2p stream is: everything in order, until the session breaks and takes
with it what had not arrived. One of kind `DATAGRAM` loses, repeats and reorders single frames inside a
session. Neither tells a sender what became of its frames.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pico_node.agent.messages import PeerDown, PeerFrames, PeerUp
from pico_simnet.trace import mark_of

if TYPE_CHECKING:
    from pico_simnet.host import SimulatedHost
    from pico_simnet.world import World

STREAM: Final = "stream"
DATAGRAM: Final = "datagram"


@dataclass(slots=True)
class LinkPace:
    """How a link behaves. Chances are in thousandths; loss, repetition and order concern DATAGRAM only."""

    kind: str = STREAM
    latency_min_ms: int = 1
    latency_max_ms: int = 60
    loss_per_mille: int = 0
    repeat_per_mille: int = 0
    split_per_mille: int = 200
    """How often what was sent at once arrives in two parts."""
    dial_min_ms: int = 5
    dial_max_ms: int = 400
    redial_ms: int = 1_000
    """Until the next attempt to open a session, after one that failed."""
    notice_max_ms: int = 4_000
    """Until a side notices that its session has broken; until then it sends into the void."""


@dataclass(slots=True)
class _End:
    """A session as one side sees it. `number` is that side's own; `arrives_ms`: its newest arrival."""

    host: SimulatedHost
    number: int
    life: int
    arrives_ms: int


@dataclass(slots=True)
class _Session:
    ends: tuple[_End, _End]
    broken: bool = False


class Link:
    """The way between two hosts: at most one live session, opened when either side wants it."""

    def __init__(self, world: World, one: SimulatedHost, other: SimulatedHost, pace: LinkPace) -> None:
        self._world = world
        self.hosts = (one, other)
        self.pace = pace
        self.name = f"{one.name}-{other.name}"
        self._chance = world.chance.stream(f"link/{self.name}")
        self._session: _Session | None = None
        self._dialling = False
        self.is_partitioned = False
        self.is_held = False
        self._held: deque[tuple[_Session, _End, list[bytes]]] = deque()

    @property
    def is_up(self) -> bool:
        return self._session is not None

    def other(self, host: SimulatedHost) -> SimulatedHost:
        return self.hosts[1] if host is self.hosts[0] else self.hosts[0]

    # -- sessions -----------------------------------------------------------------------------------------

    def dial(self, delay_ms: int = 0) -> None:
        """See to it that there will be a session, if a side wants one."""
        if self._dialling or self._session is not None or not self._is_wanted():
            return
        self._dialling = True
        pace = self.pace
        self._world.after(
            delay_ms + self._chance.long_tail(pace.dial_min_ms, pace.dial_max_ms), self._try_open
        )

    def _is_wanted(self) -> bool:
        one, other = self.hosts
        return one.wants(other) or other.wants(one)

    def _try_open(self) -> None:
        self._dialling = False
        one, other = self.hosts
        if self._session is not None or not self._is_wanted():
            return
        if self.is_partitioned or not (one.is_running and other.is_running):
            self.dial(self.pace.redial_ms)
            return
        now = self._world.now
        ends = []
        for host in self.hosts:
            up_at = now + self._latency()
            ends.append(_End(host, host.next_session(), host.life, up_at))
        session = self._session = _Session((ends[0], ends[1]))
        for end, far in (ends, ends[::-1]):
            self._world.trace_line(end.host.name, f"session {end.number} with {far.host.name} opens")
            self._world.at(end.arrives_ms, lambda e=end, f=far: self._up(session, e, f))  # type: ignore[misc]

    def _up(self, session: _Session, end: _End, far: _End) -> None:
        if not session.broken and end.host.life == end.life:
            end.host.receive(PeerUp(far.host.peer_id, end.number))

    def cut(self, why: str) -> None:
        """Break the session: what is on its way is lost, and each side notices in its own time."""
        session = self._session
        if session is None:
            return
        self._world.trace_line(self.name, f"session breaks: {why}")
        session.broken = True
        self._session = None
        for end, far in (session.ends, session.ends[::-1]):
            delay = self._chance.long_tail(0, self.pace.notice_max_ms)
            self._world.after(delay, lambda e=end, f=far: self._down(e, f, why))  # type: ignore[misc]
        self.dial()

    def _down(self, end: _End, far: _End, why: str) -> None:
        if end.host.life == end.life and end.host.is_running:
            end.host.receive(PeerDown(far.host.peer_id, end.number, why))

    # -- what a scenario does to a link -------------------------------------------------------------------

    def partition(self) -> None:
        """Nothing passes until `repair`; the session breaks."""
        self._world.trace_line(self.name, "partition")
        self.is_partitioned = True
        self.cut("partition")

    def repair(self) -> None:
        self._world.trace_line(self.name, "repair")
        self.is_partitioned = False
        self.dial()

    def hold(self) -> None:
        """Keep what is on its way until `release`; the session stays."""
        self._world.trace_line(self.name, "hold")
        self.is_held = True

    def release(self) -> None:
        """Let go what was held, all at once and in order."""
        self._world.trace_line(self.name, f"release {len(self._held)}")
        self.is_held = False
        while self._held:
            self._arrive(*self._held.popleft())

    # -- frames -------------------------------------------------------------------------------------------

    def send(self, host: SimulatedHost, number: int, frames: Sequence[bytes]) -> None:
        """`host` sends frames on its session of this number."""
        what = f"send {len(frames)} frames, {sum(map(len, frames))} bytes {mark_of(frames)}"
        session = self._session
        end = session.ends[0 if host is self.hosts[0] else 1] if session is not None else None
        if session is None or end is None or end.number != number or end.life != host.life:
            self._world.trace_line(host.name, f"{what}: session {number} is gone")
            return
        far = session.ends[1 if end is session.ends[0] else 0]
        self._world.trace_line(host.name, f"{what} to {far.host.name}")
        if self.pace.kind == STREAM:
            self._stream(session, far, frames)
        else:
            for frame in frames:
                self._datagram(session, far, frame)

    def _stream(self, session: _Session, far: _End, frames: Sequence[bytes]) -> None:
        parts = [list(frames)]
        if len(frames) > 1 and self._chance.happens(self.pace.split_per_mille):
            at = self._chance.between(1, len(frames) - 1)
            parts = [list(frames[:at]), list(frames[at:])]
        for part in parts:
            far.arrives_ms = max(far.arrives_ms, self._world.now + self._latency())
            self._world.at(far.arrives_ms, lambda p=part: self._arrive(session, far, p))  # type: ignore[misc]

    def _datagram(self, session: _Session, far: _End, frame: bytes) -> None:
        copies = 1
        if self._chance.happens(self.pace.loss_per_mille):
            self._world.trace_line(self.name, f"lost {mark_of([frame])}")
            copies = 0
        elif self._chance.happens(self.pace.repeat_per_mille):
            copies = 2
        for _ in range(copies):
            at = max(self._world.now + self._latency(), far.arrives_ms)  # not before the session is up
            self._world.at(at, lambda: self._arrive(session, far, [frame]))

    def _latency(self) -> int:
        return self._chance.long_tail(self.pace.latency_min_ms, self.pace.latency_max_ms)

    def _arrive(self, session: _Session, far: _End, frames: list[bytes]) -> None:
        if session.broken or far.host.life != far.life or not far.host.is_running:
            return
        if self.is_held:
            self._held.append((session, far, frames))
            return
        peer_id = self.other(far.host).peer_id
        far.host.receive(PeerFrames(peer_id, far.number, frames))
