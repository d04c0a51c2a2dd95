"""Fixtures for the tests of the network edge: whatever a test opens is closed at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from pico_node.peers import Peers
from pico_node.peers.testing import LoopbackPeers, Switchboard
from tests.node.peers.helpers import FAST, LOOPBACK, Child, Recorder, seed_of, start_child


@pytest.fixture
async def node():
    """Starts a `Peers` by name: `peers, recorder = await node("a")`."""
    running: list[Peers] = []

    async def start(name: str, listen=(LOOPBACK,), limits=FAST, **options) -> tuple[Peers, Recorder]:
        recorder = Recorder()
        peers = Peers(seed_of(name), listen, recorder, limits=limits, **options)
        await peers.start()
        await peers.until_ready()
        running.append(peers)
        return peers, recorder

    yield start
    await asyncio.gather(*(peers.stop() for peers in running))


@pytest.fixture(params=["libp2p", "loopback"])
async def any_node(request, node):
    """Like `node`, for both implementations of the contract."""
    if request.param == "libp2p":
        yield node
        return
    switchboard, running = Switchboard(), []

    async def start(name: str) -> tuple[LoopbackPeers, Recorder]:
        recorder = Recorder()
        peers = LoopbackPeers(seed_of(name), switchboard, recorder, limits=FAST)
        await peers.start()
        running.append(peers)
        return peers, recorder

    yield start
    for peers in running:
        await peers.stop()


@pytest.fixture
def child() -> Callable[..., Child]:
    """Starts a network edge in a process of its own."""
    running: list[Child] = []

    def start(*args, **options) -> Child:
        running.append(start_child(*args, **options))
        return running[-1]

    yield start
    for each in running:
        if each.process.poll() is None:
            each.end()
        for stream in (each.process.stdin, each.process.stdout, each.process.stderr):
            stream.close()
