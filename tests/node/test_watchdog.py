"""The watchdog: a rule that never ends is ended, and everybody else goes on."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from pico_engine import Ruleset, ent, query, rule, when
from pico_engine.errors import EngineError
from pico_engine.harness import SeededEntropy
from pico_engine.registry import Registry
from pico_engine.store import MemoryStore
from pico_node.agent import Agent
from pico_node.driver import Driver
from pico_node.watchdog import SIGNAL, Watchdog
from pico_rulesets.subscription import Subscription
from pico_rulesets.wrangler import Wrangler

LIMIT_MS = 120
WAIT_S = 10.0


class Endless(Ruleset, rid="test.endless"):
    """Rules that do not end by themselves."""

    kept: int = ent(default=0)
    events: list = ent(default=[])

    @query
    def all(self):
        return {"kept": self.kept, "events": self.events}

    @query
    def loop_query(self):
        while True:
            pass

    @rule(when("it:good"))
    def good(self, event):
        self.kept += 1

    @rule(when("it:loops"))
    def loops(self, event):
        self.kept = 99
        while True:
            pass

    @rule(when("it:stubborn"))
    def stubborn(self, event):
        self.kept = 98
        while True:
            try:
                sum(range(1_000))
            except Exception:
                continue

    @rule(when("it:slow"))
    def slow(self, event):
        end = time.monotonic() + LIMIT_MS / 3_000
        while time.monotonic() < end:
            pass
        self.kept += 1

    @rule(when("it:many"))
    def many(self, event):
        for _ in range(60):
            self.raise_event("it:slow")

    @rule(when("it:loops_all"))
    def loops_all(self, event):
        for _ in range(60):
            self.raise_event("it:loops")

    @rule(when("system:error"))
    def told(self, event):
        self.events.append("error")


class OpenStore(MemoryStore):
    def reopen(self) -> None: ...


def run(story: Callable[[Driver, str], Any], loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """A driver with a watchdog, on this thread's loop, and one pico's channel."""

    async def main() -> None:
        def make_agent(store: Any) -> Agent:
            registry = Registry([Wrangler, Subscription, Endless])
            return Agent(store, registry, SeededEntropy(1), bytes(32))

        driver = Driver(OpenStore(), make_agent)
        driver.start()
        watchdog = Watchdog(lambda: driver.agent.engine if driver.agent else None, LIMIT_MS)
        watchdog.start()
        try:
            await driver.command("pico_new", name="it", rulesets=["test.endless"])
            channel = await driver.command("channel_new", pico="it", tags=["test"])
            async with asyncio.timeout(WAIT_S):
                await story(driver, channel["id"])
        finally:
            watchdog.stop()
            await driver.stop()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])


async def everything(driver: Driver, eci: str) -> Any:
    return await driver.query(eci, "test.endless", "all", {})


@LOOPS
@pytest.mark.parametrize("kind", ["loops", "stubborn"])
def test_an_endless_rule_is_interrupted_and_its_writes_are_dropped(kind: str, loop: Any) -> None:
    async def story(driver: Driver, eci: str) -> None:
        await driver.event(eci, "it", "good", {})
        began = time.monotonic()
        await asyncio.gather(driver.event(eci, "it", kind, {}), return_exceptions=True)
        assert LIMIT_MS / 1_000 * 0.7 < time.monotonic() - began < 20 * LIMIT_MS / 1_000
        found = await everything(driver, eci)
        assert found["kept"] == 1
        assert found["events"] == ["error"]
        await driver.event(eci, "it", "good", {})
        assert (await everything(driver, eci))["kept"] == 2
        lines = await driver.command("logs", pico="it")
        assert any("turn_max_ms" in line["text"] for line in lines)
        assert driver.metrics().get("driver_agent_failures", 0) == 0

    run(story, loop)


@LOOPS
def test_an_endless_query_is_interrupted(loop: Any) -> None:
    async def story(driver: Driver, eci: str) -> None:
        with pytest.raises(EngineError):
            await driver.query(eci, "test.endless", "loop_query", {})
        await driver.event(eci, "it", "good", {})
        assert (await everything(driver, eci))["kept"] == 1

    run(story, loop)


def test_many_slow_rules_are_not_one_endless_one() -> None:
    """Each is within its time; all together they are not."""

    async def story(driver: Driver, eci: str) -> None:
        for _ in range(8):
            await driver.event(eci, "it", "slow", {})
        found = await everything(driver, eci)
        assert found == {"kept": 8, "events": []}

    run(story, asyncio.new_event_loop)


@pytest.mark.parametrize("kind", ["many", "loops_all"])
def test_the_time_is_that_of_the_whole_turn(kind: str) -> None:
    """However many rules share it: the first one that exceeds it fails, the second ends the turn."""

    async def story(driver: Driver, eci: str) -> None:
        began = time.monotonic()
        with pytest.raises(EngineError, match="turn_max_ms"):
            await driver.event(eci, "it", kind, {})
        assert time.monotonic() - began < 8 * LIMIT_MS / 1_000
        assert await everything(driver, eci) == {"kept": 0, "events": []}
        await driver.event(eci, "it", "good", {})
        assert (await everything(driver, eci))["kept"] == 1

    run(story, asyncio.new_event_loop)


def test_endless_rules_one_after_the_other() -> None:
    async def story(driver: Driver, eci: str) -> None:
        events = [driver.event(eci, "it", kind, {}) for kind in ("loops", "good", "stubborn", "good")]
        await asyncio.gather(*events, return_exceptions=True)
        assert (await everything(driver, eci))["kept"] == 2

    run(story, asyncio.new_event_loop)


def test_the_signal_s_handler_is_given_back() -> None:
    before = signal.getsignal(SIGNAL)
    watchdog = Watchdog(lambda: None, LIMIT_MS)
    watchdog.start()
    assert signal.getsignal(SIGNAL) != before
    watchdog.stop()
    assert signal.getsignal(SIGNAL) == before
    assert not any(thread.name == "picomesh-watchdog" for thread in threading.enumerate())


def test_a_late_signal_interrupts_nobody() -> None:
    """Between the watchdog's look and the signal the rule may have ended."""
    watchdog = Watchdog(lambda: None, LIMIT_MS)
    watchdog.start()
    try:
        signal.raise_signal(SIGNAL)
    finally:
        watchdog.stop()


def test_it_is_started_on_the_main_thread_only() -> None:
    problems: list[BaseException] = []

    def start() -> None:
        try:
            Watchdog(lambda: None, LIMIT_MS).start()
        except ValueError as error:
            problems.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert len(problems) == 1
