"""DIDComm over HTTP and WebSocket, to a fake node and to a real one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import aiohttp
import pytest

from pico_didcomm.did.peer import make_peer_2, resolve_peer_2
from pico_didcomm.did.resolver import Resolver
from pico_didcomm.keys import key_pair
from pico_didcomm.pack import pack_authcrypt
from pico_didcomm.pico_engine import clear_answer
from pico_didcomm.protocols.out_of_band import parse_invitation_url
from pico_didcomm.protocols.return_route import ALL
from pico_didcomm.protocols.trust_ping import PING_RESPONSE_TYPE, make_ping
from pico_didcomm.unpack import unpack
from pico_didcomm.wallet import Wallet
from pico_engine.harness import SeededEntropy
from pico_engine.registry import Registry
from pico_engine.store import MemoryStore
from pico_node.agent import Agent
from pico_node.driver import Driver
from pico_node.http.limits import HttpLimits
from pico_node.peers.limits import PeerLimits
from pico_rulesets.subscription import Subscription
from pico_rulesets.wrangler import Wrangler
from tests.didcomm.helpers import seeded
from tests.node.http.helpers import FakeNode, Worlds

ENCRYPTED = "application/didcomm-encrypted+json"


class Speaking(FakeNode):
    """Answers DIDComm messages with their text backwards; `quiet` with nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[bytes] = []
        self.sockets: dict[int, Callable[[bytes], None]] = {}

    async def didcomm(self, message: bytes, socket: int = 0) -> bytes | None:
        self.heard.append(message)
        if self.error is not None:
            raise self.error
        answer = None if message == b"quiet" else message[::-1]
        if socket and answer is not None:
            self.sockets[socket](answer)
            return None
        return answer

    def socket_opened(self, send: Callable[[bytes], None]) -> int:
        self.sockets[7] = send
        return 7

    def socket_closed(self, socket: int) -> None:
        del self.sockets[socket]


@pytest.mark.parametrize(
    "media_type", [ENCRYPTED, "didcomm-encrypted+json", "APPLICATION/JSON; charset=utf-8"]
)
async def test_a_post(worlds: Worlds, media_type: str) -> None:
    world = await worlds(Speaking())
    headers = {"Content-Type": media_type}
    async with world.client.post(world.url("/didcomm"), data=b"abc", headers=headers) as response:
        assert (response.status, response.headers["Content-Type"]) == (200, ENCRYPTED)
        assert await response.read() == b"cba"
    assert world.node.heard == [b"abc"]
    status, body, _ = await world.ask("POST", "/didcomm", data=b"quiet", headers=headers)
    assert (status, body) == (202, "")


@pytest.mark.parametrize("media_type", ["text/plain", "application/didcomm-signed+json", ""])
async def test_other_media_types_are_refused(worlds: Worlds, media_type: str) -> None:
    world = await worlds(Speaking())
    headers = {"Content-Type": media_type}
    assert (await world.ask("POST", "/didcomm", data=b"abc", headers=headers))[0] == 415
    assert world.node.heard == []


async def test_a_long_message_is_refused(worlds: Worlds) -> None:
    world = await worlds(Speaking(), HttpLimits(body_max_bytes=100))
    headers = {"Content-Type": ENCRYPTED}
    assert (await world.ask("POST", "/didcomm", data=b"x" * 101, headers=headers))[0] == 413
    assert world.node.heard == []


async def test_foreign_pages_may_not(worlds: Worlds) -> None:
    world = await worlds(Speaking())
    headers = {"Content-Type": ENCRYPTED, "Origin": "https://evil.example"}
    assert (await world.ask("POST", "/didcomm", data=b"x", headers=headers))[0] == 403
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await world.client.ws_connect(world.url("/didcomm"), headers={"Origin": "https://evil.example"})
    assert world.node.heard == []


async def test_too_many_at_once_are_refused(worlds: Worlds) -> None:
    world = await worlds(Speaking())
    headers = {"Content-Type": ENCRYPTED}
    burst = PeerLimits().foreign_per_peer_burst
    found = [
        (await world.ask("POST", "/didcomm", data=b"quiet", headers=headers))[0] for _ in range(2 * burst)
    ]
    assert found[:burst] == [202] * burst
    assert 503 in found


