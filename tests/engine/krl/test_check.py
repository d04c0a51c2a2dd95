"""All that is wrong or doubtful in a ruleset: golden texts, and what is an error where."""

from __future__ import annotations

import pytest

from pico_engine.krl import check
from pico_engine.krl.check import SHOWN_MAX_DIAGNOSTICS
from pico_engine.krl.diagnostics import CODES


def said(text: str) -> list[tuple[str, str, str]]:
    """Severity, code and the place of everything that is said."""
    return [(one.severity, one.code, text[slice(*one.span)]) for one in check(text)]


def of_meta(text: str) -> list[tuple[str, str, str]]:
    return said(
        f"ruleset a {{ meta {{ {text} }} global {{ f = function(){{ 1 }} v = f act = defaction(){{}} }} }}"
    )


def of_rule(text: str) -> list[tuple[str, str, str]]:
    return said(f"ruleset a {{ rule r {{ {text} }} }}")


GOLDEN = """ruleset io.example.old {
  meta {
    sharing on
    shares temperature, alarm
  }
  global {
    temperature = function() { ent:temperature }
    threshold = limit + 1
    limit = 70
    alarm = defaction() { noop() }
  }
  rule intialization {
    select when wrangler ruleset_added where rids >< meta:rid
    fired { ent:temperature := event:attrs("temperature") }
  }
  rule intialization {
    select when any 3 (a:b, c:d)
    app:seen := 1
  }
  rule reading {
    select when sensor reading temperature re#([#
    pre { temprature = event:attr("t") }
    always { ent:old := ent:old.put("a", tempratur) }
  }
}
"""

SHOWN = """old.krl:3:5: error: `sharing` is no property of `meta`
      sharing on
      ^^^^^^^
  hint: write `shares name, name` with the names of the functions that may be asked from outside
old.krl:4:25: error: `alarm` is an action, which nobody can ask
      shares temperature, alarm
                          ^^^^^
  hint: share a function; an event makes a rule act
old.krl:8:17: error: nothing declares `limit`
      threshold = limit + 1
                  ^^^^^
  hint: `limit` is declared further down: only functions see what comes behind them
old.krl:13:46: error: nothing declares `rids`
      select when wrangler ruleset_added where rids >< meta:rid
                                               ^^^^
  hint: an attribute is `event:attrs{"rids"}`
old.krl:14:32: error: `event:attrs` is a map, not a function
      fired { ent:temperature := event:attrs("temperature") }
                                 ^^^^^^^^^^^
  hint: write `event:attrs` for all, `event:attrs{"name"}` for one
old.krl:18:14: error: expected `(` and arguments, but found `:=`
      app:seen := 1
               ^^
  hint: `:=` stands in the postlude: `always { ent:name := value }`
old.krl:21:44: error: this regular expression is wrong: Unterminated character class
      select when sensor reading temperature re#([#
                                             ^^^^^^
  hint: correct the regular expression; it is written as in JavaScript, with the flags g, i and m
old.krl:22:24: warning: `event:attr` is old
      pre { temprature = event:attr("t") }
                         ^^^^^^^^^^
  hint: write `event:attrs{"name"}`
old.krl:23:25: warning: the whole map is written anew
      always { ent:old := ent:old.put("a", tempratur) }
                          ^^^^^^^
  hint: write `ent:old{key} := value`
old.krl:23:42: error: nothing declares `tempratur`
      always { ent:old := ent:old.put("a", tempratur) }
                                           ^^^^^^^^^
  hint: is `temprature` meant?"""


def test_all_that_is_said_of_a_ruleset_with_usual_mistakes():
    assert "\n".join(one.render(GOLDEN, "old.krl") for one in check(GOLDEN)) == SHOWN


def test_a_good_ruleset_has_nothing_to_say():
    assert check('ruleset a { meta { name "A" shares f } global { f = function(x) { x } } }') == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('name "a" name "b"', [("error", "meta-repeated", "name")]),
        ("logging on", [("warning", "old-logging", "logging on")]),
        ("logging on logging off", [("warning", "old-logging", "logging on"),
                                    ("error", "meta-repeated", "logging"),
                                    ("warning", "old-logging", "logging off")]),
        ("description <<a #{v}>>", [("error", "undefined-name", "v")]),
        ('key k "x"', [("error", "meta-key", 'key k "x"')]),
        ("errors to a.b", [("error", "meta-key", "errors to a.b")]),
        ("provides keys k to a.b", [("error", "meta-key", "provides keys k to a.b")]),
        ("configure using a = 1 b = a + c", [("error", "undefined-name", "c")]),
        ("use module a with b = c", [("error", "undefined-name", "c")]),
        ("use module a with b = c configure using c = 1", [("error", "undefined-name", "c")]),
        ("configure using c = 1 use module a with b = c shares c", []),
        ("shares f, v, __testing provides act, __testing", []),
        ("shares map provides noop", [("error", "not-global", "map"), ("error", "not-global", "noop")]),
        ("shares act", [("error", "shared-action", "act")]),
        ("share g provide h", [("error", "not-global", "g"), ("error", "not-global", "h")]),
        ("configure using v = 1", [("warning", "redeclared", "v")]),
    ],
)  # fmt: skip
def test_meta(text, expected):
    assert of_meta(text) == expected


