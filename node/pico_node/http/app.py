"""The HTTP doors put together: one application, and the server that runs it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

from aiohttp import web

from pico_engine.errors import EngineError
from pico_node.api import NodeApi
from pico_node.http.compat import PREFIXES, ChannelDoor
from pico_node.http.counters import HttpCounters
from pico_node.http.didcomm import DidcommDoor
from pico_node.http.limits import HttpLimits
from pico_node.http.login import SESSION_LIFE_S, LoginDesk
from pico_node.http.owner import Gate, OwnerApi, cookie_name, json_answer, session_of
from pico_node.http.page import PAGE_HEADERS, ROWS_MAX, landing_page, message_page, status_page
from pico_node.http.problems import LoginCodeInvalid, NodeFailed, from_http_exception, problem_response
from pico_node.http.security import Guard, OwnerToken, WireNoise, log_defect, redact
from pico_node.http.site import DoorSite

log = logging.getLogger(__name__)
wire_log = logging.getLogger("pico_node.http.on_the_wire")
wire_log.addFilter(WireNoise())

LINGER_S = 2
"""How long what a refused client still sends is read and thrown away, so that it sees its answer."""
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - told apart, not bound
"""Not a name of anything; a client on this machine takes the loopback address instead."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Address(NamedTuple):
    """Where the server listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The base URL, for a client on this machine."""
        host = ANY_ADDRESS.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}"


class Doors(NamedTuple):
    """What an application holds, for those who run it: `app[DOORS]`."""

    guard: Guard
    desk: LoginDesk
    limits: HttpLimits
    counters: HttpCounters
    channels: ChannelDoor


DOORS = web.AppKey("doors", Doors)


def make_app(
    node: NodeApi,
    *,
    token: str,
    allowed_hosts: Iterable[str] = (),
    limits: HttpLimits | None = None,
    open_metrics: bool = False,
) -> web.Application:
    """The application. `allowed_hosts`: names beside localhost under which requests are taken.

    `open_metrics` shows /metrics to everybody. Raises ValueError for a token that can be guessed.
    """
    limits = limits or HttpLimits()
    guard, counters, desk = Guard(allowed_hosts), HttpCounters(), LoginDesk()
    channels = ChannelDoor(node, guard, limits, counters)
    gate = Gate(OwnerToken(token), desk)
    app = web.Application(client_max_size=limits.body_max_bytes, middlewares=[_outer(guard, counters)])
    app[DOORS] = Doors(guard, desk, limits, counters, channels)
    for prefix in PREFIXES:  # for servers other than ours; `serve` takes a shorter way
        app.router.add_route("*", prefix + "{rest:.*}", channels.handle)
    OwnerApi(node, gate, limits, counters).add_to(app)
    DidcommDoor(node, limits, counters).add_to(app)
    _Pages(node, gate, counters, open_metrics=open_metrics).add_to(app)
    return app


def login_path(app: web.Application) -> str:
    """A path that logs one browser in, once: `/login?code=…`."""
    return f"/login?code={app[DOORS].desk.issue_code()}"


