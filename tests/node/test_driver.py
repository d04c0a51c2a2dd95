"""The driver: nothing leaves before it is durable, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, get_args

import pytest
import pytest_asyncio

from pico_engine import Ruleset, ent, query, rule, when
from pico_engine.errors import EngineError, StoreError, StoreFull
from pico_engine.harness import SeededEntropy
from pico_engine.messages import HttpCall, RemoteQuery, RulesetCall
from pico_engine.registry import Registry
from pico_engine.store import Batch, MemoryStore
from pico_engine.turn import TurnOverdueError
from pico_node import driver as driver_module
from pico_node.agent import Agent
from pico_node.agent.messages import Effect
from pico_node.driver import INLINE_MAX_S, Driver
from pico_rulesets.subscription import Subscription
from pico_rulesets.wrangler import Wrangler

KEY = bytes(range(32))
WAIT_S = 5.0


class Counter(Ruleset, rid="test.counter"):
    """Counts."""

    n: int = ent(default=0)

    @query
    def count(self):
        return self.n

    @rule(when("count:up"))
    def up(self, event):
        self.n += 1


class Gate:
    """Lets writes through, or one at a time."""

    def __init__(self) -> None:
        self._open = True
        self._tickets = threading.Semaphore(0)

    def close(self) -> None:
        self._open = False

    def open(self) -> None:
        self._open = True
        self._tickets.release(100)

    def let_one(self) -> None:
        self._tickets.release()

    def wait(self) -> None:
        assert self._open or self._tickets.acquire(timeout=WAIT_S), "the test never let the disk go on"


class FakeStore(MemoryStore):
    """A disk that can be held, and can fail."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()
        self.writing = threading.Lock()
        self.fail: Exception | None = None
        self.fail_reads: Exception | None = None
        self.writes = 0
        self.threads: list[bool] = []
        self.reopened = 0
        self.closed = False

    def write(self, batch: Batch) -> None:
        self.threads.append(threading.current_thread() is threading.main_thread())
        if not self.writing.acquire(blocking=False):
            raise AssertionError("two writes at the same time")
        with self.writing_ends():
            self.gate.wait()
            if self.fail is not None:
                raise self.fail
            self.writes += 1
            super().write(batch)

    @contextmanager
    def writing_ends(self) -> Iterator[None]:
        try:
            yield
        finally:
            self.writing.release()

    def get(self, key: bytes) -> bytes | None:
        if self.fail_reads is not None:
            raise self.fail_reads
        return super().get(key)

    def reopen(self) -> None:
        self.reopened += 1

    def close(self) -> None:
        self.closed = True


class FakePeers:
    """Remembers what it was told."""

    peer_id = "12D3KooWme"

    def __init__(self) -> None:
        self.addresses = ["/memory/1"]
        self.sent: list[tuple[str, int, list[bytes]]] = []
        self.room = True
        self.wrong: Exception | None = None

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def connect(self, peer_id, addresses) -> None: ...
    def forget(self, peer_id) -> None: ...
    def pause(self, peer_id) -> None: ...
    def resume(self, peer_id) -> None: ...
    def writable(self, peer_id, session) -> bool:
        return True

    async def send_foreign(self, peer_id, addresses, message) -> None: ...
    def counters(self):
        return {"dials": 3}

    def send(self, peer_id, session, frames) -> bool:
        if self.wrong is not None:
            raise self.wrong
        self.sent.append((peer_id, session, list(frames)))
        return self.room


