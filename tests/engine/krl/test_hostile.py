"""Rulesets that want too much: each is stopped by a limit that says its name, and nothing else suffers."""

from __future__ import annotations

import time

import pytest

from pico_engine import Event, Ruleset, rule, when
from pico_engine.errors import EngineError
from pico_engine.krl import KrlSyntaxError, compile_ruleset
from pico_engine.krl.persistent import HELD_ABOVE
from tests.engine.krl.picos import Krl, ruleset

LIMIT_S = 20
"""No hostile ruleset may hold up a test run longer, however slow the machine."""


class Neighbour(Ruleset, rid="test.neighbour"):
    """Another ruleset of the same pico, which must not notice."""

    @rule(when("a:b"))
    def here(self, event: Event) -> None:
        self.directive("here")


def attack(body: str, **limits: int) -> str:
    """Runs the first rule of a hostile ruleset; answers what the log says of it."""
    began = time.monotonic()
    krl = Krl(ruleset(body, "shares it"), rulesets=(Neighbour,), **limits)
    answer = krl.event("a:b")
    assert answer.names == ["here"], "nothing of the failed rule is kept, and the others run"
    assert krl.query("it") is None, "no write of it is kept"
    assert time.monotonic() - began < LIMIT_S
    assert krl.bench.event(krl.did, "a:b").names == ["here"], "the pico goes on"
    return krl.errors[0]


def rule_of(pre: str, globals_: str = "") -> str:
    """A rule that writes, and then does what `pre` says."""
    return (
        f"global {{ it = function(){{ ent:it }} {globals_} }} rule r {{ select when a b "
        f"pre {{ {pre} }} always {{ ent:it := 1; ent:x := x }} }}"
    )


STEPS = {
    "a loop in a loop": ("x = range(1, 3000).map(function(a){ range(1, 3000).map(function(b){ b }) })", ""),
    "recursion that branches": ("x = f(200)", "f = function(n){ n > 0 => f(n - 1) + f(n - 1) | 1 } "),
    "reduce in reduce": (
        "x = range(1, 9000).reduce(function(a, b){ range(1, 9000).reduce(function(c, d){ d }) })",
        "",
    ),
    "sort that compares for ever": (
        "x = range(1, 30000).sort(function(a, b){ n = range(1, 999).length(); b <=> a })",
        "",
    ),
}


@pytest.mark.parametrize(("pre", "globals_"), STEPS.values(), ids=STEPS)
def test_work_without_end(pre: str, globals_: str) -> None:
    said = attack(rule_of(pre, globals_), steps_max=200_000)
    assert "(steps_max)" in said or "(memory_max_bytes)" in said


def test_loops_of_rules_count_together() -> None:
    loops = " ".join("foreach range(1, 100) setting(a)" for _ in range(6))
    body = (
        f"global {{ it = function(){{ ent:it }} }} rule r {{ select when a b {loops} "
        "fired { ent:it := 1 } } rule s { select when a b always { ent:it := null } }"
    )
    assert "(steps_max)" in attack(body, steps_max=100_000)


def test_recursion_without_end() -> None:
    globals_ = "f = function(n){ n == 0 => 0 | f(n - 1) + 1 } "
    assert "(call_depth_max)" in attack(rule_of("x = f(1000000)", globals_))


def test_recursion_through_operators_and_values() -> None:
    globals_ = "f = function(n){ [n].map(function(m){ [m].sort(function(a, b){ 0 }).filter(f) }) } "
    assert "(call_depth_max)" in attack(rule_of("x = f(1)", globals_))
    globals_ = "g = function(n){ [[2, 1].sort(function(a, b){ g(n) }), n] } "
    assert "(call_depth_max)" in attack(rule_of("x = g(1)", globals_))
    globals_ = "h = function(n = h()){ n } "
    assert "(call_depth_max)" in attack(rule_of("x = h()", globals_))


