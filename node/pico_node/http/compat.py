"""The channel URLs of the existing engine: whoever knows an ECI sends events and asks queries here.

This is the hot path of devices. It does without the framework's router and middlewares; app.py leads every
path that begins with `/c/` or `/sky/` here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple, Protocol, cast
from urllib.parse import unquote

from aiohttp import web

from pico_engine.channels import DENIES
from pico_engine.errors import (
    BadRequest,
    Busy,
    DeniedByPolicy,
    EngineError,
    RulesetMissing,
    StoreError,
    UnknownChannel,
    UnknownQuery,
    UnknownRuleset,
)
from pico_engine.values import FrozenMap, Json, encode, freeze
from pico_node.api import NodeApi
from pico_node.http.bodies import pairs_to_map, parse_body, read_body, require_map
from pico_node.http.counters import HttpCounters
from pico_node.http.limits import HttpLimits
from pico_node.http.problems import (
    PROBLEM_TYPE,
    HttpProblem,
    MethodNotAllowed,
    NodeFailed,
    NoSuchResource,
    problem_details,
    problem_headers,
)
from pico_node.http.security import Guard, log_defect
from pico_node.http.wire import Reply, WireAnswer

log = logging.getLogger(__name__)

PREFIXES = ("/c/", "/sky/")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
HEADERS_SHOWN = ("accept", "accept-language", "content-type", "user-agent")
"""What becomes the attribute `_headers`: nothing that is a secret or tells where the client has been."""

HEADERS_REMEMBERED_MAX = 256
"""Sets of these header fields kept, each of at most `header_max_bytes` four times."""

PATHS_REMEMBERED_MAX = 2_048
"""Parsed paths kept, as devices send to the same few all the time; a full table holds about 2 MB."""

CHANNEL_ROUTES = (
    "/c/{eci}/event/{domain}/{name}",
    "/c/{eci}/event-wait/{domain}/{name}",
    "/c/{eci}/event/{domain}/{name}/query/{rid}/{qname}",
    "/c/{eci}/query/{rid}/{name}",
    "/sky/event/{eci}/{eid}/{domain}/{type}",
    "/sky/cloud/{eci}/{rid}/{function}",
)

_PROBLEM_TYPE = PROBLEM_TYPE.encode()
_TEXT_TYPES = {".html": b"text/html; charset=utf-8", ".txt": b"text/plain; charset=utf-8"}
_TEXT_HEADERS = (
    b"Content-Security-Policy: sandbox allow-scripts allow-forms\r\nReferrer-Policy: no-referrer\r\n"
)
"""A ruleset's page must not act as a page of the node, which may hold the owner's session."""


class Call(NamedTuple):
    """What a channel URL asks for."""

    eci: str
    domain: str = ""
    type: str = ""
    rid: str = ""
    query: str = ""
    suffix: str = ""
    eid: str = ""
    waits: bool = True


@lru_cache(maxsize=PATHS_REMEMBERED_MAX)
def parse_path(path: str) -> Call | None:
    """The call that a path spells (percent-encoded or not), or None. Raises BadRequest.

    Segments are split before they are decoded, so that an encoded slash stays within its segment.
    """
    parts = path.split("/")
    if "%" in path:
        try:
            parts = [unquote(part, errors="strict") for part in parts]
        except UnicodeDecodeError:
            raise BadRequest("the path is not UTF-8 text") from None
    if parts[-1] == "":
        parts.pop()
    if "" in parts[1:] or len(parts) < 6:
        return None
    match parts[1:]:
        case ["c", eci, "event-wait", domain, name]:
            return Call(eci, domain, name)
        case ["c", eci, "event", domain, name]:
            return Call(eci, domain, name, waits=False)
        case ["c", eci, "event", domain, name, "query", rid, query]:
            return Call(eci, domain, name, rid, query)
        case ["c", eci, "query", rid, query] | ["sky", "cloud", eci, rid, query]:
            for suffix in _TEXT_TYPES:
                if query.endswith(suffix) and len(query) > len(suffix):
                    return Call(eci, rid=rid, query=query.removesuffix(suffix), suffix=suffix)
            return Call(eci, rid=rid, query=query)
        case ["sky", "event", eci, eid, domain, name]:
            return Call(eci, domain, name, eid="" if eid == "none" else eid)
    return None


def old_error_text(error: EngineError, call: Call) -> str:
    """An error in the words of the existing engine, which clients compare."""
    if isinstance(error, UnknownChannel):
        found = _NO_CHANNEL.search(error.what)  # a rule may have looked for another one than the request
        return f"Error: ECI not found {found[1] if found else call.eci}"
    if isinstance(error, DeniedByPolicy):
        verb = "Denied" if f"policy {DENIES} " in error.what else "Not allowed"
        return f"Error: {verb} by channel policy"
    if isinstance(error, UnknownRuleset):
        found = _NO_RULESET.search(error.what)
        rid = found[1] if found else call.rid
        return f"Error: Pico doesn't have {rid} installed." if rid else f"Error: {error}"
    if isinstance(error, UnknownQuery):
        found = _NO_QUERY.search(error.what)  # what was asked for may have asked on
        rid, name = found.groups() if found else (call.rid, call.query)
        return f'Error: Ruleset {rid} does not have query function "{name}"'
    return f"Error: {error}"


_NO_CHANNEL = re.compile(r"\bno channel (\S+)")
_NO_RULESET = re.compile(r"\bruleset (\S+) is not installed")
_NO_QUERY = re.compile(r'\bruleset (\S+) does not have query function "(.*)"', re.DOTALL)


class Headers(Protocol):
    """Header fields; asked for by names in lower case."""

    def get(self, name: str, /) -> str | None: ...


class ChannelRequest(Protocol):
    """What the door has to know of a request, whoever read it from the connection."""

    method: str
    target: str
    """Path and query, as sent."""
    has_body: bool

    @property
    def headers(self) -> Headers: ...

    def check(self, guard: Guard) -> None:
        """Ask the guard. Raises HostNotAllowed, ForeignOrigin."""
        ...

    async def body(self) -> bytes:
        """Raises LimitExceeded, SlowRequest, BadRequest."""
        ...


class FrameworkRequest:
    """A request that the web framework has read."""

    def __init__(self, request: web.BaseRequest, limits: HttpLimits) -> None:
        self._request = request
        self._limits = limits
        self.method = request.method
        # the absolute form, which proxies send, has no slash in front
        self.target = request.raw_path if request.raw_path[0] == "/" else request.rel_url.raw_path_qs
        self.has_body = request.body_exists
        self.headers = request.headers

    def check(self, guard: Guard) -> None:
        guard.check(self._request.headers)

    async def body(self) -> bytes:
        return await read_body(self._request, self._limits)


class ChannelDoor:
    """Answers the channel URLs; `handle` raises nothing but what a lost connection raises."""

    def __init__(self, node: NodeApi, guard: Guard, limits: HttpLimits, counters: HttpCounters) -> None:
        self._node = node
        self._guard = guard
        self._limits = limits
        self._counters = counters

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request that the web framework has read."""
        return WireAnswer(request, self._limits, await self.answer(FrameworkRequest(request, self._limits)))

    async def answer(self, request: ChannelRequest) -> Reply:
        self._counters.channel_requests += 1
        path, _, query = request.target.partition("?")
        call: Call | None = None
        try:
            request.check(self._guard)
            call = parse_path(path)
            if call is None:
                raise NoSuchResource("this is no channel URL")
            if request.method not in METHODS:
                return self._no_method(request)
            given = pairs_to_map(query, self._limits) if query else {}
            if request.has_body:
                sent = parse_body(
                    await request.body(), request.headers.get("content-type") or "", self._limits
                )
                if isinstance(sent, list):
                    return await self._ask(call, sent)
                given.update(sent)
            if not call.domain:
                return await self._ask(call, given)
            get = request.headers.get
            given["_headers"] = _headers_shown(*[get(name) for name in HEADERS_SHOWN])
            if call.eid:
                given["__eid"] = call.eid
            return Reply(await self._send(call, given))
        except EngineError as error:
            return self._fail(request, error, call)
        except Exception as error:  # noqa: BLE001 - a defect must not cost the client its answer
            log_defect(log, request.method, path, error)
            return self._fail(request, NodeFailed(), call)

    async def _send(self, call: Call, attrs: Mapping[str, Json]) -> bytes:
        node = self._node
        answer: Json
        if call.query:
            answer = await node.event_then_query(
                call.eci, call.domain, call.type, attrs, call.rid, call.query
            )
        elif call.waits:
            result = await node.event(call.eci, call.domain, call.type, attrs)
            answer = {"eid": result.eid, "directives": result.directives}
        else:
            answer = await node.event_queued(call.eci, call.domain, call.type, attrs)
        return encode(answer)

    async def _ask(self, call: Call, args: dict[str, Json] | list[Json]) -> Reply:
        if call.domain:
            require_map(args)
        value = await self._node.query(call.eci, call.rid, call.query, args)
        if not call.suffix:
            return Reply(encode(value))
        if not isinstance(value, str):
            raise BadRequest(
                f"the query's value is not text, which {call.suffix} needs", f"ask without {call.suffix}"
            )
        text = value.encode("utf-8", "replace")
        return Reply(text, content_type=_TEXT_TYPES[call.suffix], headers=_TEXT_HEADERS)

    def _fail(self, request: ChannelRequest, error: EngineError, call: Call | None) -> Reply:
        """The error: as status 200 with the old text for old clients, or as a problem with its status."""
        self._counters.refused_requests += 1
        strict = call is None or isinstance(error, HttpProblem)
        if not strict and PROBLEM_TYPE not in (request.headers.get("accept") or ""):
            assert call is not None
            # The fault of this node, not of the request: a device must not take it for a success.
            status = error.status if isinstance(error, StoreError | Busy | RulesetMissing) else 200
            return Reply(encode({"error": old_error_text(error, call)}), status)
        lines = "".join(f"{name}: {value}\r\n" for name, value in problem_headers(error).items())
        return Reply(encode(problem_details(error)), error.status, _PROBLEM_TYPE, lines.encode())

    def _no_method(self, request: ChannelRequest) -> Reply:
        error = MethodNotAllowed(f"channel URLs do not know the method {request.method[:20]}")
        allow = b"Allow: " + ", ".join(sorted(METHODS)).encode() + b"\r\n"
        return Reply(encode(problem_details(error)), error.status, _PROBLEM_TYPE, allow)


@lru_cache(maxsize=HEADERS_REMEMBERED_MAX)
def _headers_shown(*values: str | None) -> FrozenMap:
    """Devices send the same ones every time."""
    shown = {name: value for name, value in zip(HEADERS_SHOWN, values, strict=True) if value is not None}
    return cast("FrozenMap", freeze(shown))