class Bench:
    """A driver on a fake store, and the counter pico in it."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.peers = FakePeers()
        self.agents: list[Agent] = []
        self.driver = Driver(self.store, self.make_agent, self.peers)

    def make_agent(self, store: Any) -> Agent:
        registry = Registry([Wrangler, Subscription, Counter])
        agent = Agent(store, registry, SeededEntropy(f"life {len(self.agents)}"), KEY)
        self.agents.append(agent)
        return agent

    async def begin(self) -> None:
        self.driver.start()
        made = await self.driver.command("pico_new", name="counter", rulesets=["test.counter"])
        self.eci = made["eci"]
        channel = await self.driver.command("channel_new", pico="counter", tags=["test"])
        self.eci = channel["id"]

    def up(self) -> asyncio.Task[Any]:
        event = self.driver.event(self.eci, "count", "up", {})
        return asyncio.create_task(asyncio.wait_for(event, WAIT_S))

    async def count(self) -> int:
        return await self.driver.query(self.eci, "test.counter", "count", {})


@pytest_asyncio.fixture
async def bench(monkeypatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(driver_module, "REOPEN_EVERY_S", 0.02)
    one = Bench()
    await one.begin()
    yield one
    one.store.gate.open()
    one.store.fail = one.store.fail_reads = None
    await one.driver.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.005)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0.001)


async def never_answered(bench: Bench, monkeypatch) -> asyncio.Task[Any]:
    """A caller whose turn waits, for all that the driver knows."""
    assert bench.driver.agent is not None
    with monkeypatch.context() as patch:
        patch.setattr(bench.driver.agent, "receive_all", lambda messages, _now: messages.clear())
        asking = bench.up()
        await settle()
    assert not asking.done()
    return asking


def in_thread(bench: Bench) -> None:
    """Make the driver believe in a slow disk."""
    bench.driver._inline_s = 1.0


# -- durable before anything leaves -------------------------------------------------------------------------


async def test_an_answer_waits_for_the_disk(bench: Bench) -> None:
    in_thread(bench)
    bench.store.gate.close()
    event = bench.up()
    await settle()
    assert not event.done()
    bench.store.gate.open()
    assert (await event).eid


async def test_an_answer_waits_for_its_own_batch_not_for_the_one_before(bench: Bench) -> None:
    in_thread(bench)
    bench.store.gate.close()
    first = bench.up()
    await settle()
    second = bench.up()
    await settle()
    bench.store.gate.let_one()
    await first
    await settle()
    assert not second.done()
    bench.store.gate.open()
    await second


async def test_frames_wait_for_the_disk_too(bench: Bench) -> None:
    in_thread(bench)
    bench.store.gate.close()
    event = bench.up()
    await settle()
    bench.driver.peer_up("12D3KooWother", 1)  # answered with HELLO, behind the event's batch
    await settle()
    assert bench.peers.sent == []
    bench.store.gate.open()
    await event
    await until(lambda: bool(bench.peers.sent))


async def test_many_events_cost_few_writes(bench: Bench) -> None:
    in_thread(bench)
    bench.store.gate.close()
    before = bench.store.writes
    events = [bench.up() for _ in range(50)]
    await settle()
    events += [bench.up() for _ in range(50)]
    await settle()
    events += [bench.up() for _ in range(50)]
    await settle()
    bench.store.gate.open()
    await asyncio.gather(*events)
    assert bench.store.writes - before == 2
    assert await bench.count() == 150


async def test_effects_come_out_in_order(bench: Bench) -> None:
    order: list[int] = []
    in_thread(bench)

    async def ask(n: int) -> None:
        await (bench.driver.event(bench.eci, "count", "up", {}) if n % 2 else bench.count())
        order.append(n)

    await asyncio.gather(*(ask(n) for n in range(20)))
    assert order == list(range(20))


async def test_a_fast_disk_is_written_at_once_and_a_slow_one_from_the_thread(bench: Bench) -> None:
    bench.driver._inline_s = 0.0
    bench.store.threads.clear()
    await asyncio.gather(*(bench.up() for _ in range(20)))
    assert set(bench.store.threads) == {True}
    bench.driver._inline_s = 10 * INLINE_MAX_S
    bench.store.threads.clear()
    await bench.up()
    assert bench.store.threads == [False]


async def test_a_query_is_answered_without_a_write(bench: Bench) -> None:
    await settle()
    before = bench.store.writes
    assert await bench.count() == 0
    assert bench.store.writes == before


# -- a store that fails -------------------------------------------------------------------------------------


@pytest.mark.parametrize("thread", [False, True])
async def test_a_full_disk_fails_those_who_wait_and_loses_nothing_acknowledged(bench: Bench, thread) -> None:
    for _ in range(3):
        await bench.up()
    bench.store.fail = StoreFull("no room")
    if thread:
        in_thread(bench)
    events = [bench.up() for _ in range(5)]
    for event in events:
        with pytest.raises(StoreFull):
            await event
    assert bench.driver.health() == {"ok": False, "store": "no room", "peers": 0}
    assert bench.driver.metrics()["store_ok"] == 0
    with pytest.raises(StoreFull):
        await bench.up()
    bench.store.fail = None
    await until(lambda: bench.driver.agent is not None)
    assert bench.store.reopened >= 1
    assert await bench.count() == 3
    await bench.up()
    assert await bench.count() == 4
    assert bench.driver.health()["ok"]
    assert bench.driver.metrics()["driver_store_failures_store-full"] == 1


async def test_callers_whose_turn_has_not_ended_are_told_too(bench: Bench, monkeypatch) -> None:
    """One is refused by the failing store, another's turn waits for an answer from elsewhere."""
    asking = await never_answered(bench, monkeypatch)
    bench.store.fail = StoreFull("no room")
    with pytest.raises(StoreFull):
        await bench.up()
    async with asyncio.timeout(WAIT_S):
        with pytest.raises(StoreFull):
            await asking


