"""Checks of expressions, declarations, actions and statements."""

from __future__ import annotations

import pytest

from tests.engine.krl.test_check import of_rule, said


def of_global(text: str) -> list[tuple[str, str, str]]:
    return said(f"ruleset a {{ global {{ {text} }} }}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1 x = 2", [("error", "duplicate-declaration", "x")]),
        ("x = y y = 1", [("error", "undefined-name", "y")]),
        ("f = function(){ g() + y } g = function(){ f() } y = 1", []),
        ("x = f() f = function(){ 1 }", [("error", "undefined-name", "f")]),
        ("f = function(){ x } y = f() x = 1", []),
        ("f = defaction(){ g() } g = defaction(){ noop() }", [("error", "undefined-name", "g")]),
        ("f = defaction(){ f() }", [("error", "undefined-name", "f")]),
        ("x = [a, a, function(){ a }]", [("error", "undefined-name", "a")]),
        ("x = function(a){ a } y = a", [("error", "undefined-name", "a")]),
        ("x = a:b + ent:c + app:d", []),
        ("x = {\"a\": b}{[c, d]}", [("error", "undefined-name", one) for one in "bcd"]),
        ("x = <<#{a}>> + not b => c | d", [("error", "undefined-name", one) for one in "abcd"]),
        ("x = re#(?<a#", [("error", "regexp", "re#(?<a#")]),
    ],
)  # fmt: skip
def test_names(text, expected):
    assert of_global(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("function(a, a){ 1 }", [("error", "duplicate-parameter", "a")]),
        ("function(a = 1, b){ 1 }", [("error", "parameter-order", "b")]),
        ("function(a, b = a, c = b + d){ 1 }", [("error", "undefined-name", "d")]),
        ("function(a){ a = 1 return a }", [("warning", "redeclared", "a")]),
        ("defaction(a = map, b = 1){ b = a([], 1) noop() return c }",
         [("warning", "redeclared", "b"), ("error", "undefined-name", "c")]),
    ],
)  # fmt: skip
def test_parameters(text, expected):
    assert of_global(f"x = {text}") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("map()", []),
        ("5()", []),
        ("function(){ 1 }()", []),
        ("[].map(function(x){ x })", []),
        ("[].like(1)", []),
        ("[].nope()", [("error", "undefined-name", "nope")]),
        ("[].math:nope()", []),
        ("noop()", [("error", "not-a-function", "noop")]),
        ("[].send_directive()", [("error", "not-a-function", "send_directive")]),
        ("__testing()", [("error", "not-a-function", "__testing")]),
        ("defaction(){}()", [("error", "not-a-function", "defaction(){}")]),
        ("event:attrs()", [("error", "event-attrs-call", "event:attrs")]),
        ("event:attr(1)", [("warning", "old-attr", "event:attr")]),
        ("event:attrs.get(1)", []),
        ("f(a = 1, 2)", [("error", "undefined-name", "f"), ("error", "argument-order", "2")]),
        ("[].f(a = 1)", [("error", "undefined-name", "f")]),
        ("ent:a.b", [("warning", "old-member", "ent:a.b")]),
        ("ent:a.b.c", [("warning", "old-member", "ent:a.b"), ("warning", "old-member", "ent:a.b.c")]),
    ],
)
def test_calls(text, expected):
    assert of_global(f"x = {text}") == sorted(expected, key=lambda one: text.index(one[2]))


def test_what_is_known_of_a_value_goes_with_it():
    assert of_global("f = function(){ 1 } g = f a = noop h = function(k = a){ k() + g() } x = a()") == [
        ("error", "not-a-function", "k"),
        ("error", "not-a-function", "a"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("noop()", []),
        ("m:do()", []),
        ("map()", [("error", "not-an-action", "map")]),
        ("nope()", [("error", "undefined-name", "nope")]),
        ("choose 1 { noop() }", [("error", "missing-label", "noop()")]),
        ("noop() setting(a, b)", [("error", "many-results", "b")]),
        ("every { noop() setting(a) send_directive(a) noop(b) }", [("error", "undefined-name", "b")]),
        ("every { map() map() }", [("error", "not-an-action", "map"), ("error", "not-an-action", "map")]),
    ],
)
def test_actions(text, expected):
    assert of_rule(f"select when a:b {text}") == expected


def test_what_an_event_captured_is_a_string():
    found = of_rule("select when a:b c re#(.)# setting(d) d() fired { x = d() }")
    assert found == [("error", "not-an-action", "d"), ("error", "not-a-function", "d")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ent:a := 1", []),
        ("app:a := 1", [("error", "not-persistent", "app:a")]),
        ("clear foo:a", [("error", "not-persistent", "foo:a")]),
        ("clear ent:a{x}", [("error", "undefined-name", "x")]),
        ("ent:a := ent:a.put([1], 2)", [("warning", "put", "ent:a")]),
        ("ent:a := ent:b.put([1], 2)", []),
        ("ent:a{1} := ent:a.put([1], 2)", []),
        ("ent:a{x} := y", [("error", "undefined-name", "x"), ("error", "undefined-name", "y")]),
        (
            "raise a event x attributes y",
            [("error", "undefined-name", "x"), ("error", "undefined-name", "y")],
        ),
        ("raise event x", [("error", "undefined-name", "x")]),
        ('raise a event "b" for c', [("warning", "for-unknown", "c")]),
        ('raise a event "b" for meta:rid', []),
        ("schedule a event 1 at x setting(y); z = y", [("error", "undefined-name", "x")]),
        ("schedule a event 1 repeat x", [("error", "undefined-name", "x")]),
        ("log info x", [("error", "undefined-name", "x")]),
        ("error info x", [("error", "undefined-name", "x")]),
        ("x = 1 x = x + 1 log info x", []),
        ("x = function(){ x() }", []),
        ("log info y if x", [("error", "undefined-name", "y"), ("error", "undefined-name", "x")]),
        ("last on final", []),
    ],
)
def test_statements(text, expected):
    assert of_rule(f"select when a:b always {{ {text} }}") == expected
