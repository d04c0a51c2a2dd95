"""A fake node, real servers on loopback, and a client that speaks raw HTTP where a library would tidy up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from pico_engine.errors import UnknownChannel
from pico_node.api import EventResult
from pico_node.http.app import Address

TOKEN = "t" * 43
ECI = "did:peer:4zQmRTjRZ2PtQmWmQhzyYsYSWvwWv8VhNbnF9Ga7VFAV7Bet"


@dataclass
class FakeNode:
    """Remembers what it was asked; answers what it was told to, or raises `error`."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    error: Exception | None = None
    value: Any = None
    answers: dict[str, Any] = field(default_factory=dict)
    counters: dict[str, float] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=lambda: {"ok": True, "store": "ok", "peers": 0})

    def _note(self, *call: Any) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error
        if call[0] != "command" and call[1] != ECI:
            raise UnknownChannel(f"no channel {call[1]} lives here")

    async def event(
        self, eci: str, domain: str, type: str, attrs: Mapping[str, Any], *, door: str = "http"
    ) -> EventResult:
        await asyncio.sleep(0)
        self._note("event", eci, domain, type, dict(attrs))
        return EventResult("e1", [{"type": "directive", "name": "recorded", "options": {}, "meta": {}}])

    async def event_queued(self, eci: str, domain: str, type: str, attrs: Mapping[str, Any]) -> str:
        self._note("event_queued", eci, domain, type, dict(attrs))
        return "e2"

    async def event_then_query(
        self, eci: str, domain: str, type: str, attrs: Mapping[str, Any], rid: str, name: str
    ) -> Any:
        self._note("event_then_query", eci, domain, type, dict(attrs), rid, name)
        return self.value

    async def query(self, eci: str, rid: str, name: str, args: Any, *, door: str = "http") -> Any:
        self._note("query", eci, rid, name, args)
        return self.value

    async def command(self, name: str, /, **parameters: Any) -> Any:
        self._note("command", name, parameters)
        return self.answers.get(name, {})

    def metrics(self) -> Mapping[str, float]:
        return self.counters

    def health(self) -> Any:
        return self.state


@dataclass
class World:
    """A node behind a real server, and a client without cookies."""

    node: FakeNode
    app: web.Application
    address: Address
    client: aiohttp.ClientSession

    def url(self, path: str) -> str:
        return self.address.url + path

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any, aiohttp.ClientResponse]:
        """Status, the body (as JSON if it says so) and the response."""
        async with self.client.request(
            method, URL(self.url(path), encoded=True), allow_redirects=False, **more
        ) as r:
            text = await r.text()
            kind = r.headers.get("Content-Type", "")
            return r.status, (await r.json(content_type=None) if "json" in kind and text else text), r

    async def own(self, method: str, path: str, **more: Any) -> tuple[int, Any, aiohttp.ClientResponse]:
        """As the owner, by token."""
        headers = {"Authorization": f"Bearer {TOKEN}", **more.pop("headers", {})}
        return await self.ask(method, "/api/v1" + path, headers=headers, **more)

    async def raw(self, request: bytes, read_s: float = 3) -> bytes:
        """Send bytes on a connection of their own; all that comes back until the server closes it."""
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            writer.write(request)
            await writer.drain()
            async with asyncio.timeout(read_s):
                return await reader.read()
        finally:
            writer.close()


Worlds = Callable[..., Awaitable[World]]
