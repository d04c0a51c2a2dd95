"""Expressions as Python. What they do is tested with whole rulesets; here, that they are flat."""

from __future__ import annotations

import ast

import pytest

from pico_engine.krl import parse
from pico_engine.krl.compiler import CompileError, compile_tree
from pico_engine.krl.runtime import ARITIES
from pico_engine.limits import KrlLimits
from tests.engine.krl.picos import ruleset


def generated(body: str, meta: str = "") -> list[str]:
    """The generated Python of a ruleset, line by line, without the lines around."""
    text = ruleset(body, meta)
    module, _ = compile_tree(parse(text), text, ARITIES, KrlLimits())
    return [line.strip() for line in ast.unparse(module).splitlines()[1:-1] if line.strip()]


def expression(krl: str, before: str = "") -> str:
    (line,) = [one for one in generated(f"global {{ {before} it = {krl} }}") if "_it = " in one]
    return line.partition(" = ")[2]


@pytest.mark.parametrize(
    ("krl", "python"),
    [
        ("1.0 + 2", "k_add(run, 1, 2)"),
        ('"a" + null', "k_add(run, 'a', k_undefined)"),
        ("<<plain>>", "'plain'"),
        ("<<a#{1}>>", "k_join(run, ('a', k_string(1)))"),
        ("1 && 2", "2 if k_true((t1 := 1)) else t1"),
        ("1 || 2", "t1 if k_true((t1 := 1)) else 2"),
        ("not true", "not k_true(True)"),
        ("- 5", "k_subtract(run, 5)"),
        ("1 => 2 | 3", "2 if k_true(1) else 3"),
        ("ent:x", "k_ent(run, 'x')"),
        ('ent:x{"a"}', "k_ent_get(run, 'x', 'a')"),
        ("ent:x[0]", "k_ent_get(run, 'x', [0])"),
        ("ent:x.get(1)", "k_ent_get(run, 'x', 1)"),
        ("ent:x.length()", "k_ent_length(run, 'x')"),
        ("ent:x.get(1, 2)", "k_call(run, k_operator('get'), k_ent(run, 'x'), 1, 2)"),
        ('{"a": [1]}', "k_map(run, {'a': k_list(run, [1])})"),
        ('[1]{"a"}', "k_get(run, k_list(run, [1]), 'a')"),
        ("time:now", "k_property(run, 'time', 'now')"),
        ('time:add("a", b = 1)', "k_member(run, 'time', 'add', ('a',), {'b': 1})"),
        ('"a".math:hash()', "k_member(run, 'math', 'hash', ('a',))"),
        ("[1].map(uc)", "k_std_map(run, k_list(run, [1]), k_operator('uc'))"),
        ("__testing", "k_testing"),
    ],
)
def test_expressions(krl: str, python: str) -> None:
    assert expression(krl) == python


def test_regular_expressions_are_made_once() -> None:
    lines = generated("global { f = function(x){ x.match(re#a#g) } }")
    assert lines[0].endswith("= k_regex('a', 'g')")
    assert lines[1].startswith("def ")


def test_names_of_the_author_go_before_those_of_the_library() -> None:
    assert expression("map(1)", "map = function(x){ x }").startswith("k_call(run, v")
    assert expression("ent:x.get(1)", "get = function(x){ x }").startswith("k_call(run, v")


def test_functions_know_each_other_whatever_their_order() -> None:
    lines = generated("global { a = function(){ b() } c = a() b = function(){ c } }")
    calls = [line for line in lines if line.startswith("return k_call(run, v")]
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("global { it = nothing }", "nothing is not defined"),
        ("global { it = event:attrs(1) }", "event:attrs is a map"),
        ("global { f = defaction(){ noop() } it = f() }", "f is an action, not a function"),
    ],
)
def test_what_the_checker_let_through_is_refused_all_the_same(body: str, said: str) -> None:
    with pytest.raises(CompileError, match=said):
        generated(body)
