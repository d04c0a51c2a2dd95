"""Messages to agents of other makes: posted under the egress policy, or handed over by libp2p."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from aiohttp import web

from pico_node.agent.messages import PostMessage, SendForeign
from pico_node.outside import EgressPolicy, OutsideLimits
from pico_node.outside import letters as module
from pico_node.outside.client import Client
from pico_node.outside.letters import Letters
from pico_node.peers.errors import Unreachable
from tests.node.outside.servers import serving


class Peers:
    """Takes messages for libp2p peers."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Sequence[str], bytes]] = []
        self.gate: asyncio.Event | None = None

    async def carry(self, peer_id: str, addresses: Sequence[str], message: bytes) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if peer_id == "gone":
            raise Unreachable("nobody there")
        if peer_id == "defect":
            raise ValueError("a defect")
        self.got.append((peer_id, addresses, message))


@pytest.fixture
def peers() -> Peers:
    return Peers()


def made(peers: Peers, *allowed: str) -> Letters:
    return Letters(Client(EgressPolicy(list(allowed)), OutsideLimits()), peers.carry)


@pytest.fixture
async def letters(peers: Peers) -> AsyncIterator[Letters]:
    letters = made(peers, "127.0.0.1")
    yield letters
    await letters.close()
    await letters._client.close()


async def settled(letters: Letters) -> dict[str, float]:
    async with asyncio.timeout(10):
        while letters.metrics()["outside_letters_open"]:
            await asyncio.sleep(0.005)
    return {name.removeprefix("outside_letters_"): n for name, n in letters.metrics().items() if n}


async def test_a_post(letters: Letters) -> None:
    got = []

    async def server(request: web.Request) -> web.Response:
        got.append((request.method, request.content_type, await request.read()))
        return web.Response(status=202)

    async with serving(server) as url:
        letters.send(PostMessage(url + "/didcomm", b'{"a":1}'))
        assert await settled(letters) == {"sent": 1}
    assert got == [("POST", "application/didcomm-encrypted+json", b'{"a":1}')]


@pytest.mark.parametrize(("status", "counted"), [(307, "sent"), (302, "failed"), (500, "failed")])
async def test_redirects_and_failures(letters: Letters, status: int, counted: str) -> None:
    got = []

    async def server(request: web.Request) -> web.Response:
        got.append((request.path, request.method))
        if request.path == "/new":
            return web.Response()
        return web.Response(status=status, headers={"Location": str(request.url.with_path("/new"))})

    async with serving(server) as url:
        letters.send(PostMessage(url + "/old", b"{}"))
        assert await settled(letters) == {counted: 1}
    assert got == [("/old", "POST")] + ([("/new", "POST")] if status == 307 else [])


async def test_the_egress_policy_holds(peers: Peers) -> None:
    letters = made(peers)
    letters.send(PostMessage("http://127.0.0.1:9/didcomm", b"{}"))
    assert await settled(letters) == {"denied": 1}
    await letters.close()
    await letters._client.close()


async def test_by_libp2p(letters: Letters, peers: Peers) -> None:
    letters.send(SendForeign("peer", ("/ip4/127.0.0.1/tcp/1",), b"m"))
    letters.send(SendForeign("gone", (), b"m"))
    letters.send(SendForeign("defect", (), b"m"))
    assert await settled(letters) == {"sent": 1, "failed": 2}
    assert peers.got == [("peer", ("/ip4/127.0.0.1/tcp/1",), b"m")]


async def test_too_many_are_dropped(letters: Letters, peers: Peers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINE_MAX", 2)
    peers.gate = asyncio.Event()
    for _ in range(3):
        letters.send(SendForeign("peer", (), b"m"))
    peers.gate.set()
    assert await settled(letters) == {"sent": 2, "dropped": 1}


async def test_closing_gives_up(letters: Letters, peers: Peers) -> None:
    peers.gate = asyncio.Event()
    letters.send(SendForeign("peer", (), b"m"))
    await asyncio.sleep(0)
    await letters.close()
    assert peers.got == []
