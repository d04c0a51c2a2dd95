"""Peers without a network, for tests: `LoopbackPeers`, joined by a `Switchboard` that cuts and restores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from pico_node.peers.contract import PeerEvents
from pico_node.peers.counters import Counters
from pico_node.peers.errors import BadAddress, FrameTooLarge, NotRunning, Unreachable
from pico_node.peers.identity import peer_id_of_seed
from pico_node.peers.limits import PeerLimits


@dataclass(slots=True, eq=False)
class _Session:
    """One end of a session; `other` is the far end."""

    owner: LoopbackPeers
    peer_id: str
    number: int
    other: _Session | None = None
    queued_bytes: int = 0
    waiting: list[bytes] = field(default_factory=list)  # arrived while the owner had paused


class Switchboard:
    """The network between LoopbackPeers. Everything arrives in a later turn of the loop, in order.

    `cut` ends the sessions of a pair and forbids new ones, `restore` allows them again. `hold` makes a pair's
    frames vanish without either side noticing, until `cut`.
    """

    def __init__(self) -> None:
        self._peers: dict[str, LoopbackPeers] = {}
        self._cut: set[frozenset[str]] = set()
        self._held: set[frozenset[str]] = set()

    def cut(self, a: str, b: str) -> None:
        """Take the link between two peers away."""
        self._cut.add(frozenset((a, b)))
        self._held.discard(frozenset((a, b)))
        peer = self._peers.get(a)
        if peer is not None:
            peer.end(b, "cut")

    def restore(self, a: str, b: str) -> None:
        """Give the link back; who wants a session gets one."""
        self._cut.discard(frozenset((a, b)))
        self._held.discard(frozenset((a, b)))
        self.settle()

    def hold(self, a: str, b: str) -> None:
        """Let what these two send each other vanish from now on."""
        self._held.add(frozenset((a, b)))

    def carries(self, a: str, b: str) -> bool:
        """Whether frames between these two arrive."""
        return frozenset((a, b)) not in self._held

    def join(self, peers: LoopbackPeers) -> None:
        self._peers[peers.peer_id] = peers
        self.settle()

    def leave(self, peers: LoopbackPeers) -> None:
        self._peers.pop(peers.peer_id, None)

    def find(self, a: str, b: str) -> LoopbackPeers | None:
        """The running peer `b`, if `a` can reach it."""
        return None if frozenset((a, b)) in self._cut else self._peers.get(b)

    def settle(self) -> None:
        """Open every session that somebody wants and nothing prevents."""
        for peers in list(self._peers.values()):
            peers.dial_wanted()


class LoopbackPeers:
    """Keeps the contract of `Peers` within one process; `addresses` play no part in reaching a peer."""

    def __init__(
        self,
        seed: bytes,
        switchboard: Switchboard,
        events: PeerEvents,
        *,
        limits: PeerLimits = PeerLimits(),  # noqa: B008 - frozen
    ) -> None:
        self.peer_id = peer_id_of_seed(seed)
        self.addresses: list[str] = []
        self._switchboard = switchboard
        self._events = events
        self._limits = limits
        self._counters = Counters()
        self._numbers = count(1)
        self._wanted: set[str] = set()
        self._paused: set[str] = set()
        self._sessions: dict[str, _Session] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self, *, serve: bool = True) -> None:  # noqa: ARG002 - there is nothing to load
        self._loop = asyncio.get_running_loop()
        self.addresses = [f"/memory/1/p2p/{self.peer_id}"]
        self._switchboard.join(self)

    def serve(self) -> None:
        """Who joined is served."""

    async def stop(self) -> None:
        self._switchboard.leave(self)
        await asyncio.sleep(0)  # what was queued is on its way
        for peer_id in list(self._sessions):
            self.end(peer_id, "stopping")
        await asyncio.sleep(0)
        self._loop = None

    def connect(self, peer_id: str, addresses: Sequence[str]) -> None:  # noqa: ARG002 - the contract
        if peer_id == self.peer_id:
            raise BadAddress("that is this node itself")
        self._wanted.add(peer_id)
        self.dial_wanted()

    def forget(self, peer_id: str) -> None:
        self._wanted.discard(peer_id)
        self._later(self.end, peer_id, "forgotten")

    def send(self, peer_id: str, session: int, frames: Sequence[bytes]) -> bool:
        largest = max(map(len, frames), default=0)
        if largest > self._limits.frame_bytes_max:
            raise FrameTooLarge(f"a frame of {largest} bytes, {self._limits.frame_bytes_max} are allowed")
        found = self._find(peer_id, session)
        size = sum(map(len, frames))
        if found is None or (
            found.queued_bytes and found.queued_bytes + size > self._limits.outgoing_bytes_max
        ):
            return False
        found.queued_bytes += size
        self._counters.frames_out += len(frames)
        self._later(_carry, found, list(frames), size)
        return True

    def writable(self, peer_id: str, session: int) -> bool:
        found = self._find(peer_id, session)
        return found is not None and found.queued_bytes * 2 < self._limits.outgoing_bytes_max

    def pause(self, peer_id: str) -> None:
        self._paused.add(peer_id)

    def resume(self, peer_id: str) -> None:
        self._paused.discard(peer_id)
        session = self._sessions.get(peer_id)
        if session is not None and session.waiting:
            self._later(_deliver, session, [])

    async def send_foreign(
        self,
        peer_id: str,
        addresses: Sequence[str],  # noqa: ARG002 - the contract
        message: bytes,
    ) -> None:
        if len(message) > self._limits.foreign_message_bytes_max:
            raise FrameTooLarge(f"a message of {len(message)} bytes")
        if self._loop is None:
            raise NotRunning
        other = self._switchboard.find(self.peer_id, peer_id)
        if other is None:
            raise Unreachable(f"{peer_id} cannot be reached")
        self._later(other.take_foreign, self.peer_id, message)

    def counters(self) -> Mapping[str, int]:
        return self._counters.as_dict()

    # Called by the switchboard and by other LoopbackPeers

    def dial_wanted(self) -> None:
        """Open sessions with all wanted peers that can be reached."""
        if self._loop is None:
            return
        for peer_id in sorted(self._wanted - self._sessions.keys()):
            other = self._switchboard.find(self.peer_id, peer_id)
            if other is not None:
                ours, theirs = self._open(peer_id), other._open(self.peer_id)  # noqa: SLF001 - same class
                ours.other, theirs.other = theirs, ours

    def end(self, peer_id: str, reason: str) -> None:
        """End the session with this peer on both sides; wanted ones come back in a later turn."""
        session = self._sessions.get(peer_id)
        if session is None:
            return
        other = session.other
        self._close(session, reason)
        if other is not None:
            other.owner._close(other, f"the peer said: {reason}")  # noqa: SLF001 - same class
        self._later(self._switchboard.settle)

    def take_foreign(self, peer_id: str, message: bytes) -> None:
        """One message by `didcomm/v2`."""
        self._counters.foreign_in += 1
        self._events.foreign_message(peer_id, message)

    def _open(self, peer_id: str) -> _Session:
        session = self._sessions[peer_id] = _Session(self, peer_id, next(self._numbers))
        self._counters.sessions += 1
        self._later(self._events.peer_up, peer_id, session.number)
        return session

    def _close(self, session: _Session, reason: str) -> None:
        if self._sessions.get(session.peer_id) is session:
            del self._sessions[session.peer_id]
            self._counters.sessions -= 1
            self._later(self._events.peer_down, session.peer_id, session.number, reason)

    def _find(self, peer_id: str, number: int) -> _Session | None:
        session = self._sessions.get(peer_id)
        return session if session is not None and session.number == number else None

    def _later(self, callback: Callable[..., None], *args: object) -> None:
        if self._loop is not None:
            self._loop.call_soon(callback, *args)

    def _arrived(self, session: _Session, frames: list[bytes]) -> None:
        if self._sessions.get(session.peer_id) is not session:
            return
        session.waiting += frames
        if session.waiting and session.peer_id not in self._paused:
            frames, session.waiting = session.waiting, []
            self._counters.frames_in += len(frames)
            if session.other is not None:
                session.other.queued_bytes -= sum(map(len, frames))
            self._events.frames(session.peer_id, session.number, frames)


def _carry(session: _Session, frames: list[bytes], size: int) -> None:
    if not session.owner._switchboard.carries(session.owner.peer_id, session.peer_id):  # noqa: SLF001
        session.queued_bytes -= size
    elif session.other is not None:
        _deliver(session.other, frames)


def _deliver(session: _Session, frames: list[bytes]) -> None:
    session.owner._arrived(session, frames)  # noqa: SLF001 - one module, two halves of one thing
