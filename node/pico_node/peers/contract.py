"""What the driver and the network edge promise each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class PeerEvents(Protocol):
    """What the driver is told. Called on the asyncio loop; must not block and must not raise.

    For one peer the order is: peer_up, any number of frames, peer_down; a second session to the same peer is
    announced only after the first one was reported down. `session` is a number of this node's own, new for
    every session; it says which session a late answer belongs to.
    """

    def peer_up(self, peer_id: str, session: int) -> None:
        """A session to this peer is open, whoever dialed."""
        ...

    def peer_down(self, peer_id: str, session: int, reason: str) -> None:
        """The session is gone; what was queued on it and not acknowledged may or may not have arrived."""
        ...

    def frames(self, peer_id: str, session: int, frames: list[bytes]) -> None:
        """Frames of this session, in the order in which the peer queued them."""
        ...

    def foreign_message(self, peer_id: str, message: bytes) -> None:
        """One message that came by the protocol id `didcomm/v2`, from an agent of whatever make."""
        ...

    def found(self, peer_id: str, addresses: list[str]) -> None:
        """A peer was noticed on the local network or in the list of bootstrap peers."""
        ...


class PeersFace(Protocol):
    """What the driver uses: `Peers` over libp2p, or `LoopbackPeers` within one process."""

    peer_id: str
    addresses: list[str]

    async def start(self, *, serve: bool = True) -> None:
        """Listen. Afterwards `addresses` holds dialable addresses ending in `/p2p/<peer id>`.

        With `serve=False` who dials waits until `serve` is called. Raises AddressTaken and BadAddress.
        """
        ...

    def serve(self) -> None:
        """Let in who dials. Takes up to a second of the processor's time, in a thread; this does not wait."""
        ...

    async def stop(self) -> None:
        """Say goodbye to every peer and close everything. Stopping twice is allowed."""
        ...

    def connect(self, peer_id: str, addresses: Sequence[str]) -> None:
        """Keep one session to this peer alive from now on; new addresses replace those given before."""
        ...

    def forget(self, peer_id: str) -> None:
        """Stop keeping a session to this peer, and close the one there is."""
        ...

    def send(self, peer_id: str, session: int, frames: Sequence[bytes]) -> bool:
        """Queue frames on this session, all or none of them.

        False when the session is gone or its queue is full: nothing was queued, try again later. Raises
        FrameTooLarge when a frame can never be sent.
        """
        ...

    def writable(self, peer_id: str, session: int) -> bool:
        """Whether there is ample room: the queue is less than half full."""
        ...

    def pause(self, peer_id: str) -> None:
        """Take no more frames from this peer until `resume`; the peer will notice and stop sending."""
        ...

    def resume(self, peer_id: str) -> None:
        """Take frames from this peer again."""
        ...

    async def send_foreign(self, peer_id: str, addresses: Sequence[str], message: bytes) -> None:
        """Hand one message to an agent of whatever make by `didcomm/v2`.

        Raises Unreachable and FrameTooLarge.
        """
        ...

    def counters(self) -> Mapping[str, int]:
        """Numbers for monitoring, by name."""
        ...
