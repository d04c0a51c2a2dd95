"""`picomesh up --compat`: the HTTP surface of the existing engine, with its quirks, for its clients.

Whoever reaches the port is in: `/api/ui-context` hands out the root pico's channel, any web page may ask
(CORS `*`), errors have status 200. So this door is opened only when the owner says so, and only on loopback.
It takes the place of the node's own channel URLs; the owner's API beside it keeps its token.
"""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha1
from html import escape
from pathlib import Path
from typing import Any, Final, TypeGuard
from urllib.parse import quote

from aiohttp import hdrs, web

from pico_engine.errors import (
    BadRequest,
    DeniedByPolicy,
    EngineError,
    LimitExceeded,
    RulesetDefinitionError,
)
from pico_engine.messages import NO_VALUE, EventMessage, QueryMessage
from pico_engine.values import Json, encode
from pico_node.api import NodeApi
from pico_node.http.bodies import pairs_to_map, parse_body, read_body
from pico_node.http.compat import Call, old_error_text, parse_path
from pico_node.http.counters import HttpCounters
from pico_node.http.limits import HttpLimits
from pico_node.http.owner import COOKIE_NAME
from pico_node.http.problems import HttpProblem, NodeFailed, problem_response
from pico_node.http.security import Guard, log_defect

log = logging.getLogger(__name__)

METHODS: Final = "POST, GET, OPTIONS"
_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Origin, X-Requested-With, Content-Type, Accept",
}
_TEXTS: Final = {".html": "text/html", ".txt": "text/plain"}
_PAGE_POLICY: Final = (
    "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';"
    "frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';"
    "style-src 'self' https: 'unsafe-inline'"
)
_SECRET_HEADERS: Final = frozenset({"authorization", "proxy-authorization"})
_UNKNOWN: Final = (
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n'
    "<body>\n<pre>{what}</pre>\n</body>\n</html>\n"
)
_FOUND: Final = "Found. Redirecting to {where}"
_FOUND_PAGE: Final = "<p>Found. Redirecting to {where}</p>"
_URL_SAFE: Final = "%!#$&'()*+,-./:;=?@[]_|~"
"""What a `Location` may have as it is; the rest is percent-encoded."""
_PLACED: Final = re.compile(r"(\S+:\d+:\d+): (\w*Error: .*)", re.DOTALL)
"""What a KRL rule or query failed with: where, and what."""
UNKNOWN_PATH_MAX_CHARS: Final = 1_024
"""Of an unknown path on the page that says so."""
UI_FILE_MAX_BYTES: Final = 16_777_216
"""One file of the page; the largest of the existing one has 200 kB."""


