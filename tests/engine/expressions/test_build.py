"""Event expressions as a Python ruleset's author writes them."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from pico_engine.errors import RulesetDefinitionError
from pico_engine.expressions import (
    EventExpression,
    any_of,
    average_of,
    compile_select,
    equals,
    list_of,
    max_of,
    min_of,
    number,
    sum_of,
    text,
    when,
)
from pico_engine.expressions.ast import After, And, AnyOf, Before, Between, NotBetween, Or, Simple, Then

A, B, C = Simple("a", "x"), Simple("b", "y"), Simple("c", "z")


def event(name: str, **attrs: Any) -> SimpleNamespace:
    domain, _, type_ = name.partition(":")
    return SimpleNamespace(domain=domain, type=type_, attrs=attrs, time_ms=1)


def test_combinators() -> None:
    assert when("a:x").expression == A
    assert when("a:x", "b:y").expression == Or((A, B))
    assert (when("a:x") | "b:y").expression == when("a:x").or_("b:y").expression == Or((A, B))
    assert ("a:x" | when("b:y")).expression == Or((A, B))
    assert ("a:x" & when("b:y")).expression == And((A, B))
    assert (when("a:x") & "b:y" & "c:z").expression == And((A, B, C))
    assert when("a:x").and_("b:y", "c:z").expression == And((A, B, C))
    assert when("a:x").before("b:y").expression == Before((A, B))
    assert when("a:x").then(when("b:y")).expression == Then((A, B))
    assert when("a:x").after("b:y").expression == After((A, B))
    assert when("a:x").between("b:y", "c:z").expression == Between(A, B, C)
    assert when("a:x").not_between("b:y", "c:z").expression == NotBetween(A, B, C)
    assert any_of(2, "a:x", when("b:y"), "c:z").expression == AnyOf(2, (A, B, C))


def test_within_adds_its_units() -> None:
    assert when("a:x").within(seconds=1.5).select().within_ms == 1_500
    assert when("a:x").within(days=1, hours=2, minutes=3, seconds=4).within_ms == 93_784_000
    assert when("a:x").select().within_ms is None


def test_patterns_apply_to_every_event_named() -> None:
    machine = compile_select(when("a:x", "b:y", p=number()).select())
    assert machine.settings == ("p",)
    assert machine.advance(None, event("b:y", p="3")).settings == {"p": 3}
    assert not machine.advance(None, event("b:y")).fired


def test_attributes_whose_names_are_no_python_names() -> None:
    machine = compile_select(
        when("a:x", attributes={"room-name": text().named("room"), "where": equals("in")}).select()
    )
    assert machine.match_simple(event("a:x", **{"room-name": "attic", "where": "in"})).settings == {
        "room": "attic",
        "where": "in",
    }


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [(max_of, 5), (min_of, 1), (sum_of, 8), (average_of, 8 / 3), (list_of, [5, 1, 2])],
)
def test_aggregates_name_a_capture_and_give_a_setting(aggregate: Any, expected: Any) -> None:
    machine = compile_select(when("a:x", q=text(), p=number()).count(3, told=aggregate("p")).select())
    assert machine.settings == ("q", "p", "told")
    progress = None
    for p in (5, 1, 2):
        outcome = machine.advance(progress, event("a:x", p=p, q="q"))
        progress = outcome.progress
    assert outcome.settings == {"q": "q", "p": 2, "told": expected}


@pytest.mark.parametrize(
    ("where", "fires"),
    [
        (lambda event: event.attrs["p"] > 2, True),
        (lambda p: p > 2, True),
        (lambda p: p > 3, False),
        (lambda ruleset, p: p > ruleset["limit"], True),
        (lambda p, earlier=7: p + earlier == 10, True),
        (lambda p, earlier: True, False),
        (lambda *, p: p == 3, True),
    ],
)
def test_conditions_name_what_they_need(where: Callable[..., object], fires: bool) -> None:
    machine = compile_select(when("a:x", p=number(), where=where).select())
    assert machine.match_simple(event("a:x", p=3), {"limit": 2}).fired is fires


def test_one_name_may_be_captured_by_alternatives() -> None:
    either = when("a:x", p=number()) | when("b:y", p=text())
    assert compile_select(either.select()).settings == ("p",)
    unless = when("a:x", p=number(min=3)).not_between(when("a:x", p=number(max=2)), "b:y")
    assert isinstance(unless, EventExpression)


P = when("a:x", p=number())


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (lambda: when(), "names no event"),
        (lambda: when(""), "names no event"),
        (lambda: when(":x"), "names no event"),
        (lambda: when("a:"), "names no event"),
        (lambda: when("a"), "names no event"),
        (lambda: when("a:b:c"), "names no event"),
        (lambda: when("a: b"), "names no event"),
        (lambda: when(3), "names no event"),
        (lambda: when("a:x", p=3), "no pattern but 3"),
        (lambda: when("a:x", event=number()), "a meaning of its own"),
        (lambda: when("a:x", p=number(), q=number().named("p")), "'p' twice"),
        (lambda: when("a:x", where=3), "name what it needs"),
        (lambda: when("a:x", where=lambda *args: True), "name what it needs"),
        (lambda: when("a:x", where=lambda **settings: True), "name what it needs"),
        (lambda: P.before(P), "two events of one expression capture p"),
        (lambda: P & P, "two events of one expression capture p"),
        (lambda: P.then("b:y").before(P), "two events of one expression capture p"),
        (lambda: when("b:y").not_between(P, P), "two events of one expression capture p"),
        (lambda: any_of(1, P, P), "two events of one expression capture p"),
        (lambda: any_of(2, "a:x", "b:y"), "any 2 of 2"),
        (lambda: any_of(0, "a:x", "b:y"), "any 0 of 2"),
        (lambda: any_of("2", "a:x"), "a whole number"),
        (lambda: when("a:x").count(0), "count 0"),
        (lambda: when("a:x").count(True), "a whole number"),
        (lambda: when("a:x").repeat(1.5), "a whole number"),
        (lambda: when("a:x").before("b:y").count(2), "count over a compound expression"),
        (lambda: when("a:x", "b:y").repeat(2), "repeat over a compound expression"),
        (lambda: P.count(2, top=max_of("q")), "'top' has nothing to work on"),
        (lambda: P.count(2, top="p"), "'top' has nothing to work on"),
        (lambda: P.count(2, p=max_of("p")), "twice"),
        (lambda: P.count(2, event=max_of("p")), "a meaning of its own"),
        (lambda: P.within(seconds=1).within(seconds=1), "a second `within`"),
        (lambda: P.within(), "within 0 ms"),
        (lambda: P.within(seconds=-1), "within -1000 ms"),
        (lambda: P.within(seconds=1).before("b:y"), "`within` inside"),
        (lambda: P.within(seconds=1).count(2), "`within` inside"),
        (lambda: P.before(3), "no event expression"),
    ],
)
def test_mistakes_are_told_where_they_are_made(wrong: Callable[[], object], what: str) -> None:
    with pytest.raises(RulesetDefinitionError, match=what) as caught:
        wrong()
    assert caught.value.hint != RulesetDefinitionError.default_hint
