"""The engine: picos that cost nothing while they are idle, restarts at every point, nothing lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pico_engine import Event, Ruleset, ent, query, rule, when
from pico_engine.engine import Engine
from pico_engine.errors import RulesetMissing, StoreCorrupt, UnknownPico
from pico_engine.harness import SeededEntropy
from pico_engine.identities import ExampleIdentities
from pico_engine.limits import EngineLimits
from pico_engine.messages import Accepted, EventAnswer, Failed
from pico_engine.registry import Registry
from pico_engine.store import Batch, MemoryStore
from tests.engine.helpers import Steps


class Counter(Ruleset, rid="test.counter"):
    count: int = ent(default=0)
    items: list[Any] = ent(default=[])

    @rule(when("c:inc"))
    def inc(self, event: Event) -> None:
        self.count += 1
        self.items.append(event.attr("n"))
        self.directive("count", count=self.count)

    @rule(when("c:pass"))
    def pass_on(self, event: Event) -> None:
        for child in self.pico.children:
            self.send(child["eci"], "c:inc", n=event.attr("n"))

    @rule(when("c:first").then("c:second"))
    def both(self) -> None:
        self.directive("both")

    @query
    def value(self) -> Any:
        return {"count": self.count, "items": self.items}


class CountingStore(MemoryStore):
    """Knows what was read of it."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[bytes] = []

    def get(self, key):
        self.read.append(key)
        return super().get(key)

    def scan(self, start, stop, **options):
        rows = list(super().scan(start, stop, **options))
        self.read += [key for key, _ in rows]
        return iter(rows)


# -- virtual picos ------------------------------------------------------------------------------------------


