"""Plain requests to channel URLs, served past the web framework.

A device sends one small request at a time and waits for its answer. Such a request needs no more than a
parser and a write; the framework's general way costs three times as much. So every connection begins here.
What is plain (a channel URL, HTTP/1.1, a body that came with a length, all of it within `PLAIN_MAX_BYTES`,
nothing behind it yet) is answered here. With the first request that is anything else, what arrived is handed
over to the framework, unread and whole, and the connection is the framework's from then on. Nothing of a
request is acted upon before that is decided, so nothing happens twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from pico_node.http.compat import PREFIXES, ChannelDoor
from pico_node.http.limits import HttpLimits
from pico_node.http.security import Guard
from pico_node.http.wire import wire_bytes

PLAIN_MAX_BYTES = 8_192
"""A request with its body; larger ones are the framework's, with its limits on each part."""
PLAIN_MAX_HEADERS = 32
"""Header fields, likewise; devices send about five."""
REST_MAX_S = 2.0
"""How long the rest of a request may take before the framework, which knows how to wait, takes over."""
SWEEP_EVERY_S = 5.0
"""How often idle connections are looked for."""

_STARTS = tuple(prefix.encode() for prefix in PREFIXES)
_FRAMEWORKS = frozenset({"transfer-encoding", "expect", "upgrade"})
"""A request with one of these is the framework's."""


class PlainRequest:
    """A request as the parser reads it, and as `ChannelDoor` wants it."""

    __slots__ = ("_body", "has_body", "headers", "headers_seen", "method", "target")

    def __init__(self) -> None:
        self.method = ""
        self.target = ""
        self.has_body = False
        self.headers_seen = 0
        self.headers: dict[str, str] = {}
        self._body = b""

    # -- for the parser -----------------------------------------------------------------------------------

    def add_header(self, name: bytes, value: bytes) -> None:
        self.headers_seen += 1
        self.headers[name.decode("latin-1").lower()] = value.decode("utf-8", "surrogateescape")

    def add_body(self, data: bytes) -> None:
        self._body += data
        self.has_body = True

    def has_plain_headers(self, most: int) -> bool:
        """A host, at most so many header fields, each of them once, none that is the framework's?"""
        headers = self.headers
        once = len(headers) == self.headers_seen <= most
        return once and "host" in headers and _FRAMEWORKS.isdisjoint(headers)

    # -- ChannelRequest -----------------------------------------------------------------------------------

    def check(self, guard: Guard) -> None:
        headers = self.headers
        guard.check_values(headers.get("host", ""), headers.get("origin"), headers.get("sec-fetch-site"))

    async def body(self) -> bytes:
        return self._body


class PlainServer:
    """What the plain connections of one listening socket share. `general` makes the framework's protocol."""

    def __init__(
        self, door: ChannelDoor, limits: HttpLimits, general: Callable[[], asyncio.Protocol]
    ) -> None:
        self.door = door
        self.limits = limits
        self.general = general
        self.most_bytes = min(
            PLAIN_MAX_BYTES, limits.body_max_bytes, limits.request_line_max_bytes, limits.header_max_bytes
        )
        """What is within this is within each of the limits."""
        self.most_headers = min(PLAIN_MAX_HEADERS, limits.headers_max)
        self.rest_max_s = min(REST_MAX_S, limits.body_read_max_s)
        self.connections: set[PlainConnection] = set()
        self.loop = asyncio.get_running_loop()
        self._sweep_every_s = min(SWEEP_EVERY_S, limits.keep_alive_s / 4)
        self._sweeper = self.loop.call_later(self._sweep_every_s, self._sweep)

    def _sweep(self) -> None:
        before = self.loop.time() - self.limits.keep_alive_s
        for connection in [one for one in self.connections if one.idle_since < before]:
            connection.close_if_idle()
        self._sweeper = self.loop.call_later(self._sweep_every_s, self._sweep)

    async def stop(self) -> None:
        """Close idle connections; wait for the others until `shutdown_max_s`, then cut them off."""
        self._sweeper.cancel()
        for connection in list(self.connections):
            connection.close_when_answered()
        tasks = [one.task for one in self.connections if one.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=self.limits.shutdown_max_s)
        for connection in list(self.connections):
            connection.abort()


