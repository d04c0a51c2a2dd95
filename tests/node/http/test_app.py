"""The server: addresses, both event loops, clients that do not read, an orderly end."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
import uvloop

from pico_node.http.app import DOORS, Address, make_app, serve
from tests.node.http.helpers import ECI, TOKEN, FakeNode


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (Address("127.0.0.1", 1), "http://127.0.0.1:1"),
        (Address("0.0.0.0", 2), "http://127.0.0.1:2"),
        (Address("::", 3), "http://[::1]:3"),
        (Address("::1", 4), "http://[::1]:4"),
    ],
)
def test_urls(address, url):
    assert address.url == url


async def test_a_taken_port_is_an_error_and_nothing_is_left_behind(world):
    with pytest.raises(OSError, match="address already in use"):
        await serve(make_app(FakeNode(), token=TOKEN), *world.address)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
async def test_any_address_is_not_a_name(world, host):
    runner, _ = await serve(app := make_app(FakeNode(), token=TOKEN), host, 0)
    assert host not in app[DOORS].guard._names
    await runner.cleanup()


def test_on_uvloop_too():
    async def ask() -> None:
        runner, address = await serve(make_app(FakeNode(), token=TOKEN), "127.0.0.1", 0)
        async with aiohttp.ClientSession() as client:
            for path in (f"/c/{ECI}/event-wait/a/b", "/healthz"):
                async with (
                    client.post(address.url + path) if "/c/" in path else client.get(address.url + path) as r
                ):
                    assert r.status == 200
        await runner.cleanup()

    uvloop.run(ask())


async def test_requests_in_progress_end_before_the_server(worlds):
    class Slow(FakeNode):
        async def query(self, *args, **more):
            await asyncio.sleep(0.2)
            return "done"

    runner, address = await serve(make_app(Slow(), token=TOKEN), "127.0.0.1", 0)
    async with aiohttp.ClientSession() as client:
        answer = asyncio.create_task(client.get(f"{address.url}/c/{ECI}/query/a/b"))
        await asyncio.sleep(0.05)
        await runner.cleanup()
        assert await (await answer).json() == "done"
