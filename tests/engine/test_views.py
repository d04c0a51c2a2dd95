"""Kept lists and maps behave as list and dict do, through failures, commits and restarts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pico_engine.errors import BadRequest, EngineError
from pico_engine.limits import EngineLimits
from tests.engine.test_variables import Kept

LIMITS = EngineLimits(inline_items_max=4)
VALUES = st.none() | st.integers(-5, 5) | st.text(max_size=2) | st.lists(st.integers(0, 3), max_size=2)
INDEXES = st.integers(-9, 9)
SLICES = st.slices(9)
NAMES = st.sampled_from(["a", "b", "c/d", "", "0", "ü", "\U0010ffff", "\U0010ffffx", "e", "f"])


class Views(RuleBasedStateMachine):
    """What is done to the kept value is done to a plain one; both must answer, or raise, the same."""

    empty: Any = None

    @initialize()
    def begin(self) -> None:
        self.kept = Kept(limits=LIMITS)
        self.model: Any = type(self.empty)()
        self.committed: Any = type(self.empty)()

    @property
    def view(self) -> Any:
        return self.kept.variables.get("it", _frozen(self.empty))

    def same(self, change: Any) -> None:
        outcomes = []
        for one in (self.model, self.view):
            try:
                outcomes.append(change(one))
            except (IndexError, KeyError, ValueError) as error:
                outcomes.append(type(error))
        assert outcomes[0] == outcomes[1]

    @rule()
    def commit(self) -> None:
        self.kept.commit()
        self.committed = type(self.empty)(self.model)

    @rule()
    def roll_back(self) -> None:
        self.kept.ledger.rollback()
        self.model = type(self.empty)(self.committed)

    @rule()
    def restart(self) -> None:
        self.kept = Kept(self.kept.store, LIMITS)
        self.model = type(self.empty)(self.committed)

    @rule()
    def read_on_demand_again(self) -> None:
        if not self.kept.ledger.journal:
            self.kept.ledger.settle()
            self.kept.elements.forget()

    @rule()
    def clear(self) -> None:
        self.same(lambda it: it.clear())

    @rule()
    def delete_the_variable(self) -> None:
        self.kept.variables.clear("it")
        self.model.clear()

    @rule()
    def copy(self) -> None:
        self.same(lambda it: it.copy())

    @invariant()
    def they_are_equal(self) -> None:
        view = self.view
        assert view == self.model
        assert len(view) == len(self.model)
        assert list(view) == list(self.model)
        assert bool(view) == bool(self.model)
        assert repr(view) == repr(self.model)


def _frozen(value: Any) -> Any:
    from pico_engine.values import freeze

    return freeze(value)


class ListModel(Views):
    empty: Any = ()

    @initialize()
    def begin(self) -> None:
        self.empty = []
        super().begin()

    @rule(value=VALUES)
    def append(self, value: Any) -> None:
        self.same(lambda it: it.append(value))

    @rule(values=st.lists(VALUES, max_size=7))
    def extend(self, values: Any) -> None:
        self.same(lambda it: it.extend(values))

    @rule(values=st.lists(VALUES, max_size=9))
    def replace(self, values: Any) -> None:
        self.kept.variables.set("it", values)
        self.model = list(values)

    @rule(index=INDEXES, value=VALUES)
    def insert(self, index: int, value: Any) -> None:
        self.same(lambda it: it.insert(index, value))

    @rule(index=INDEXES)
    def pop(self, index: int) -> None:
        self.same(lambda it: it.pop(index))

    @rule(index=INDEXES, value=VALUES)
    def set_one(self, index: int, value: Any) -> None:
        self.same(lambda it: it.__setitem__(index, value))

    @rule(index=INDEXES)
    def get_one(self, index: int) -> None:
        self.same(lambda it: it[index])

    @rule(index=SLICES)
    def get_slice(self, index: slice) -> None:
        self.same(lambda it: it[index])

    @rule(index=SLICES)
    def delete_slice(self, index: slice) -> None:
        self.same(lambda it: it.__delitem__(index))

    @rule(index=SLICES, values=st.lists(VALUES, max_size=3))
    def set_slice(self, index: slice, values: Any) -> None:
        self.same(lambda it: it.__setitem__(index, values))

    @rule(value=VALUES)
    def remove(self, value: Any) -> None:
        self.same(lambda it: it.remove(value))

    @rule(value=VALUES)
    def look(self, value: Any) -> None:
        self.same(lambda it: (value in it, it.count(value), list(reversed(it)), it + [value]))  # noqa: RUF005

    @rule()
    def turn_round(self) -> None:
        self.same(lambda it: it.reverse())

    @rule()
    def sort(self) -> None:
        self.same(lambda it: it.sort(key=repr, reverse=True))

    @rule(values=st.lists(VALUES, max_size=3))
    def add_in_place(self, values: Any) -> None:
        view = self.view
        view += values
        self.kept.variables.set("it", view)  # as `self.it += values` does
        self.model += values


class MapModel(Views):
    @initialize()
    def begin(self) -> None:
        self.empty = {}
        super().begin()

    @rule(name=NAMES, value=VALUES)
    def put(self, name: str, value: Any) -> None:
        self.same(lambda it: it.__setitem__(name, value))

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        self.same(lambda it: it.__delitem__(name))

    @rule(name=NAMES)
    def look(self, name: str) -> None:
        self.same(lambda it: (name in it, it.get(name, "none"), list(it.items()), list(it.values())))
        self.same(lambda it: it[name])

    @rule(name=NAMES)
    def pop(self, name: str) -> None:
        self.same(lambda it: it.pop(name))

    @rule(values=st.dictionaries(NAMES, VALUES, max_size=9))
    def replace(self, values: Any) -> None:
        self.kept.variables.set("it", values)
        self.model = dict(values)

    @rule(values=st.dictionaries(NAMES, VALUES, max_size=4))
    def update(self, values: Any) -> None:
        self.same(lambda it: it.update(values))

    @rule(values=st.dictionaries(NAMES, VALUES, max_size=4))
    def merge(self, values: Any) -> None:
        self.same(lambda it: it | values)
        view = self.view
        view |= values
        self.kept.variables.set("it", view)
        self.model |= values

    @rule(name=NAMES, value=VALUES)
    def set_default(self, name: str, value: Any) -> None:
        self.same(lambda it: it.setdefault(name, value))

    @rule()
    def pop_item(self) -> None:
        if self.model:
            name, value = self.view.popitem()
            assert self.model.pop(name) == value


TestLists = ListModel.TestCase
TestMaps = MapModel.TestCase
TestLists.settings = TestMaps.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)


@pytest.fixture
def kept() -> Kept:
    return Kept(limits=LIMITS)


def test_a_map_takes_only_text_as_keys(kept: Kept) -> None:
    for value in ({"a": 1}, dict.fromkeys("abcdef", 1)):
        kept.variables.set("it", value)
        it = kept.variables.get("it")
        for key in (1, None, "\ud800"):
            with pytest.raises(BadRequest):
                it[key] = 1
            assert key not in it
        assert it == value


def test_an_element_is_a_kept_value_that_says_how_it_is_changed(kept: Kept) -> None:
    kept.variables.set("it", [{"celsius": 1}] * 9)
    it = kept.variables.get("it")
    with pytest.raises(TypeError, match="assign a new one"):
        it[0]["celsius"] = 3
    it[0] = {**it[0], "celsius": 3}
    assert it[0] == {"celsius": 3}


@pytest.mark.parametrize("other", [5, {"a": 1}, None])
def test_a_view_of_what_the_variable_no_longer_is_says_so(kept: Kept, other: object) -> None:
    kept.variables.set("it", [1, 2])
    view = kept.variables.get("it")
    kept.variables.set("it", other)
    with pytest.raises(EngineError, match="no list any more"):
        view.append(1)
    kept.variables.set("it", {"a": 1})
    view = kept.variables.get("it")
    kept.variables.clear("it")
    with pytest.raises(EngineError, match="no map any more"):
        view["a"] = 1


def test_a_list_that_is_changed_while_it_is_walked_is_walked_as_it_was(kept: Kept) -> None:
    kept.variables.set("it", [1, 2, 3, 4, 5])
    view = kept.variables.get("it")
    for value in view:
        view.append(value)
    assert view == [1, 2, 3, 4, 5] * 2


def test_views_are_compared_by_what_they_hold(kept: Kept) -> None:
    for value in ([1], list(range(9)), {"a": 1}, dict.fromkeys("abcdefg", 1)):
        kept.variables.set("a", value)
        kept.variables.set("b", value)
        assert kept.variables.get("a") == kept.variables.get("b")
        assert kept.variables.get("a") != [*value, 1]
        with pytest.raises(TypeError):
            hash(kept.variables.get("a"))