class OldEngineDoor:
    """Answers every path of the existing engine. `context`: what `/api/ui-context` tells."""

    def __init__(
        self,
        node: NodeApi,
        guard: Guard,
        limits: HttpLimits,
        counters: HttpCounters,
        context: Mapping[str, Json],
        page: Path | None = None,
    ) -> None:
        self._node = node
        self._guard = guard
        self._limits = limits
        self._counters = counters
        self._context = dict(context)
        self._page = page.resolve() if page is not None else None

    def takes(self, path: str) -> bool:
        """Is this a path of the existing engine? All others are the node's own."""
        return path.startswith(("/c/", "/sky/")) or path in ("/api/ui-context", "/api/flush")

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Never raises but for a lost connection."""
        self._counters.channel_requests += 1
        path, _, query = request.raw_path.partition("?")
        call: Call | None = None
        try:
            self._guard.check_host(request.headers)
            if request.method == "OPTIONS":
                return self._finish(
                    request, web.Response(headers={"Allow": METHODS, "Access-Control-Allow-Methods": METHODS})
                )
            if path == "/api/ui-context" and request.method in ("GET", "HEAD"):
                return self._json(request, self._context)
            if path == "/api/flush":
                return self._json(request, await self._flush(await self._given(request, query)))
            call = parse_path(path)
            if call is None:
                return self.unknown(request)
            return await self._serve(request, call, await self._given(request, query))
        except HttpProblem as error:
            self._counters.refused_requests += 1
            return problem_response(error)
        except _OldWords as error:
            self._counters.refused_requests += 1
            return self._json(request, {"error": str(error)})
        except EngineError as error:
            return self._error(request, error, call)
        except Exception as error:  # noqa: BLE001 - a defect must not cost the client its answer
            log_defect(log, request.method, path, error)
            return self._error(request, NodeFailed(), call)

    # -- what is asked ------------------------------------------------------------------------------------

    async def _given(self, request: web.BaseRequest, query: str) -> dict[str, Json]:
        """Query string, body (which wins) and headers as one map; items of an array by their numbers."""
        given: dict[str, Json] = pairs_to_map(query, self._limits) if query else {}
        if request.body_exists:
            kind = request.headers.get(hdrs.CONTENT_TYPE, "")
            data = await read_body(request, self._limits)
            try:
                sent = parse_body(data, kind, self._limits) if data else {}
            except BadRequest as error:
                raise _OldWords(f"SyntaxError: {error.what}") from None
            given.update(
                {str(number): item for number, item in enumerate(sent)} if isinstance(sent, list) else sent
            )
        given["_headers"] = _headers(request.headers)
        return given

    async def _flush(self, given: Mapping[str, Json]) -> Json:
        url = given.get("url")
        if not isinstance(url, str):
            raise _OldWords("TypeError: Expected `url`")
        told = await self._node.command("ruleset_flush", url=url, by_owner=False)  # whoever asks
        return {
            "url": told["url"],
            "rid": told["rid"],
            "hash": told["hash"],
            "flushed": datetime.fromtimestamp(told["flushed"] / 1_000, UTC).isoformat(
                timespec="milliseconds"
            ),
            "compiler": {"version": "picomesh", "warnings": told["warnings"]},
        }

    async def _serve(
        self, request: web.BaseRequest, call: Call, given: dict[str, Json]
    ) -> web.StreamResponse:
        node = self._node
        if not call.domain:
            value = await node.ask(QueryMessage(call.eci, call.rid, call.query, given, marks_undefined=True))
            if not call.suffix:
                return self._json(request, value)
            if not isinstance(value, str):
                raise _OldWords('TypeError: The "chunk" argument must be of type string')
            text = value.encode("utf-8", "replace")
            page = web.Response(body=text, content_type=_TEXTS[call.suffix], charset="utf-8")
            return self._finish(request, page)
        if call.eid:
            given.setdefault("__eid", call.eid)
        if not call.waits and not call.query:
            return self._json(request, await node.event_queued(call.eci, call.domain, call.type, given))
        event = EventMessage(call.eci, call.domain, call.type, given, compatible=True)
        if call.query:
            event.then_query = (call.rid, call.query, given)
            return self._json(request, await node.ask(event))
        result = await node.ask(event)
        answer = self._json(request, {"eid": result.eid, "directives": result.directives})
        if request.raw_path.startswith("/sky/"):
            _follow_directives(request, answer, result.directives)
        return answer

    # -- answers ------------------------------------------------------------------------------------------

    def _json(self, request: web.BaseRequest, value: Any) -> web.Response:
        """JSON; KRL's undefined is an empty body of the same type."""
        body = b"" if value is NO_VALUE else encode(value)
        answer = web.Response(body=body, content_type="application/json", charset="utf-8")
        return self._finish(request, answer)

    def _finish(self, request: web.BaseRequest, answer: web.Response) -> web.Response:
        """Headers of every answer; 304 where the client has it already."""
        body = answer.body if isinstance(answer.body, bytes) else b""
        digest = b64encode(sha1(body, usedforsecurity=False).digest()).decode()[:27]
        answer.headers.update(_CORS)
        answer.headers["ETag"] = f'W/"{len(body):x}-{digest}"'
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Content-Security-Policy"] = _PAGE_POLICY
        known = request.headers.get("If-None-Match", "")
        if request.method in ("GET", "HEAD") and answer.headers["ETag"] in known:
            return web.Response(status=304, headers={**_CORS, "ETag": answer.headers["ETag"]})
        return answer

    def _error(self, request: web.BaseRequest, error: EngineError, call: Call | None) -> web.Response:
        self._counters.refused_requests += 1
        return self._json(request, {"error": _error_text(error, call)})

    def unknown(self, request: web.BaseRequest) -> web.Response:
        """The page that says that there is nothing at a path."""
        path = request.raw_path.partition("?")[0]
        what = escape(f"Cannot {request.method} {path}"[:UNKNOWN_PATH_MAX_CHARS])
        headers = {**_CORS, "Content-Security-Policy": "default-src 'none'"}
        return web.Response(
            status=404, text=_UNKNOWN.format(what=what), content_type="text/html", headers=headers
        )

    # -- the page -----------------------------------------------------------------------------------------

    def page_file(self, path: str) -> web.StreamResponse | None:
        """A file of the existing engine's page; None where there is none (or no page at all)."""
        if self._page is None:
            return None
        file = (self._page / path.lstrip("/")).resolve()
        if file.is_dir():
            file /= "index.html"
        if not file.is_relative_to(self._page) or not file.is_file():
            return None
        if file.stat().st_size > UI_FILE_MAX_BYTES:
            return None
        return web.FileResponse(file, headers={**_CORS, "Content-Security-Policy": _PAGE_POLICY})


