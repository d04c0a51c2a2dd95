"""Which names a place sees."""

from __future__ import annotations

from pico_engine.krl.scopes import STANDARD_ACTIONS, STANDARD_FUNCTIONS, TESTING, Kind, Scope, standard_scope
from pico_engine.krl.stdlib import OPERATORS


def test_an_inner_scope_sees_the_outer_one_and_not_the_other_way():
    outer = Scope()
    outer.declare("a", Kind.ACTION)
    inner = outer.within()
    inner.declare("b")
    inner.declare("a", Kind.STRING)
    assert inner.kind("a") is Kind.STRING
    assert outer.kind("a") is Kind.ACTION
    assert outer.kind("b") is None
    assert inner.visible() == {"a", "b"}


def test_names_further_down_are_known_where_they_are_missing():
    outer = Scope()
    outer.below = frozenset({"later"})
    assert outer.within().is_below("later")
    assert not outer.within().is_below("other")


def test_what_was_missed_once_is_missed_inside_too():
    outer = Scope()
    outer.missed.add("a")
    assert outer.within().is_missed("a")
    assert not Scope().is_missed("a")


def test_the_names_that_are_there_are_those_of_the_standard_library():
    words = {name for name in OPERATORS if name[0].isalpha()} - {"noop"}
    assert words == STANDARD_FUNCTIONS
    scope = standard_scope()
    assert scope.kind("map") is Kind.FUNCTION
    assert scope.kind("send_directive") is Kind.ACTION
    assert scope.kind("noop") is Kind.ACTION_FUNCTION
    assert scope.visible() == {*STANDARD_FUNCTIONS, *STANDARD_ACTIONS, TESTING}
