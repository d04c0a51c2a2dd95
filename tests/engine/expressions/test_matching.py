"""Which events match, when conditions are asked, and what an event that does not match leaves behind."""

from types import SimpleNamespace
from typing import Any

import pytest

from pico_engine.expressions.ast import (
    AttributePattern,
    Before,
    Or,
    Select,
    Simple,
    Then,
)
from pico_engine.expressions.build import when
from pico_engine.expressions.machine import Machine, compile_select
from pico_engine.expressions.patterns import equals, number, present


def event(name: str, time_ms: int = 1_000_000, **attrs: Any) -> SimpleNamespace:
    domain, _, type_ = name.partition(":")
    return SimpleNamespace(domain=domain, type=type_, attrs=attrs, time_ms=time_ms)


def run(machine: Machine, *events: SimpleNamespace) -> list[tuple[str, dict[str, Any]]]:
    progress = None
    seen = []
    for one in events:
        outcome = machine.advance(progress, one)
        progress = outcome.progress
        seen.append((outcome.why, dict(outcome.settings)))
    return seen


def whys(machine: Machine, *events: SimpleNamespace) -> list[str]:
    return [why for why, _ in run(machine, *events)]


def test_a_condition_gets_event_settings_and_ruleset_and_its_exception_goes_through() -> None:
    calls = []

    def where(one: Any, captured: dict[str, Any], ruleset: Any) -> bool:
        calls.append((one.type, captured, ruleset))
        raise LookupError("no such thing")

    second = Simple("b", "y", (AttributePattern("q", number()),), where, ("q",))
    first = when("a:x", p=number()).expression
    machine = compile_select(Select(Before((first, second))))
    progress = machine.advance(None, event("a:x", p=1), "rules").progress
    with pytest.raises(LookupError):
        machine.advance(progress, event("b:y", q=2), "rules")
    assert calls == [("y", {"p": 1, "q": 2}, "rules")]


def test_null_is_not_missing() -> None:
    machine = compile_select(when("a:x", p=present()).select())
    assert machine.match_simple(event("a:x", p=None)).settings == {"p": None}
    assert machine.match_simple(event("a:x")).why == "attribute:p"


def test_a_condition_is_asked_once_per_event() -> None:
    calls = []
    asked = Simple("a", "x", where=lambda event, settings, ruleset: calls.append(event))
    machine = compile_select(Select(Then((Simple("a", "x"), Or((asked, Before((asked, Simple("b", "y")))))))))
    progress = machine.advance(None, event("a:x")).progress
    machine.advance(progress, event("a:x"))
    assert len(calls) == 1


def test_a_condition_is_not_asked_before_its_turn() -> None:
    second = Simple("b", "y", where=lambda event, settings, ruleset: settings["p"] > 1)
    machine = compile_select(Select(Before((when("a:x", p=number()).expression, second))))
    assert whys(machine, event("b:y"), event("a:x", p=3), event("b:y")) == ["waiting", "progressed", "fired"]


def test_then_is_not_broken_by_an_event_that_does_not_match() -> None:
    machine = compile_select(when("a:x").then(when("b:y", q=equals(1))).select())
    assert whys(machine, event("a:x"), event("b:y", q=2), event("b:y", q=1))[-1] == "fired"
    assert whys(machine, event("a:x"), event("a:x"), event("b:y", q=1)) == [
        "progressed",
        "progressed",
        "waiting",
    ]


def test_wildcards_are_salient_for_events_nobody_named() -> None:
    machine = compile_select(when("a:*").before("*:y").select())
    assert machine.salience == {("a", "*"), ("*", "y")}
    assert whys(machine, event("a:q"), event("c:q"), event("c:y")) == ["progressed", "not-salient", "fired"]


def test_the_same_event_may_be_filtered_twice() -> None:
    low, high = when("a:x", p=number(max=10)), when("a:x", p=number(min=20).named("high"))
    machine = compile_select((low | high).select())
    seen = run(machine, event("a:x", p=1), event("a:x", p=15), event("a:x", p=30))
    assert seen == [("fired", {"p": 1}), ("attribute:p", {}), ("fired", {"high": 30})]
