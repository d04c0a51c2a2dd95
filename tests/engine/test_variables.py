"""Persistent variables: what they cost, what they refuse, and that they survive."""

from __future__ import annotations

import pytest

from pico_engine.errors import BadRequest, LimitExceeded, QueryMayNotWrite
from pico_engine.ledger import Ledger, Section
from pico_engine.limits import EngineLimits
from pico_engine.store import MemoryStore
from pico_engine.variables import Variables, decode_variable, encode_variable
from pico_engine.views import ListHead, MapHead


class Kept:
    """One ruleset's variables on a store, as a pico holds them."""

    def __init__(self, store=None, limits=None, may_write=lambda: None) -> None:
        self.store = store or MemoryStore()
        self.ledger = ledger = Ledger(self.store)
        self.section = Section(ledger, b"v/", to_bytes=encode_variable, from_bytes=decode_variable)
        self.elements = Section(ledger, b"w/", lazy=True)
        for full, data in ledger.scan(b"v/", b"v0"):
            self.section.rows[full[2:].decode()] = decode_variable(data)
        self.variables = Variables("my.rid", self.section, self.elements, limits or EngineLimits(), may_write)

    def commit(self) -> dict[bytes, bytes | None]:
        """Commit and write; answers the rows of the batch."""
        self.ledger.commit()
        number, batch = self.ledger.take_batch()
        self.store.write(batch)
        self.ledger.durable(number)
        return batch.rows

    def again(self) -> Kept:
        return Kept(self.store)


