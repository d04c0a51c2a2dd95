"""The WebSocket to a mediator: opened again, what comes is handed in."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import WSMsgType, web

from pico_node.agent.messages import ForeignMessage, LinkDown, LinkUp
from pico_node.outside import EgressPolicy, OutsideLimits
from pico_node.outside.client import Client
from pico_node.outside.link import QUEUE_MAX, MediatorLink
from tests.node.outside.servers import serving


async def echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for frame in socket:
        if frame.type is not WSMsgType.BINARY or frame.data == b"close":
            break
        await socket.send_bytes(frame.data[::-1])
        await socket.send_str("text")
    return socket


async def until(got: list[Any], length: int) -> None:
    async with asyncio.timeout(10):
        while len(got) < length:
            await asyncio.sleep(0.005)


async def test_to_and_fro_and_again() -> None:
    got: list[Any] = []
    client = Client(EgressPolicy(), OutsideLimits())  # the owner named the mediator: loopback is fine
    link = MediatorLink(client, got.append, pause_first_s=0.01)
    async with serving(echo) as url:
        link.open(url.replace("http", "ws"))
        await until(got, 1)
        link.send(b"abc")
        await until(got, 3)
        assert got == [LinkUp(), ForeignMessage("", b"cba"), ForeignMessage("", b"text")]
        link.send(b"close")
        await until(got, 5)
        assert got[3:] == [LinkDown(), LinkUp()]
        await link.close()
        assert got[5:] == [LinkDown()]
        await client.close()


async def test_nobody_there() -> None:
    got: list[Any] = []
    client = Client(EgressPolicy(), OutsideLimits())
    link = MediatorLink(client, got.append, pause_first_s=0.01)
    async with serving(echo) as url:
        pass
    link.open(url.replace("http", "ws"))
    await asyncio.sleep(0.1)
    for _ in range(QUEUE_MAX + 5):  # no more than that is kept, and nothing raises
        link.send(b"x")
    await link.close()
    await client.close()
    assert got == []