def _with_many_picos(count: int) -> tuple[CountingStore, list[str]]:
    store = CountingStore()
    steps = Steps(Counter, store=store)
    made: list[str] = []
    for _ in range(count // 100):
        made += steps.operate(
            steps.root,
            lambda pico: [
                pico.engine.family.new_child(pico, "child", ["test.counter"])["did"] for _ in range(100)
            ],
        )
    return store, made


def test_ten_thousand_picos_cost_nothing_at_start_and_little_in_use() -> None:
    store, made = _with_many_picos(10_000)
    store.read.clear()
    steps = Steps(Counter, store=store, limits=EngineLimits(loaded_picos_max=50))
    steps.settle()
    assert steps.engine.loaded_count == 0
    assert len(store.read) < 10
    for did in made[::20]:
        steps.event(did, "c:inc")
        assert steps.engine.loaded_count <= 51
    eci = steps.channel(made[0])
    store.read.clear()
    steps.crash()
    steps.event(eci, "c:inc", door="http")
    assert len(store.read) < 30, "finding a channel costs one row, loading a pico its own"
    assert steps.query(made[0], "test.counter", "value")["count"] == 2
    assert steps.query(made[1], "test.counter", "value")["count"] == 0


def test_idle_picos_are_put_away_with_what_is_not_yet_written() -> None:
    steps = Steps(Counter, limits=EngineLimits(idle_max_ms=1_000))
    steps.send(steps.root, "c:inc", {"n": 1})
    steps.turns(2)
    assert steps.engine.has_changes
    steps.now += 2_000
    steps.turns(1)
    assert steps.engine.loaded_count == 0
    assert steps.query(steps.root, "test.counter", "value") == {"count": 1, "items": [1]}
    steps.now += 2_000
    steps.settle()
    assert steps.engine.loaded_count == 0
    steps.crash()
    assert steps.query(steps.root, "test.counter", "value") == {"count": 1, "items": [1]}


def test_a_pico_in_use_is_not_put_away() -> None:
    steps = Steps(Counter, limits=EngineLimits(idle_max_ms=1_000))
    for _ in range(5):
        steps.now += 900
        steps.event(steps.root, "c:inc")
    assert steps.engine.loaded_count == 1


def test_a_pico_that_was_just_loaded_is_not_the_one_to_go() -> None:
    """Two instances of one pico would lose each other's events."""
    steps = Steps(Counter, limits=EngineLimits(loaded_picos_max=1))
    children = [steps.child("test.counter")["did"] for _ in range(3)]
    replies = [steps.send(did, "c:inc", {"n": n}) for n in range(4) for did in children]
    steps.settle()
    assert all(isinstance(steps.answer(reply), EventAnswer) for reply in replies)
    steps.event(steps.root, "c:pass", {"n": 9})
    for did in children:
        assert steps.query(did, "test.counter", "value") == {"count": 5, "items": [0, 1, 2, 3, 9]}


# -- restarts -----------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["event", "turn", "batch", "write", "crash"]), max_size=40))
def test_what_was_accepted_is_applied_exactly_once_wherever_it_crashes(plan: list[str]) -> None:
    """Accepted is told only when the batch taken after it is written; then nothing undoes it."""
    steps = Steps(Counter)
    store = steps.store
    number = 0
    told: set[int] = set()
    pending: dict[object, int] = {}
    batches: list[tuple[int, Batch, list[int]]] = []
    for step in plan:
        if step == "event":
            pending[steps.send(steps.root, "c:inc", {"n": number}, durable=True)] = number
            number += 1
        elif step == "turn":
            steps.engine.handle_timer(steps.now)
        elif step == "batch":
            taken, batch = steps.engine.take_batch()
            effects = list(iter(steps.engine.next_effect, None))
            accepted = [pending[one.reply] for one in effects if isinstance(one, Accepted)]
            batches.append((taken, batch, accepted))
        elif step == "write" and batches:
            taken, batch, accepted = batches.pop(0)
            store.write(batch)
            steps.engine.durable(taken)
            told.update(accepted)
        elif step == "crash":
            batches.clear()
            pending.clear()
            steps.crash()
    steps.crash()
    steps.settle()
    items = steps.query(steps.root, "test.counter", "value")["items"]
    assert sorted(items) == items
    assert len(set(items)) == len(items), "none twice"
    assert told <= set(items), "none lost"


def test_events_between_picos_survive_in_the_queue() -> None:
    steps = Steps(Counter, limits=EngineLimits(turns_per_tick_max=1))
    child = steps.child("test.counter")["did"]
    steps.send(steps.root, "c:pass", {"n": 7})
    steps.turns(1)
    steps.write()
    assert steps.engine.pico(child).queue.rows
    steps.crash()
    steps.settle()
    assert steps.query(child, "test.counter", "value") == {"count": 1, "items": [7]}
    steps.crash()
    steps.settle()
    assert steps.query(child, "test.counter", "value")["count"] == 1
    assert not [key for key in steps.rows() if key.startswith(b"b/")]


def test_a_half_matched_expression_goes_on_after_a_restart() -> None:
    steps = Steps(Counter)
    assert steps.event(steps.root, "c:first") == []
    steps.crash()
    [directive] = steps.event(steps.root, "c:second")
    assert directive["name"] == "both"
    steps.crash()
    assert steps.event(steps.root, "c:second") == []


def test_who_reads_before_the_batch_is_written_reads_what_was_committed() -> None:
    steps = Steps(Counter, limits=EngineLimits(idle_max_ms=10))
    for n in range(50):
        steps.send(steps.root, "c:inc", {"n": n})
        steps.turns(1)
        first = steps.engine.take_batch()
        steps.now += 20
        steps.turns(1)
        steps.store.write(first[1])
        steps.engine.durable(first[0])
    assert steps.query(steps.root, "test.counter", "value")["items"] == list(range(50))


def test_the_same_seed_gives_the_same_rows() -> None:
    runs = []
    for _ in range(2):
        steps = Steps(Counter, seed=7)
        steps.child("test.counter")
        steps.event(steps.root, "c:pass", {"n": 1})
        runs.append(steps.rows())
    assert runs[0] == runs[1]
    other = Steps(Counter, seed=8)
    assert other.rows().keys() != runs[0].keys()


# -- a ruleset that is not there ----------------------------------------------------------------------------


@pytest.fixture
def lacking() -> Steps:
    """A root with a ruleset that this node does not have (any more)."""
    steps = Steps(Counter)
    steps.child("test.counter")
    steps.registry = Registry()
    steps.crash()
    return steps


def test_events_wait_for_a_missing_ruleset(lacking: Steps) -> None:
    steps = lacking
    waited = steps.send(steps.root, "c:inc", {"n": 1})
    steps.send(steps.root, "c:inc", {"n": 2}, durable=True)
    steps.send(steps.root, "c:inc", {"n": 3}, durable=True)
    steps.settle()
    answer = steps.answer(waited)
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, RulesetMissing)
    with pytest.raises(RulesetMissing):
        steps.query(steps.root, "test.counter", "value")
    assert len(steps.engine.pico(steps.root).queue.rows) == 2
    assert any("waits: pico" in line.text for line in steps.logs)
    steps.crash()
    steps.settle()
    assert len(steps.engine.pico(steps.root).queue.rows) == 2
    steps.registry.add(Counter)
    steps.send(steps.root, "c:inc", {"n": 4}, durable=True)
    steps.engine.registry_changed(steps.now)
    steps.engine.registry_changed(steps.now)
    steps.settle()
    assert steps.query(steps.root, "test.counter", "value") == {"count": 3, "items": [2, 3, 4]}
    assert not steps.engine.pico(steps.root).queue.rows