class _OldWords(Exception):
    """An error that the existing engine has of its own; its text is the answer's."""


def _error_text(error: EngineError, call: Call | None) -> str:
    """An error in the existing engine's words."""
    if isinstance(error, RulesetDefinitionError):
        from pico_engine.krl.diagnostics import position

        found = getattr(error, "diagnostics", ())
        if found:
            line, column = position(getattr(error, "text", ""), found[0].span.start)
            return f"ParseError: {found[0].message} [at line {line} col {column}]"
        return f"Error: {error}"
    if isinstance(error, LimitExceeded) and "body_max_bytes" in error.what:
        return "PayloadTooLargeError: request entity too large"
    if isinstance(error, DeniedByPolicy) and "not open to this sender" in error.what:
        return "Error: This is a family channel and only the owner can use it."
    placed = _PLACED.fullmatch(error.what)
    if placed is not None:  # old clients know the kind of error first
        return f"{placed[2]} [at {placed[1]}]"
    return old_error_text(error, call) if call is not None else f"Error: {error}"


def _headers(headers: Any) -> dict[str, str]:
    """All headers, in lower case, as the existing engine hands them on, without the node's own secrets."""
    found: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        if key in _SECRET_HEADERS:
            continue
        if key == "cookie":
            parts = [part for part in value.split(";") if not part.strip().startswith(COOKIE_NAME)]
            value = ";".join(parts).strip()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _follow_directives(request: web.BaseRequest, answer: web.Response, directives: list[Json]) -> None:
    """Each `_cookie` sets a cookie; the first `_redirect` sends the browser elsewhere, and says so."""
    for directive in directives:
        options = directive.get("options")
        if not isinstance(options, Mapping):
            continue
        cookie, url = options.get("cookie"), options.get("url")
        if directive["name"] == "_cookie" and _is_header_text(cookie):
            answer.headers.add("Set-Cookie", cookie)
        if directive["name"] == "_redirect" and _is_header_text(url) and answer.status == 200:
            answer.set_status(302)
            answer.headers["Location"] = where = quote(url, safe=_URL_SAFE)
            if "text/html" in request.headers.get("Accept", ""):
                answer.content_type, answer.text = "text/html", _FOUND_PAGE.format(where=escape(where))
            else:
                answer.content_type, answer.text = "text/plain", _FOUND.format(where=where)


def _is_header_text(value: Json) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value) and value.isprintable()
