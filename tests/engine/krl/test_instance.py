"""Instances: what errors say, which event is at hand, and who may do what."""

from __future__ import annotations

import pytest

from pico_engine.errors import EngineError, QueryMayNotWrite
from pico_engine.krl.instance import meter_of
from tests.engine.krl.picos import Krl, ruleset, values


def test_errors_say_file_line_and_column() -> None:
    krl = Krl(
        "ruleset org.example.lines {\n"
        "  global {\n"
        "    minus = function(a){\n"
        '      a - "x"\n'
        "    }\n"
        "  }\n"
        "  rule r {\n"
        "    select when a b\n"
        '    send_directive("d", {"x": [1].map(function(n){ minus(n) })})\n'
        "  }\n"
        "}\n"
    )
    krl.event("a:b")
    assert krl.errors[0].startswith(
        "rule r failed: org.example.lines.krl:4:7: TypeError: x cannot be subtracted from 1"
    )


def test_errors_of_conditions_queries_and_globals_say_it_too() -> None:
    krl = Krl(ruleset('rule r {\n select when a b where "a" - 1\n }'))
    krl.event("a:b")
    assert "t.krl:2:24: TypeError" in krl.errors[0]
    with pytest.raises(EngineError, match=r"t\.krl:1:\d+: TypeError"):
        values('"a" - 1')
    with pytest.raises(EngineError, match=r"^t\.krl:2:6: TypeError.*t was not installed"):
        Krl(ruleset('global {\n x = "a" - 1\n } rule r { select when a b where x == 1 }'))


def test_a_name_used_too_early_is_told_by_its_own_name() -> None:
    with pytest.raises(EngineError, match="ReferenceError: Cannot access 'b' before initialization"):
        Krl(ruleset("global { f = function(){ b } a = f() b = 1 } rule r { select when a b }"))


def test_queries_only_read() -> None:
    for action in ('send_directive("d")', "ctx:uninstall(meta:rid)", "schedule:clear()"):
        text = ruleset(
            f"global {{ act = defaction(){{ {action} }} it = function(){{ [1].map(act) }} }}", "shares it"
        )
        with pytest.raises((QueryMayNotWrite, EngineError)):
            Krl(text).query("it")


def test_the_event_at_hand_is_gone_afterwards() -> None:
    text = ruleset(
        "global { it = function(){ [meta:inEvent, meta:ruleName, event:attrs, event:name, meta:inQuery] } } "
        'rule r { select when a b send_directive("d", {"it": it()}) } '
        'rule s { select when a b where 1 - "x" }',
        "shares it",
    )
    krl = Krl(text)
    assert krl.options("a:b", {"n": 1}) == [{"it": [True, "r", {"n": 1}, "b", False]}]
    assert krl.query("it") == [False, None, None, None, True]


def test_a_shared_name_may_stand_for_another_function() -> None:
    krl = Krl(ruleset("global { f = function(a){ a } g = f }", "shares g"))
    assert krl.query("g", {"0": 1}) == 1


def test_values_by_name_and_position() -> None:
    krl = Krl(ruleset("global { it = function(a, b, c = 3){ [a, b, c] } }", "shares it"))
    assert krl.query("it", {"0": 1, "b": 2}) == [1, 2, 3]
    assert krl.query("it", {"b": 2, "other": 9}) == [None, 2, 3]
    assert krl.query("it", {}) == [None, None, 3]


def test_one_meter_serves_all_rulesets_of_a_pico() -> None:
    krl = Krl(ruleset('rule r { select when a b send_directive("d") }'))
    assert krl.pico.meter is None or krl.pico.meter is meter_of(krl.pico)
    krl.event("a:b")
    assert krl.pico.meter is meter_of(krl.pico)
