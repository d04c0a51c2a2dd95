"""Where py-libp2p 0.8.1 is not used as it comes, and why.

Its swarm accepts, dials and picks connections in ways that do not suit a long-lived node, so edge.py listens
and dials by itself and hands the sockets to the swarm's upgrade functions. That alone avoids:

- deafness after 250 inbound connections (a slot of `Swarm._inbound_limiter` is only given back at the end);
- 250 ms on every dial (`dial_peer` waits out the happy-eyeballs delay even after it has succeeded);
- refusing for 60 s to dial a peer that failed once, and dialing only one address per transport;
- SO_REUSEPORT on listening sockets, by which two nodes share a port without noticing.

What remains is corrected here. `tests/node/peers/test_corrections.py` fails when the parts of libp2p that all
this rests on change.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import libp2p.network.connection.swarm_connection as swarm_connection
import libp2p.stream_muxer.yamux.yamux as yamux
import trio
from libp2p.custom_types import TProtocol
from libp2p.protocol_muxer.exceptions import MultiselectError
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.transport.exceptions import MuxerUpgradeFailure
from libp2p.transport.upgrader import TransportUpgrader

from pico_node.peers.counters import Counters
from pico_node.peers.limits import PeerLimits

if TYPE_CHECKING:
    from libp2p.abc import IMuxedConn, ISecureConn, ISecureTransport
    from libp2p.peer.id import ID

LIBP2P_VERSION = "0.8.1"


class BoundedYamux(yamux.Yamux):
    """Yamux that drops a connection whose peer ignores the flow-control window.

    As it comes it logs a line per frame and goes on buffering: 195 MB pushed into a stream that nobody read
    were kept in memory.
    """

    unread_bytes_max: int
    counters: Counters

    async def _read_data_body(self, length: int) -> bytes:
        unread = sum(map(len, self.stream_buffers.values()))
        if unread + length > self.unread_bytes_max:
            self.counters.floods += 1
            raise trio.TooSlowError  # the one exception that `handle_incoming` answers by closing
        return await super()._read_data_body(length)

    async def _write_frame(self, data: bytes) -> None:
        # Without upstream's log line and two turns of the scheduler for each frame.
        lock = self._write_lock
        try:
            lock.acquire_nowait()
        except trio.WouldBlock:
            await lock.acquire()
        try:
            await self.secured_conn.write(data)
        finally:
            lock.release()


class YamuxOnly(TransportUpgrader):
    """Secures with Noise and multiplexes with BoundedYamux, and with nothing else.

    The default list has `/plaintext/2.0.0`, by which anybody takes any peer's name. Mplex cannot read and
    write at the same time.
    """

    def __init__(self, noise: ISecureTransport, limits: PeerLimits, counters: Counters) -> None:
        super().__init__({NOISE: noise}, {TProtocol(yamux.PROTOCOL_ID): BoundedYamux})
        self._limits = limits
        self._counters = counters

    async def upgrade_connection(self, conn: ISecureConn, peer_id: ID) -> IMuxedConn:
        try:
            await self.muxer_multistream.select_transport(conn)
        except MultiselectError as error:
            raise MuxerUpgradeFailure("no multiplexer in common") from error
        muxed = BoundedYamux(conn, peer_id, is_initiator=conn.is_initiator)
        muxed.unread_bytes_max = self._limits.unread_bytes_max
        muxed.counters = self._counters
        return muxed


class NoAutoConnector:
    """Stands in for the swarm's, which dials whomever it finds in the peer store, at any setting."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def run_background_task(self, nursery: trio.Nursery) -> None: ...

    async def maybe_connect(self) -> None: ...

    def record_disconnect(self, peer_id: ID) -> None: ...


class _Forward(logging.Handler):
    """Passes what libp2p logs on to our logger, as details: it calls every refused dial an error."""

    def __init__(self) -> None:
        super().__init__()
        self._target = logging.getLogger("picomesh.peers.libp2p")

    def emit(self, record: logging.LogRecord) -> None:
        if self._target.isEnabledFor(logging.DEBUG):
            self._target.debug("%s: %s", record.name, record.getMessage(), exc_info=record.exc_info)


_forward = _Forward()


def apply(limits: PeerLimits) -> None:
    """Put the corrections in place, for the whole process. Doing so again is harmless."""
    # Without a handler libp2p's logger (which does not propagate) writes bare text to stderr.
    logger = logging.getLogger("libp2p")
    if _forward not in logger.handlers:
        logger.addHandler(_forward)
    # swarm_connection calls logging.debug(), which installs a handler on the root logger.
    swarm_connection.__dict__["logging"] = logging.getLogger(swarm_connection.__name__)
    # Windows grow up to this; what a peer may push unread must be below the bound of BoundedYamux.
    yamux.MAX_WINDOW_SIZE = min(yamux.MAX_WINDOW_SIZE, limits.unread_bytes_max // 2)
