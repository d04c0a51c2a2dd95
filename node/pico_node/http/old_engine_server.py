"""The server of `picomesh up --compat`: the existing engine's paths and page first, then the node's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final

from aiohttp import web

from pico_node.http.app import ANY_ADDRESS, DOORS, LINGER_S, Address, Doors, wire_log
from pico_node.http.old_engine import OldEngineDoor
from pico_node.http.site import TurnedAway

OWN_PREFIXES: Final = ("/api/v1",)
"""Paths whose answers are the node's own even where nothing is."""


async def serve_old_engine(
    app: web.Application, door: OldEngineDoor, host: str, port: int
) -> tuple[web.AppRunner, Address]:
    """Serve `app` behind `door`; as `app.serve`, but every request takes the framework's general way.

    Raises OSError when the address cannot be taken.
    """
    limits = app[DOORS].limits
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=wire_log,
        keepalive_timeout=limits.keep_alive_s,
        max_line_size=limits.request_line_max_bytes,
        max_field_size=limits.header_max_bytes,
        max_headers=limits.headers_max,
        auto_decompress=False,
        lingering_time=LINGER_S,
        shutdown_timeout=limits.shutdown_max_s,
    )
    await runner.setup()
    try:
        assert runner.server is not None, "it was just set up"
        _put_before(runner.server, door)
        await _Site(runner, host, port, app[DOORS]).start()
    except BaseException:
        await runner.cleanup()
        raise
    address = runner.addresses[0]
    if host not in ANY_ADDRESS:
        app[DOORS].guard.allow(host)
    return runner, Address(address[0], address[1])


def _put_before(server: web.Server, door: OldEngineDoor) -> None:
    own = server.request_handler

    def handle(request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        path = request.rel_url.path
        if door.takes(path):
            return door.handle(request)
        if request.method in ("GET", "HEAD"):
            file = door.page_file(path)
            if file is not None:
                return _give(file)
        return _own_or_unknown(request)

    async def _own_or_unknown(request: web.BaseRequest) -> web.StreamResponse:
        answer = await own(request)
        is_ours = request.rel_url.path.startswith(OWN_PREFIXES)
        return door.unknown(request) if answer.status == 404 and not is_ours else answer

    server.request_handler = handle


class _Site(web.BaseSite):
    """Listens on a TCP address; turns connections away beyond `connections_max`."""

    def __init__(self, runner: web.AppRunner, host: str, port: int, doors: Doors) -> None:
        super().__init__(runner)
        self._host = host
        self._port = port
        self._doors = doors

    @property
    def name(self) -> str:
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        await super().start()
        server, counters = self._runner.server, self._doors.counters
        assert server is not None, "the runner was set up"

        def meet() -> asyncio.BaseProtocol:
            counters.connections = len(server.connections)
            if counters.connections >= self._doors.limits.connections_max:
                counters.refused_connections += 1
                return TurnedAway()
            return server()

        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(meet, self._host, self._port)


async def _give(file: web.StreamResponse) -> web.StreamResponse:
    return file
