"""The listening socket: connections beyond the limit are told so, and room that is freed is used."""

from __future__ import annotations

import asyncio
import json

from pico_engine.errors import Busy
from pico_node.http.app import DOORS
from pico_node.http.limits import HttpLimits
from pico_node.http.problems import problem_details
from pico_node.http.site import _FULL_BODY


async def test_connections_beyond_the_limit_are_turned_away(worlds):
    world = await worlds(limits=HttpLimits(connections_max=3))
    held = [await asyncio.open_connection(*world.address) for _ in range(3)]
    await asyncio.sleep(0.05)
    raw = await world.raw(b"")
    assert raw.startswith(b"HTTP/1.1 503")
    assert b'"too-many-connections"' in raw
    for _, writer in held:
        writer.close()
    await asyncio.sleep(0.05)
    assert (await world.ask("GET", "/healthz"))[0] == 200


async def test_who_is_turned_away_is_told_a_whole_problem(worlds):
    world = await worlds(limits=HttpLimits(connections_max=1))
    _, holder = await asyncio.open_connection(*world.address)
    await asyncio.sleep(0.02)
    head, _, body = (await world.raw(b"")).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert f"Content-Length: {len(body)}" in lines
    assert "Content-Type: application/problem+json" in lines
    assert "Retry-After: 1" in lines
    told = json.loads(body)
    assert set(told) == set(problem_details(Busy()))
    assert told["status"] == int(lines[0].split()[1])
    assert told["type"] == f"urn:picomesh:problem:{told['code']}"
    assert body == _FULL_BODY
    holder.close()


async def test_connections_are_counted(worlds):
    world = await worlds(limits=HttpLimits(connections_max=1))
    counters = world.app[DOORS].counters
    assert (await world.ask("GET", "/healthz"))[0] == 200  # holds its connection
    for _ in range(3):
        await world.raw(b"")
    assert (counters.connections, counters.refused_connections) == (1, 3)
