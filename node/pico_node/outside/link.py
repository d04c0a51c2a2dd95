"""The WebSocket to the mediator that the owner named: kept open, opened again with growing pauses.

What comes on it is handed to the node as other DIDComm messages are. What is to be sent while it is down is
dropped: whoever sends asks again when the link is up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import aiohttp

from pico_engine.errors import EngineError
from pico_node.agent.messages import ForeignMessage, LinkDown, LinkUp, Message
from pico_node.outside.client import Client

PAUSE_FIRST_S: Final = 1.0
PAUSE_MAX_S: Final = 60.0
"""Between attempts: the first quickly, for a mediator that was restarted."""

QUEUE_MAX: Final = 256
"""Messages that wait to be sent: a mediator that reads nothing is as good as gone."""

log = logging.getLogger("picomesh.link")


class MediatorLink:
    """One WebSocket, if a mediator is used."""

    def __init__(
        self, client: Client, hand_in: Callable[[Message], None], *, pause_first_s: float = PAUSE_FIRST_S
    ) -> None:
        self._client = client
        self._hand_in = hand_in
        self._pause_first_s = pause_first_s
        self._task: asyncio.Task[None] | None = None
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_MAX)

    def open(self, url: str) -> None:
        """Keep a WebSocket to `url` open from now on, instead of another one."""
        self.forget()
        self._task = asyncio.get_running_loop().create_task(self._keep(url))

    def send(self, message: bytes) -> None:
        """Send a message, if there is room."""
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            log.warning("the mediator reads too slowly; a message for it was dropped")

    def forget(self) -> None:
        """Close it; nobody wants it any more."""
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Close it, and wait until it is."""
        self.forget()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self, url: str) -> None:
        pause = self._pause_first_s
        while True:
            try:
                async with await self._client.socket(url) as socket:
                    pause = self._pause_first_s
                    self._queue = asyncio.Queue(QUEUE_MAX)
                    self._hand_in(LinkUp())
                    try:
                        await self._talk(socket)
                    finally:
                        self._hand_in(LinkDown())
            except (EngineError, aiohttp.ClientError, OSError, TimeoutError) as error:
                log.info("no WebSocket to the mediator: %s", error)
            except Exception:
                log.exception("the link to the mediator failed; this is a defect of the node")
            await asyncio.sleep(pause)
            pause = min(2 * pause, PAUSE_MAX_S)

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        sender = asyncio.get_running_loop().create_task(self._send_all(socket))
        try:
            async for frame in socket:
                if frame.type not in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
                    break
                data = frame.data
                self._hand_in(ForeignMessage("", data.encode() if isinstance(data, str) else data))
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _send_all(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            await socket.send_bytes(await self._queue.get())
