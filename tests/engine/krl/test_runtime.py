"""Helpers of generated code: what the language itself does. Operators have tests of their own."""

from __future__ import annotations

import sys

import pytest

from pico_engine.errors import EngineError
from pico_engine.krl.compiler.expressions import OPERATOR_HELPERS
from pico_engine.krl.runtime import ARITIES, FRAMES_MAX, HELPERS, NAMES, TESTING
from pico_engine.krl.stdlib import OPERATORS
from pico_engine.krl.verify import OWN_NAME
from pico_engine.limits import KrlLimits
from tests.engine.krl.picos import Krl, ruleset, values


def test_every_operator_has_a_name_that_no_variable_can_have() -> None:
    for name in OPERATORS:
        helper = OPERATOR_HELPERS.get(name) or f"k_std_{name}"
        assert HELPERS[helper] is OPERATORS[name]
    assert {*HELPERS, TESTING} == set(NAMES)
    assert not [name for name in NAMES if OWN_NAME.fullmatch(name)]
    assert ARITIES["map"] == 2


def test_calls_have_room_in_python_s_stack() -> None:
    assert sys.getrecursionlimit() >= FRAMES_MAX > 8 * KrlLimits().call_depth_max


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('{"a": 1}.a', 1),
        ("{}.a", None),
        ("[1, 2].length", 2),
        ('"abc".length', 3),
        ("5.a", None),
        ('x = ["b"]; {"b": 2}.get(x)', 2),
        ("send_directive.typeof()", "Action"),
        ("noop.typeof()", "ActionFunction"),
        ("map.typeof()", "Function"),
        ('"a" like re#A#i', True),
        ("[re#a#g].encode()", '["re#a#g"]'),
        ("<<a\nb>>.match(re#^b$#m)", True),
        ("<<a\nb>>.match(re#^b$#)", False),
        ("{}.map(function(v){ v })", {}),
        ("get([1, 2], 1)", 2),
        ('join(val = ["a", "b"], str = "-")', "a-b"),
        ('["a", "b"].join(str = "-")', "a-b"),
        ('["a"].join("-", "extra")', "a"),
    ],
)
def test_expressions(expression: str, value: object) -> None:
    assert values(expression) == value


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("null.a", "TypeError: Cannot read properties of undefined (reading 'a')"),
        ("ent:none.a", "TypeError: Cannot read properties of null (reading 'a')"),
        ("x = 5; x(1)", "TypeError: 5 is not a function"),
        ("[send_directive][0](1)", "TypeError: [Action] is not a function"),
        ("[1](2)", "TypeError: [Array] is not a function"),
    ],
)
def test_errors(expression: str, said: str) -> None:
    with pytest.raises(EngineError) as caught:
        values(expression)
    assert said in caught.value.what


def test_a_value_that_is_no_action_cannot_act() -> None:
    krl = Krl(ruleset("rule r { select when a b pre { f = event:attrs } f() }"))
    krl.event("a:b")
    assert "TypeError: [Map] is not an action" in krl.errors[0]


def test_sample_takes_one_of_them() -> None:
    actions = " ".join(f'send_directive("{name}")' for name in "abc")
    krl = Krl(ruleset(f"rule r {{ select when a b sample {{ {actions} }} }}"))
    drawn = [krl.event("a:b").names for _ in range(60)]
    assert {tuple(names) for names in drawn} == {("a",), ("b",), ("c",)}


def test_a_limit_of_time_must_be_a_number() -> None:
    krl = Krl(ruleset('rule r { select when a b before a c within "x" + 1 minutes send_directive("d") }'))
    krl.event("a:b")
    krl.event("a:c")
    assert "within needs a number" in krl.errors[0]
    krl = Krl(ruleset('rule r { select when a b before a c within 1 + 1 minutes send_directive("d") }'))
    krl.event("a:b")
    krl.bench.clock.minutes(1.9)
    assert krl.event("a:c").names == ["d"]
    krl.event("a:b")
    krl.bench.clock.minutes(2.1)
    assert krl.event("a:c").names == []


def test_log_levels() -> None:
    statements = " ".join(f'log {level} {{"l": "{level}"}};' for level in ("error", "warn", "info", "debug"))
    krl = Krl(ruleset(f'rule r {{ select when a b always {{ {statements} log info "text" }} }}'))
    krl.event("a:b")
    lines = [(line.level, line.text, line.data) for line in krl.bench.log]
    assert lines == [
        ("error", "[Map]", {"l": "error"}),
        ("warning", "[Map]", {"l": "warn"}),
        ("info", "[Map]", {"l": "info"}),
        ("debug", "[Map]", {"l": "debug"}),
        ("info", "text", "text"),
    ]
