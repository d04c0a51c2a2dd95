"""What benchmarks share: a node's core in this process, a counter ruleset, figures and tables."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from nacl.bindings import crypto_sign_seed_keypair

from pico_engine import Event, Ruleset, ent, query, rule, when
from pico_engine.registry import Registry
from pico_engine.store import Store
from pico_node.agent.agent import Agent
from pico_node.driver import THREAD_SWITCH_S, Driver, DurableStore
from pico_node.entropy import SystemEntropy
from pico_node.serve import GC_THRESHOLD
from pico_node.store import LevelStore
from pico_rulesets.subscription import Subscription
from pico_rulesets.wrangler import Wrangler


class Counter(Ruleset, rid="picomesh.bench.counter"):
    """The smallest rule that changes something."""

    count: int = ent(default=0)

    @query
    def value(self) -> int:
        return self.count

    @rule(when("counter:inc"))
    def increase(self, _event: Event) -> None:
        self.count += 1


class Readings(Ruleset, rid="picomesh.bench.readings"):
    """Appends to a list."""

    readings: list[dict[str, float]] = ent(default=[])

    @query
    def size(self) -> int:
        return len(self.readings)

    @rule(when("readings:add"))
    def add(self, event: Event) -> None:
        self.readings.append({"at": event.time_ms, "celsius": event.attr("celsius", 0.0)})

    @rule(when("readings:fill"))
    def fill(self, event: Event) -> None:
        self.readings.extend({"at": number, "celsius": 20.5} for number in range(event.attr("count")))


@dataclass(frozen=True, slots=True)
class Options:
    quick: bool

    def pick(self, quick: float, full: float) -> float:
        return quick if self.quick else full


def main(run: Callable[[Options], Awaitable[Mapping[str, float]]]) -> None:
    """Run a benchmark from its command line; the last line printed is one JSON object with the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="under 40 seconds")
    options = Options(parser.parse_args().quick)
    gc.set_threshold(GC_THRESHOLD, 20, 20)
    sys.setswitchinterval(THREAD_SWITCH_S)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(_await(run(options)))
    print(json.dumps({"figures": {name: round(value, 4) for name, value in figures.items()}}))


async def _await(work: Awaitable[Mapping[str, float]]) -> Mapping[str, float]:
    return await work


def make_agent_of(registry: Registry) -> Callable[[Store], Agent]:
    key = crypto_sign_seed_keypair(SystemEntropy()(32))[0]
    return lambda store: Agent(store, registry, SystemEntropy(), key)


def registry() -> Registry:
    return Registry([Wrangler, Subscription, Counter, Readings])


@contextmanager
def folder() -> Iterator[Path]:
    """A directory for a store, on the disk of the temporary directory."""
    with tempfile.TemporaryDirectory(prefix="picomesh-bench-") as name:
        yield Path(name)


class Core:
    """A node's core: agent, driver and LevelDB, without HTTP and peers."""

    def __init__(self, path: Path) -> None:
        self.store: DurableStore = LevelStore.open(path)
        self.driver = Driver(self.store, make_agent_of(registry()))

    async def __aenter__(self) -> Driver:
        self.driver.start()
        return self.driver

    async def __aexit__(self, *_error: object) -> None:
        await self.driver.stop()


async def new_pico(driver: Driver, name: str, rid: str, parent: str = "") -> str:
    """A child pico with this ruleset; answers the ECI of a new HTTP channel of it."""
    made = await driver.command("pico_new", name=name, parent=parent)
    await driver.command("ruleset_install", pico=made["did"], rid=rid)
    channel = await driver.command("channel_new", pico=made["did"], tags=["bench"])
    eci: str = channel["id"]
    return eci


async def events_per_s(send: Callable[[int], Awaitable[Any]], clients: int, seconds: float) -> float:
    """How many times per second `send(client)` completes, with so many clients at once."""
    end = time.perf_counter() + seconds
    done = 0

    async def client(number: int) -> None:
        nonlocal done
        while time.perf_counter() < end:
            await send(number)
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    return done / (time.perf_counter() - began)


async def timings_ms(send: Callable[[], Awaitable[Any]], count: int) -> list[float]:
    """How long each of `count` calls took, one after the other."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        await send()
        found.append((time.perf_counter() - began) * 1_000)
    return sorted(found)


def percentile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))]


def median(values: list[float]) -> float:
    return statistics.median(values)


def say(text: str) -> None:
    print(text, flush=True)


def table(rows: list[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"  {name.ljust(width)}  {value}")
    sys.stdout.flush()
