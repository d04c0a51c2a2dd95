"""docs/compatibility.md, "KRL texts": which are taken or refused otherwise than by the existing compiler."""

from __future__ import annotations

import pytest

from pico_engine.krl import KrlSyntaxError, check, compile_ruleset


def of_global(text: str) -> str:
    return f"ruleset a {{ global {{ {text} }} }}"


def of_rule(text: str) -> str:
    return f"ruleset a {{ rule r {{ {text} }} }}"


TAKEN = [
    "ruleset a { rule constructor { select when a:b } rule toString { select when a:b } }",
    of_global("f = function(valueOf, constructor) { valueOf + constructor }"),
    of_global("toString = function() { 1 } hasOwnProperty = toString()"),
    of_global("__proto__ = 1 x = __proto__"),
    of_global("NUMBER = 1 STRING = NUMBER REGEXP = STRING x = REGEXP"),
    of_rule("select when NUMBER:STRING"),
    'ruleset a { version "1" }',
    of_rule('select when a:b always { raise a event "b" for b16x10 }'),
    of_rule('select when a:b always { raise a event "b" for io.example.other }'),
]

REFUSED = [
    (of_global("x = NUMBER"), "undefined-name"),
    (of_global('x = {"a" + "b": 1}'), "map-key"),
    ('ruleset a { version "a" + "b" meta {} }', "syntax"),
    (of_rule("select when a:b c re#x# + 1"), "syntax"),
    ("a = 1", "syntax"),
    (of_rule("select when any 3 (a:b, c:d)"), "event-count"),
    (of_rule("select when any 0 (a:b, c:d)"), "event-count"),
    (of_rule("select when count 0 (a:b)"), "event-count"),
    (of_rule("select when repeat 1001 (a:b)"), "event-count"),
    (of_rule("select when a:b foreach x setting(y) pre { x = [1] }"), "undefined-name"),
    ("ruleset a { meta { shares map } }", "not-global"),
    ("ruleset a { meta { provides noop } }", "not-global"),
    (of_global(f"x = {'[' * 101}{']' * 101}"), "nesting"),
]


@pytest.mark.parametrize("text", TAKEN)
def test_what_is_taken(text):
    assert [one for one in check(text) if one.severity == "error"] == []
    assert compile_ruleset(text).definition.rid == "a"


@pytest.mark.parametrize(("text", "code"), REFUSED, ids=[one[0][:80] for one in REFUSED])
def test_what_is_refused(text, code):
    assert [one.code for one in check(text) if one.severity == "error"] == [code]
    with pytest.raises(KrlSyntaxError):
        compile_ruleset(text)