async def test_a_read_that_fails_gives_up_the_agent_or_is_answered(bench: Bench) -> None:
    bench.store.fail_reads = StoreError("cannot read")
    with pytest.raises(StoreError):
        await bench.driver.command("pico_show", pico="did:key:z6MkNobody")
    bench.store.fail_reads = None
    await until(lambda: bench.driver.agent is not None)
    await bench.up()
    assert await bench.count() == 1


async def test_the_new_agent_is_told_of_the_sessions(bench: Bench) -> None:
    bench.driver.peer_up("12D3KooWone", 1)
    bench.driver.peer_up("12D3KooWtwo", 2)
    bench.driver.peer_down("12D3KooWtwo", 2, "gone")
    bench.store.fail = StoreFull("no room")
    with pytest.raises(StoreFull):
        await bench.up()
    bench.driver.peer_up("12D3KooWthree", 3)  # comes while there is no agent
    bench.store.fail = None
    await until(lambda: bench.driver.agent is not None)
    assert bench.driver.agent is bench.agents[-1] is not bench.agents[0]
    assert bench.agents[-1].sessions == {"12D3KooWone": 1, "12D3KooWthree": 3}


async def test_the_end_of_an_older_session_does_not_hide_the_newer(bench: Bench) -> None:
    bench.driver.peer_up("12D3KooWone", 1)
    bench.driver.peer_up("12D3KooWone", 2)
    bench.driver.peer_down("12D3KooWone", 1, "replaced")
    assert bench.driver.health()["peers"] == 1


async def test_a_write_that_ends_after_the_agent_was_given_up_releases_nothing(bench: Bench) -> None:
    """The disk hangs in a write while a read fails: the late end of the write is not the new agent's."""
    in_thread(bench)
    bench.store.gate.close()
    event = bench.up()
    await settle()
    bench.driver._store_failed(StoreError("a read failed"))
    with pytest.raises(StoreError):
        await event
    await asyncio.sleep(0.1)
    assert bench.driver.metrics().get("driver_agent_failures", 0) == 0
    assert bench.driver.agent is None, "the store is not opened again while it is being written to"
    bench.store.gate.open()
    await until(lambda: bench.driver.agent is not None)
    await settle()
    assert bench.driver._durable == bench.driver._newest
    await bench.up()


async def test_a_store_that_cannot_be_read_after_it_was_opened_again_is_tried_on(bench: Bench) -> None:
    bench.store.fail = StoreFull("no room")
    with pytest.raises(StoreFull):
        await bench.up()
    bench.store.fail_reads = StoreError("cannot read")
    bench.store.fail = None
    await until(lambda: bench.driver.health()["store"] == "cannot read")
    assert bench.driver.agent is None
    bench.store.fail_reads = None
    await until(lambda: bench.driver.agent is not None)
    await bench.up()


