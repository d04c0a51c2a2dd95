"""The channel URLs of the existing engine: whoever knows an ECI sends events and asks queries here.

This is the hot path of devices. It does without the framework's router and middlewares; app.py leads every
path that begins with `/c/` or `/sky/` here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from aiohttp import hdrs, web

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
from pico_engine.values import Json, encode
from pico_node.api import NodeApi
from pico_node.http.bodies import body_at_hand, pairs_to_map, parse_body, read_body, require_map
from pico_node.http.limits import HttpLimits
from pico_node.http.metrics import HttpCounters
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
from pico_node.http.wire import WireAnswer

log = logging.getLogger(__name__)

PREFIXES = ("/c/", "/sky/")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
HEADERS_SHOWN = tuple(
    (name, name.lower()) for name in ("Accept", "Accept-Language", "Content-Type", "User-Agent")
)
"""What becomes the attribute `_headers`: nothing that is a secret or tells where the client has been."""

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
        return f"Error: ECI not found {call.eci}"
    if isinstance(error, DeniedByPolicy):
        return "Error: Not allowed by channel policy"
    if isinstance(error, UnknownRuleset):
        return f"Error: Pico doesn't have {call.rid} installed."
    if isinstance(error, UnknownQuery):
        return f'Error: Ruleset {call.rid} does not have query function "{call.query}"'
    return f"Error: {error}"


class ChannelDoor:
    """Answers the channel URLs; `handle` raises nothing but what a lost connection raises."""

    def __init__(self, node: NodeApi, guard: Guard, limits: HttpLimits, counters: HttpCounters) -> None:
        self._node = node
        self._guard = guard
        self._limits = limits
        self._counters = counters

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._counters.channel_requests += 1
        target = request.raw_path
        if target[0] != "/":  # the absolute form, which proxies send
            target = request.rel_url.raw_path_qs
        path, _, query = target.partition("?")
        call: Call | None = None
        try:
            self._guard.check(request.headers)
            call = parse_path(path)
            if call is None:
                raise NoSuchResource("this is no channel URL")
            if request.method not in METHODS:
                return self._no_method(request)
            given = pairs_to_map(query, self._limits) if query else {}
            if request.body_exists:
                body = body_at_hand(request, self._limits)
                if body is None:
                    body = await read_body(request, self._limits)
                sent = parse_body(body, request.headers.get(hdrs.CONTENT_TYPE, ""), self._limits)
                if isinstance(sent, list):
                    return await self._ask(request, call, sent)
                given.update(sent)
            if not call.domain:
                return await self._ask(request, call, given)
            given["_headers"] = _headers_shown(request.headers)
            if call.eid:
                given["__eid"] = call.eid
            return WireAnswer(request, self._limits, await self._send(call, given))
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

    async def _ask(
        self, request: web.BaseRequest, call: Call, args: dict[str, Json] | list[Json]
    ) -> web.StreamResponse:
        if call.domain:
            require_map(args)
        value = await self._node.query(call.eci, call.rid, call.query, args)
        if not call.suffix:
            return WireAnswer(request, self._limits, encode(value))
        if not isinstance(value, str):
            raise BadRequest(
                f"the query's value is not text, which {call.suffix} needs", f"ask without {call.suffix}"
            )
        return WireAnswer(
            request,
            self._limits,
            value.encode("utf-8", "replace"),
            content_type=_TEXT_TYPES[call.suffix],
            headers=_TEXT_HEADERS,
        )

    def _fail(self, request: web.BaseRequest, error: EngineError, call: Call | None) -> WireAnswer:
        """The error: as status 200 with the old text for old clients, or as a problem with its status."""
        self._counters.refused_requests += 1
        strict = call is None or isinstance(error, HttpProblem)
        if not strict and PROBLEM_TYPE not in request.headers.get(hdrs.ACCEPT, ""):
            assert call is not None
            # The fault of this node, not of the request: a device must not take it for a success.
            status = error.status if isinstance(error, StoreError | Busy | RulesetMissing) else 200
            text = encode({"error": old_error_text(error, call)})
            return WireAnswer(request, self._limits, text, status=status)
        lines = "".join(f"{name}: {value}\r\n" for name, value in problem_headers(error).items())
        return WireAnswer(
            request,
            self._limits,
            encode(problem_details(error)),
            status=error.status,
            content_type=_PROBLEM_TYPE,
            headers=lines.encode(),
        )

    def _no_method(self, request: web.BaseRequest) -> WireAnswer:
        error = MethodNotAllowed(f"channel URLs do not know the method {request.method[:20]}")
        return WireAnswer(
            request,
            self._limits,
            encode(problem_details(error)),
            status=error.status,
            content_type=_PROBLEM_TYPE,
            headers=b"Allow: " + ", ".join(sorted(METHODS)).encode() + b"\r\n",
        )


def _headers_shown(headers: Mapping[str, str]) -> dict[str, str]:
    shown = {}
    for name, key in HEADERS_SHOWN:
        value = headers.get(name)
        if value is not None:
            shown[key] = value
    return shown
