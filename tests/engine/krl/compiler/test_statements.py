"""Actions and postludes as Python; what they do is tested with whole rulesets."""

from __future__ import annotations

import pytest

from pico_engine.krl.compiler import CompileError
from tests.engine.krl.compiler.test_expressions import generated


def statement(krl: str) -> str:
    return generated(f"rule r {{ select when a b always {{ {krl} }} }}")[-1]


@pytest.mark.parametrize(
    ("krl", "python"),
    [
        ("ent:x := 1", "k_ent_set(run, 'x', 1)"),
        ('ent:x{"a"} := 1', "k_ent_set_path(run, 'x', 'a', 1)"),
        ("ent:x := ent:x.append(1)", "k_ent_append(run, 'x', k_undefined, 1)"),
        ("ent:x := ent:x.defaultsTo([]).append(1)", "k_ent_append(run, 'x', k_list(run, []), 1)"),
        ("ent:x := ent:x.put(1, 2)", "k_ent_put_path(run, 'x', k_undefined, 1, 2)"),
        ("ent:x := ent:x.tail()", "k_ent_tail(run, 'x', k_undefined)"),
        ("ent:x := ent:y.append(1)", "k_ent_set(run, 'x', k_std_append(run, k_ent(run, 'y'), 1))"),
        ("ent:x := ent:x.put(1)", "k_ent_set(run, 'x', k_std_put(run, k_ent(run, 'x'), 1))"),
        ("ent:x := ent:x.append(1, 2)", "k_ent_set(run, 'x', k_std_append(run, k_ent(run, 'x'), 1, 2))"),
        ("clear ent:x", "k_ent_clear(run, 'x')"),
        ("clear ent:x{1}", "k_ent_clear_path(run, 'x', 1)"),
        ('raise a event "b" for "c"', "k_raise(run, ('a', 'b'), k_undefined, 'c')"),
        ('raise event "a:b" attributes 1', "k_raise(run, k_event_name(run, 'a:b'), 1, k_undefined)"),
        ('schedule a event "b" at 5', "k_schedule_at(run, 5, ('a', 'b'), k_undefined)"),
        ('schedule a event "b" repeat "c" attributes 1', "k_schedule_repeat(run, 'c', ('a', 'b'), 1)"),
        ("log info 1", "k_log(run, 'info', 1)"),
        ("error warn 1", "k_error(run, 'warn', 1)"),
        ("last", "return"),
        ("error error 1", "return"),
    ],
)
def test_statements(krl: str, python: str) -> None:
    assert statement(krl) == python


def test_choose_and_sample_are_chains() -> None:
    lines = generated("rule r { select when a b choose 1 { x => noop() y => noop() } }")
    tests = [one.partition(" == ")[2] for one in lines if " == " in one]
    assert tests == ["'x':", "'y':"]
    lines = generated("rule r { select when a b sample { noop() noop() } }")
    assert any("k_sample(run, 2)" in one for one in lines)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("rule r { select when a b noop() setting(x, y) }", "one value only"),
        ("rule r { select when a b choose 1 { noop() } }", "need a label"),
        ("rule r { select when a b uc() }", "uc is a function, not an action"),
        ("global { f = function(){ 1 } } rule r { select when a b f() }", "f is a function, not an action"),
    ],
)
def test_what_the_checker_let_through_is_refused_all_the_same(body: str, said: str) -> None:
    with pytest.raises(CompileError, match=said):
        generated(body)
