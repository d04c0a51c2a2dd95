"""What rules and actions of one's own do: action blocks, and `defaction`, which is an expression."""

from __future__ import annotations

from typing import Literal, cast

from pico_engine.krl.lexer import STRING, SYMBOL
from pico_engine.krl.parser.cursor import Cursor
from pico_engine.krl.parser.expressions import (
    BEFORE_BLOCK,
    WORD_READERS,
    arguments,
    declarations,
    expression,
    name_or_domain,
    parameters,
)
from pico_engine.krl.syntax import Action, ActionBlock, Defaction, DomainIdentifier, Expression, Identifier

_POSTLUDE = frozenset({"always", "fired", "notfired"})
_STATEMENT_WORDS = frozenset({"raise", "schedule", "log", "error", "clear", "last"})
_ONE_RESULT = "an action of one's own returns one value; of several make a map"


def action_block(c: Cursor) -> ActionBlock:
    """`[if condition then] every|sample {…}`, `choose expression {…}`, one action, or nothing at all."""
    start = c.token.start
    condition = None
    if c.take_word("if"):
        condition = expression(c, what="a condition")
        c.expect_word("then")
    kind: Literal["every", "sample", "choose"] = "every"
    discriminant: Expression | None = None
    actions: tuple[Action, ...] = ()
    if c.kind == SYMBOL and c.text not in _POSTLUDE:
        if c.text in ("every", "sample", "choose"):
            kind = cast(Literal["every", "sample", "choose"], c.advance().text)
            if kind == "choose":
                discriminant = expression(c, BEFORE_BLOCK, "what to choose by")
            actions = _actions(c, kind)
        else:
            actions = (_action(c),)
    if condition is not None and not actions:
        hint = "write `every {`" if c.kind == "{" else ""
        c.fail("an action behind `if … then`", hint)
    return ActionBlock(c.span(start), condition, kind, discriminant, actions)


def _actions(c: Cursor, kind: str) -> tuple[Action, ...]:
    c.expect("{", f"`{{` behind `{kind}`")
    found: list[Action] = []
    while c.kind != "}":
        if c.is_word("with") and c.peek().kind == SYMBOL:
            c.fail("an action, or `}`")
        if kind == "choose" and not found and c.kind in (STRING, "["):
            c.fail("an action, or `}`", 'put a path in brackets: `choose (event:attrs{"name"}) {`')
        found.append(_action(c))
    c.advance()
    return tuple(found)


def _action(c: Cursor) -> Action:
    start = c.token.start
    label: Identifier | None = None
    name = name_or_domain(c, "an action")
    if isinstance(name, Identifier) and c.take("=>"):
        label = name
        name = name_or_domain(c, "an action behind the label")
    if c.kind != "(":
        c.fail("`(` and arguments", _statement_hint(c, name))
    given = arguments(c)
    setting = c.setting()
    span = c.span(start)
    c.take(";")
    return Action(span, label, name, given, setting)


def _statement_hint(c: Cursor, name: Identifier | DomainIdentifier) -> str:
    """For who writes a statement where actions stand."""
    if c.kind == ":=":
        return "`:=` stands in the postlude: `always { ent:name := value }`"
    if isinstance(name, Identifier) and name.name in _STATEMENT_WORDS:
        return f"`{name.name}` stands in the postlude: `always {{…}}`, or `fired {{…}}`"
    return ""


def _defaction(c: Cursor) -> Defaction:
    start = c.advance().start
    taken = parameters(c)
    c.expect("{", "`{` to begin the body of the action")
    inside = declarations(c)
    if c.is_word("return"):
        c.fail(
            "an action", "a `defaction` does something before it returns; what only computes is a `function`"
        )
    block = action_block(c)
    result = None
    if c.kind != "}":
        c.expect_word("return", "`return` or `}`", _ONE_RESULT if c.is_word("returns") else "")
        result = expression(c, what="the value to return")
        if c.kind == ",":
            c.fail("`}` behind the one value to return", _ONE_RESULT)
        c.take(";")
    c.expect("}", "`}` to end the `defaction`")
    return Defaction(c.span(start), taken, inside, block, result)


WORD_READERS["defaction"] = _defaction
