"""The libp2p side: listens, dials, proves who is there (Noise), multiplexes (yamux), negotiates protocols.

Runs under trio. It uses the layers of py-libp2p, but accepts and dials by itself: corrections.py says why.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import cast
from weakref import WeakSet

import trio
from libp2p.abc import INetStream
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_x25519_key_pair
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import BasicHost
from libp2p.identity.identify_push.identify_push import ID_PUSH
from libp2p.network.config import ConnectionConfig
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.network.connection.swarm_connection import SwarmConn
from libp2p.network.stream.net_stream import NetStream
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStore
from libp2p.protocol_muxer.multiselect_client import MultiselectClient
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator
from libp2p.security.noise.transport import Transport as Noise
from libp2p.stream_muxer.yamux.yamux import Yamux
from libp2p.tools.anyio_service import background_trio_service
from libp2p.transport.tcp.tcp import TCP
from multiaddr import Multiaddr

from pico_node.peers import corrections
from pico_node.peers.addresses import dialable, reachable
from pico_node.peers.admission import Admission, Ticket
from pico_node.peers.counters import Counters
from pico_node.peers.errors import Unreachable
from pico_node.peers.limits import PeerLimits
from pico_node.peers.listening import CLOSE_TIMEOUT_S
from pico_node.peers.wire import TcpStream

log = logging.getLogger("picomesh.peers")

CLOSE_POLL_S = 0.02  # the swarm tells nobody when it has cleaned up
UNLIMITED = 1_000_000  # the swarm's own connection limits are not used: admission.py has ours

StreamHandler = Callable[[str, NetStream], Awaitable[None]]


def connection_of(stream: NetStream) -> SwarmConn:
    """The connection that a stream runs on."""
    assert stream.swarm_conn is not None
    return stream.swarm_conn


def muxer(conn: SwarmConn) -> Yamux:
    """The multiplexer of a connection; corrections.py sees to it that there is only one kind."""
    return cast("Yamux", conn.muxed_conn)


class Edge:
    """One libp2p host. `handlers` serve the streams of other peers, by protocol id."""

    def __init__(
        self,
        seed: bytes,
        limits: PeerLimits,
        counters: Counters,
        handlers: Mapping[str, StreamHandler],
        is_wanted: Callable[[str], bool],
    ) -> None:
        corrections.apply(limits)
        self._limits = limits
        self._counters = counters
        self._handlers = handlers
        self.admission = Admission(limits, counters, is_wanted)
        self._tickets: dict[Yamux, Ticket] = {}
        self._dropped: WeakSet[SwarmConn] = WeakSet()  # the swarm takes a while to notice
        self._listen: list[Multiaddr] = []
        self._closing = False
        key_pair = create_new_key_pair(seed)
        peer = ID.from_pubkey(key_pair.public_key)
        noise = Noise(key_pair, noise_privkey=create_x25519_key_pair().private_key)
        peerstore = PeerStore()
        peerstore.add_key_pair(peer, key_pair)
        self._swarm = Swarm(
            peer,
            peerstore,
            corrections.YamuxOnly(noise, limits, counters),
            [TCP()],
            connection_config=ConnectionConfig(
                min_connections=0,
                low_watermark=0,
                high_watermark=UNLIMITED,
                max_connections=UNLIMITED,
                max_connections_per_peer=UNLIMITED,
                inbound_upgrade_timeout=limits.upgrade_timeout_s,
                outbound_upgrade_timeout=limits.dial_timeout_s,
            ),
        )
        self._swarm.auto_connector = corrections.NoAutoConnector()  # type: ignore[assignment]
        # The host answers identify and ping; it asks nobody (which would dial peers that just left).
        self._host = BasicHost(
            self._swarm,
            addrs_factory=lambda _: list(self._listen),
            disable_identify_address_discovery=True,
        )
        self._swarm.notifees.clear()
        self._host.remove_stream_handler(ID_PUSH)
        for protocol in handlers:
            self._host.get_mux().add_handler(TProtocol(protocol), None)  # so that identify lists it
        self._swarm.set_stream_handler(self._serve_stream)

    async def run(self, listeners: Sequence[trio.SocketListener], started: Callable[[], None]) -> None:
        """Serve until cancelled. Call `close` first, so that connections end in good order."""
        bound = [listener.socket.getsockname()[:2] for listener in listeners]
        peer_id = str(self._host.get_id())
        self._listen = [Multiaddr(a).decapsulate(f"/p2p/{peer_id}") for a in reachable(bound, peer_id)]
        try:
            async with background_trio_service(self._swarm), trio.open_nursery() as nursery:
                if listeners:  # a node without any only dials
                    nursery.start_soon(trio.serve_listeners, self._accept, list(listeners))
                started()
                await trio.sleep_forever()
        finally:
            for listener in listeners:
                listener.socket.close()
            for conn in self._connections():
                with trio.CancelScope(shield=True):
                    await self.drop(conn)

    async def close(self) -> None:
        """Take no more connections, close those there are, and wait until the swarm has noticed."""
        self._closing = True
        for conn in self._connections():
            await self.drop(conn)
        with trio.move_on_after(CLOSE_TIMEOUT_S):
            while self._connections():  # noqa: ASYNC110 - there is no event to wait for
                await trio.sleep(CLOSE_POLL_S)

    def _connections(self) -> list[SwarmConn]:
        return [cast("SwarmConn", conn) for conns in self._swarm.connections.values() for conn in conns]

    # Going out

    async def dial(self, peer_id: str, addresses: Sequence[str]) -> SwarmConn:
        """A new connection to this peer. Raises Unreachable.

        The addresses are tried one after the other, each with a head start over the next (RFC 8305).
        """
        targets = dialable(peer_id, addresses)
        if not targets:
            raise Unreachable(f"no address of {peer_id} that could be dialed")
        made: list[SwarmConn] = []
        said: list[str] = []
        async with trio.open_nursery() as nursery:

            async def attempt(target: tuple[str, int], failed: trio.Event) -> None:
                try:
                    made.append(await self._dial_one(peer_id, target))
                    nursery.cancel_scope.cancel()
                except Exception as error:  # noqa: BLE001 - libp2p raises many kinds, all mean: not there
                    said.append(f"{target[0]} port {target[1]}: {str(error) or type(error).__name__}")
                    failed.set()

            for target in targets:
                failed = trio.Event()
                nursery.start_soon(attempt, target, failed)
                with trio.move_on_after(self._limits.dial_stagger_s):
                    await failed.wait()
        for extra in made[1:]:
            await self.drop(extra)
        if not made:
            raise Unreachable(f"no address of {peer_id} answered ({'; '.join(said)})")
        return made[0]

    async def _dial_one(self, peer_id: str, target: tuple[str, int]) -> SwarmConn:
        with trio.fail_after(self._limits.dial_timeout_s):
            raw = RawConnection(TcpStream(await trio.open_tcp_stream(*target)), True)
            try:
                return await self._swarm.upgrade_outbound_raw_conn(raw, ID.from_base58(peer_id))
            except BaseException:
                with trio.CancelScope(shield=True), suppress(Exception):
                    await raw.close()
                raise

    def connection(self, peer_id: str) -> SwarmConn | None:
        """A connection to this peer that is open already."""
        for conn in self._swarm.connections.get(ID.from_base58(peer_id), ()):
            if not conn.is_closed and conn not in self._dropped:
                return cast("SwarmConn", conn)
        return None

    async def open_stream(self, conn: SwarmConn, protocol: str) -> NetStream:
        """A new stream that speaks this protocol. Raises Unreachable."""
        timeout_s = self._limits.handshake_timeout_s
        try:
            with trio.fail_after(timeout_s):
                stream = await conn.new_stream()
                try:
                    client = MultiselectClient()
                    communicator = MultiselectCommunicator(stream)
                    await client.select_one_of([TProtocol(protocol)], communicator, int(timeout_s) + 1)
                except BaseException:
                    with trio.CancelScope(shield=True), trio.move_on_after(CLOSE_TIMEOUT_S):
                        await stream.reset()
                    raise
        except Exception as error:
            raise Unreachable(f"no stream for {protocol}: {str(error) or type(error).__name__}") from error
        stream.set_protocol(TProtocol(protocol))
        return stream

    async def drop(self, conn: SwarmConn) -> None:
        """Close the socket; everything above it then cleans up by itself.

        Closing from the top would first write a farewell, which waits for ever when the peer reads nothing.
        """
        self._dropped.add(conn)
        with suppress(Exception):
            await muxer(conn).secured_conn.close()

    def mark_session(self, conn: SwarmConn, carries: bool) -> None:
        """Whether this connection carries a session, and so is not the first to go when it gets crowded."""
        ticket = self._tickets.get(muxer(conn))
        if ticket is not None:
            ticket.carries_session = carries

    # Coming in

    async def _accept(self, socket_stream: trio.SocketStream) -> None:
        """One inbound connection, to its end. Must not raise: that would end the listener."""
        scope = trio.CancelScope()
        ticket: Ticket | None = None
        try:
            if self._closing:
                return
            ip = str(socket_stream.socket.getpeername()[0])
            ticket = self.admission.arrive(ip, scope.cancel)
            with scope:
                await self._serve_connection(socket_stream, ticket)
        except trio.TooSlowError:
            self._counters.inbound_timed_out += 1
        except Exception as error:  # noqa: BLE001 - whatever a stranger's bytes cause
            self._counters.garbage += 1
            log.debug("inbound connection closed: %s", str(error) or type(error).__name__)
        finally:
            if ticket is not None:
                self.admission.gone(ticket)
            await trio.aclose_forcefully(socket_stream)

    async def _serve_connection(self, socket_stream: trio.SocketStream, ticket: Ticket) -> None:
        raw = RawConnection(TcpStream(socket_stream), False)
        with trio.fail_after(self._limits.upgrade_timeout_s):
            muxed = cast("Yamux", await self._swarm.upgrade_inbound_raw_conn(raw, self._listen[0]))
        if not self.admission.prove(ticket, str(muxed.peer_id)):
            return
        self._tickets[muxed] = ticket
        try:
            idle = False
            while not muxed.event_closed.is_set():
                with trio.move_on_after(self._limits.inbound_idle_s / 2):
                    await muxed.event_closed.wait()
                if idle and not muxed.streams:
                    self._counters.inbound_idle += 1
                    return
                idle = not muxed.streams
        finally:
            del self._tickets[muxed]

    async def _serve_stream(self, net_stream: INetStream) -> None:
        """One stream that a peer opened. Must not raise: that would end the swarm."""
        stream = cast("NetStream", net_stream)
        muxed = cast("Yamux", stream.muxed_conn)
        if len(muxed.streams) > self._limits.streams_per_connection_max:
            self._counters.streams_refused += 1
            await self.drop(connection_of(stream))  # nobody honest needs so many
            return
        done = False
        try:
            with trio.fail_after(self._limits.handshake_timeout_s):
                protocol, handler = await self._host.get_mux().negotiate(
                    MultiselectCommunicator(stream), int(self._limits.handshake_timeout_s) + 1
                )
            assert protocol is not None
            stream.set_protocol(protocol)
            ours = self._handlers.get(protocol)
            if ours is not None:
                await ours(str(muxed.peer_id), stream)
            elif handler is not None:
                await handler(stream)
            done = True
        except Exception as error:  # noqa: BLE001 - one peer's stream must not end the others'
            self._counters.handler_errors += 1
            log.debug("stream of %s failed: %s", muxed.peer_id, str(error) or type(error).__name__)
        finally:
            with trio.CancelScope(shield=True), trio.move_on_after(CLOSE_TIMEOUT_S), suppress(Exception):
                await (stream.close() if done else stream.reset())