def test_version_outside_of_meta():
    assert said('ruleset a { version "1" }') == [("warning", "old-version", '"1"')]
    assert said('ruleset a { version "1" meta { version "2" } }') == [
        ("warning", "old-version", '"1"'),
        ("error", "meta-repeated", "version"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("error", "missing-select", "r")]),
        ("select when a:b setting(c)", [("warning", "old-setting", "c")]),
        ("select when a:b x re#(.)# where c setting(c)", [("warning", "old-setting", "c")]),
        ("select when a:b x re#(.)# setting(c) where c && d", [("error", "undefined-name", "d")]),
        ("select when a:b x re#(.)# setting(c) or d:e where c", []),
        ("select when a:b x re#(#", [("error", "regexp", "re#(#")]),
        ("select when a:b x re#a#gg", [("error", "regexp", "re#a#gg")]),
        ("select when any 2 (a:b, c:d)", [("error", "event-count", "2")]),
        ("select when any 0 (a:b, c:d)", [("error", "event-count", "0")]),
        ("select when any 1 (a:b, c:d)", []),
        ("select when count 0 (a:b)", [("error", "event-count", "0")]),
        ("select when repeat 1001 (a:b)", [("error", "event-count", "1001")]),
        ("select when count 2 (a:b x re#(.)#) max(m) within m minutes", []),
        ("select when a:b within n minutes", [("error", "undefined-name", "n")]),
        ("select where a", [("error", "undefined-name", "a")]),
        ("select when a:b foreach c setting(d) pre { c = [1] }", [("error", "undefined-name", "c")]),
        ("select when a:b x re#(.)# setting(c) foreach c setting(d) foreach d setting(e)", []),
        ("select when a:b foreach d setting(e) foreach [1] setting(d)", [("error", "undefined-name", "d")]),
        ("select when a:b foreach [1] setting(d) pre { d = 1 }", [("warning", "redeclared", "d")]),
        (
            "select when a:b foreach [1] setting(d, e, f) pre { g = d + e + f + h }",
            [("error", "undefined-name", "h")],
        ),
        ("select when a:b pre { c = 1 c = 2 }", [("error", "duplicate-declaration", "c")]),
        ("select when a:b noop() setting(c) fired { d = c } else { e = d }", []),
        ("select when a:b if c then noop()", [("error", "undefined-name", "c")]),
    ],
)
def test_rules(text, expected):
    assert of_rule(text) == expected


def test_an_inactive_rule_is_not_looked_at_but_its_name_is_taken():
    text = "ruleset a { rule r is inactive { pre { a = b } } rule r { select when a:b } }"
    assert said(text) == [("warning", "inactive-rule", "r"), ("error", "duplicate-rule", "r")]


def test_names_of_one_rule_are_not_those_of_another():
    text = "ruleset a { rule r { select when a:b pre { c = 1 } } rule s { select when a:b pre { d = c } } }"
    assert said(text) == [("error", "undefined-name", "c")]


@pytest.mark.parametrize("name", ["constructor", "toString", "__proto__", "hasOwnProperty"])
def test_words_that_mean_something_in_javascript_are_names(name):
    """The existing engine stumbles over them."""
    globals_ = f"global {{ {name} = function({name}) {{ {name} }} }}"
    assert check(f"ruleset a {{ {globals_} rule {name} {{ select when a:b }} }}") == []


def test_names_that_a_broken_part_seems_to_declare_are_not_missed():
    text = """ruleset a { meta { shares f }
      global {
        f = function(x) { ]
        g = 1
      }
      rule r { select when a:b pre { y = f(g) + h } }
    }"""
    assert said(text) == [("error", "syntax", "]"), ("error", "undefined-name", "h")]


def test_there_is_an_end_to_what_is_said():
    text = "ruleset a { global { x = [" + ",".join(f"a{n}" for n in range(500)) + "] } }"
    found = check(text)
    assert len(found) == SHOWN_MAX_DIAGNOSTICS + 1
    assert (found[-1].severity, found[-1].code) == ("error", "too-many")
    assert found[-1].message == "400 more are not shown"


def test_every_code_that_is_said_is_in_the_table():
    assert {one.code for one in check(GOLDEN)} <= set(CODES)
