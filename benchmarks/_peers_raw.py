"""What two nodes' network edges do between two processes: latency of one frame, frames per second.

python -m benchmarks._peers_raw [--uvloop]
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import time

from pico_node.peers import Peers

FRAME = b"x" * 1500
STREAM_S, ROUND_TRIPS = 4.0, 2000


class Echo:
    """Sends small frames back, counts large ones, reports its count when asked."""

    def __init__(self) -> None:
        self.peers: Peers | None = None
        self.up: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
        self.back: asyncio.Queue[bytes] = asyncio.Queue()
        self.count = 0

    def peer_up(self, peer_id: str, session: int) -> None:
        if not self.up.done():
            self.up.set_result((peer_id, session))

    def peer_down(self, peer_id: str, session: int, reason: str) -> None:
        print(f"session {session} with {peer_id} is down: {reason}", file=sys.stderr)

    def frames(self, peer_id: str, session: int, frames: list[bytes]) -> None:
        for frame in frames:
            if len(frame) == len(FRAME):
                self.count += 1
            elif self.peers is None:
                self.back.put_nowait(frame)
            else:
                answer = frame if frame != b"count" else f"{self.count} {cpu_s()}".encode()
                self.peers.send(peer_id, session, [answer])

    def foreign_message(self, peer_id: str, message: bytes) -> None: ...

    def found(self, peer_id: str, addresses: list[str]) -> None: ...


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def serve() -> None:
    echo = Echo()
    echo.peers = Peers(os.urandom(32), ["/ip4/127.0.0.1/tcp/0"], echo)
    await echo.peers.start()
    print(echo.peers.addresses[0], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await echo.peers.stop()


async def drive(address: str) -> None:
    events = Echo()
    peers = Peers(os.urandom(32), [], events)
    await peers.start()
    began = time.perf_counter()
    peers.connect(address.rsplit("/", 1)[1], [address])
    target, session = await events.up
    print(f"session after {1000 * (time.perf_counter() - began):.0f} ms")
    took, cpu = [], cpu_s()
    for _ in range(ROUND_TRIPS):
        began = time.perf_counter()
        peers.send(target, session, [b"x" * 300])
        await events.back.get()
        took.append(time.perf_counter() - began)
    took.sort()
    p50_ms, p99_ms = 1000 * took[ROUND_TRIPS // 2], 1000 * took[-ROUND_TRIPS // 100]
    print(
        f"round trip p50 {p50_ms:.2f} ms, p99 {p99_ms:.2f} ms, "
        f"CPU {1e6 * (cpu_s() - cpu) / ROUND_TRIPS:.0f} us"
    )
    began, cpu, sent = time.perf_counter(), cpu_s(), 0
    while time.perf_counter() - began < STREAM_S:
        while peers.send(target, session, [FRAME] * 50):
            sent += 50
        await asyncio.sleep(0.001)
    peers.send(target, session, [b"count"])
    count, far_cpu = (await events.back.get()).split()
    spent = time.perf_counter() - began
    print(
        f"streamed {sent} frames of {len(FRAME)} bytes, {int(count)} arrived: {sent / spent:.0f}/s, ", end=""
    )
    print(f"CPU {1e6 * (cpu_s() - cpu) / sent:.1f} us a frame here (far side {float(far_cpu):.1f} s in all)")
    print({name: value for name, value in peers.counters().items() if value})
    await peers.stop()


def main() -> None:
    runner: dict[str, object] = {}
    if "--uvloop" in sys.argv:
        import uvloop

        runner["loop_factory"] = uvloop.new_event_loop
    with asyncio.Runner(**runner) as loop:  # type: ignore[arg-type]
        if "--serve" in sys.argv:
            loop.run(serve())
            return
        command = [sys.executable, "-m", "benchmarks._peers_raw", "--serve", *sys.argv[1:]]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdin is not None
            loop.run(drive(child.stdout.readline().strip()))
            child.stdin.close()


if __name__ == "__main__":
    main()
