"""A network edge in a process of its own, which echoes frames until its standard input is closed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from pico_node.peers import Peers
from tests.node.peers.helpers import FAST, Recorder, seed_of


class Echo(Recorder):
    peers: Peers

    def frames(self, peer_id: str, session: int, frames: list[bytes]) -> None:
        self.peers.send(peer_id, session, frames)


async def main(name: str, port: int, dials: list[str]) -> None:
    events = Echo()
    events.peers = Peers(seed_of(name), [f"/ip4/127.0.0.1/tcp/{port}"], events, limits=FAST, bootstrap=dials)
    await events.peers.start()
    await events.peers.until_ready()
    print(events.peers.peer_id, events.peers.addresses[0], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await events.peers.stop()


asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
