"""Durable events per second in one process, alone and in a store of 100,000 picos; beside the bare store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.common import Core, Counter, Options, events_per_s, folder, main, median, new_pico, say, table
from benchmarks.population import populate
from pico_engine.store import Batch
from pico_node.store import LevelStore

CLIENTS = 256
HOT_PICOS = 64
"""Picos that the events go to, in turn: a busy node has more than one busy pico."""
POPULATION = 100_000
WARM_UP_S = 2.0
"""Before measuring: also for LevelDB to finish sorting what was written just before."""


def bare_store(path: Path, seconds: float) -> float:
    """The named baseline: one synced batch after the other with a row for each of CLIENTS events."""
    store = LevelStore.open(path)
    value = b"[" + b"1" * 20 + b"]"
    end, done, number = time.perf_counter() + seconds, 0, 0
    began = time.perf_counter()
    while time.perf_counter() < end:
        rows: dict[bytes, bytes | None] = {}
        for _ in range(CLIENTS):
            number += 1
            rows[b"p/did:key:z6Mk%040d/v/picomesh.bench.counter/count" % (number % 1_000)] = value
        store.write(Batch(rows))
        done += CLIENTS
    store.close()
    return done / (time.perf_counter() - began)


async def measure(path: Path, seconds: float, runs: int) -> float:
    """Median of several runs of counter events, each answered when it is durable."""
    async with Core(path) as driver:
        ecis = await asyncio.gather(
            *(new_pico(driver, f"hot-{number}", Counter.definition.rid) for number in range(HOT_PICOS))
        )

        async def send(client: int) -> None:
            await driver.event(ecis[client % HOT_PICOS], "counter", "inc", {})

        await events_per_s(send, CLIENTS, WARM_UP_S)
        return median([await events_per_s(send, CLIENTS, seconds) for _ in range(runs)])


async def run(options: Options) -> Mapping[str, float]:
    seconds, runs = options.pick(1.5, 4.0), 3 if options.quick else 5
    with folder() as alone, folder() as crowded, folder() as bare:
        say(f"populating a store with {POPULATION:,} picos")
        populate(crowded / "store", POPULATION)
        baseline = bare_store(bare / "store", seconds)
        few = await measure(alone / "store", seconds, runs)
        many = await measure(crowded / "store", seconds, runs)
        again = await measure(alone / "store-2", seconds, runs)  # before and after: the machine may drift
    share = many / ((few + again) / 2)
    table(
        [
            (f"counter events, {CLIENTS} in flight, durable", f"{few:,.0f}/s (again: {again:,.0f}/s)"),
            (f"the same with {POPULATION:,} picos in the store", f"{many:,.0f}/s ({share:.0%})"),
            (f"bare LevelDB, {CLIENTS} rows a synced batch", f"{baseline:,.0f}/s"),
            ("engine over bare store", f"{few / baseline:.2f}"),
        ]
    )
    return {
        "durable_events_per_s": few,
        "share_with_100k_picos": share,
        "bare_store_rows_per_s": baseline,
    }


if __name__ == "__main__":
    main(run)