def test_recursion_of_actions() -> None:
    body = (
        "global { it = function(){ ent:it } again = defaction(a){ a(a) } } "
        "rule r { select when a b again(again) always { ent:it := 1 } }"
    )
    assert "(call_depth_max)" in attack(body)


def test_as_much_recursion_as_is_allowed_never_meets_python_s_own_limit() -> None:
    sort = "[2, 1].sort(function(a, b){ f(m - 1) }).head()"
    deep = f"f = function(n){{ n == 0 => 0 | [n].map(function(m){{ {sort} }}).head() }} "
    krl = Krl(ruleset(f"global {{ {deep} it = function(n){{ f(n) }} }}", "shares it"), call_depth_max=400)
    assert krl.query("it", {"n": 132}) in (1, 2)
    with pytest.raises(EngineError, match="call_depth_max"):
        krl.query("it", {"n": 140})


DOUBLING = {
    "a text": 'x = range(1, 99).reduce(function(a, b){ a + a }, "ab")',
    "a chevron": 'x = range(1, 99).reduce(function(a, b){ <<#{a}#{a}>> }, "ab")',
    "a list": "x = range(1, 99).reduce(function(a, b){ a.append(a) }, [1, 2])",
    "a replaced text": 'x = range(1, 99).reduce(function(a, b){ a.replace(re#a#g, "aaaaaaaaaa") }, "a")',
    "a joined list": 'x = range(1, 99).reduce(function(a, b){ [a, a, a, a, a].join(a) }, "ab")',
    "a range": "x = range(0, 999999999)",
    "a split text": 'x = range(1, 25).reduce(function(a, b){ a + a }, "abcdefgh").split(re##)',
    "encoded again and again": 'x = range(1, 99).reduce(function(a, b){ [a, a].encode() }, "ab")',
    "literals in a loop": "x = range(1, 1500).map(function(a){ range(1, 99).map(function(b){ [a, [b]] }) })",
    "maps in a loop": 'x = range(1, 1500).map(function(a){ range(1, 100).map(function(b){ {"a": b} }) })',
}


@pytest.mark.parametrize("pre", DOUBLING.values(), ids=DOUBLING)
def test_values_that_grow_without_end(pre: str) -> None:
    said = attack(rule_of(pre), memory_max_bytes=1_000_000)
    assert "(memory_max_bytes)" in said or "limit" in said.lower() or "steps_max" in said


def test_huge_numbers_are_numbers() -> None:
    krl = Krl(
        ruleset(
            "global { up = function(a, b){ a > 1000000000 => a | a * 10 } "
            "it = function(){ range(1, 2000).reduce(up, 1) } "
            'huge = function(){ "9999999999999999999999999999999999999999".as("Number") * 1 } }',
            "shares it, huge",
        )
    )
    assert krl.query("it") == 1e10
    assert krl.query("huge") == 1e40


def test_deep_data_is_refused_where_it_would_be_kept() -> None:
    deep = "x = range(1, 100).reduce(function(a, b){ [a] }, 1)"
    assert "nested deeper than 64 levels" in attack(rule_of(deep))
    deep = 'x = ("[" + range(1, 5000).map(function(a){ "[" }).join("") + "1").decode()'
    krl = Krl(ruleset(rule_of(deep)))
    krl.event("a:b")
    deep = 'x = range(1, 3000).reduce(function(a, b){ <<[#{a}]>> }, "1").decode()'
    krl = Krl(ruleset(rule_of(deep)))
    krl.event("a:b")
    assert not krl.errors or "nested deeper" in krl.errors[0] or "decode" in krl.errors[0]


def test_very_deep_data_can_be_dropped_and_compared() -> None:
    body = rule_of("y = range(1, 50000).reduce(function(a, b){ [a] }, 1) x = y == y => 1 | 2")
    krl = Krl(ruleset(body))
    krl.event("a:b")
    assert not krl.errors or "nested deeper" in krl.errors[0]


def test_an_answer_that_is_too_large() -> None:
    text = ruleset(
        "global { it = function(){ range(1, 100).map(function(a){ <<#{a} a long text here>> }) } }",
        "shares it",
    )
    with pytest.raises(EngineError, match="answer_max_bytes is 1,000"):
        Krl(text, answer_max_bytes=1_000).query("it")


