"""The machine against recorded behaviour of the existing engine's event-expression library."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pico_engine.errors import RulesetDefinitionError
from pico_engine.expressions.ast import (
    After,
    And,
    AnyOf,
    Before,
    Between,
    Count,
    Expression,
    NotBetween,
    Or,
    Repeat,
    Select,
    Simple,
    Then,
)
from pico_engine.expressions.compile import END, START
from pico_engine.expressions.machine import compile_select

CASES = json.loads(
    (Path(__file__).parents[2] / "data" / "expressions" / "select-when.json").read_text(encoding="utf-8")
)

SEVERAL = {"or": Or, "and": And, "before": Before, "then": Then, "after": After}

DIFFERENCES = {
    "sw-371": "count 0 could never fire; ours says so when the rule is defined",
}


def simple(name: str) -> Simple:
    domain, colon, type_ = name.partition(":")
    return Simple(domain, type_) if colon else Simple("*", name)


def build(expr: Any) -> Expression:
    if isinstance(expr, str):
        return simple(expr)
    word, *rest = expr
    if word in SEVERAL:
        return SEVERAL[word](tuple(map(build, rest)))
    match word:
        case "between":
            return Between(*map(build, rest))
        case "notBetween":
            return NotBetween(*map(build, rest))
        case "any":
            return AnyOf(rest[0], tuple(map(build, rest[1:])))
        case "count":
            return Count(rest[0], build(rest[1]))
        case "repeat":
            return Repeat(rest[0], build(rest[1]))
    raise AssertionError(word)


def select(expr: Any) -> Select:
    if expr[0] == "within":
        return Select(build(expr[2]), expr[1])
    return Select(build(expr))


def events(case: dict[str, Any]) -> Iterator[SimpleNamespace]:
    for index, text in enumerate(case["events"]):
        name, _, time = text.partition("@")
        domain, colon, type_ = name.partition(":")
        if not colon:
            domain, type_ = "", name
        yield SimpleNamespace(
            domain=domain, type=type_, attrs={}, time_ms=int(time) if time else 1_000_000 + index
        )


@pytest.mark.parametrize("case", CASES["curated"] + CASES["random"], ids=lambda case: case["id"])
def test_fires_and_states_are_as_recorded(case: dict[str, Any]) -> None:
    if "error" in case or case["id"] in DIFFERENCES:
        with pytest.raises(RulesetDefinitionError):
            select(case["expr"])
        return
    machine = compile_select(select(case["expr"]))
    assert {f"{domain}:{type_}" for domain, type_ in machine.salience} == set(case["salience"])
    progress = None
    fires = []
    ours: dict[frozenset[str], tuple[int, ...]] = {}
    for index, (event, recorded) in enumerate(zip(events(case), case["states"], strict=True)):
        outcome = machine.advance(progress, event)
        progress = outcome.progress
        if outcome.fired:
            fires.append(index)
            assert "end" in recorded
        states = (START,) if progress is None else progress.states
        if recorded in (None, ["start"]) or (recorded == ["end"] and progress is None):
            assert states == (START,)
            continue
        # states are numbered otherwise, but one of theirs must always be the same one of ours
        assert ours.setdefault(frozenset(recorded), states) == states
        assert (END in states) == ("end" in recorded)
    assert fires == case["fires"]
    assert len(set(ours.values())) == len(ours)


def test_every_difference_names_a_case() -> None:
    assert set(DIFFERENCES) <= {case["id"] for case in CASES["curated"]}
