"""Modules: other rulesets of the pico. Built-in ones have tests of their own."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine import Ruleset, config, ent, provides, query
from pico_engine.errors import EngineError
from tests.engine.krl.picos import Krl, ruleset

COUNTER = ruleset(
    "global { count = function(){ ent:n.defaultsTo(0) } step = by value = 7 "
    'more = defaction(n = by){ send_directive("more", {"by": n}) return n * 2 } secret = function(){ 1 } } '
    "rule up { select when tick up always { ent:n := ent:n.defaultsTo(0) + by } }",
    "provides count, more, step, value configure using by = 1",
    "counter",
)


class Greeter(Ruleset, rid="test.greeter"):
    """A module in Python."""

    greeted: list[str] = ent(default=[])
    word: str = config(default="hello")

    @provides
    def greet(self, who: Any, mark: str = "!") -> str:
        return f"{self.word} {who}{mark}"

    @query
    def hidden(self) -> int:
        return 1


def test_functions_values_actions_and_configuration() -> None:
    user = ruleset(
        "rule r { select when a b every { two:more() setting(x) two:more(5) two:more(n = 6) "
        'send_directive("d", {"count": counter:count(), "one": counter:step, "two": two:step, '
        '"value": two:value, "x": x}) } }',
        "use module counter use module counter alias two with by = 2",
    )
    krl = Krl(COUNTER, user)
    krl.event("tick:up")
    assert krl.options("a:b")[-1] == {"count": 1, "one": 1, "two": 2, "value": 7, "x": 4}
    assert [one["by"] for one in krl.options("a:b")[:3]] == [2, 5, 6]


def test_a_module_keeps_its_own_variables_and_sees_no_event() -> None:
    module = ruleset(
        "global { it = function(){ [event:attrs, meta:rid, meta:ruleName] } }", "provides it", "m"
    )
    krl = Krl(
        module, ruleset('rule r { select when a b send_directive("d", {"it": m:it()}) }', "use module m")
    )
    assert krl.options("a:b", {"n": 1}) == [{"it": [None, "m", None]}]


@pytest.mark.parametrize("call", ["counter:secret()", "counter:nothing()", "counter:value()"])
def test_only_what_is_provided(call: str) -> None:
    krl = Krl(COUNTER, ruleset(f"global {{ it = function(){{ {call} }} }}", "use module counter shares it"))
    with pytest.raises(EngineError, match="is not a function"):
        krl.query("it")


def test_a_module_that_is_missing_or_uses_itself() -> None:
    with pytest.raises(EngineError, match="Module not found: not"):
        Krl(ruleset('rule r { select when a b send_directive("d") }', "use module not.there"))
    one = "global { f = function(){ 1 } }"
    two = "global { g = function(){ 1 } } rule r { select when a b }"
    krl = Krl(ruleset(one, "provides f", "one"), ruleset(two, "use module one provides g", "two"))
    with pytest.raises(EngineError, match="Dependency Cycle Found: one -> two -> one"):
        krl.add(ruleset(one, "use module two provides f", "one"))


def test_a_module_hides_a_built_in_one() -> None:
    module = ruleset('global { now = function(){ "mine" } }', "provides now", "m")
    krl = Krl(
        module, ruleset("global { it = function(){ time:now() } }", "use module m alias time shares it")
    )
    assert krl.query("it") == "mine"


def test_python_rulesets_are_modules() -> None:
    text = ruleset(
        'global { it = function(){ [g:greet("you"), g:greet(mark = "?", who = [1]), p:greet({"a": 1})] } '
        "no = function(){ g:hidden() } }",
        'use module test.greeter alias g use module test.greeter alias p with word = "bye" shares it, no',
    )
    krl = Krl(text, rulesets=(Greeter,))
    assert krl.query("it") == ["hello you!", "hello [1]?", "bye {'a': 1}!"]
    with pytest.raises(EngineError, match="provides no hidden"):
        krl.query("no")


def test_python_rulesets_cannot_be_given_functions() -> None:
    text = ruleset(
        "global { it = function(){ g:greet(function(){ 1 }) } }", "use module test.greeter alias g shares it"
    )
    with pytest.raises(EngineError):
        Krl(text, rulesets=(Greeter,)).query("it")


def test_limits_hold_across_modules() -> None:
    module = ruleset("global { down = function(f, n){ n == 0 => 0 | f(f, n - 1) } }", "provides down", "m")
    text = ruleset(
        "global { f = function(g, n){ m:down(g, n) } it = function(){ f(f, 10000) } }",
        "use module m shares it",
    )
    with pytest.raises(EngineError, match="call_depth_max"):
        Krl(module, text).query("it")
