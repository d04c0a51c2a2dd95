"""Messages to agents of other makes: posted under the egress policy, or handed over by libp2p."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence

import pytest
from aiohttp import web

from pico_node.agent.messages import (
    DocumentFetched,
    FetchDocument,
    ForeignMessage,
    PostAnswered,
    PostMessage,
    SendForeign,
)
from pico_node.outside import EgressPolicy, OutsideLimits
from pico_node.outside import letters as module
from pico_node.outside.client import Client
from pico_node.outside.letters import DOCUMENT_LIFETIME_MS, FAILURE_LIFETIME_MS, Letters
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


def ways(*effects: PostMessage | SendForeign) -> PostMessage | SendForeign:
    """One message with these ways, first to last."""
    for one, following in itertools.pairwise(effects):
        one.otherwise = following
    return effects[0]


async def test_the_next_way_is_tried_where_one_fails(letters: Letters, peers: Peers) -> None:
    got = []

    async def server(request: web.Request) -> web.Response:
        got.append(request.path)
        return web.Response(status=500 if request.path == "/bad" else 202)

    async with serving(server) as url:
        bad, good = url + "/bad", url + "/good"
        for first in (
            PostMessage(bad, b"{}"),
            SendForeign("gone", (), b"m"),
            SendForeign("defect", (), b"m"),
        ):
            letters.send(
                ways(first, PostMessage("http://127.0.0.2:9/denied", b"{}"), PostMessage(good, b"{}"))
            )
        assert await settled(letters) == {"sent": 3}
        assert (got.count("/bad"), got.count("/good")) == (1, 3)
        letters.send(ways(PostMessage(good, b"{}"), SendForeign("peer", (), b"m")))
        assert await settled(letters) == {"sent": 4}
    assert peers.got == []  # one that was taken goes no other way


async def test_a_message_that_no_way_takes_has_failed_once(peers: Peers) -> None:
    got: list[object] = []
    client = Client(EgressPolicy(), OutsideLimits())
    letters = Letters(client, peers.carry, got.append)
    letters.send(
        ways(
            SendForeign("gone", (), b"m"),
            PostMessage("http://127.0.0.1:9/", b"{}", tag="t"),
            SendForeign("gone", (), b"m"),
        )
    )
    assert await settled(letters) == {"failed": 1}
    assert got == [PostAnswered("t", None)]
    await letters.close()
    await client.close()


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


# -- what comes back ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("media_type", "handed"), [("application/didcomm-encrypted+json", True), ("application/json", False)]
)
async def test_an_encrypted_answer_is_handed_in(peers: Peers, media_type: str, handed: bool) -> None:
    got: list[object] = []
    client = Client(EgressPolicy(["127.0.0.1"]), OutsideLimits())
    letters = Letters(client, peers.carry, got.append)

    async def server(_request: web.Request) -> web.Response:
        return web.Response(body=b"{}", content_type=media_type)

    async with serving(server) as url:
        letters.send(PostMessage(url, b"{}"))
        await settled(letters)
        assert got == ([ForeignMessage("", b"{}")] if handed else [])
        letters.send(PostMessage(url, b"{}", tag="t"))
        await settled(letters)
        assert got[-1] == PostAnswered("t", b"{}")
    letters.send(PostMessage(url, b"{}", tag="u"))
    await settled(letters)
    assert got[-1] == PostAnswered("u", None)
    await letters.close()
    await client.close()


@pytest.mark.parametrize(
    ("status", "headers", "size", "found"),
    [
        (200, {}, 2, (b"xx", DOCUMENT_LIFETIME_MS)),
        (200, {"Cache-Control": "public, max-age=7"}, 2, (b"xx", 7_000)),
        (200, {"Cache-Control": "no-store"}, 2, (b"xx", 0)),
        (200, {}, 65_537, (None, FAILURE_LIFETIME_MS)),
        (404, {}, 2, (None, FAILURE_LIFETIME_MS)),
        (302, {"Location": "https://elsewhere.example"}, 2, (None, FAILURE_LIFETIME_MS)),
    ],
)
async def test_a_document_is_fetched(
    peers: Peers, status: int, headers: dict[str, str], size: int, found: tuple[bytes | None, int]
) -> None:
    got: list[DocumentFetched] = []
    client = Client(EgressPolicy(["127.0.0.1"]), OutsideLimits())
    letters = Letters(client, peers.carry, got.append)  # type: ignore[arg-type]  # only these come

    async def server(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers, body=b"x" * size, content_type="application/json")

    async with serving(server) as url:
        letters.send(FetchDocument("did:web:a.example", url))
        await settled(letters)
    assert [(one.body, one.lifetime_ms) for one in got] == [found]
    await letters.close()
    await client.close()


async def test_documents_obey_the_egress_policy(peers: Peers) -> None:
    got: list[DocumentFetched] = []
    client = Client(EgressPolicy(), OutsideLimits())
    letters = Letters(client, peers.carry, got.append)  # type: ignore[arg-type]  # only these come
    letters.send(FetchDocument("did:web:localhost", "http://127.0.0.1:1/.well-known/did.json"))
    assert await settled(letters) == {"denied": 1}
    assert got[0].body is None
    await letters.close()
    await client.close()
