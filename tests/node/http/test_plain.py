"""Plain requests are answered as the framework answers them; whatever else comes is handed over, whole."""

from __future__ import annotations

import asyncio
import re

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pico_node.http import plain
from pico_node.http.app import DOORS, make_app, serve
from pico_node.http.limits import HttpLimits
from tests.node.http.helpers import ECI, TOKEN, FakeNode

EVENT = f"/c/{ECI}/event-wait/a/b"


def post(body: str = "", *more: str, path: str = EVENT, kind: str = "application/json") -> str:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}", *more]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])


CLOSE = "Connection: close"
REQUESTS = {
    "event": post('{"x":1}', CLOSE),
    "event without a body": f"GET {EVENT}?x=1&y=2 HTTP/1.1\r\nHost: localhost\r\n{CLOSE}\r\n\r\n",
    "form": post("x=1&x=2", CLOSE, kind="application/x-www-form-urlencoded"),
    "no wait": post("{}", CLOSE, path=f"/c/{ECI}/event/a/b"),
    "query": f"GET /c/{ECI}/query/rid/name?n=1 HTTP/1.1\r\nHost: localhost\r\n{CLOSE}\r\n\r\n",
    "old form": f"GET /sky/event/{ECI}/17/a/b HTTP/1.1\r\nHost: localhost\r\n{CLOSE}\r\n\r\n",
    "head": f"HEAD {EVENT} HTTP/1.1\r\nHost: localhost\r\n{CLOSE}\r\n\r\n",
    "percent-encoded": f"GET {EVENT.replace(':', '%3A')} HTTP/1.1\r\nHost: localhost\r\n{CLOSE}\r\n\r\n",
    "unknown channel": post("{}", CLOSE, path="/c/did:key:z6Mk/event-wait/a/b"),
    "no such resource": post("{}", CLOSE, path="/c/x"),
    "foreign origin": post("{}", CLOSE, "Origin: https://evil.example"),
    "another site": post("{}", CLOSE, "Sec-Fetch-Site: cross-site"),
    "foreign host": f"GET {EVENT} HTTP/1.1\r\nHost: evil.example\r\n{CLOSE}\r\n\r\n",
    "no host": f"GET {EVENT} HTTP/1.1\r\n{CLOSE}\r\n\r\n",
    "two hosts": f"GET {EVENT} HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n{CLOSE}\r\n\r\n",
    "problem details wanted": post("{}", CLOSE, "Accept: application/problem+json", path="/c/x/query/a/b"),
    "bad json": post("{", CLOSE),
    "array": post("[1]", CLOSE),
    "unknown method": post("{}", CLOSE).replace("POST", "PROPFIND"),
    "1.0": f"GET {EVENT} HTTP/1.0\r\nHost: localhost\r\n\r\n",
    "chunked": f"POST {EVENT} HTTP/1.1\r\nHost: localhost\r\n{CLOSE}\r\nTransfer-Encoding: chunked\r\n"
    'Content-Type: application/json\r\n\r\n7\r\n{"x":1}\r\n0\r\n\r\n',
    "absolute form": f"GET http://localhost{EVENT} HTTP/1.1\r\nHost: localhost\r\n{CLOSE}\r\n\r\n",
    "upgrade": post("{}", "Connection: upgrade, close", "Upgrade: h2c"),
    "many headers": post("{}", CLOSE, *(f"X-{n}: 1" for n in range(40))),
    "long header": post("{}", CLOSE, f"X-Long: {'x' * 7_000}"),
    "large body": post(f'{{"x":"{"y" * 20_000}"}}', CLOSE),
    "two requests at once": post('{"x":1}') + post('{"x":2}', CLOSE),
    "a page behind an event": post("{}") + f"GET /healthz HTTP/1.1\r\nHost: localhost\r\n{CLOSE}\r\n\r\n",
    "not HTTP": "HELLO\r\n\r\n",
    "bad header name": post("{}", "X Y: 1", CLOSE),
    "two lengths": post("{}", "Content-Length: 5", CLOSE),
    "not UTF-8": post("{}", CLOSE, "User-Agent: \udcff"),
}


def undated(raw: bytes) -> bytes:
    return re.sub(rb"Date: [^\r]*\r\n", b"", raw)


async def asked_of_both(worlds, monkeypatch, raw: bytes):
    """(answer, calls) of a server that takes plain requests by itself, and of one that takes none."""
    found = []
    for most in (plain.PLAIN_MAX_BYTES, 0):
        monkeypatch.setattr(plain, "PLAIN_MAX_BYTES", most)
        world = await worlds()
        answer = undated(await world.raw(raw))
        found.append((answer, world.node.calls, world.app[DOORS].counters.channel_requests))
    return found


@pytest.mark.parametrize("name", REQUESTS)
async def test_the_framework_would_have_answered_the_same(worlds, monkeypatch, name):
    ours, theirs = await asked_of_both(worlds, monkeypatch, REQUESTS[name].encode("utf-8", "surrogateescape"))
    if b" 400 " in theirs[0][:20] and b"400 " in ours[0][:20]:
        assert ours[1:] == theirs[1:]  # what the framework itself refuses says where it stopped reading
    else:
        assert ours == theirs


