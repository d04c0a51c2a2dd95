"""The client for rulesets: what it refuses to ask, what it cuts off, and what it hands back."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
import zlib
from typing import Any

import pytest
from aiohttp import web

from pico_engine.errors import BadRequest, EgressDenied, FetchFailed, LimitExceeded
from pico_node.outside.client import Answer, Client
from pico_node.outside.limits import OutsideLimits
from pico_node.outside.policy import EgressPolicy
from tests.node.outside.servers import serving

LOOPBACK = EgressPolicy(["127.0.0.1"])


async def ask(url: str, *, policy: EgressPolicy = LOOPBACK, limits: OutsideLimits | None = None, **more: Any):
    client = Client(policy, limits or OutsideLimits())
    try:
        return await client.request(more.pop("method", "GET"), url, **more)
    finally:
        await client.close()


async def echo(request: web.Request) -> web.Response:
    seen = {"method": request.method, "path": request.path_qs, "body": await request.text()}
    headers = {key.lower(): value for key, value in request.headers.items()}
    return web.json_response({**seen, "headers": headers})


async def test_an_answer() -> None:
    async with serving(echo) as url:
        answer = await ask(
            f"{url}/a?b=1", method="POST", headers={"X-Mine": "1", "Host": "evil.example"}, body="hällo"
        )
        assert answer.status == 200
        assert answer.reason == "OK"
        assert answer.headers["content-type"].startswith("application/json")
        for part in ('"method": "POST"', '"path": "/a?b=1"', '"x-mine": "1"', '"user-agent": "picomesh"'):
            assert part in answer.text
        assert "evil.example" not in answer.text


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "LOCALHOST", "[::1]", "0.0.0.0", "[::]", "0", "127.1", "127.0.0.1."),
        *("2130706433", "0x7f000001", "017700000001", "0x7f.1", "0177.0.0.1", "127.000.000.001"),
        *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::1%25lo]", "[64:ff9b::7f00:1]"),
        *("\u2460\u2461\u2466.\u24ea.\u24ea.\u2460", "127\u30020\u30020\u30021", "%31%32%37.0.0.1"),
        *("user:pw@127.0.0.1", "example.org@127.0.0.1", "127.0.0.1%00.example.org", "127.0.0.1\t"),
    ],
)
async def test_nothing_on_this_machine_is_asked(host: str) -> None:
    asked = []

    async def note(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    async with serving(note) as url:
        port = url.rpartition(":")[2]
        with pytest.raises((EgressDenied, FetchFailed)):
            await ask(f"http://{host}:{port}/", policy=EgressPolicy())
    assert asked == []


async def test_a_name_that_leads_to_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = []
    loop = asyncio.get_running_loop()

    async def lookup(host: str, port: int, **_more: Any) -> Any:
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async with serving(echo) as url:
        port = url.rpartition(":")[2]
        monkeypatch.setattr(loop, "getaddrinfo", lookup)
        with pytest.raises(EgressDenied, match="leads to no address"):
            await ask(f"http://rebound.example:{port}/", policy=EgressPolicy())
    assert looked_up == ["rebound.example"]


async def test_the_socket_itself_is_refused_for_a_private_address() -> None:
    client = Client(EgressPolicy(), OutsideLimits())
    with pytest.raises(OSError, match="no address that rulesets may ask"):
        client._socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 80)))


async def test_a_name_that_the_owner_opened_is_asked() -> None:
    async with serving(echo) as url:
        port = url.rpartition(":")[2]
        policy = EgressPolicy(["localhost"])
        assert (await ask(f"http://localhost:{port}/", policy=policy)).status == 200


async def test_a_url_that_the_owner_named_is_asked_but_not_what_it_redirects_to() -> None:
    async def away(request: web.Request) -> web.Response:
        if request.path == "/away":
            raise web.HTTPFound("/inside")
        return web.Response(text="here")

    async with serving(away) as url:
        assert (await ask(f"{url}/here", policy=EgressPolicy(), granted=True)).text == "here"
        with pytest.raises(EgressDenied):
            await ask(f"{url}/away", policy=EgressPolicy(), granted=True)


async def test_redirects() -> None:
    async def server(request: web.Request) -> web.StreamResponse:
        match request.path:
            case "/one":
                raise web.HTTPFound("/echo?x=1")
            case "/kept":
                raise web.HTTPTemporaryRedirect("/echo")
            case "/loop":
                raise web.HTTPFound("/loop")
            case "/file":
                return web.Response(status=302, headers={"Location": "file:///etc/passwd"})
            case "/elsewhere":
                raise web.HTTPFound(f"http://localhost:{request.url.port}/echo")
        return await echo(request)

    async with serving(server) as url:
        answer = await ask(f"{url}/one", method="POST", body="x")
        assert '"method": "GET"' in answer.text
        assert '"path": "/echo?x=1"' in answer.text
        answer = await ask(f"{url}/kept", method="POST", body="x")
        assert '"method": "POST"' in answer.text
        assert '"body": "x"' in answer.text
        assert (await ask(f"{url}/one", follow_redirects=False)).status == 302
        with pytest.raises(FetchFailed, match="redirects more than 5"):
            await ask(f"{url}/loop")
        with pytest.raises(EgressDenied, match="no http or https"):
            await ask(f"{url}/file")
        open_both = EgressPolicy(["127.0.0.1", "localhost"])
        answer = await ask(f"{url}/elsewhere", policy=open_both, headers={"Authorization": "Basic s3cret"})
        assert "s3cret" not in answer.text


@pytest.mark.parametrize("packing", ["identity", "gzip", "deflate"])
async def test_large_answers_are_cut_off_also_packed_ones(packing: str) -> None:
    pack = {"identity": bytes, "gzip": gzip.compress, "deflate": zlib.compress}[packing]

    async def server(request: web.Request) -> web.Response:
        body = b"x" * (10 if request.path == "/small" else 5_000_000)
        return web.Response(body=pack(body), headers={"Content-Encoding": packing})

    limits = OutsideLimits(answer_max_bytes=100_000)
    async with serving(server) as url:
        assert (await ask(f"{url}/small", limits=limits)).body == b"x" * 10
        with pytest.raises(LimitExceeded, match="answer_max_bytes"):
            await ask(f"{url}/large", limits=limits)


async def test_bad_packing() -> None:
    async def server(request: web.Request) -> web.Response:
        return web.Response(body=b"nonsense", headers={"Content-Encoding": request.path[1:]})

    async with serving(server) as url:
        for packing in ("gzip", "br"):
            with pytest.raises(FetchFailed, match="packed"):
                await ask(f"{url}/{packing}")


async def test_slow_answers_are_given_up() -> None:
    async def server(_request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with serving(server) as url:
        with pytest.raises(FetchFailed, match="request_max_s"):
            await ask(url, limits=OutsideLimits(request_max_s=0.2))


async def test_cookies_are_not_kept() -> None:
    async def server(request: web.Request) -> web.Response:
        answer = web.Response(text=request.headers.get("Cookie", "none"))
        answer.set_cookie("a", "b")
        return answer

    async with serving(server) as url:
        client = Client(LOOPBACK, OutsideLimits())
        await client.request("GET", url)
        assert (await client.request("GET", url)).text == "none"
        await client.close()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "x", "http://", "http://[/"])
async def test_what_is_no_http_url(url: str) -> None:
    with pytest.raises(BadRequest):
        await ask(url)


@pytest.mark.parametrize("headers", [{"a b": "x"}, {"": "x"}, {"x": "1\r\nEvil: 1"}, {"x": "a\0"}])
async def test_headers_cannot_carry_more_headers(headers: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        await ask("http://example.org", headers=headers)


async def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(FetchFailed, match="cannot be reached"):
            await ask(f"http://127.0.0.1:{taken.getsockname()[1]}/")


async def test_an_unknown_charset_is_read_as_utf8() -> None:
    async def server(_request: web.Request) -> web.Response:
        return web.Response(body="ä".encode(), headers={"Content-Type": "text/plain; charset=x-unknown"})

    async with serving(server) as url:
        assert (await ask(url)).text == "ä"


@pytest.mark.parametrize("charset", ["punycode", "idna", "undefined", "unicode_escape", "utf-7", "zlib"])
def test_encodings_that_are_no_charsets_of_the_web_are_not_used(charset: str) -> None:
    """`punycode` takes minutes for a megabyte, `utf-7` makes half characters, `undefined` always fails."""
    began = time.monotonic()
    for body in (b"a" * 1_000_000, b"+2AA-", b"\\ud800"):
        assert Answer(200, "", {}, body, charset).text == body.decode()
    assert time.monotonic() - began < 5
    assert Answer(200, "", {}, "\u00e4".encode("latin-1"), "latin-1").text == "\u00e4"


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(echo) as base:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, base)
        with pytest.raises((EgressDenied, FetchFailed)):
            await ask("http://192.0.2.1/", policy=EgressPolicy())
