"""Ready answers: complete in one write, in step with the connection, and not kept for who does not read."""

from __future__ import annotations

import asyncio
import email.utils
import socket
import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_node.http.limits import HttpLimits
from pico_node.http.wire import Reply, WireAnswer, _Date
from tests.node.http.helpers import ECI


def request(**more):
    """What an answer needs to know of its request."""
    known = {
        "keep_alive": True, "version": (1, 1), "method": "GET",
        "content": SimpleNamespace(is_eof=lambda: True), "transport": None,
    }  # fmt: skip
    return SimpleNamespace(**known | more)


class Transport:
    """Takes what is written; `waiting` bytes of it stay unread."""

    def __init__(self, waiting: int = 0) -> None:
        self.written = b""
        self.writes = 0
        self.aborted = False
        self.waiting = waiting

    def write(self, data: bytes) -> None:
        self.written += data
        self.writes += 1

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        self.aborted = True


async def sent(answer: WireAnswer, asked) -> tuple[list[str], bytes]:
    """The lines of the head and the body, as they were written."""
    asked.transport = Transport()
    await answer.prepare(asked)
    await answer.write_eof()
    assert asked.transport.writes == 1
    head, _, body = asked.transport.written.partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), body


@given(st.binary(max_size=100), st.sampled_from([200, 400, 404, 503]))
def test_an_answer_is_whole(body, status):
    asked = request()
    head, found = asyncio.run(sent(WireAnswer(asked, HttpLimits(), Reply(body, status)), asked))
    assert head[0].startswith(f"HTTP/1.1 {status} ")
    assert found == body
    assert f"Content-Length: {len(body)}" in head
    assert "Content-Type: application/json; charset=utf-8" in head
    assert "Cache-Control: no-store" in head
    assert len(head) == len(set(head))


async def test_headers_and_other_kinds():
    asked = request()
    answer = WireAnswer(
        asked,
        HttpLimits(),
        Reply(b"x", content_type=b"text/plain", headers=b"X-A: 1\r\nX-B: 2\r\n"),
    )
    head, _ = await sent(answer, asked)
    assert {"Content-Type: text/plain", "X-A: 1", "X-B: 2"} <= set(head)
    assert sum(line.startswith("Content-Type") for line in head) == 1


@pytest.mark.parametrize(
    ("more", "stays"),
    [
        ({}, True),
        ({"keep_alive": False}, False),
        ({"version": (1, 0)}, False),
        ({"content": SimpleNamespace(is_eof=lambda: False)}, False),
    ],
    ids=["as usual", "told to close", "1.0", "body unread"],
)
async def test_when_a_connection_stays(more, stays):
    asked = request(**more)
    answer = WireAnswer(asked, HttpLimits(), Reply(b"x"))
    assert answer.keep_alive == stays
    head, _ = await sent(answer, asked)
    assert ("Connection: close" in head) == (not stays)


async def test_a_client_that_has_gone():
    with pytest.raises(ConnectionResetError, match="gone"):
        await WireAnswer(request(), HttpLimits(), Reply(b"x")).prepare(request())


@pytest.mark.parametrize(("waiting", "waits"), [(1_000, False), (1_001, True)])
async def test_who_does_not_read_is_waited_for_and_then_cut_off(waiting, waits):
    limits = HttpLimits(unread_answer_max_bytes=1_000, answer_write_max_s=0)
    transport = Transport(waiting)
    asked = request(transport=transport, writer=SimpleNamespace(drain=lambda: asyncio.sleep(5)))
    answer = WireAnswer(asked, limits, Reply(b"x"))
    if waits:
        with pytest.raises(ConnectionResetError, match="in time"):
            await answer.prepare(asked)
    else:
        await answer.prepare(asked)
    assert transport.aborted == waits


def test_the_date_is_made_once_a_second(monkeypatch):
    date = _Date()
    now = 1_700_000_000.2
    monkeypatch.setattr(time, "time", lambda: now)
    first = date.line()
    assert first == b"Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
    now += 0.5
    assert date.line() is first
    now += 0.5
    assert email.utils.parsedate_to_datetime(date.line()[6:].decode()).timestamp() == int(now)


async def test_a_client_that_does_not_read_is_cut_off(worlds):
    limits = HttpLimits(unread_answer_max_bytes=1_000, answer_write_max_s=1)
    world = await worlds(limits=limits)
    world.node.value = "x" * 20_000_000
    with socket.create_connection(world.address) as lazy:
        lazy.sendall(f"GET /c/{ECI}/query/a/b HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await asyncio.sleep(1.5)
        assert world.node.calls
        lazy.settimeout(1)
        received = 0
        with pytest.raises(ConnectionError):  # reset in the middle of the answer
            while piece := lazy.recv(1_000_000):
                received += len(piece)
            raise ConnectionResetError
        assert received < 20_000_000
    assert (await world.ask("GET", "/healthz"))[0] == 200


async def test_a_client_that_reads_slowly_gets_everything(worlds):
    world = await worlds(limits=HttpLimits(unread_answer_max_bytes=1_000))
    world.node.value = "x" * 5_000_000
    status, body, _ = await world.ask("GET", f"/c/{ECI}/query/a/b")
    assert (status, len(body)) == (200, 5_000_000)


async def test_head_has_no_body_and_keeps_the_connection_in_step(world):
    raw = await world.raw(
        f"HEAD /c/{ECI}/query/a/b HTTP/1.1\r\nHost: localhost\r\n\r\n"
        f"GET /c/{ECI}/query/a/b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    )
    first, second, body = raw.split(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 200")
    assert second.startswith(b"HTTP/1.1 200")
    assert b"Connection: close" in second
    assert body == b"null"


async def test_http_1_0_closes(world):
    raw = await world.raw(f"GET /c/{ECI}/query/a/b HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    assert b"Connection: close" in raw
    assert raw.endswith(b"\r\n\r\nnull")
