"""A ruleset as one function and its blueprint."""

from __future__ import annotations

import ast
import marshal

import pytest

from pico_engine.krl import parse
from pico_engine.krl.compiler import Blueprint, CompileError, compile_tree
from pico_engine.krl.runtime import ARITIES
from pico_engine.limits import KrlLimits
from tests.engine.krl.picos import ruleset


def blueprint(text: str) -> Blueprint:
    return compile_tree(parse(text), text, ARITIES, KrlLimits())[1]


def test_one_function_makes_it_all() -> None:
    text = ruleset(
        "global { f = function(a){ a } }", "provides f configure using c = 1 use module m alias n with d = c"
    )
    module, made = compile_tree(parse(text), text, ARITIES, KrlLimits())
    (create,) = module.body
    assert isinstance(create, ast.FunctionDef)
    assert create.name == "k_create"
    lines = [line.strip() for line in ast.unparse(create).splitlines()[1:]]
    assert lines[0] == "v1_c = k_configure(run, 'c', 1)"
    assert lines[1] == "k_use(run, 'm', 'n', {'d': v1_c})"
    assert lines[-1].startswith("return ((), (), (), {'__testing': k_testing}, {'f': v")
    assert (made.rid, made.uses, made.provided, made.shared) == ("t", ("m",), {"f": ("a",)}, {})


def test_blueprints_are_plain_data() -> None:
    made = blueprint(
        ruleset("global { f = function(a){ a } } rule r { select when a b }", "name <<x>> shares f")
    )
    data = made.to_data()
    assert Blueprint(*marshal.loads(marshal.dumps(data))) == made  # type: ignore[arg-type]  # plain data
    assert made.texts["name"] == "x"
    assert made.testing == {
        "queries": [{"name": "f", "args": ["a"]}],
        "events": [{"domain": "a", "name": "b", "attrs": []}],
    }


def test_an_own_testing_takes_the_place_of_the_generated_one() -> None:
    text = ruleset('global { __testing = {"mine": 1} }', "shares __testing")
    module, _ = compile_tree(parse(text), text, ARITIES, KrlLimits())
    assert "'__testing': v" in ast.unparse(module)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ruleset("", "shares nothing"), "shares nothing, which is not defined"),
        (ruleset("", "provides nothing"), "provides nothing, which is not defined"),
        (ruleset("global { f = defaction(){ noop() } }", "shares f"), "an action, which cannot be shared"),
        (ruleset("rule r { select when a b } rule r { select when a c }"), "two rules are named r"),
    ],
)
def test_what_the_checker_let_through_is_refused_all_the_same(text: str, said: str) -> None:
    with pytest.raises(CompileError, match=said):
        blueprint(text)