STORED = {
    "a text": 'ent:x := range(1, 12).reduce(function(a, b){ a + a }, "abcd")',
    "a list": "ent:x := range(1, 3000)",
    "elements appended": 'ent:x := ent:x.defaultsTo([]).append(range(1, 400).map(function(a){ "longer" }))',
    "keys set": 'ent:x{event:attrs{"n"}} := range(1, 9).reduce(function(a, b){ a + a }, "abcd")',
}


@pytest.mark.parametrize("statement", STORED.values(), ids=STORED)
def test_keeping_too_much(statement: str) -> None:
    krl = Krl(ruleset(f"rule r {{ select when a b always {{ {statement} }} }}"), stored_max_bytes=20_000)
    for number in range(30):
        krl.event("a:b", {"n": f"key{number}"})
    if statement.startswith(("ent:x := range",)):
        for name in range(20):
            krl.add(ruleset(f"rule r {{ select when a b always {{ {statement} }} }}", rid=f"t{name}"))
        krl.event("a:b")
    assert "stored_max_bytes" in krl.errors[0]


@pytest.mark.parametrize("value", ["1", '"text"', "[1, 2]", "1.5"])
def test_many_small_variables_count_a_page_each(value: str) -> None:
    sets = " ".join(f"ent:x{number} := {value};" for number in range(9))
    body = f"rule r {{ select when a b always {{ {sets} }} }}"
    krl = Krl(*(ruleset(body, rid=f"t{number}") for number in range(3)), stored_max_bytes=20 * 4_096)
    krl.event("a:b")
    [error] = krl.errors
    assert "would hold more than 81,920 bytes (stored_max_bytes); each counts 4,096" in error
    assert len(krl.pico.variables.rows) == 18, "two rulesets have theirs, the third has none"
    krl.bench.operate(krl.did, lambda pico: pico.engine.family.uninstall(pico, "t1"))
    krl.event("a:b")
    assert len(krl.errors) == 1
    krl.event("a:b")
    assert len(krl.errors) == 1, "those that are there may be given new values"


def test_what_is_held_is_known_without_looking_at_all_of_it() -> None:
    large = 'range(1, 12).reduce(function(a, b){ a + a }, "abcd")'
    text = ruleset(
        f"rule r {{ select when a b always {{ ent:x := {large}; ent:y := {large}; ent:z := 1 }} }}"
        "rule f { select when a f always { ent:x := 1 } }"
        "rule g { select when a g always { ent:y := 1; ent:x := (1)() } }"
    )
    krl = Krl(text)
    krl.event("a:b")
    assert krl.pico.info.rows[HELD_ABOVE] == 2 * (16_384 - 4_096)
    krl.event("a:f")
    assert krl.pico.info.rows[HELD_ABOVE] == 16_384 - 4_096
    krl.event("a:g")
    assert krl.errors, "what fails is undone"
    assert krl.pico.info.rows[HELD_ABOVE] == 16_384 - 4_096
    krl.bench.operate(krl.did, lambda pico: pico.info.delete(HELD_ABOVE))  # as a store of before
    krl.event("a:b")
    assert krl.pico.info.rows[HELD_ABOVE] == 2 * (16_384 - 4_096)


def test_what_is_cleared_is_not_counted_any_more() -> None:
    krl = Krl(
        ruleset(
            'rule r { select when a b always { ent:x := range(1, 1000).map(function(a){ "some text" }) } } '
            "rule c { select when a c always { clear ent:x } }"
        ),
        stored_max_bytes=30_000,
    )
    for _ in range(5):
        krl.event("a:b")
        krl.event("a:c")
    assert not krl.errors
    krl.event("a:b")
    krl.bench.operate(krl.did, lambda pico: pico.engine.family.uninstall(pico, "t"))
    assert not [key for key in krl.pico.info.rows if key.startswith(("krl/", HELD_ABOVE))]


