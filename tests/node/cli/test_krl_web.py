"""HTTP requests of rulesets in a throw-away pico: only to the hosts that were allowed."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest
from aiohttp import web

from pico_engine.errors import BadRequest, EgressDenied, FetchFailed
from pico_engine.messages import HttpCall, RulesetCall
from pico_node.cli.krl_web import OnlyThese, Web


async def answer(request: web.Request) -> web.Response:
    if request.path == "/away":
        raise web.HTTPFound("http://192.0.2.1/x")
    if request.path == "/none":
        raise web.HTTPNotFound
    return web.Response(text=f"{request.method} {request.path} {await request.text()}")


@pytest.fixture
async def base():
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_allowed_hosts_are_asked(base: str) -> None:
    ask = Web(("127.0.0.1",))
    told = await asyncio.to_thread(ask, HttpCall(1, "did", "rid", "POST", f"{base}/a", {}, "body"))
    assert (told["status_code"], told["content"], told["content_length"]) == (200, "POST /a body", 12)
    assert told["content_type"].startswith("text/plain")
    assert await asyncio.to_thread(ask, RulesetCall(1, "did", f"{base}/r.krl")) == "GET /r.krl "
    with pytest.raises(FetchFailed, match="answers 404"):
        await asyncio.to_thread(ask, RulesetCall(1, "did", f"{base}/none"))


async def test_others_are_not_nor_where_a_redirect_leads(base: str) -> None:
    with pytest.raises(EgressDenied) as caught:
        await asyncio.to_thread(Web(("example.org",)), HttpCall(1, "did", "rid", "GET", f"{base}/a"))
    assert "--allow-host" in caught.value.hint
    with pytest.raises(EgressDenied):
        await asyncio.to_thread(Web(("127.0.0.1",)), HttpCall(1, "did", "rid", "GET", f"{base}/away"))


def test_the_public_internet_is_not_open_by_itself() -> None:
    policy = OnlyThese(("10.1.0.0/16", "example.org"))
    admitted = [
        text
        for text in ("10.1.2.3", "10.2.0.1", "93.184.216.34", "2606:4700::1")
        if policy.admits_address(ipaddress.ip_address(text))
    ]
    assert admitted == ["10.1.2.3"]
    assert policy.admits_name("example.org")


def test_what_is_no_host() -> None:
    with pytest.raises(BadRequest):
        Web(("http://x/y",))
