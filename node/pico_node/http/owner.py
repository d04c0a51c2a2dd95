"""The owner's API, /api/v1: who may use it, strict parameters, and the way to the node's commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

import orjson
import segno
from aiohttp import hdrs, web

from pico_engine.errors import BadRequest
from pico_engine.values import Json, encode
from pico_node.api import NodeApi
from pico_node.http.bodies import parse_json, read_body
from pico_node.http.counters import HttpCounters
from pico_node.http.fields import check_fields
from pico_node.http.limits import HttpLimits
from pico_node.http.login import CODE_LIFE_S, LoginDesk
from pico_node.http.openapi import openapi_document
from pico_node.http.operations import API, OPERATIONS, ROOT_PICO, Operation
from pico_node.http.problems import ForeignOrigin, NotAuthorised, WrongMediaType
from pico_node.http.security import OwnerToken, host_name, is_from_own_page

COOKIE_NAME = "picomesh_session"
_READS = frozenset({"GET", "HEAD"})
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def cookie_name(request: web.BaseRequest) -> str:
    """The session cookie's name holds the port: cookies of one host are shared by all its ports."""
    host = request.headers.get(hdrs.HOST, "")
    port = host.rpartition(":")[2] if host_name(host) and ":" in host.rpartition("]")[2] else ""
    return f"{COOKIE_NAME}_{port}" if port else COOKIE_NAME


def session_of(request: web.BaseRequest) -> str:
    """The session that the request's cookie claims, or nothing."""
    try:
        morsel = SimpleCookie(request.headers.get(hdrs.COOKIE, "")).get(cookie_name(request))
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets only the owner pass: with the token, or with a session whose request our own page made."""

    token: OwnerToken
    desk: LoginDesk

    def check(self, request: web.BaseRequest) -> None:
        """Raises NotAuthorised, ForeignOrigin."""
        authorization = request.headers.get(hdrs.AUTHORIZATION)
        if authorization is not None:
            if self.token.admits(authorization):
                return
            raise NotAuthorised("the token in the Authorization header is not the owner's")
        if not self.desk.admits(session_of(request)):
            raise NotAuthorised("this is for the owner of the node only")
        if request.method not in _READS and not is_from_own_page(request.headers):
            raise ForeignOrigin("a change with a session cookie must come from one of the node's own pages")


def json_answer(value: Json, status: int = 200) -> web.Response:
    return web.Response(
        status=status, body=encode(value), headers={"Content-Type": "application/json; charset=utf-8"}
    )


class OwnerApi:
    """Adds the owner's routes to an application."""

    def __init__(self, node: NodeApi, gate: Gate, limits: HttpLimits, counters: HttpCounters) -> None:
        self._node = node
        self._gate = gate
        self._limits = limits
        self._counters = counters

    def add_to(self, app: web.Application) -> None:
        for operation in OPERATIONS:
            app.router.add_route(operation.method, API + operation.path, self._handler(operation))
        app.router.add_get(API + "/openapi.json", self._openapi)
        app.router.add_post(API + "/login-codes", self._login_code)
        app.router.add_route("*", API + "/{unknown:.*}", self._unknown)

    def _handler(self, operation: Operation) -> _Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            self._enter(request)
            parameters = await self._parameters(request, operation)
            answer = await self._node.command(operation.command, **parameters)
            if operation.command == "invite":
                answer = {**answer, "svg": qr_svg(answer["url"])}
            return json_answer(answer, operation.status)

        return handle

    def _enter(self, request: web.Request) -> None:
        self._counters.owner_requests += 1
        self._gate.check(request)

    async def _parameters(self, request: web.Request, operation: Operation) -> dict[str, Json]:
        parameters: dict[str, Json] = {}
        for name in operation.path_names:
            value = request.match_info[name]
            if name == "pico":
                value = "" if value == ROOT_PICO else value
                name = "target" if operation.command in ("event", "query") else name
            parameters[name] = value
        asked = request.query
        if len(asked) != len(set(asked)):
            raise BadRequest("the query string names a parameter twice")
        parameters.update(check_fields(operation.fields_in("query"), dict(asked), "query string"))
        body = await self._body(request)
        if operation.method in ("GET", "DELETE") and body:
            raise BadRequest(f"{operation.method} takes no body here")
        parameters.update(check_fields(operation.fields_in("body"), body, "body"))
        return parameters

    async def _body(self, request: web.Request) -> dict[str, Json]:
        data = await read_body(request, self._limits)
        if not data:
            return {}
        if request.content_type != "application/json":
            raise WrongMediaType(f"a body of {request.content_type!r} is not taken here")
        body = parse_json(data)
        if not isinstance(body, dict):
            raise BadRequest("the body must be a JSON object")
        return body

    async def _openapi(self, request: web.Request) -> web.StreamResponse:
        self._enter(request)
        return web.Response(body=orjson.dumps(openapi_document()), content_type="application/json")

    async def _login_code(self, request: web.Request) -> web.StreamResponse:
        self._enter(request)
        check_fields((), await self._body(request), "body")
        path = f"/login?code={self._gate.desk.issue_code()}"
        return json_answer({"path": path, "expires_s": CODE_LIFE_S}, 201)

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        self._enter(request)  # who is not the owner learns nothing about which paths exist
        raise web.HTTPNotFound


def qr_svg(text: str) -> str | None:
    """A QR code as an SVG element, or None for a text that is too long for one."""
    try:
        code = segno.make_qr(text, error="l", boost_error=False)
    except segno.DataOverflowError:
        return None
    svg: str = code.svg_inline(scale=4, border=4, dark="#000", light="#fff")
    return svg
