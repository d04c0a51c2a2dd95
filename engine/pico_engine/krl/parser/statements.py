"""What a rule does at its end: the postlude and its statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NoReturn, cast

from pico_engine.krl.lexer import SYMBOL
from pico_engine.krl.parser.cursor import Cursor
from pico_engine.krl.parser.expressions import at_declaration, declaration, domain_name, expression
from pico_engine.krl.syntax import (
    Assignment,
    Clear,
    DeclareError,
    EventName,
    Expression,
    Guarded,
    Last,
    Log,
    Postlude,
    Raise,
    ScheduleEvent,
    Statement,
)

LEVELS = frozenset({"error", "warn", "info", "debug"})

_EXPRESSION_HINT = "an expression alone does nothing: `log info value` logs it, `name = value` names it"
_WITH_HINT = '`with` is of older engines: write `attributes {"key": value}`'

Statements = tuple[Statement, ...]


def postlude(c: Cursor) -> Postlude | None:
    """`always {…}`, or `fired {…}` or `notfired {…}`, then `else {…}`, then `finally {…}`; or nothing."""
    start = c.token.start
    fired: Statements | None = None
    notfired: Statements | None = None
    always: Statements | None = None
    if c.take_word("always"):
        always = _block(c, "always")
    elif c.take_word("fired"):
        fired = _block(c, "fired")
        notfired = _block(c, "else") if c.take_word("else") else None
        always = _block(c, "finally") if c.take_word("finally") else None
    elif c.take_word("notfired"):
        notfired = _block(c, "notfired")
        fired = _block(c, "else") if c.take_word("else") else None
        always = _block(c, "finally") if c.take_word("finally") else None
    else:
        return None
    return Postlude(c.span(start), fired, notfired, always)


def _block(c: Cursor, word: str) -> Statements:
    c.expect("{", f"`{{` behind `{word}`")
    found: list[Statement] = []
    while c.kind != "}":
        found.append(_statement(c, word))
        c.take(";")
    c.advance()
    return tuple(found)


def _statement(c: Cursor, block: str) -> Statement:
    start = c.token.start
    statement = _bare(c, block)
    if c.is_word("on") and c.peek().text == "final" and c.peek().kind == SYMBOL:
        c.advance()
        c.advance()
        return Guarded(c.span(start), None, statement)
    if c.take_word("if"):
        condition = expression(c, what="a condition")
        return Guarded(c.span(start), condition, statement)
    return statement


def _bare(c: Cursor, block: str) -> Statement:
    if c.kind == SYMBOL:
        read = _STATEMENTS.get(c.text)
        if read is not None:
            return read(c)
        if c.peek().kind == ":" and c.peek(2).kind == SYMBOL:
            return _assignment(c)
        if at_declaration(c):
            return declaration(c)
    return _no_statement(c, block)


def _no_statement(c: Cursor, block: str) -> NoReturn:
    hint = _WITH_HINT if c.is_word("with") else ""
    if not hint and c.kind != "}" and not (c.at_name() and c.peek().kind == SYMBOL):
        hint = _EXPRESSION_HINT
    c.fail(f"a statement, or `}}` to end `{block}`", hint)


def _assignment(c: Cursor) -> Assignment:
    start = c.token.start
    target = domain_name(c, "a persistent variable")
    path = _path(c)
    if c.kind == "=":
        hint = "persistent variables are set with `:=`"
    elif c.kind in (".", "[", "("):
        hint = _EXPRESSION_HINT
    else:
        hint = ""
    c.expect(":=", f"`:=` behind `{target.domain}:{target.name}`", hint)
    value = expression(c, what="a value")
    return Assignment(c.span(start), target, path, value)


def _path(c: Cursor) -> Expression | None:
    if not c.take("{"):
        return None
    path = expression(c, what="a key within `{…}`")
    c.expect("}", "`}`")
    return path


def _clear(c: Cursor) -> Clear:
    start = c.advance().start
    target = domain_name(c, "a persistent variable, `ent:name`")
    path = _path(c)
    return Clear(c.span(start), target, path)


def _event_name(c: Cursor) -> EventName:
    start = c.token.start
    if c.take_word("event"):
        whole = expression(c, what='the event, such as `"domain:type"`')
        return EventName(c.span(start), None, None, whole)
    domain = c.name("the event's domain, or `event`")
    c.expect_word("event", "`event` behind the domain")
    kind = expression(c, what="the event's type, such as a string")
    return EventName(c.span(start), domain, kind, None)


def _raise(c: Cursor) -> Raise:
    start = c.advance().start
    event = _event_name(c)
    for_rid = expression(c, what="a ruleset's id") if c.take_word("for") else None
    attributes = expression(c, what="the event's attributes") if c.take_word("attributes") else None
    return Raise(c.span(start), event, attributes, for_rid)


def _schedule(c: Cursor) -> ScheduleEvent:
    start = c.advance().start
    event = _event_name(c)
    at = repeat = None
    if c.take_word("at"):
        at = expression(c, what="a time")
    elif c.take_word("repeat"):
        repeat = expression(c, what="a cron expression, such as a string")
    else:
        c.fail("`at` and a time, or `repeat` and a cron expression")
    attributes = expression(c, what="the event's attributes") if c.take_word("attributes") else None
    setting = None
    if c.take_word("setting"):
        c.expect("(", "`(` and a name")
        setting = c.name("a name for the schedule's id")
        c.expect(")", "`)`", "a schedule has one id")
    return ScheduleEvent(c.span(start), event, attributes, setting, at, repeat)


def _level(c: Cursor, word: str) -> Literal["error", "warn", "info", "debug"]:
    if c.kind != SYMBOL or c.text not in LEVELS:
        c.fail("a level: `error`, `warn`, `info` or `debug`", f"write `{word} info value`, for instance")
    return cast(Literal["info"], c.advance().text)


def _log(c: Cursor) -> Log:
    start = c.advance().start
    level = _level(c, "log")
    value = expression(c, what="what to log")
    return Log(c.span(start), level, value)


def _error(c: Cursor) -> DeclareError:
    start = c.advance().start
    level = _level(c, "error")
    value = expression(c, what="what to say of the error")
    return DeclareError(c.span(start), level, value)


def _last(c: Cursor) -> Last:
    start = c.advance().start
    return Last(c.span(start))


_STATEMENTS: Mapping[str, Callable[[Cursor], Statement]] = {
    "clear": _clear,
    "raise": _raise,
    "schedule": _schedule,
    "log": _log,
    "error": _error,
    "last": _last,
}
"""By the word that a statement begins with; other words begin a declaration or name a persistent variable."""