@pytest.mark.parametrize("count", [40, 1_000, 100_000])
def test_a_change_of_one_element_writes_as_much_however_many_there_are(count: int) -> None:
    kept = Kept()
    variables = kept.variables
    variables.set("readings", list(range(count)))
    variables.set("seen", {str(number): number for number in range(count)})
    kept.commit()
    readings, seen = variables.get("readings", []), variables.get("seen", {})
    readings.append(1)
    assert len(kept.commit()) == 2, "the element and the head"
    readings[count // 2] = "changed"
    assert len(kept.commit()) == 1
    seen["new"] = 1
    assert len(kept.commit()) == 2
    seen["7"] = "changed"
    assert len(kept.commit()) == 1
    del seen["7"]
    assert len(kept.commit()) == 2
    del readings[0]
    assert len(kept.commit()) == 2
    readings.insert(0, "first")
    assert len(kept.commit()) == 2
    assert readings.pop() == 1
    assert len(kept.commit()) == 2
    assert (len(readings), len(seen)) == (count, count)


def test_reading_one_element_of_many_fetches_one_row() -> None:
    kept = Kept()
    kept.variables.set("readings", list(range(10_000)))
    kept.variables.set("seen", {str(number): number for number in range(10_000)})
    kept.commit()
    kept = kept.again()
    assert kept.variables.get("readings", [])[9_999] == 9_999
    assert kept.variables.get("seen", {})["77"] == 77
    assert "no such key" not in kept.variables.get("seen", {})
    assert len(kept.variables.get("readings", [])) == 10_000
    assert kept.variables.get("readings", [])[-3:] == [9_997, 9_998, 9_999]
    assert len(kept.elements.rows) == 4


def test_a_new_value_as_a_whole_leaves_no_rows_of_the_old_one() -> None:
    kept = Kept()
    for value in (list(range(100)), [1], list(range(50)), {"a": 1}, dict.fromkeys("abc", 1), 5):
        kept.variables.set("it", value)
        kept.commit()
    assert list(kept.store.scan(b"v/", b"w0")) == [(b"v/my.rid/it", b"[5]")]
    kept.variables.set("it", dict.fromkeys(map(str, range(100)), 1))
    kept.commit()
    kept.variables.clear("it")
    kept.commit()
    assert list(kept.store.scan(b"v/", b"x")) == []


def test_a_few_long_elements_have_a_row_each() -> None:
    kept = Kept()
    long = "x" * 3_000
    kept.variables.set("texts", [long, long])
    kept.variables.get("texts", []).append(long)
    kept.commit()
    kept.variables.get("texts", []).append("y")
    rows = kept.commit()
    assert sum(len(value or b"") for value in rows.values()) < 100
    assert kept.again().variables.get("texts", []) == [long, long, long, "y"]


def test_one_value_has_a_limit_which_counts_elements_alone() -> None:
    limits = EngineLimits(value_max_bytes=1_000)
    kept = Kept(limits=limits)
    kept.variables.set("texts", ["x" * 900] * 50)
    with pytest.raises(LimitExceeded):
        kept.variables.set("text", "x" * 1_001)
    with pytest.raises(LimitExceeded):
        kept.variables.set("texts", ["x" * 1_001])
    with pytest.raises(LimitExceeded):
        kept.variables.get("texts", []).append("x" * 1_001)
    with pytest.raises(LimitExceeded):
        kept.variables.set("texts", {"k": "x" * 1_001})


@pytest.mark.parametrize("value", [None, True, 0, 1.5, "t", [], {}, [1], {"a": 1}, [[1]], ["l", 1, 2, 3]])
def test_every_kind_of_value_reads_back(value: object) -> None:
    kept = Kept()
    kept.variables.set("it", value)
    kept.commit()
    assert kept.again().variables.get("it", "default") == value


def test_heads_and_values_are_told_apart() -> None:
    for row in (ListHead(1, 5, 9), MapHead(2, 3, 4)):
        assert decode_variable(encode_variable(row)) == row
    assert decode_variable(encode_variable(["m", 1, 2, 3])) == ["m", 1, 2, 3]


def test_only_its_own_variables_are_cleared() -> None:
    kept = Kept()
    other = Variables("my.rid.other", kept.section, kept.elements, EngineLimits(), lambda: None)
    for variables in (kept.variables, other):
        variables.set("a", list(range(100)))
        variables.set("b", 1)
    kept.commit()
    assert kept.variables.names() == ["a", "b"]
    kept.variables.clear_all()
    kept.commit()
    assert kept.variables.get("a", "gone") == "gone"
    assert (len(other.get("a")), other.get("b")) == (100, 1)
    assert len(list(kept.store.scan(b"v/", b"x"))) == 102


def test_nothing_is_written_where_nothing_may_be_written() -> None:
    kept = Kept()
    kept.variables.set("small", [1])
    kept.variables.set("large", list(range(100)))
    kept.variables.set("map", dict.fromkeys(map(str, range(100)), 1))
    kept.commit()

    def refuse() -> None:
        raise QueryMayNotWrite

    variables = Variables("my.rid", kept.section, kept.elements, EngineLimits(), refuse)
    small, large, of_map = variables.get("small"), variables.get("large"), variables.get("map")
    for change in (
        lambda: variables.set("small", 1),
        lambda: variables.clear("small"),
        lambda: small.append(1),
        lambda: large.append(1),
        lambda: large.__setitem__(0, 1),
        lambda: large.__delitem__(0),
        lambda: large.insert(0, 1),
        lambda: large.sort(),
        lambda: of_map.__setitem__("new", 1),
        lambda: of_map.__setitem__("1", 1),
        lambda: of_map.__delitem__("1"),
        lambda: of_map.clear(),
    ):
        with pytest.raises(QueryMayNotWrite):
            change()
    kept.ledger.commit()
    assert not kept.commit()


def test_a_variable_given_from_another_is_a_copy() -> None:
    kept = Kept()
    kept.variables.set("a", list(range(50)))
    kept.variables.set("b", kept.variables.get("a"))
    kept.variables.get("a").append("more")
    assert kept.variables.get("b") == list(range(50))
    kept.variables.set("c", {"inner": kept.variables.get("a"), "map": kept.variables.get("b")})
    assert kept.variables.get("c")["inner"][-1] == "more"


def test_what_is_no_json_is_refused_before_anything_is_written() -> None:
    kept = Kept()
    for value in (object(), float("nan"), 1 << 70, {"a": {1: 2}}, "\ud800"):
        with pytest.raises(BadRequest):
            kept.variables.set("it", value)
    assert not kept.ledger.journal
