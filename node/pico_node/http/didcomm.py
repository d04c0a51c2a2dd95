"""DIDComm over HTTP: agents of other makes post messages to `/didcomm`, or keep a WebSocket open there.

What comes back, if the message asked for it (`return_route`), is one encrypted message in the answer, or any
number on the WebSocket, at any time. That a message was taken says nothing about it: 202, whoever it was for,
so that nobody finds out by trying which DIDs live here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from aiohttp import WSMsgType, web

from pico_didcomm.media import MEDIA_TYPES, full_media_type
from pico_didcomm.pico_engine import CONTENT_TYPE, is_clear_answer
from pico_engine.errors import Busy, EngineError
from pico_node.api import NodeApi
from pico_node.http.counters import HttpCounters
from pico_node.http.limits import HttpLimits
from pico_node.http.problems import SlowRequest, WrongMediaType
from pico_node.peers.foreign import Throttle
from pico_node.peers.limits import PeerLimits

PATH: Final = "/didcomm"
TAKEN: Final = (MEDIA_TYPES["encrypted"], CONTENT_TYPE)
"""The second is what older pico engines send."""

MEDIA_TYPE: Final = MEDIA_TYPES["encrypted"]


class DidcommDoor:
    """The path `/didcomm`."""

    def __init__(
        self,
        node: NodeApi,
        limits: HttpLimits,
        counters: HttpCounters,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._node = node
        self._limits = limits
        self._counters = counters
        self._clock = clock
        # Every message costs a decryption, whoever sends it: the same bounds as over libp2p.
        self._throttle = Throttle(PeerLimits(), clock())
        self._sockets = 0

    def add_to(self, app: web.Application) -> None:
        """Serve the path."""
        app.router.add_post(PATH, self.post)
        app.router.add_get(PATH, self.socket, allow_head=False)

    async def post(self, request: web.Request) -> web.StreamResponse:
        """One message."""
        self._counters.didcomm_requests += 1
        if full_media_type(request.headers.get("Content-Type", "")) not in TAKEN:
            raise WrongMediaType(
                "a DIDComm message of another media type", f"send it with `Content-Type: {MEDIA_TYPE}`"
            )
        self._admit(request)
        try:
            async with asyncio.timeout(self._limits.body_read_max_s):
                body = await request.read()
        except TimeoutError:
            raise SlowRequest from None
        answer = await self._node.didcomm(body)
        if answer is None:
            return web.Response(status=202)
        kind = CONTENT_TYPE if is_clear_answer(answer) else MEDIA_TYPE
        return web.Response(body=answer, headers={"Content-Type": kind})

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """Many messages, one in each frame; text and binary frames are the same."""
        self._counters.didcomm_requests += 1
        if self._sockets >= self._limits.didcomm_sockets_max:
            raise Busy(f"{self._sockets} WebSockets are open (didcomm_sockets_max)")
        socket = web.WebSocketResponse(
            max_msg_size=self._limits.body_max_bytes, heartbeat=self._limits.keep_alive_s, compress=False
        )
        await socket.prepare(request)
        self._sockets += 1
        outbox: asyncio.Queue[bytes] = asyncio.Queue(self._limits.didcomm_socket_messages_max)
        sender = asyncio.get_running_loop().create_task(_send_all(socket, outbox))
        number = self._node.socket_opened(lambda message: _queue(request, outbox, message))
        try:
            async for frame in socket:
                if frame.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                    break
                await self._frame(request, socket, number, frame.data)
        finally:
            self._node.socket_closed(number)
            sender.cancel()
            self._sockets -= 1
        return socket

    async def _frame(
        self, request: web.Request, socket: web.WebSocketResponse, number: int, data: bytes | str
    ) -> None:
        try:
            self._admit(request)
            await self._node.didcomm(data.encode() if isinstance(data, str) else data, number)
        except EngineError as error:
            await socket.close(code=1013, message=error.code.encode())  # try again later

    def _admit(self, request: web.Request) -> None:
        if not self._throttle.admits(request.remote or "", self._clock()):
            raise Busy("too many DIDComm messages at once", "send them more slowly")


def _queue(request: web.Request, outbox: asyncio.Queue[bytes], message: bytes) -> None:
    """Have a message sent. Whoever does not read loses the socket, not the message: a mediator keeps it."""
    try:
        outbox.put_nowait(message)
    except asyncio.QueueFull:
        if request.transport is not None:
            request.transport.abort()


async def _send_all(socket: web.WebSocketResponse, outbox: asyncio.Queue[bytes]) -> None:
    with suppress(ConnectionError):
        while True:
            await socket.send_bytes(await outbox.get())
