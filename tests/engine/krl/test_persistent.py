"""Persistent variables: parts of large ones, and what all of them hold together. See test_rulesets, too."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.krl.persistent import COUNTED_FROM_BYTES, size_of
from tests.engine.krl.picos import Krl, ruleset

BODY = """
global {
  all = function(){ ent:x }
  at = function(path){ ent:x{path} }
  size = function(){ ent:x.length() }
}
rule fill { select when t fill always { ent:x := event:attrs{"v"} } }
rule put { select when t put always { ent:x{event:attrs{"k"}} := event:attrs{"v"} } }
rule drop { select when t drop always { clear ent:x{event:attrs{"k"}} } }
rule add { select when t add always { ent:x := ent:x.append(event:attrs{"v"}) } }
rule tail { select when t tail always { ent:x := ent:x.tail() } }
rule undo { select when t undo always { ent:x{"k1"} := "lost"; ent:y := "a" - 1 } }
"""


def large() -> Krl:
    krl = Krl(ruleset(BODY, "shares all, at, size"))
    krl.event("t:fill", {"v": {f"k{number}": {"n": number, "text": "some text"} for number in range(500)}})
    return krl


def changed(krl: Krl, name: str, attrs: Any) -> int:
    """How many rows of elements an event changed."""
    krl.event(name, attrs)
    return sum(one.startswith("element") for one in krl.bench.engine.traces.newest(1, krl.did)[0]["changed"])


def held(krl: Krl) -> int:
    return int(krl.pico.info.rows.get("krl/t/x", 0))


def test_one_key_of_a_large_map_is_one_row() -> None:
    krl = large()
    assert changed(krl, "t:put", {"k": "k7", "v": 1}) == 1
    assert changed(krl, "t:put", {"k": ["k8", "n"], "v": 2}) == 1
    assert changed(krl, "t:put", {"k": "new", "v": 3}) == 1
    assert changed(krl, "t:drop", {"k": "k9"}) == 1
    assert changed(krl, "t:drop", {"k": ["k10", "text"]}) == 1
    assert changed(krl, "t:drop", {"k": "nothing"}) == 0
    value = krl.query("all")
    assert value["k7"] == 1
    assert value["k8"] == {"n": 2, "text": "some text"}
    assert value["new"] == 3
    assert "k9" not in value
    assert value["k10"] == {"n": 10}
    assert krl.query("size") == len(value) == 500
    assert krl.query("at", {"path": ["k8", "n"]}) == 2
    assert krl.query("at", {"path": ["k8", "none"]}) is None
    assert krl.query("at", {"path": "none"}) is None
    assert krl.query("at", {"path": []}) is None


def test_an_end_of_a_large_list_is_one_row() -> None:
    krl = Krl(ruleset(BODY, "shares all, at, size"))
    krl.event("t:fill", {"v": list(range(1_000))})
    assert changed(krl, "t:add", {"v": "end"}) == 1
    assert changed(krl, "t:tail", {}) == 1
    assert changed(krl, "t:put", {"k": 5, "v": "six"}) == 1
    assert krl.query("all") == [1, 2, 3, 4, 5, "six", *range(7, 1_000), "end"]
    assert krl.query("at", {"path": 5}) == "six"
    assert krl.query("at", {"path": "05"}) is None
    assert krl.query("size") == 1_000


def test_reading_one_key_reads_one_row() -> None:
    krl = large()
    krl.bench.restart()
    assert krl.query("at", {"path": "k3"}) == {"n": 3, "text": "some text"}
    assert len(krl.pico.elements.rows) == 1


def test_a_failed_rule_leaves_it_as_it_was() -> None:
    krl = large()
    before, counted = krl.query("at", {"path": "k1"}), held(krl)
    krl.event("t:undo")
    assert krl.errors
    assert krl.query("at", {"path": "k1"}) == before
    assert held(krl) == counted


def test_what_is_held_is_counted_when_it_is_much() -> None:
    krl = Krl(ruleset(BODY, "shares all"))
    krl.event("t:fill", {"v": "short"})
    assert held(krl) == 0
    krl.event("t:fill", {"v": "x" * 5_000})
    assert held(krl) == 5_000
    krl.event("t:fill", {"v": 7})
    assert held(krl) == 0
    value = {f"k{number}": "y" * 90 for number in range(100)}
    krl.event("t:fill", {"v": value})
    assert held(krl) == size_of(value) > COUNTED_FROM_BYTES
    krl.event("t:put", {"k": "k5", "v": "z" * 1_090})
    assert held(krl) == size_of(value) + 1_000
    krl.event("t:put", {"k": "new", "v": "z" * 92})
    assert held(krl) == size_of(value) + 1_000 + 103
    krl.event("t:drop", {"k": "new"})
    assert held(krl) == size_of(value) + 1_000
    krl.event("t:fill", {"v": None})
    assert held(krl) == 0


@pytest.mark.parametrize(
    ("value", "size"), [(None, 8), (1, 8), ("abc", 3), ([1, "ab"], 26), ({"ab": 1}, 18), ([], 0), ({}, 0)]
)
def test_sizes(value: Any, size: int) -> None:
    assert size_of(value) == size
