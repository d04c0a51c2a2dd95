"""Action blocks and `defaction`."""

from __future__ import annotations

import pytest

from pico_engine.krl import KrlSyntaxError
from pico_engine.krl.syntax import Defaction
from tests.engine.krl.trees import bare, expression, rule


@pytest.mark.parametrize(
    ("text", "kind", "labels"),
    [
        ("f()", "every", [None]),
        ("m:f(1);", "every", [None]),
        ("if a then f()", "every", [None]),
        ("every { f() g(); a => h() }", "every", [None, None, "a"]),
        ("every {}", "every", []),
        ("sample { f() }", "sample", [None]),
        ("choose x { a => f() b => m:g() }", "choose", ["a", "b"]),
        ("if a then choose f(x) { a => f() }", "choose", ["a"]),
        ("choose (x{y}) {}", "choose", []),
    ],
)
def test_blocks(text, kind, labels):
    block = rule(text).block
    assert block is not None
    assert block.kind == kind
    assert [one.label and one.label.name for one in block.actions] == labels
    assert (block.condition is not None) == text.startswith("if")
    assert (block.discriminant is not None) == (kind == "choose")


def test_an_action_with_all_it_may_have():
    block = rule("every { a => m:f(1, b = 2) setting(c, d); }").block
    assert block is not None
    (action,) = block.actions
    assert bare(action.action) == ("DomainIdentifier", "m", "f")
    assert len(action.arguments.items) == 2
    assert [one.name for one in action.setting] == ["c", "d"]


def test_a_brace_behind_choose_begins_the_block_and_is_no_path():
    block = rule("choose x { a => f() }").block
    assert block is not None
    assert bare(block.discriminant) == ("Identifier", "x")


@pytest.mark.parametrize(
    ("text", "declared", "actions", "returns"),
    [
        ("defaction(){}", 0, 0, False),
        ("defaction(a, b = 1){ c = a; f(c) }", 1, 1, False),
        ("defaction(){ every { f() g() } return 1; }", 0, 2, True),
        ("defaction(){ if a then f() return b }", 0, 1, True),
    ],
)
def test_actions_of_ones_own(text, declared, actions, returns):
    node = expression(text)
    assert isinstance(node, Defaction)
    assert len(node.declarations) == declared
    assert len(node.block.actions) == actions
    assert (node.result is not None) == returns


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("if a then {", "expected an action behind `if … then`, but found `{`", "`every {`"),
        ("if a then always {}", "expected an action behind `if … then`, but found `always`", ""),
        ("if a then every {}", "expected an action behind `if … then`, but found `}`", ""),
        ("if a f()", "expected `then`, but found `f`", ""),
        ("if a = 1 then f()", "expected `then`, but found `=`", "`==`"),
        ("if a and b then f()", "expected `then`, but found `and`", "`&&`"),
        ('raise a event "b"', "expected `(` and arguments, but found `a`", "stands in the postlude"),
        ("ent:a := 1", "expected `(` and arguments, but found `:=`", "stands in the postlude"),
        ('choose x{"y"} {', 'expected an action, or `}`, but found the string `"y"`', "in brackets"),
        ("f", "expected `(` and arguments, but found `}`", ""),
        ("every f()", "expected `{` behind `every`, but found `f`", ""),
        ('every { f("a") with b = 1 }', "expected an action, or `}`, but found `with`", "give a map"),
        (
            'f("a") with b = 1',
            "expected `}` to end the rule `r`, or its postlude, but found `with`",
            "give a map",
        ),
        ("f() g()", "expected `}` to end the rule `r`, or its postlude, but found `g`", "every {…}"),
        (
            "f() if b then g()",
            "expected `}` to end the rule `r`, or its postlude, but found `if`",
            "second rule",
        ),
    ],
)
def test_what_is_said_of_mistakes(text, message, hint):
    with pytest.raises(KrlSyntaxError) as caught:
        rule(text)
    assert caught.value.diagnostics[0].message == message
    assert hint in caught.value.diagnostics[0].hint


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("defaction(){ return 1 }", "expected an action, but found `return`", "`function`"),
        ("defaction(){ f() returns 1 }", "expected `return` or `}`, but found `returns`", "one value"),
        (
            "defaction(){ f() return 1, 2 }",
            "expected `}` behind the one value to return, but found `,`",
            "one value",
        ),
        ("defaction(){ f() g() }", "expected `return` or `}`, but found `g`", ""),
        ("defaction(){ f() return 1 2 }", "expected `}` to end the `defaction`, but found `2`", ""),
    ],
)
def test_what_is_said_of_mistakes_in_actions_of_ones_own(text, message, hint):
    with pytest.raises(KrlSyntaxError) as caught:
        expression(text)
    assert caught.value.diagnostics[0].message == message
    assert hint in caught.value.diagnostics[0].hint