def test_events_without_end_drop_the_turn() -> None:
    krl = Krl(ruleset('rule r { select when a b always { ent:n := 1 raise a event "b" } }'))
    with pytest.raises(EngineError, match="raised more than 1000 events"):
        krl.event("a:b")


def test_too_many_sends_and_directives() -> None:
    send = 'event:send({"eci": meta:eci, "domain": "x", "type": "y"})'
    for action, limit in (
        (send, "sends more than 256"),
        ('send_directive("d")', "more than 1000 directives"),
    ):
        krl = Krl(ruleset(f"rule r {{ select when a b foreach range(1, 2000) setting(i) {action} }}"))
        krl.event("a:b")
        assert limit in krl.errors[0]


def test_nesting_of_expressions() -> None:
    for opening, closing in (
        ("(", ")"),
        ("[", "]"),
        ("function(){ ", " }"),
        ('{"a": ', "}"),
        ("not ", ""),
        ("x.map(", ")"),
    ):
        for levels in (150, 20_000):
            inner = f"{opening * levels}1{closing * levels}"
            with pytest.raises(KrlSyntaxError, match=r"nest|deep"):
                compile_ruleset(ruleset(f"global {{ x = 1 it = function(){{ {inner} }} }}"))


@pytest.mark.parametrize("operator", [" + ", " || ", " && ", " == ", ".head()", '{"a"}', " => 1 | "])
def test_long_chains(operator: str) -> None:
    """They are nested too, to the left or to the right."""
    for count in (20, 10_000):
        chain = "1" + operator * count if operator[0] in ".{" else operator.join(["1"] * count)
        text = ruleset(f"global {{ it = function(){{ {chain} }} }}")
        try:
            compile_ruleset(text)
        except KrlSyntaxError as error:
            assert count == 10_000 or operator == " => 1 | ", error  # noqa: PT017 - which of them matters


def test_many_rules() -> None:
    rules = " ".join(f"rule r{number} {{ select when a b }}" for number in range(900))
    began = time.monotonic()
    assert len(compile_ruleset(ruleset(rules)).definition.rules) == 900
    assert time.monotonic() - began < LIMIT_S


def test_a_condition_may_not_run_away_either() -> None:
    text = ruleset("rule r { select when a b where range(1, 5000).map(function(a){ range(1, 5000) }) }")
    krl = Krl(text, steps_max=100_000)
    krl.event("a:b")
    assert "(steps_max)" in krl.errors[0] or "(memory_max_bytes)" in krl.errors[0]


def test_a_global_block_may_not_run_away_either() -> None:
    text = ruleset(
        "global { x = range(1, 3000).map(function(a){ range(1, 3000).map(function(b){ b }) }) } "
        'rule r { select when a b send_directive("d") }'
    )
    with pytest.raises(EngineError, match="_max"):
        Krl(text, steps_max=100_000)


def test_regular_expressions_have_an_end() -> None:
    slow = 'x = range(1, 9).reduce(function(a, b){ a + a }, "aaaaaaaaaaaa!").match(re#^(a+)+$#)'
    began = time.monotonic()
    krl = Krl(ruleset(rule_of(slow)))
    krl.event("a:b")
    assert time.monotonic() - began < LIMIT_S
    assert not krl.errors or "limit" in krl.errors[0] or "_max" in krl.errors[0]


def test_turns_of_one_pico_share_their_meter_and_each_begins_anew() -> None:
    body = "rule r { select when a b foreach range(1, 400) setting(i) always { ent:n := i } }"
    krl = Krl(ruleset(body, rid="one"), ruleset(body, rid="two"), steps_max=3_000)
    krl.event("a:b")
    assert not krl.errors
    krl.event("a:b")
    assert not krl.errors, "each turn begins anew"
    krl = Krl(ruleset(body, rid="one"), ruleset(body, rid="two"), steps_max=1_000)
    krl.event("a:b")
    assert len(krl.errors) == 1, "the second one had too little left"