async def test_a_web_socket(worlds: Worlds) -> None:
    world = await worlds(Speaking())
    async with world.client.ws_connect(world.url("/didcomm")) as socket:
        await socket.send_bytes(b"abc")
        assert await socket.receive_bytes(timeout=5) == b"cba"
        await socket.send_bytes(b"quiet")
        await socket.send_str("def")
        assert await socket.receive_bytes(timeout=5) == b"fed"
        world.node.sockets[7](b"unasked")
        assert await socket.receive_bytes(timeout=5) == b"unasked"
    assert world.node.heard == [b"abc", b"quiet", b"def"]
    async with asyncio.timeout(5):
        while world.node.sockets:
            await asyncio.sleep(0.01)


async def test_who_does_not_read_loses_the_socket(worlds: Worlds) -> None:
    world = await worlds(Speaking(), HttpLimits(didcomm_socket_messages_max=1))
    async with world.client.ws_connect(world.url("/didcomm")) as socket:
        await socket.send_bytes(b"abc")
        assert await socket.receive_bytes(timeout=5) == b"cba"
        for _ in range(3):  # at once: the queue holds one
            world.node.sockets[7](b"x")
        while (message := await socket.receive(timeout=5)).type is aiohttp.WSMsgType.BINARY:
            pass
        assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


async def test_an_answer_in_the_clear(worlds: Worlds) -> None:
    world = await worlds(Speaking())
    clear = clear_answer({"n": 1})
    headers = {"Content-Type": "application/json"}
    async with world.client.post(world.url("/didcomm"), data=clear[::-1], headers=headers) as response:
        assert response.headers["Content-Type"] == "application/json"
        assert (await response.json())["directives"][0]["options"] == {"n": 1}


async def test_web_sockets_have_limits(worlds: Worlds) -> None:
    world = await worlds(Speaking(), HttpLimits(didcomm_sockets_max=1, body_max_bytes=100))
    async with world.client.ws_connect(world.url("/didcomm")) as socket:
        with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
            await world.client.ws_connect(world.url("/didcomm"))
        assert raised.value.status == 503
        await socket.send_bytes(b"x" * 101)
        message = await socket.receive(timeout=5)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    async with world.client.ws_connect(world.url("/didcomm")) as socket:
        for _ in range(2 * PeerLimits().foreign_per_peer_burst):
            await socket.send_bytes(b"quiet")
        message = await socket.receive(timeout=5)
        assert (message.type, message.data, message.extra) == (aiohttp.WSMsgType.CLOSE, 1013, "busy")


class Store(MemoryStore):
    def reopen(self) -> None:
        """It never fails."""


async def test_a_stranger_meets_a_pico_by_http(worlds: Worlds) -> None:
    registry = Registry([Wrangler, Subscription])
    driver = Driver(Store(), lambda store: Agent(store, registry, SeededEntropy(1), bytes(range(32))))
    driver.start()
    try:
        world = await worlds(driver)
        await driver.command("pico_new", name="p")
        invitation = parse_invitation_url((await driver.command("invite", pico="p"))["url"], 0)
        pairs = [key_pair("X25519", b"a" * 32), key_pair("Ed25519", b"s" * 32)]
        did = make_peer_2([("E", pairs[0].public_key), ("V", pairs[1].public_key)])
        wallet, resolver = Wallet(), Resolver()
        wallet.add(resolve_peer_2(did), pairs)
        resolver.learn(invitation.sender)
        ping = make_ping("p-1", did, invitation.sender)
        ping = replace(ping, pthid=invitation.thread, extra=ALL.headers())
        envelope = pack_authcrypt(ping, wallet, resolver.resolve(invitation.sender), seeded(1))
        headers = {"Content-Type": ENCRYPTED}
        async with world.client.post(world.url("/didcomm"), data=envelope, headers=headers) as response:
            assert response.status == 200
            answer = unpack(await response.read(), wallet, resolver, 0)
        assert (answer.message.type, answer.message.thid) == (PING_RESPONSE_TYPE, "p-1")
        assert (await driver.command("connections", pico="p"))[0]["state"] == "established"
        async with world.client.post(world.url("/didcomm"), data=b"nonsense", headers=headers) as response:
            assert response.status == 202
    finally:
        await driver.stop()