class PlainConnection(asyncio.Protocol):
    """One connection, for as long as its requests are plain."""

    def __init__(self, server: PlainServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._request = PlainRequest()
        self._raw = b""
        """What has arrived of the request at hand; behind one that is being answered, what came too early."""
        self._began = self._complete = 0
        self._has_head = self._stays = False
        self._rest_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._closing = False
        self.task: asyncio.Task[None] | None = None
        """The request that is being answered."""
        self.idle_since = 0.0

    # -- asyncio.Protocol ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has another base
        self._transport.set_write_buffer_limits(high=self._server.limits.unread_answer_max_bytes)
        self._server.connections.add(self)
        self.idle_since = self._server.loop.time()

    def connection_lost(self, _error: Exception | None) -> None:
        self._leave()

    def data_received(self, data: bytes) -> None:
        if self.task is not None:
            self._raw += data
            if len(self._raw) > self._server.most_bytes and self._transport is not None:
                self._transport.pause_reading()
            return
        raw = self._raw = self._raw + data if self._raw else data
        if len(raw) > self._server.most_bytes or not _is_for_channel(raw):
            self._hand_over()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._hand_over()
            return
        if self._began > 1 or (self._has_head and not self._is_plain()):
            self._hand_over()
        elif self._complete:
            self._serve()
        elif self._rest_timer is None:
            self._rest_timer = self._server.loop.call_later(self._server.rest_max_s, self._hand_over)

    def _is_plain(self) -> bool:
        """Is there nothing in the request's head that the framework should see to?"""
        request, server = self._request, self._server
        return (
            self._parser.get_http_version() == "1.1"
            and request.has_plain_headers(server.most_headers)
            and int(request.headers.get("content-length") or 0) <= server.most_bytes
        )

    def pause_writing(self) -> None:
        """The client does not read its answers: it may not ask for more, and not wait for ever."""
        if self._transport is not None and self._write_timer is None:
            self._transport.pause_reading()
            self._write_timer = self._server.loop.call_later(
                self._server.limits.answer_write_max_s, self.abort
            )

    def resume_writing(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        if self._transport is not None:
            self._transport.resume_reading()

    # -- the parser's callbacks ---------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._began += 1

    def on_url(self, url: bytes) -> None:
        self._request.target += url.decode("utf-8", "surrogateescape")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._request.add_header(name, value)

    def on_headers_complete(self) -> None:
        self._has_head = True
        self._stays = self._parser.should_keep_alive()  # which the parser forgets with the request's end

    def on_body(self, data: bytes) -> None:
        self._request.add_body(data)

    def on_message_complete(self) -> None:
        self._complete += 1

    # -- answering ----------------------------------------------------------------------------------------

    def _serve(self) -> None:
        request, self._request = self._request, PlainRequest()
        self._raw = b""
        self._began = self._complete = 0
        self._has_head = False
        if self._rest_timer is not None:
            self._rest_timer.cancel()
            self._rest_timer = None
        request.method = self._parser.get_method().decode()
        self.task = self._server.loop.create_task(self._answer(request, stays=self._stays))

    async def _answer(self, request: PlainRequest, *, stays: bool) -> None:
        reply = await self._server.door.answer(request)
        self.task = None
        self.idle_since = self._server.loop.time()
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        stays = stays and not self._closing
        transport.write(wire_bytes(reply, stays=stays, head_only=request.method == "HEAD"))
        if not stays:
            transport.close()
        elif self._raw:
            early, self._raw = self._raw, b""
            if len(early) > self._server.most_bytes and self._write_timer is None:
                transport.resume_reading()
            self.data_received(early)

    def _hand_over(self) -> None:
        """From here on the framework serves this connection, beginning with the request at hand."""
        transport, raw = self._transport, self._raw
        self._leave()
        if transport is None or transport.is_closing():
            return
        protocol = self._server.general()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(raw)

    # -- its end ------------------------------------------------------------------------------------------

    def _leave(self) -> None:
        self._transport = None
        self._raw = b""
        self._server.connections.discard(self)
        for timer in (self._rest_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        self._rest_timer = self._write_timer = None

    def close_if_idle(self) -> None:
        if self.task is None and not self._raw and self._transport is not None:
            self._transport.close()

    def close_when_answered(self) -> None:
        self._closing = True
        self.close_if_idle()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _is_for_channel(raw: bytes) -> bool:
    """Does the request line name a channel URL? False too where that much has not arrived."""
    _, _, rest = raw.partition(b" ")
    return rest.startswith(_STARTS)
