"""Durable events per second in one process, alone and in a store of 100,000 picos; beside the bare store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.common import Core, Counter, Options, events_per_s, folder, main, median, new_pico, say, table
from benchmarks.population import populate
from pico_engine.store import Batch
from pico_native import IS_USED
from pico_node.driver import Driver
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


class Hot:
    """Counter picos of a running node, and the clients that send them events."""

    def __init__(self, driver: Driver, ecis: list[str]) -> None:
        self._driver = driver
        self._ecis = ecis

    @classmethod
    async def made(cls, driver: Driver) -> Hot:
        new = (new_pico(driver, f"hot-{number}", Counter.definition.rid) for number in range(HOT_PICOS))
        return cls(driver, await asyncio.gather(*new))

    async def per_s(self, seconds: float) -> float:
        """Events a second, each answered when it is durable."""

        async def send(client: int) -> None:
            await self._driver.event(self._ecis[client % HOT_PICOS], "counter", "inc", {})

        return await events_per_s(send, CLIENTS, seconds)


async def measure(alone: Path, crowded: Path, seconds: float, runs: int) -> tuple[list[float], list[float]]:
    """Several runs in either store, by turns: the machine may drift."""
    async with Core(alone) as one, Core(crowded) as other:
        few, many = await Hot.made(one), await Hot.made(other)
        for hot in (few, many):
            await hot.per_s(WARM_UP_S)
        pairs = [(await few.per_s(seconds), await many.per_s(seconds)) for _ in range(runs)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


async def run(options: Options) -> Mapping[str, float]:
    seconds, runs = options.pick(0.5, 2.0), 11 if options.quick else 15
    with folder() as alone, folder() as crowded, folder() as bare:
        say(f"the engine is {'compiled' if IS_USED else 'plain Python: `make native` compiles it'}")
        say(f"populating a store with {POPULATION:,} picos")
        populate(crowded / "store", POPULATION)
        baseline = bare_store(bare / "store", options.pick(1.5, 4.0))
        few, many = await measure(alone / "store", crowded / "store", seconds, runs)
    rate = median(few)
    share = median([with_many / with_few for with_few, with_many in zip(few, many, strict=True)])
    table(
        [
            (f"counter events, {CLIENTS} in flight, durable", f"{rate:,.0f}/s ({spread(few)})"),
            (f"the same with {POPULATION:,} picos in the store", f"{median(many):,.0f}/s ({share:.0%})"),
            (f"bare LevelDB, {CLIENTS} rows a synced batch", f"{baseline:,.0f}/s"),
            ("engine over bare store", f"{rate / baseline:.2f}"),
        ]
    )
    return {
        "durable_events_per_s": rate,
        "share_with_100k_picos": share,
        "bare_store_rows_per_s": baseline,
    }


def spread(values: list[float]) -> str:
    return f"{min(values):,.0f} to {max(values):,.0f}"


if __name__ == "__main__":
    main(run)
