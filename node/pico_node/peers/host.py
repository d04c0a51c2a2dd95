"""Peers: the asyncio face of the network edge.

libp2p takes up to a second to import. So this module does without: the sockets listen at once, and what needs
libp2p is loaded in a thread when the node has begun its work. Whoever dials meanwhile waits in the backlog.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import trio

from pico_node.peers.addresses import dialable, parse_listen, reachable, split_peer
from pico_node.peers.contract import PeerEvents
from pico_node.peers.counters import Counters
from pico_node.peers.discovery import LocalDiscovery
from pico_node.peers.errors import BadAddress, FrameTooLarge, NotRunning, Unreachable
from pico_node.peers.foreign import PROTOCOL as FOREIGN
from pico_node.peers.foreign import Throttle, encode_varint, read_message
from pico_node.peers.frames import INSTANCE_BYTES, Hello
from pico_node.peers.frames import PROTOCOL as FRAMES
from pico_node.peers.guest import Guest
from pico_node.peers.identity import check_peer_id, key_of_peer_id, peer_id_of_seed
from pico_node.peers.limits import PeerLimits
from pico_node.peers.links import Carrier, Links
from pico_node.peers.listening import CLOSE_TIMEOUT_S, open_listeners

if TYPE_CHECKING:
    from libp2p.network.connection.swarm_connection import SwarmConn
    from libp2p.network.stream.net_stream import NetStream
    from libp2p.stream_muxer.yamux.yamux import YamuxStream

    from pico_node.peers.edge import Edge

log = logging.getLogger("picomesh.peers")

RESTART_PAUSE_S = 1.0  # after the libp2p side failed as a whole


def _load() -> None:
    """Import libp2p, and what of ours needs it."""
    import pico_node.peers.edge
    import pico_node.peers.wire  # noqa: F401 - loaded here, used by the functions below


class Peers:
    """The network edge of one node. See `contract.PeersFace` for what its methods promise.

    `listen` are multiaddresses such as `/ip4/0.0.0.0/tcp/7461`; `bootstrap` are addresses of peers, ending in
    `/p2p/<peer id>`, that are reported by `found` at start and kept connected. With `mdns` the node
    announces itself on the local network and reports whom it finds there. Raises BadAddress.
    """

    def __init__(
        self,
        seed: bytes,
        listen: Sequence[str],
        events: PeerEvents,
        *,
        limits: PeerLimits = PeerLimits(),  # noqa: B008 - frozen
        mdns: bool = False,
        bootstrap: Sequence[str] = (),
    ) -> None:
        self.peer_id = peer_id_of_seed(seed)
        self.addresses: list[str] = []
        self._seed = seed
        self._listen = [parse_listen(address) for address in listen]
        self._bootstrap: dict[str, list[str]] = {}
        for address in bootstrap:
            self._bootstrap.setdefault(split_peer(address)[0], []).append(address)
        self._events = events
        self._limits = limits
        self._mdns = LocalDiscovery(self.peer_id, self._found) if mdns else None
        self._announcing: asyncio.Task[None] | None = None
        self._counters = Counters()
        self._guest: Guest | None = None
        self._edge: Edge | None = None
        self._stopping: trio.Event | None = None
        self._stopped: asyncio.Future[None] | None = None
        self._may_serve: trio.Event | None = None
        self._ready = asyncio.Event()
        self._throttle: Throttle | None = None
        self._hello = Hello(secrets.token_bytes(INSTANCE_BYTES), limits.frame_bytes_max)
        self._links: Links | None = None
        self._wanted: dict[str, tuple[str, ...]] = {}
        self._paused: set[str] = set()

    # Starting and stopping

    async def start(self, *, serve: bool = True) -> None:
        """Listen, and, if not told otherwise, `serve`."""
        if self._guest is not None:
            return
        guest = await Guest.join()
        try:
            listeners = await guest.call(open_listeners, self._listen)
        except BaseException:
            await guest.leave()
            raise
        self._guest = guest
        bound = [listener.socket.getsockname()[:2] for listener in listeners]
        self.addresses = reachable(bound, self.peer_id)
        self._stopped = asyncio.get_running_loop().create_future()
        self._stopping = trio.Event()
        self._may_serve = trio.Event()
        self._ready = asyncio.Event()
        guest.spawn(self._main, listeners)
        for peer_id, addresses in self._bootstrap.items():
            self._found(peer_id, addresses)
            self.connect(peer_id, addresses)
        if self._mdns is not None:
            self._announcing = asyncio.create_task(self._mdns.start(self.addresses))
        if serve:
            self.serve()

    def serve(self) -> None:
        """Load libp2p, in a thread, and let in who dials, and who dialed meanwhile."""
        if self._may_serve is not None:
            self._may_serve.set()

    async def stop(self) -> None:
        guest, self._guest = self._guest, None
        if guest is None or self._stopping is None or self._stopped is None:
            return
        if self._mdns is not None and self._announcing is not None:
            self._announcing.cancel()
            await asyncio.gather(self._announcing, return_exceptions=True)
            await self._mdns.stop()
        self._stopping.set()
        await asyncio.shield(self._stopped)
        await guest.leave()

    async def until_ready(self) -> None:
        """Wait until connections are served: `serve` takes a second for it. Ends with `stop`, too."""
        await self._ready.wait()

    # The driver's requests

    def connect(self, peer_id: str, addresses: Sequence[str]) -> None:
        key_of_peer_id(peer_id)
        if peer_id == self.peer_id:
            raise BadAddress("that is this node itself")
        self._wanted[peer_id] = tuple(addresses)
        if self._links is not None:
            self._links.connect(peer_id, addresses)

    def forget(self, peer_id: str) -> None:
        self._wanted.pop(peer_id, None)
        if self._links is not None:
            self._links.forget(peer_id)

    def send(self, peer_id: str, session: int, frames: Sequence[bytes]) -> bool:
        largest = max(map(len, frames), default=0)
        if largest > self._limits.frame_bytes_max:
            raise FrameTooLarge(f"a frame of {largest} bytes, {self._limits.frame_bytes_max} are allowed")
        found = self._links.session(peer_id, session) if self._links is not None else None
        return found is not None and found.queue(frames)

    def writable(self, peer_id: str, session: int) -> bool:
        found = self._links.session(peer_id, session) if self._links is not None else None
        return found is not None and found.writable

    def pause(self, peer_id: str) -> None:
        self._paused.add(peer_id)
        if self._links is not None:
            self._links.pause(peer_id, True)

    def resume(self, peer_id: str) -> None:
        self._paused.discard(peer_id)
        if self._links is not None:
            self._links.pause(peer_id, False)

    async def send_foreign(self, peer_id: str, addresses: Sequence[str], message: bytes) -> None:
        if len(message) > self._limits.foreign_message_bytes_max:
            raise FrameTooLarge(
                f"a message of {len(message)} bytes, {self._limits.foreign_message_bytes_max} are allowed"
            )
        check_peer_id(peer_id)
        if self._guest is not None:
            await self.until_ready()
        guest, edge = self._guest, self._edge
        if guest is None or edge is None:
            raise NotRunning
        await guest.call(self._hand_over, edge, peer_id, addresses, message)
        self._counters.foreign_out += 1

    def counters(self) -> Mapping[str, int]:
        return self._counters.as_dict()

    # Under trio

    async def _main(self, listeners: list[trio.SocketListener]) -> None:
        """Run the libp2p side, again if it fails as a whole, until `stop`."""
        assert self._stopping is not None
        assert self._stopped is not None
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._run_again_and_again, listeners)
                await self._stopping.wait()
                if self._links is not None and self._edge is not None:
                    await self._links.close("stopping")
                    await self._edge.close()
                nursery.cancel_scope.cancel()
        except Exception:
            log.exception("the network edge failed while stopping")
        finally:
            for listener in listeners:  # of a libp2p side that was stopped before it had them
                listener.socket.close()
            self._ready.set()
            self._stopped.set_result(None)

    async def _run_again_and_again(self, listeners: list[trio.SocketListener]) -> None:
        assert self._may_serve is not None
        await self._may_serve.wait()
        bound = [listener.socket.getsockname()[:2] for listener in listeners]
        while True:
            try:
                await trio.to_thread.run_sync(_load)
                if not listeners:
                    listeners = await open_listeners(bound)
                await self._run_once(listeners)
            except Exception:
                self._counters.edge_restarts += 1
                log.exception("the network edge failed and starts again")
            listeners = []
            await trio.sleep(RESTART_PAUSE_S)

    async def _run_once(self, listeners: list[trio.SocketListener]) -> None:
        from pico_node.peers.edge import Edge

        links = Links(
            self.peer_id, self._hello, self._limits, self._counters, self._events, self._open_for_frames
        )
        handlers = {FRAMES: self._serve_frames, FOREIGN: self._serve_foreign}
        self._throttle = Throttle(self._limits, trio.current_time())
        self._edge = Edge(self._seed, self._limits, self._counters, handlers, links.is_wanted)
        self._links = links
        for peer_id, addresses in self._wanted.items():
            links.connect(peer_id, addresses)
        for peer_id in self._paused:
            links.pause(peer_id, True)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(links.run)
                await self._edge.run(listeners, self._ready.set)
                nursery.cancel_scope.cancel()
        finally:
            self._links = self._edge = None
            links.abandon("the network edge stopped")

    async def _open_for_frames(self, peer_id: str, addresses: Sequence[str]) -> Carrier:
        edge = self._running_edge()
        conn = await edge.dial(peer_id, addresses)
        try:
            stream = await edge.open_stream(conn, FRAMES)
        except BaseException:
            with trio.CancelScope(shield=True):
                await edge.drop(conn)
            raise
        return self._carrier(edge, conn, stream)

    async def _serve_frames(self, peer_id: str, stream: NetStream) -> None:
        from pico_node.peers.edge import connection_of

        assert self._links is not None
        edge, conn = self._running_edge(), connection_of(stream)
        edge.mark_session(conn, True)
        try:
            await self._links.serve(peer_id, self._carrier(edge, conn, stream))
        finally:
            edge.mark_session(conn, False)

    def _carrier(self, edge: Edge, conn: SwarmConn, stream: NetStream) -> Carrier:
        from pico_node.peers.wire import YamuxWire

        async def drop() -> None:
            await edge.drop(conn)

        return Carrier(YamuxWire(cast("YamuxStream", stream.muxed_stream), self._limits), drop)

    async def _serve_foreign(self, peer_id: str, stream: NetStream) -> None:
        assert self._throttle is not None
        if not self._throttle.admits(peer_id, trio.current_time()):
            self._counters.foreign_refused += 1
            await stream.reset()
            return
        with trio.fail_after(self._limits.foreign_timeout_s):
            message = await read_message(stream, self._limits.foreign_message_bytes_max)
        self._counters.foreign_in += 1
        self._tell(self._events.foreign_message, peer_id, message)

    async def _hand_over(self, edge: Edge, peer_id: str, addresses: Sequence[str], message: bytes) -> None:
        known = edge.connection(peer_id)
        if known is not None:
            try:
                stream = await edge.open_stream(known, FOREIGN)
            except Unreachable:
                if edge.connection(peer_id) is known:
                    raise
                known = None  # it just broke: try a fresh one
            else:
                await self._write_message(stream, peer_id, message)
        if known is None:
            conn = await edge.dial(peer_id, addresses)
            try:
                await self._write_message(await edge.open_stream(conn, FOREIGN), peer_id, message)
            finally:
                with trio.CancelScope(shield=True), trio.move_on_after(CLOSE_TIMEOUT_S):
                    await edge.drop(conn)

    async def _write_message(self, stream: NetStream, peer_id: str, message: bytes) -> None:
        from libp2p.network.stream.exceptions import StreamEOF

        try:
            with trio.fail_after(self._limits.foreign_timeout_s):
                await stream.write(encode_varint(len(message)) + message)
                await stream.close_write()
                while await stream.read(1024):
                    pass  # the other side closes when it has read the message; what it says means nothing
        except StreamEOF:
            pass
        except Exception as error:
            what = str(error) or type(error).__name__
            raise Unreachable(f"{peer_id} did not take the message: {what}") from error

    def _running_edge(self) -> Edge:
        if self._edge is None:
            raise NotRunning
        return self._edge

    def _found(self, peer_id: str, addresses: list[str]) -> None:
        if peer_id == self.peer_id or not dialable(peer_id, addresses):
            return
        if self._links is not None:
            self._links.hint(peer_id)
        self._tell(self._events.found, peer_id, addresses)

    def _tell(self, callback: Callable[..., None], *args: object) -> None:
        try:
            callback(*args)
        except Exception:
            self._counters.handler_errors += 1
            log.exception("the driver failed in %s", getattr(callback, "__name__", callback))
