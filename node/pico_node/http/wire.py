"""Answers of the channel URLs, written to the connection as one piece of ready bytes.

The web framework's general response costs more than everything else that a small event needs (measured:
7,000 requests a second with it, 18,000 without, one core). These answers are small and complete, so their
head and body are joined here and go out in one write.
"""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import NamedTuple

from aiohttp import web

from pico_node.http.limits import HttpLimits

JSON_TYPE = b"application/json; charset=utf-8"
NO_HEADERS = b""


class _Date:
    """The Date header's line, made anew once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._line = b""

    def line(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._line = b"Date: " + formatdate(second, usegmt=True).encode() + b"\r\n"
        return self._line


_date = _Date()


def _start(status: int) -> bytes:
    return (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
    ).encode()


_OK_JSON = _start(200) + b"Content-Type: " + JSON_TYPE + b"\r\n"


class Reply(NamedTuple):
    """What a channel URL answers. `headers`: whole lines, each ended by CR LF."""

    body: bytes
    status: int = 200
    content_type: bytes = JSON_TYPE
    headers: bytes = NO_HEADERS


def wire_bytes(reply: Reply, *, stays: bool, head_only: bool = False) -> bytes:
    """The whole answer. `stays`: the connection is kept for another request."""
    body, status, content_type, headers = reply
    if status == 200 and content_type is JSON_TYPE:
        start = _OK_JSON
    else:
        start = _start(status) + b"Content-Type: " + content_type + b"\r\n"
    closing = b"" if stays else b"Connection: close\r\n"
    return b"%b%b%b%bContent-Length: %d\r\n\r\n%b" % (
        start, _date.line(), headers, closing, len(body), b"" if head_only else body,
    )  # fmt: skip


class WireAnswer(web.StreamResponse):
    """A complete answer to a request that the web framework has read. Used once, like every response."""

    def __init__(self, request: web.BaseRequest, limits: HttpLimits, reply: Reply) -> None:
        # not super().__init__(): it makes tables of headers and cookies, which these answers never need
        self._status = reply.status
        self._limits = limits
        # a body that nobody has read to its end would be taken for the next request
        self._stays = request.keep_alive and request.version >= (1, 1) and request.content.is_eof()
        self._bytes = wire_bytes(reply, stays=self._stays, head_only=request.method == "HEAD")

    @property
    def keep_alive(self) -> bool:
        return self._stays

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write everything. A client that does not read is waited for, then cut off."""
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client has gone")
        transport.write(self._bytes)
        if transport.get_write_buffer_size() > self._limits.unread_answer_max_bytes:
            try:
                async with asyncio.timeout(self._limits.answer_write_max_s):
                    await request.writer.drain()
            except TimeoutError:
                transport.abort()
                raise ConnectionResetError("the client did not read its answer in time") from None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""