async def test_a_connection_serves_many_and_then_the_framework(worlds):
    world = await worlds()
    connections = world.app[DOORS]
    reader, writer = await asyncio.open_connection(*world.address)
    for number in range(5):
        writer.write(post(f'{{"x":{number}}}').encode())
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(re.search(rb"Content-Length: (\d+)", head)[1]))
    writer.write(f"GET /healthz HTTP/1.1\r\nHost: localhost\r\n{CLOSE}\r\n\r\n".encode())
    assert b'{"ok":true}' in (await reader.read()).replace(b" ", b"")
    assert [call[4]["x"] for call in world.node.calls] == [0, 1, 2, 3, 4]
    assert connections.counters.channel_requests == 5
    writer.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 200), max_size=6), st.sampled_from(["event", "chunked", "form", "large body"]))
def test_pieces_make_no_difference(cuts, name):
    raw = REQUESTS[name].encode()

    async def send() -> list[tuple]:
        node = FakeNode()
        runner, address = await serve(make_app(node, token=TOKEN), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*address)
        at = 0
        for cut in cuts:
            writer.write(raw[at : at + cut])
            await asyncio.sleep(0.001)
            at += cut
        writer.write(raw[at:])
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
        await runner.cleanup()
        return node.calls

    assert len(asyncio.run(send())) == 1


async def test_impatient_clients_are_answered_in_order(worlds):
    class Slow(FakeNode):
        async def event(self, *args, **more):
            await asyncio.sleep(0.05)
            return await super().event(*args, **more)

    world = await worlds(Slow())
    reader, writer = await asyncio.open_connection(*world.address)
    writer.write(post('{"x":1}').encode())
    await asyncio.sleep(0.01)
    writer.write(post('{"x":2}').encode())  # before the first is answered
    await asyncio.sleep(0.01)
    writer.write(post('{"x":3}', CLOSE).encode())
    raw = await reader.read()
    assert raw.count(b"HTTP/1.1 200 OK") == 3
    assert [call[4]["x"] for call in world.node.calls] == [1, 2, 3]
    writer.close()


async def test_who_sends_too_much_too_early_is_held_back(worlds, monkeypatch):
    waits = asyncio.Event()

    class Waiting(FakeNode):
        async def event(self, *args, **more):
            await waits.wait()
            return await super().event(*args, **more)

    world = await worlds(Waiting())
    reader, writer = await asyncio.open_connection(*world.address)
    writer.write(post('{"x":0}').encode())
    await asyncio.sleep(0.02)
    one = post(f'{{"x":"{"y" * 1_000}"}}').encode()
    writer.write(one * 50 + post('{"x":"last"}', CLOSE).encode())
    await asyncio.sleep(0.05)
    waits.set()
    raw = await reader.read()
    assert raw.count(b"HTTP/1.1 200 OK") == 52
    assert world.node.calls[-1][4]["x"] == "last"
    writer.close()


async def test_the_rest_of_a_request_is_waited_for_by_the_framework(worlds, monkeypatch):
    monkeypatch.setattr(plain, "REST_MAX_S", 0.05)
    world = await worlds()
    reader, writer = await asyncio.open_connection(*world.address)
    raw = post('{"x":1}', CLOSE).encode()
    writer.write(raw[:-3])
    await asyncio.sleep(0.15)
    writer.write(raw[-3:])
    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    assert world.node.calls[0][4]["x"] == 1
    writer.close()


async def test_a_client_that_goes_before_its_answer(worlds):
    class Slow(FakeNode):
        async def event(self, *args, **more):
            await asyncio.sleep(0.05)
            return await super().event(*args, **more)

    world = await worlds(Slow())
    _, writer = await asyncio.open_connection(*world.address)
    writer.write(post('{"x":1}').encode())
    await asyncio.sleep(0.01)
    writer.transport.abort()
    await asyncio.sleep(0.1)
    assert len(world.node.calls) == 1  # an event that was taken is not taken back
    assert (await world.ask("GET", "/healthz"))[0] == 200


async def test_who_does_not_read_is_cut_off(worlds):
    limits = HttpLimits(unread_answer_max_bytes=1_000, answer_write_max_s=0.2)
    node = FakeNode(value="x" * 5_000_000)
    world = await worlds(node, limits=limits)
    reader, writer = await asyncio.open_connection(*world.address, limit=1_000)
    writer.write(f"GET /c/{ECI}/query/a/b HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await asyncio.sleep(0.6)
    found = b""
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        while piece := await reader.readexactly(100_000):
            found += piece
    assert len(found) < 5_000_000
    writer.close()


def test_on_uvloop_too():
    """Its transports have another base class than asyncio's."""

    async def ask() -> tuple[bytes, bytes]:
        limits = HttpLimits(connections_max=1)
        runner, address = await serve(make_app(FakeNode(), token=TOKEN, limits=limits), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*address)
        await asyncio.sleep(0.02)
        beyond, other = await asyncio.open_connection(*address)
        turned_away = await beyond.read()
        other.close()
        writer.write(post("{}", CLOSE).encode())
        answer = await reader.read()
        writer.close()
        await runner.cleanup()
        return answer, turned_away

    answer, turned_away = uvloop.run(ask())
    assert answer.startswith(b"HTTP/1.1 200")
    assert turned_away.startswith(b"HTTP/1.1 503")
