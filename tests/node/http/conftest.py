"""Fixtures: nodes behind real servers on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from pico_node.http.app import make_app, serve
from pico_node.http.limits import HttpLimits
from tests.node.http.helpers import TOKEN, FakeNode, World, Worlds


@pytest.fixture
async def worlds() -> AsyncIterator[Worlds]:
    """Makes worlds: `await worlds(limits=…, allowed_hosts=…)`."""
    made: list[tuple[aiohttp.ClientSession, web.AppRunner]] = []

    async def make(
        node: FakeNode | None = None,
        limits: HttpLimits | None = None,
        host: str = "127.0.0.1",
        **options: Any,
    ) -> World:
        node = node or FakeNode()
        app = make_app(node, token=TOKEN, limits=limits, **options)
        runner, address = await serve(app, host, 0)
        client = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        made.append((client, runner))
        return World(node, app, address, client)

    yield make
    for client, runner in made:
        await client.close()
        await runner.cleanup()


@pytest.fixture
async def world(worlds: Worlds) -> World:
    return await worlds()
