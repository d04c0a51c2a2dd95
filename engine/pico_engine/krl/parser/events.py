"""What a rule selects: event expressions, by the strength of their operators, and `within`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, cast

from pico_engine.krl.lexer import NUMBER, REGEXP, STRING, SYMBOL
from pico_engine.krl.parser.cursor import Cursor
from pico_engine.krl.parser.expressions import expression, regexp
from pico_engine.krl.syntax import (
    Aggregate,
    AttributeMatch,
    EventExpression,
    EventGroup,
    EventOperator,
    Number,
    Select,
    SelectWhen,
    SelectWhere,
    SimpleEvent,
    Span,
    Within,
)

EVENT_PRECEDENCE: Mapping[str, int] = MappingProxyType(
    {"or": 20, "and": 30, "before": 40, "then": 40, "after": 40, "between": 50, "not": 50}
)
"""How strongly a word between events binds them; equal ones from left to right.

`not` stands for `not between`."""

LIST_WORDS = frozenset({"any", "or", "and", "before", "then", "after"})
"""Words in front of a list of events; `any` has a number first."""

GROUP_WORDS = frozenset({"count", "repeat"})
"""Words in front of a number and one event."""

AGGREGATE_WORDS = frozenset({"max", "min", "sum", "avg", "push"})

PERIODS = frozenset(
    {"second", "minute", "hour", "day", "week", "month", "year"}
    | {"seconds", "minutes", "hours", "days", "weeks", "months", "years"}
)

_NO_DOMAIN = frozenset({"like", "cmp", "between", "not", "function", "defaction", "true", "false", "null"})
"""Words that cannot begin an event's name."""

_EVENT = "an event, `domain:type`"


def select(c: Cursor) -> Select:
    """`select when …`, `select where …`; the word `select` was taken."""
    start = c.stop - len("select")
    if c.take_word("where"):
        condition = expression(c, what="a condition")
        return SelectWhere(c.span(start), condition)
    c.expect_word("when", "`when` or `where`")
    event = event_expression(c)
    within = _within(c) if c.is_word("within") else None
    return SelectWhen(c.span(start), event, within)


def _within(c: Cursor) -> Within:
    start = c.advance().start
    amount = expression(c, what="an amount of time")
    if c.kind != SYMBOL or c.text not in PERIODS:
        c.fail(
            "a unit of time",
            "write `second`, `minute`, `hour`, `day`, `week`, `month`, `year`, or more of them",
        )
    unit = c.advance().text
    return Within(c.span(start), amount, unit)


def event_expression(c: Cursor, binding: int = 0) -> EventExpression:
    """An event expression whose operators all bind more strongly than `binding`."""
    outer = c.enter()
    start = c.token.start
    left = _primary(c)
    while c.kind == SYMBOL and EVENT_PRECEDENCE.get(c.text, 0) > binding:
        c.deepen(c.deepest + 1)
        left = _infix(c, left, start)
    c.leave(outer)
    return left


def _primary(c: Cursor) -> EventExpression:
    if c.kind == "(":
        c.advance()
        inner = event_expression(c)
        c.expect(")", "`)`")
        return inner
    if c.kind != SYMBOL or c.text in _NO_DOMAIN:
        c.fail(_EVENT)
    if c.text in LIST_WORDS:
        return _list(c)
    if c.text in GROUP_WORDS:
        return _group(c)
    return _simple(c)


def _infix(c: Cursor, left: EventExpression, start: int) -> EventOperator:
    word = c.advance().text
    if word not in ("between", "not"):
        right = event_expression(c, EVENT_PRECEDENCE[word])
        return EventOperator(c.span(start), cast(Literal["or"], word), (left, right))
    if word == "not":
        c.expect_word("between", "`between` behind `not`")
    c.expect("(", "`(` and two events")
    first = event_expression(c)
    c.expect(",", "`,` and the last event")
    last = event_expression(c)
    c.expect(")", "`)`")
    return EventOperator(
        c.span(start), "between" if word == "between" else "not between", (left, first, last)
    )


def _list(c: Cursor) -> EventOperator:
    start = c.token.start
    word = c.advance().text
    count = _whole_number(c) if word == "any" else None
    c.expect("(", f"`(` and the events of `{word}`")
    events = [event_expression(c)]
    while c.take(","):
        events.append(event_expression(c))
    c.expect(")", "`,` or `)`")
    return EventOperator(c.span(start), cast(Literal["any"], word), tuple(events), count)


def _group(c: Cursor) -> EventGroup:
    start = c.token.start
    word = cast(Literal["count", "repeat"], c.advance().text)
    count = _whole_number(c)
    c.expect("(", f"`(` and the event to {word}")
    event = _simple(c)
    hint = (
        f"`{word}` takes one event; a rule may raise one when a compound one fired"
        if c.kind == SYMBOL
        else ""
    )
    c.expect(")", "`)`", hint)
    if c.kind == SYMBOL and c.text in AGGREGATE_WORDS:
        at = c.token.start
        op = cast(Literal["max", "min", "sum", "avg", "push"], c.advance().text)
        c.expect("(", "`(` and names")
        names = c.names("the name that the value gets")
        c.expect(")", "`,` or `)`")
        aggregate = Aggregate(c.span(at), op, names)
        whole = c.span(event.span.start)
        event = SimpleEvent(
            whole, event.domain, event.type, event.matches, event.setting, event.where, aggregate,
            event.where_before_setting,
        )  # fmt: skip
    return EventGroup(c.span(start), word, count, event)


def _whole_number(c: Cursor) -> Number:
    if c.kind != NUMBER or "." in c.text:
        c.fail("a whole number")
    token = c.advance()
    value = float(token.text)
    return Number(Span(token.start, token.stop), int(value) if value < 1e15 else value)


def _simple(c: Cursor) -> SimpleEvent:
    domain = c.word(_EVENT)
    colon = c.take(":")
    if c.kind == STRING:
        c.fail("`:` and the event's type", "an event is named by two words, such as `web:pageview`")
    kind = c.word("the event's type" if colon else "`:` and the event's type")
    matches: list[AttributeMatch] = []
    while c.kind == SYMBOL and c.peek().kind == REGEXP:
        name = c.word("an attribute")
        pattern = regexp(c)
        matches.append(AttributeMatch(c.span(name.span.start), name, pattern))
    where = expression(c, what="a condition") if c.take_word("where") else None
    early = where is not None
    setting = c.setting()
    if where is None and c.take_word("where"):
        where = expression(c, what="a condition")
    return SimpleEvent(
        c.span(domain.span.start), domain, kind, tuple(matches), setting, where, None, bool(early and setting)
    )
