"""The server of `picomesh up --compat`: the existing engine's paths and page first, then the node's own."""

from __future__ import annotations

from collections.abc import Awaitable

from aiohttp import web

from pico_node.http.app import DOORS, LINGER_S, Address, wire_log
from pico_node.http.old_engine import OldEngineDoor


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
        await web.TCPSite(runner, host, port).start()
    except BaseException:
        await runner.cleanup()
        raise
    address = runner.addresses[0]
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
        return own(request)

    server.request_handler = handle


async def _give(file: web.StreamResponse) -> web.StreamResponse:
    return file
