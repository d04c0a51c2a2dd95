"""The ledger against a plain dictionary: undone, committed, taken, written, crashed, suspended."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pico_engine.ledger import MISSING, Ledger, Section
from pico_engine.store import MemoryStore

KEYS = st.sampled_from(["a", "b", "b/1", "c", "ü", ""])
VALUES = st.integers(0, 9)


class LedgerModel(RuleBasedStateMachine):
    """One eager and one lazy section; a turn at hand, and sometimes a turn that waits on keys of its own."""

    @initialize()
    def begin(self) -> None:
        self.store = MemoryStore()
        self.committed: dict[tuple[str, str], int] = {}
        self.taken: list[tuple[int, Any, dict[tuple[str, str], int]]] = []
        self.durable_model: dict[tuple[str, str], int] = {}
        self._open()

    def _open(self) -> None:
        self.ledger = Ledger(self.store)
        self.sections = {
            "eager": Section(self.ledger, b"e/"),
            "lazy": Section(self.ledger, b"l/", lazy=True),
            "waiting": Section(self.ledger, b"w/"),
        }
        for name in ("eager", "waiting"):
            section = self.sections[name]
            for full, data in self.ledger.scan(section.prefix, section.prefix[:-1] + b"0"):
                section.rows[full[2:].decode()] = section.decode(data)
        self.working = dict(self.committed)
        self.marks: list[tuple[int, dict[tuple[str, str], int]]] = []
        self.waiter: tuple[list[Any], dict[str, Any]] | None = None

    @rule(section=st.sampled_from(["eager", "lazy"]), key=KEYS, value=VALUES)
    def put(self, section: str, key: str, value: int) -> None:
        self.sections[section].put(key, value)
        self.working[section, key] = value

    @rule(section=st.sampled_from(["eager", "lazy"]), key=KEYS)
    def delete(self, section: str, key: str) -> None:
        self.sections[section].delete(key)
        self.working.pop((section, key), None)

    @rule()
    def mark(self) -> None:
        self.marks.append((len(self.ledger.journal), dict(self.working)))

    @precondition(lambda self: self.marks)
    @rule()
    def fail_a_rule(self) -> None:
        at, working = self.marks.pop()
        self.ledger.rollback(at)
        self.working = working

    @rule()
    def fail_the_turn(self) -> None:
        self.ledger.rollback()
        self.working, self.marks = dict(self.committed), []

    @rule()
    def commit(self) -> None:
        self.ledger.commit()
        self.committed, self.marks = dict(self.working), []

    @rule()
    def settle_in_the_middle_of_a_turn(self) -> None:
        """As reading another pico from the store does."""
        self.ledger.settle()

    @precondition(lambda self: self.waiter is None and not self.ledger.journal)
    @rule(keys=st.lists(KEYS, min_size=1), value=VALUES)
    def a_turn_waits(self, keys: list[str], value: int) -> None:
        self.marks = []
        before = {key: self.sections["waiting"].rows.get(key, MISSING) for key in keys}
        for key in keys:
            self.sections["waiting"].put(key, value)
        journal, self.ledger.journal = self.ledger.journal, []
        self.ledger.suspend(journal)
        self.waiter = (journal, dict.fromkeys(before, value))

    @precondition(lambda self: self.waiter is not None and not self.ledger.journal)
    @rule(keep=st.booleans())
    def the_waiting_turn_ends(self, keep: bool) -> None:
        journal, values = self.waiter
        self.waiter, self.marks = None, []
        self.ledger.journal = journal
        if keep:
            self.ledger.commit()
            for key, value in values.items():
                self.committed["waiting", key] = self.working["waiting", key] = value
        else:
            self.ledger.rollback()

    @rule()
    def take(self) -> None:
        if self.ledger.journal:
            return
        number, batch = self.ledger.take_batch()
        self.taken.append((number, batch, dict(self.committed)))

    @precondition(lambda self: self.taken)
    @rule()
    def write_one(self) -> None:
        number, batch, model = self.taken.pop(0)
        self.store.write(batch)
        self.durable_model = model
        self.ledger.durable(number)

    @rule()
    def forget(self) -> None:
        if not self.ledger.journal:
            self.sections["lazy"].forget()

    @rule()
    def crash(self) -> None:
        """What is read afterwards is what the batches held that were written: never half a turn."""
        self.committed = dict(self.durable_model)
        self.taken = []
        self._open()

    @invariant()
    def reads_are_right(self) -> None:
        for name in ("eager", "lazy"):
            section = self.sections[name]
            for key in ("a", "b", "b/1", "c", "ü", ""):
                assert section.get(key) == self.working.get((name, key))
        waiting = {key: value for (name, key), value in self.working.items() if name == "waiting"}
        assert self.sections["waiting"].rows == {**waiting, **(self.waiter[1] if self.waiter else {})}
        lazy = {key: value for (name, key), value in self.working.items() if name == "lazy"}
        assert list(self.sections["lazy"].scan()) == sorted(lazy.items())
        assert list(self.sections["lazy"].scan("b", "c")) == sorted(
            item for item in lazy.items() if "b" <= item[0] < "c"
        )


TestLedger = LedgerModel.TestCase
TestLedger.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_a_failed_turn_leaves_nothing_of_itself_in_a_batch_that_was_settled_meanwhile() -> None:
    store = MemoryStore()
    ledger = Ledger(store)
    section = Section(ledger, b"e/")
    section.put("count", 1)
    ledger.commit()
    section.put("count", 2)
    ledger.settle()
    ledger.rollback()
    _, batch = ledger.take_batch()
    assert batch.rows == {b"e/count": b"1"}


def test_the_turns_inside_which_a_query_is_asked_are_held_back_too() -> None:
    ledger = Ledger(MemoryStore())
    section = Section(ledger, b"e/")
    section.put("count", 1)
    ledger.commit()
    section.put("count", 2)
    ledger.outer_journals.append(ledger.journal)
    ledger.journal = []
    ledger.settle()
    ledger.journal = ledger.outer_journals.pop()
    ledger.rollback()
    assert ledger.take_batch()[1].rows == {b"e/count": b"1"}


def test_a_dropped_prefix_is_gone_at_once_and_in_every_batch() -> None:
    store = MemoryStore()
    ledger = Ledger(store)
    section = Section(ledger, b"p/x/")
    other = Section(ledger, b"p/y/")
    for one in (section, other):
        one.put("k", 1)
    ledger.commit()
    first = ledger.take_batch()
    section.put("k2", 1)
    ledger.commit()
    ledger.drop_prefix(b"p/x/")
    assert ledger.get(b"p/x/k") is None
    assert [key for key, _ in ledger.scan(b"p/", b"p0")] == [b"p/y/k"]
    second = ledger.take_batch()
    assert ledger.get(b"p/x/k2") is None
    assert [key for key, _ in ledger.scan(b"p/", b"p0")] == [b"p/y/k"]
    for number, batch in (first, second):
        store.write(batch)
        ledger.durable(number)
    assert [key for key, _ in store.scan(b"\x00", b"\xff")] == [b"p/y/k"]


def test_keys_that_are_not_there_are_not_remembered() -> None:
    section = Section(Ledger(MemoryStore()), b"e/", lazy=True)
    for number in range(1_000):
        assert section.get(f"did:example:{number}") is None
    assert section.get("\ud800") is None
    assert not section.rows


def test_a_key_is_written_once_however_often_it_changed() -> None:
    ledger = Ledger(MemoryStore())
    encoded: list[Any] = []

    def to_bytes(value: Any) -> bytes:
        encoded.append(value)
        return b"%d" % value

    section = Section(ledger, b"e/", to_bytes=to_bytes)
    for number in range(100):
        section.put("count", number)
        ledger.commit()
    assert ledger.has_changes
    _, batch = ledger.take_batch()
    assert (encoded, batch.rows) == ([99], {b"e/count": b"99"})
    assert not ledger.has_changes


def test_changes_are_told_when_they_are_made_and_when_they_are_undone() -> None:
    ledger = Ledger(MemoryStore())
    section = Section(ledger, b"e/")
    told: list[dict[str, Any]] = []
    section.changed = lambda: told.append(dict(section.rows))
    section.put("a", 1)
    section.delete("a")
    ledger.rollback()
    assert told == [{"a": 1}, {}, {"a": 1}, {}]
    assert section.items() == []
    assert repr(MISSING) == "MISSING"


@pytest.mark.parametrize("lazy", [False, True])
def test_a_deleted_row_is_deleted_in_the_store(lazy: bool) -> None:
    store = MemoryStore()
    ledger = Ledger(store)
    section = Section(ledger, b"e/", lazy=lazy)
    section.put("a", 1)
    ledger.commit()
    store.write(ledger.take_batch()[1])
    section.delete("a")
    ledger.commit()
    _, batch = ledger.take_batch()
    assert batch.rows == {b"e/a": None}


def test_a_journal_is_looked_through_from_where_it_was_left() -> None:
    ledger = Ledger(MemoryStore())
    one, two = Section(ledger, b"one/"), Section(ledger, b"two/")
    one.put("a", 1)
    ledger.commit()
    one.put("a", 2)
    seen = ledger.suspend_again(ledger.journal, None)
    assert (seen[0], seen[2]) == (1, {one})
    assert not one.dirty, "the committed 1 was written aside"
    two.put("b", 1)
    seen = ledger.suspend_again(ledger.journal, seen)
    assert (seen[0], seen[2]) == (2, {one, two})
    ledger.rollback(1)
    two.put("c", 1)
    two.dirty.add("c")  # as if another turn had committed it before
    assert ledger.suspend_again(ledger.journal, seen)[0] == 2, "it begins anew after a rollback"
    assert not two.dirty
    assert ledger.suspend_again([], seen) == (0, None, set())


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("key", [None, 5, True, ""])
def test_what_is_no_key_has_no_row(key: object, lazy: bool) -> None:
    section = Section(Ledger(MemoryStore()), b"x/", lazy=lazy)
    assert section.get(key) is None
    assert section.get(key, "default") == "default"
