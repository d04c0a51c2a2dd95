"""The server of --compat: on loopback only, and the node's own page where the old one is not given."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from pico_engine.errors import BadRequest
from pico_node.http.app import DOORS
from pico_node.node import Node
from pico_node.options import UpOptions


def options(tmp_path: Path, host: str = "127.0.0.1", *, compat: bool = True) -> UpOptions:
    return UpOptions(tmp_path / "home", (host, 0), open_browser=False, mdns=False, compat=compat)


async def test_it_serves_on_loopback_only(tmp_path: Path) -> None:
    node = Node(options(tmp_path, "0.0.0.0"))
    with pytest.raises(BadRequest, match="loopback only"):
        await node.run_up()


async def test_it_serves_elsewhere_where_it_is_told_to(tmp_path: Path) -> None:
    node = Node(replace(options(tmp_path, "0.0.0.0"), compat_anywhere=True))
    await node.run_up()
    try:
        url = node.http_url.replace("0.0.0.0", "127.0.0.1") + "/api/ui-context"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert answer.status == 200
    finally:
        await node.take_down()


async def test_connections_are_limited(tmp_path: Path) -> None:
    node = Node(options(tmp_path))
    await node.run_up()
    limits = node.http_app[DOORS].limits
    object.__setattr__(limits, "connections_max", 2)
    host, port = node.http_url.removeprefix("http://").split(":")
    held = []
    try:
        for _ in range(2):
            held.append(await asyncio.open_connection(host, int(port)))
            await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection(host, int(port))
        assert b"503 Service Unavailable" in await reader.read()
        writer.close()
        held.pop()[1].close()
        await asyncio.sleep(0.05)
        url = node.http_url + "/api/ui-context"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert answer.status == 200
    finally:
        for _, writer in held:
            writer.close()
        await node.take_down()


async def test_without_the_old_page_the_nodes_own_is_shown(tmp_path: Path) -> None:
    node = Node(options(tmp_path))
    await node.run_up()
    try:
        async with aiohttp.ClientSession() as session, session.get(node.http_url + "/") as answer:
            assert answer.status == 200
            assert "picomesh" in await answer.text()
    finally:
        await node.take_down()


async def test_without_the_option_nothing_of_it_is_there(tmp_path: Path) -> None:
    node = Node(options(tmp_path, compat=False))
    await node.run_up()
    try:
        async with aiohttp.ClientSession() as session:
            async with session.get(node.http_url + "/api/ui-context") as answer:
                assert answer.status == 404
            page = {"Origin": "http://elsewhere.example"}
            async with session.get(node.http_url + "/c/x/event/a/b", headers=page) as answer:
                assert answer.status == 403
        assert node.compat_context is None
    finally:
        await node.take_down()


async def test_the_pages_channel_is_the_same_after_a_restart(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        node = Node(options(tmp_path))
        await node.run_up()
        seen.append(node.compat_context["eci"])
        await node.take_down()
    assert seen[0] == seen[1]
