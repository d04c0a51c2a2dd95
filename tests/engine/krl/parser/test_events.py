"""Event expressions and `within`."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.krl import KrlSyntaxError
from pico_engine.krl.parser.events import AGGREGATE_WORDS, EVENT_PRECEDENCE, GROUP_WORDS, LIST_WORDS, PERIODS
from pico_engine.krl.syntax import EventGroup, SelectWhen, SelectWhere, SimpleEvent
from tests.engine.krl.trees import bare, event, rule


def shown(node: Any) -> str:
    match bare(node) if not isinstance(node, tuple) else node:
        case ("SimpleEvent", ("Identifier", domain), ("Identifier", kind), *_):
            return f"{domain}:{kind}"
        case ("EventOperator", op, events, count):
            number = "" if count is None else f" {count[1]:g}"
            return f"({op}{number} {' '.join(shown(one) for one in events)})"
        case ("EventGroup", op, count, inner):
            return f"({op} {count[1]:g} {shown(inner)})"
        case other:
            raise AssertionError(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:b", "a:b"),
        ("a b", "a:b"),
        ("return setting", "return:setting"),
        ("a:b or c:d and e:f", "(or a:b (and c:d e:f))"),
        ("a:b and c:d before e:f", "(and a:b (before c:d e:f))"),
        ("a:b before c:d then e:f after g:h", "(after (then (before a:b c:d) e:f) g:h)"),
        ("(a:b or c:d) and e:f", "(and (or a:b c:d) e:f)"),
        ("a:b before c:d between(e:f, g:h)", "(before a:b (between c:d e:f g:h))"),
        ("a:b not between(c:d or e:f, g:h)", "(not between a:b (or c:d e:f) g:h)"),
        ("any 2 (a:b, c:d, e:f)", "(any 2 a:b c:d e:f)"),
        ("or(a:b)", "(or a:b)"),
        (
            "then(a:b, c:d) or before(e:f, after(g:h, i:j))",
            "(or (then a:b c:d) (before e:f (after g:h i:j)))",
        ),
        ("count 3 (a:b) or repeat 02 (c:d)", "(or (count 3 a:b) (repeat 2 c:d))"),
        ("a:b where x or c:d", "(or a:b c:d)"),
    ],
)
def test_what_binds_how(text, expected):
    assert shown(event(text)) == expected


def test_an_event_with_all_it_may_have():
    node = event('a:b c re#(.)#i d re#x# setting(e, f) where e == "1" && f')
    assert isinstance(node, SimpleEvent)
    assert [(one.name.name, one.pattern.pattern, one.pattern.flags) for one in node.matches] == [
        ("c", "(.)", "i"),
        ("d", "x", ""),
    ]
    assert [one.name for one in node.setting] == ["e", "f"]
    assert bare(node.where)[:2] == ("Infix", "&&")
    assert not node.where_before_setting


def test_where_before_setting_is_noted():
    node = event("a:b c re#.# where d setting(e)")
    assert isinstance(node, SimpleEvent)
    assert node.where_before_setting
    assert not event("a:b where d").where_before_setting


@pytest.mark.parametrize("word", sorted(AGGREGATE_WORDS))
def test_aggregates(word):
    node = event(f"repeat 5 (a:b c re#(.)#) {word}(d, e)")
    assert isinstance(node, EventGroup)
    assert node.event.aggregate is not None
    assert node.event.aggregate.op == word
    assert [one.name for one in node.event.aggregate.names] == ["d", "e"]


@pytest.mark.parametrize("unit", sorted(PERIODS))
def test_within(unit):
    select = rule(f"select when a:b within 2 * 3 {unit}").select
    assert isinstance(select, SelectWhen)
    assert select.within is not None
    assert select.within.unit == unit
    assert bare(select.within.amount)[:2] == ("Infix", "*")


def test_select_where_considers_every_event():
    select = rule("select where event:domain == 1").select
    assert isinstance(select, SelectWhere)
    assert bare(select.condition)[:2] == ("Infix", "==")


@pytest.mark.parametrize("word", sorted({*EVENT_PRECEDENCE, *LIST_WORDS, *GROUP_WORDS} - {"not", "between"}))
def test_words_between_events_are_types_of_events_as_well(word):
    assert shown(event(f"a:{word} or {word if word not in LIST_WORDS | GROUP_WORDS else 'x'}:y")).startswith(
        "(or a:"
    )


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "expected an event, `domain:type`, but found `}`", ""),
        ("a:", "expected the event's type, but found `}`", ""),
        ("a", "expected `:` and the event's type, but found `}`", ""),
        ('pageview ".*"', 'expected `:` and the event\'s type, but found the string `".*"`', "two words"),
        (
            'web:pageview ".*"',
            'expected `}` to end the rule `r`, or its postlude, but found the string `".*"`',
            "re#pattern#",
        ),
        ("true:b", "expected an event, `domain:type`, but found `true`", ""),
        ("any (a:b, c:d)", "expected a whole number, but found `(`", ""),
        ("any 1.5 (a:b)", "expected a whole number, but found `1.5`", ""),
        ("count 2 (a:b or c:d)", "expected `)`, but found `or`", "takes one event"),
        ("a:b not c:d", "expected `between` behind `not`, but found `c`", ""),
        ("a:b between (c:d)", "expected `,` and the last event, but found `)`", ""),
        ("a:b within 3", "expected a unit of time, but found `}`", "`minute`"),
        ("a:b within 3 min", "expected a unit of time, but found `min`", "`minute`"),
        ("a:b setting(return)", "expected a name to set, but found `return`", "reserved"),
        ("a:b;", "expected `}` to end the rule `r`, or its postlude, but found `;`", "no `;` here"),
    ],
)
def test_what_is_said_of_mistakes(text, message, hint):
    with pytest.raises(KrlSyntaxError) as caught:
        rule(f"select when {text}")
    assert caught.value.diagnostics[0].message == message
    assert hint in caught.value.diagnostics[0].hint


def test_select_needs_when_or_where():
    with pytest.raises(KrlSyntaxError, match="expected `when` or `where`, but found `a`"):
        rule("select a:b")


@pytest.mark.parametrize(
    "text", ["(" * 200 + "a:b" + ")" * 200, "or(" * 200 + "a:b" + ")" * 200, "a:b" + " or a:b" * 200]
)
def test_events_nest_up_to_a_limit(text):
    with pytest.raises(KrlSyntaxError, match="more than 100 levels"):
        event(text)
