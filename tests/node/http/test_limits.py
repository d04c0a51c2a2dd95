"""Limits of the HTTP doors: all have a unit, and those of connections and heads are kept."""

from __future__ import annotations

import asyncio
from dataclasses import FrozenInstanceError, fields

import pytest

from pico_node.http.limits import HttpLimits


def test_every_limit_names_its_unit_and_is_more_than_nothing():
    for field in fields(HttpLimits):
        assert field.name.endswith(("_bytes", "_s", "_max")), field.name
        assert field.default > 0


def test_limits_stay_as_they_are():
    limits = HttpLimits(headers_max=3)
    with pytest.raises(FrozenInstanceError):
        limits.headers_max = 4


async def test_silent_and_slow_connections_are_closed(worlds):
    world = await worlds(limits=HttpLimits(keep_alive_s=1))
    silent, slow = world.raw(b""), world.raw(b"GET / HTTP/1.1\r\nHost: local")
    assert await asyncio.gather(silent, slow) == [b"", b""]


async def test_too_long_heads_are_refused(worlds):
    limits = HttpLimits(request_line_max_bytes=500, header_max_bytes=400, headers_max=10)
    world = await worlds(limits=limits)
    assert (await world.ask("GET", f"/healthz?{'x' * 600}"))[0] == 400
    assert (await world.ask("GET", "/healthz", headers={"X-Long": "x" * 500}))[0] == 400
    assert (await world.ask("GET", "/healthz", headers={f"X-{n}": "1" for n in range(20)}))[0] == 400


async def test_too_large_a_body(worlds):
    world = await worlds(limits=HttpLimits(body_max_bytes=100))
    status, answer, _ = await world.own("POST", "/picos", json={"name": "x" * 200})
    assert (status, answer["code"]) == (413, "limit-exceeded")