def test_a_pico_with_waiting_events_can_be_put_away_and_takes_them_up_when_it_is_loaded(
    lacking: Steps,
) -> None:
    steps = lacking
    steps.send(steps.root, "c:inc", {"n": 2}, durable=True)
    steps.settle()
    steps.now += 10_000_000
    steps.settle()
    assert steps.engine.loaded_count == 0
    steps.registry.add(Counter)
    assert steps.query(steps.root, "test.counter", "value") == {"count": 1, "items": [2]}


def test_registry_changed_finds_picos_that_are_not_loaded(lacking: Steps) -> None:
    steps = lacking
    steps.send(steps.root, "c:inc", {"n": 2}, durable=True)
    steps.settle()
    steps.now += 10_000_000
    steps.settle()
    steps.registry.add(Counter)
    steps.engine.registry_changed(steps.now)
    steps.settle()
    assert steps.query(steps.root, "test.counter", "value")["count"] == 1


def test_a_receipt_is_not_written_for_an_event_that_waits(lacking: Steps) -> None:
    steps = lacking

    class Cursor:
        def apply(self, pico) -> bool:
            if pico.info.get("cursor"):
                return False
            pico.info.put("cursor", 1)
            return True

    steps.send(steps.root, "c:inc", receipt=Cursor())
    steps.settle()
    assert steps.engine.pico(steps.root).info.get("cursor") is None
    steps.registry.add(Counter)
    steps.engine.registry_changed(steps.now)
    for _ in range(2):  # the sender tries again
        steps.send(steps.root, "c:inc", receipt=Cursor())
        steps.settle()
    assert steps.query(steps.root, "test.counter", "value")["count"] == 1


def test_scheduled_events_wait_for_a_missing_ruleset() -> None:
    steps = Steps(Counter)
    steps.operate(
        steps.root,
        lambda pico: pico.engine.schedules.add_at(
            pico, "test.counter", steps.now + 10, ("c", "inc"), {"n": 1}
        ),
    )
    steps.registry = Registry()
    steps.crash()
    steps.now += 100
    steps.settle()
    assert steps.engine.pico(steps.root).schedule.rows
    steps.registry.add(Counter)
    steps.engine.registry_changed(steps.now)
    steps.settle()
    assert steps.query(steps.root, "test.counter", "value")["count"] == 1
    assert not steps.engine.pico(steps.root).schedule.rows
    assert not [key for key in steps.rows() if key.startswith(b"t/")]


# -- damage -------------------------------------------------------------------------------------------------