def _outer(guard: Guard, counters: HttpCounters) -> Any:
    """The middleware of everything but channel URLs: checks, headers, and every error as a problem."""

    @web.middleware
    async def outer(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.path.startswith(PREFIXES):
            return await handler(request)
        try:
            guard.check(request.headers)
            answer = await handler(request)
        except EngineError as error:
            answer = problem_response(error)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            answer = problem_response(from_http_exception(error, redact(request.path)))
            if isinstance(error, web.HTTPMethodNotAllowed):
                answer.headers["Allow"] = error.headers["Allow"]
        except Exception as error:  # noqa: BLE001 - a defect must not cost the client its answer
            log_defect(log, request.method, request.path, error)
            answer = problem_response(NodeFailed())
        if answer.status >= 400:
            counters.refused_requests += 1
        for name, value in PAGE_HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    return outer


class _Pages:
    """The paths outside the API: `/`, `/login`, `/logout`, `/healthz`, `/metrics`."""

    def __init__(self, node: NodeApi, gate: Gate, counters: HttpCounters, *, open_metrics: bool) -> None:
        self._node = node
        self._gate = gate
        self._counters = counters
        self._open_metrics = open_metrics

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/", self.home)
        app.router.add_get("/login", self.login, allow_head=False)
        app.router.add_post("/logout", self.logout)
        app.router.add_get("/healthz", self.healthz)
        app.router.add_get("/metrics", self.metrics)

    async def home(self, request: web.Request) -> web.StreamResponse:
        self._counters.page_requests += 1
        if not self._gate.desk.admits(session_of(request)):
            return _html(landing_page())
        status = await self._node.command("status")
        picos = await self._node.command("pico_list", limit=ROWS_MAX + 1)
        return _html(status_page(status, picos))

    async def login(self, request: web.Request) -> web.StreamResponse:
        self._counters.page_requests += 1
        session = self._gate.desk.redeem(request.query.get("code", ""))
        if session is None:
            problem = LoginCodeInvalid()
            return _html(message_page(str(problem), problem.hint), problem.status)
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(
            cookie_name(request), session, max_age=SESSION_LIFE_S, path="/", httponly=True, samesite="Strict",
            secure=request.secure,
        )  # fmt: skip
        return answer

    async def logout(self, request: web.Request) -> web.StreamResponse:
        self._counters.page_requests += 1
        self._gate.check(request)
        self._gate.desk.end(session_of(request))
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.del_cookie(cookie_name(request), path="/", httponly=True, samesite="Strict")
        return answer

    async def healthz(self, _request: web.Request) -> web.StreamResponse:
        ok = bool(self._node.health().get("ok"))
        return json_answer({"ok": ok}, 200 if ok else 503)

    async def metrics(self, request: web.Request) -> web.StreamResponse:
        self._counters.page_requests += 1
        if not self._open_metrics:
            self._gate.check(request)
        from pico_node.http.metrics import CONTENT_TYPE, prometheus_text

        text = prometheus_text({**self._node.metrics(), **self._counters.metrics()})
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/html")


async def serve(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, Address]:
    """Serve the application; port 0 takes any free one. Stop with `await runner.cleanup()`.

    Raises OSError when the address cannot be taken.
    """
    doors = app[DOORS]
    limits = doors.limits
    runner = web.AppRunner(
        app,
        access_log=None,  # paths hold ECIs, which are capabilities
        logger=wire_log,
        keepalive_timeout=limits.keep_alive_s,
        max_line_size=limits.request_line_max_bytes,
        max_field_size=limits.header_max_bytes,
        max_headers=limits.headers_max,
        lingering_time=LINGER_S,
        auto_decompress=False,  # a small compressed body can be a very large one
        shutdown_timeout=limits.shutdown_max_s,
    )
    await runner.setup()
    try:
        assert runner.server is not None
        _shorten_way(runner.server, doors)
        site = DoorSite(runner, host, port, doors.channels, limits, doors.counters)
        await site.start()
    except BaseException:
        await runner.cleanup()
        raise
    address = runner.addresses[0]
    if host not in ANY_ADDRESS:
        doors.guard.allow(host)
    return runner, Address(address[0], address[1])


def _shorten_way(server: web.Server, doors: Doors) -> None:
    """Lead channel URLs past router, middlewares and the large request class, straight to their door."""
    general_handler, general_factory = server.request_handler, server.request_factory
    channels, loop = doors.channels, asyncio.get_running_loop()
    body_max = doors.limits.body_max_bytes

    def handle(request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        return channels.handle(request) if request.raw_path.startswith(PREFIXES) else general_handler(request)

    def make_request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        if message.path.startswith(PREFIXES):
            return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=body_max)
        return general_factory(message, payload, protocol, writer, task)

    server.request_handler = handle
    server.request_factory = make_request
