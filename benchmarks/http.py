"""Counter events over HTTP, event-wait, 32 keep-alive connections, durable, against one node process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from benchmarks.common import Options, folder, main, median, percentile, table
from benchmarks.processes import KeepAlive, connect, node_process

CONNECTIONS = 32


async def load(url: str, request: bytes, seconds: float) -> tuple[float, list[float]]:
    """Requests per second, and how long each took in ms, sorted."""
    connections = [await connect(url) for _ in range(CONNECTIONS)]
    end = time.perf_counter() + seconds
    timings: list[float] = []

    async def client(connection: KeepAlive) -> None:
        while (began := time.perf_counter()) < end:
            answer = await connection.request(request)
            assert b'"directives":[{' in answer, answer
            timings.append((time.perf_counter() - began) * 1_000)

    began = time.perf_counter()
    await asyncio.gather(*(client(one) for one in connections))
    rate = len(timings) / (time.perf_counter() - began)
    return rate, sorted(timings)


async def run(options: Options) -> Mapping[str, float]:
    seconds, runs = options.pick(3, 6), 3 if options.quick else 5
    with folder() as home, node_process(home) as node:
        pico = node.api("POST", "/api/v1/picos", {"name": "counter"})["did"]
        rid = "picomesh.bench.http_counter"
        node.api("POST", f"/api/v1/picos/{pico}/rulesets", {"rid": rid})
        eci = node.api("POST", f"/api/v1/picos/{pico}/channels", {"tags": ["bench"]})["id"]
        host = node.url.removeprefix("http://")
        request = (
            f"POST /c/{eci}/event-wait/counter/inc HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n"
        )
        await load(node.url, request.encode(), 1.0)
        found = [await load(node.url, request.encode(), seconds) for _ in range(runs)]
    rate = median([one[0] for one in found])
    p50 = median([percentile(one[1], 0.5) for one in found])
    p99 = median([percentile(one[1], 0.99) for one in found])
    table(
        [
            (f"event-wait over HTTP, {CONNECTIONS} connections, durable", f"{rate:,.0f}/s"),
            ("p50", f"{p50:.2f} ms"),
            ("p99", f"{p99:.2f} ms"),
        ]
    )
    return {"events_per_s": rate, "p50_ms": p50, "p99_ms": p99}


if __name__ == "__main__":
    main(run)