# -- the node's own faults ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ZeroDivisionError, TurnOverdueError])
async def test_a_fault_of_the_agent_leaves_nobody_waiting(
    bench: Bench, monkeypatch, caplog, kind: type[BaseException]
) -> None:
    await bench.up()
    agent = bench.driver.agent
    assert agent is not None

    def fault(messages: deque[Any], _now: int) -> None:
        messages.popleft()
        raise kind("a fault")

    monkeypatch.setattr(agent, "receive_all", fault)
    for one in (bench.up(), bench.up()):
        with pytest.raises(EngineError, match=f"{kind.__name__}: a fault"):
            await one
    await until(lambda: bench.driver.agent not in (None, agent))
    assert await bench.count() == 1
    assert bench.driver.metrics()["driver_agent_failures"] == 1
    assert "begins anew" in caplog.text


async def test_a_fault_of_the_store_adapter_in_the_thread_leaves_nobody_waiting(bench: Bench) -> None:
    in_thread(bench)
    bench.store.fail = ZeroDivisionError("a fault")
    with pytest.raises(EngineError, match="a fault"):
        await bench.up()
    bench.store.fail = None
    await until(lambda: bench.driver.agent is not None)


async def test_an_effect_that_fails_does_not_hold_up_those_behind_it(bench: Bench) -> None:
    bench.peers.wrong = ValueError("a frame too large")
    bench.driver.peer_up("12D3KooWone", 1)
    await bench.up()
    assert bench.driver.metrics()["driver_effects_failed"] == 1


async def test_frames_for_which_there_is_no_room_are_counted(bench: Bench) -> None:
    bench.peers.room = False
    bench.driver.peer_up("12D3KooWone", 1)
    await bench.up()
    assert bench.driver.metrics()["driver_frames_not_queued"] == 1


# -- stopping -----------------------------------------------------------------------------------------------


async def test_stop_finishes_what_was_begun_and_refuses_what_comes_after(bench: Bench) -> None:
    in_thread(bench)
    bench.store.gate.close()
    begun = bench.up()
    await settle()
    stopping = asyncio.create_task(bench.driver.stop())
    await settle()
    late = bench.up()
    with pytest.raises(StoreError, match="stopping"):
        await late
    assert not begun.done()
    assert not stopping.done()
    bench.store.gate.open()
    assert (await begun).eid
    await stopping
    assert bench.store.closed
    assert MemoryStore.get(bench.store, b"a/root") is not None


async def test_stop_tells_those_whose_turn_still_waits(bench: Bench, monkeypatch) -> None:
    asking = await never_answered(bench, monkeypatch)
    await bench.driver.stop()
    with pytest.raises(StoreError, match="stopping"):
        await asking


async def test_a_caller_who_went_away_disturbs_nobody(bench: Bench) -> None:
    in_thread(bench)
    bench.store.gate.close()
    gone, stays = bench.up(), bench.up()
    await settle()
    gone.cancel()
    await settle()
    bench.store.gate.open()
    assert (await stays).eid
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await bench.count() == 2
    assert bench.driver._callers == set()


# -- the doors ----------------------------------------------------------------------------------------------


async def test_queued_event_is_answered_with_its_id_and_applied(bench: Bench) -> None:
    eid = await bench.driver.event_queued(bench.eci, "count", "up", {})
    assert isinstance(eid, str)
    assert await bench.count() == 1


async def test_event_then_query(bench: Bench) -> None:
    found = await bench.driver.event_then_query(bench.eci, "count", "up", {}, "test.counter", "count")
    assert found == 1


async def test_errors_reach_the_caller(bench: Bench) -> None:
    with pytest.raises(EngineError) as caught:
        await bench.driver.event("did:key:z6MkNobody", "count", "up", {})
    assert caught.value.code == "unknown-channel"
    assert bench.driver.metrics()["engine_refused_unknown-channel"] == 1


async def test_metrics_name_everything(bench: Bench) -> None:
    found = bench.driver.metrics()
    expected = {"driver_ticks", "driver_batches", "picos_loaded", "lanes", "queries_open", "sessions"}
    assert expected | {"peers_dials", "store_ok"} <= set(found)


def test_every_effect_has_a_handler() -> None:
    """All kinds, but the ones that the agent takes itself, and those that only a port that can call gets."""
    outward = {RemoteQuery, HttpCall, RulesetCall}
    assert set(Driver._handlers) - outward == set(get_args(Effect)) - outward