def test_one_damaged_pico_does_not_hold_up_the_others() -> None:
    steps = Steps(Counter, limits=EngineLimits(turns_per_tick_max=1))
    children = [steps.child("test.counter")["did"] for _ in range(2)]
    steps.send(steps.root, "c:pass", {"n": 1})
    steps.turns(1)
    steps.write()
    steps.store.write(Batch({b"p/" + children[0].encode() + b"/v/test.counter/count": b"{"}))
    steps.crash()
    steps.settle()
    assert steps.query(children[1], "test.counter", "value")["count"] == 1
    assert any("cannot be loaded" in line.text for line in steps.logs)
    with pytest.raises(StoreCorrupt):
        steps.query(children[0], "test.counter", "value")
    steps.store.write(Batch({b"p/" + children[0].encode() + b"/v/test.counter/count": b"[5]"}))
    steps.crash()
    steps.settle()
    assert steps.query(children[0], "test.counter", "value")["count"] == 6, "its event waited"


# -- deletion -----------------------------------------------------------------------------------------------


def test_a_deleted_pico_and_all_below_it_leave_no_row() -> None:
    steps = Steps(Counter)
    before = {key for key in steps.rows() if b"/y/" not in key}
    child = steps.child("test.counter")
    grandchild = steps.child("test.counter", of=child["did"])
    for did in (child["did"], grandchild["did"]):
        steps.channel(did)
        steps.event(did, "c:inc")
        steps.operate(
            did, lambda pico: pico.engine.schedules.add_at(pico, "x", steps.now + 9_999, ("a", "b"), {})
        )
    steps.operate(steps.root, lambda pico: pico.engine.family.delete_child(pico, child["eci"]))
    with pytest.raises(UnknownPico):
        steps.event(grandchild["did"], "c:inc")
    assert {key for key in steps.rows() if b"/y/" not in key} - before <= {
        b"p/" + steps.root.encode() + b"/i/next_child"
    }
    steps.now += 20_000
    steps.settle()
    assert steps.engine.loaded_count <= 1


def test_a_family_of_a_thousand_generations_can_be_deleted() -> None:
    """Deeper than Python lets functions call each other."""
    steps = Steps(Counter)
    before = {key for key in steps.rows() if b"/y/" not in key}
    line = [steps.child()]
    for _ in range(1_200):
        line.append(steps.child(of=line[-1]["did"]))
    steps.operate(steps.root, lambda pico: pico.engine.family.delete_child(pico, line[0]["eci"]))
    assert {key for key in steps.rows() if b"/y/" not in key} - before <= {
        b"p/" + steps.root.encode() + b"/i/next_child"
    }


def test_a_pico_is_gone_before_its_deletion_is_written() -> None:
    """What arrives in the same tick must not raise it from the rows that are still on the disk."""
    steps = Steps(Counter)
    child = steps.child("test.counter")["did"]
    eci = steps.channel(child)
    steps.operate(
        child, lambda pico: pico.engine.schedules.add_at(pico, "x", steps.now + 10, ("c", "inc"), {})
    )
    reply = steps.send(steps.root, "x:y")
    steps.engine.delete_pico(child)
    steps.now += 10
    for target, door in ((child, "owner"), (eci, "http")):
        assert isinstance(steps.answer(steps.send(target, "c:inc", door=door)), Failed)
    steps.turns(2)
    assert steps.answer(reply) is not None
    first = steps.engine.take_batch()
    assert isinstance(steps.answer(steps.send(child, "c:inc")), Failed)
    steps.store.write(first[1])
    steps.engine.durable(first[0])
    steps.settle()
    assert not [key for key in steps.rows() if child.encode() in key]


def test_an_empty_store_has_no_root() -> None:
    engine = Engine(MemoryStore(), Registry(), ExampleIdentities(), SeededEntropy())
    assert engine.root is None
    assert not engine.has_changes
    engine.start(5)
    engine.handle_timer(5)
    assert engine.next_effect() is None
