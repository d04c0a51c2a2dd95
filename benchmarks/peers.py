"""Events between connected picos of two node processes: authenticated, encrypted, durable, acknowledged."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping

from benchmarks.common import Options, folder, main, median, percentile, say, table
from benchmarks.processes import KeepAlive, NodeProcess, connect, node_process

BURST = 250
"""Events that one turn sends in the stream (a turn may send 256)."""


def request(node: NodeProcess, path: str) -> bytes:
    host = node.url.removeprefix("http://")
    return f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n".encode()


def prepare(sender: NodeProcess, receiver: NodeProcess) -> tuple[str, str]:
    """Connect two picos; answers the channels to tell the sender, and to ask the receiver."""
    ecis = []
    for node, rid in ((sender, "picomesh.bench.sender"), (receiver, "picomesh.bench.receiver")):
        pico = node.api("POST", "/api/v1/picos", {"name": "bench"})["did"]
        node.api("POST", f"/api/v1/picos/{pico}/rulesets", {"rid": rid})
        ecis.append(node.api("POST", f"/api/v1/picos/{pico}/channels", {"tags": ["bench"]})["id"])
    url = sender.api("POST", "/api/v1/picos/bench/invitations", {})["url"]
    receiver.api("POST", "/api/v1/picos/bench/connections", {"url": url})
    while any(
        node.api("GET", "/api/v1/connections")[0]["state"] != "established" for node in (sender, receiver)
    ):
        time.sleep(0.05)
    return ecis[0], ecis[1]


async def run(options: Options) -> Mapping[str, float]:
    singles, bursts, runs = int(options.pick(200, 1_000)), int(options.pick(20, 80)), 3
    with folder() as one, folder() as two, node_process(one) as sender, node_process(two) as receiver:
        tell, ask = prepare(sender, receiver)
        to_sender, to_receiver = await connect(sender.url), await connect(receiver.url)
        send = request(sender, f"/c/{tell}/event-wait/bench/send?count=")
        question = request(receiver, f"/c/{ask}/query/picomesh.bench.receiver/count")

        def send_request(count: int) -> bytes:
            return send.replace(b"count=", b"count=%d" % count)

        async def arrived() -> int:
            return int(await to_receiver.request(question))

        async def one_event() -> None:
            """Send one, and wait until it has arrived, without keeping the other node busy meanwhile."""
            seen = await arrived()
            await to_sender.request(send_request(1))
            while await arrived() <= seen:
                await asyncio.sleep(0.002)

        for _ in range(20):
            await one_event()
        await to_receiver.request(request(receiver, f"/c/{ask}/event-wait/bench/time?on=true"))
        for _ in range(singles):
            await one_event()
        took = json.loads(
            await to_receiver.request(request(receiver, f"/c/{ask}/query/picomesh.bench.receiver/timings_ns"))
        )
        timings = sorted(one / 1e6 for one in took)
        assert len(timings) == singles, "each event arrived once"
        await to_receiver.request(request(receiver, f"/c/{ask}/event-wait/bench/time?on=false"))
        rates = [await stream(to_sender, arrived, send_request(BURST), bursts) for _ in range(runs)]
        left = sender.api("GET", "/api/v1/connections")[0]["unacknowledged"]
        say(f"unacknowledged in the end: {left}")
    p50, p99 = percentile(timings, 0.5), percentile(timings, 0.99)
    rate = median(rates)
    table(
        [
            ("one event at a time, from a rule on one node to a rule on the other, p50", f"{p50:.2f} ms"),
            ("p99", f"{p99:.2f} ms"),
            ("streaming one way", f"{rate:,.0f}/s"),
        ]
    )
    return {"events_per_s": rate, "p50_ms": p50, "p99_ms": p99}


async def stream(
    to_sender: KeepAlive, arrived: Callable[[], Awaitable[int]], burst: bytes, bursts: int
) -> float:
    """Events per second until the last of so many bursts has arrived."""
    before = await arrived()
    began = time.perf_counter()
    for _ in range(bursts):
        await to_sender.request(burst)
    while await arrived() < before + bursts * BURST:
        await asyncio.sleep(0.002)
    return bursts * BURST / (time.perf_counter() - began)


if __name__ == "__main__":
    main(run)
