"""The listening socket, which turns connections away when there are too many."""

from __future__ import annotations

import asyncio
from typing import cast

from aiohttp import web

from pico_node.http.compat import ChannelDoor
from pico_node.http.counters import HttpCounters
from pico_node.http.limits import HttpLimits
from pico_node.http.plain import PlainConnection, PlainServer

_BACKLOG = 128
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%b"
)
_FULL_BODY = (
    b'{"type":"urn:picomesh:problem:too-many-connections","title":"Too many connections are open.",'
    b'"status":503,"detail":"the server has as many connections as connections_max allows",'
    b'"hint":"close idle connections or try again later","code":"too-many-connections"}'
)


class TurnedAway(asyncio.Protocol):
    """A connection beyond the limit: told so and closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = cast("asyncio.WriteTransport", transport)  # uvloop's has another base
        wire.write(_FULL % (len(_FULL_BODY), _FULL_BODY))
        wire.close()


class DoorSite(web.BaseSite):
    """Listens on a TCP address; at most `connections_max` connections are served at once."""

    def __init__(
        self,
        runner: web.AppRunner,
        host: str,
        port: int,
        door: ChannelDoor,
        limits: HttpLimits,
        counters: HttpCounters,
    ) -> None:
        super().__init__(runner)
        self._host = host
        self._port = port
        self._door = door
        self._limits = limits
        self._counters = counters
        self._plain: PlainServer | None = None

    @property
    def name(self) -> str:
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        await super().start()
        server = self._runner.server
        assert server is not None
        plain = self._plain = PlainServer(self._door, self._limits, server)

        def meet() -> asyncio.BaseProtocol:
            self._counters.connections = len(server.connections) + len(plain.connections)
            if self._counters.connections >= self._limits.connections_max:
                self._counters.refused_connections += 1
                return TurnedAway()
            return PlainConnection(plain)

        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(meet, self._host, self._port, backlog=_BACKLOG)

    async def stop(self) -> None:
        await super().stop()
        if self._plain is not None:
            await self._plain.stop()
