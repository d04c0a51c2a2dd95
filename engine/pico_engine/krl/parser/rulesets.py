"""The ruleset: its id, `meta`, `global` and rules; here the parser goes on behind what it could not read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pico_engine.krl.lexer import END, STRING, SYMBOL
from pico_engine.krl.parser.actions import action_block
from pico_engine.krl.parser.cursor import Cursor, ParseFailure
from pico_engine.krl.parser.events import select
from pico_engine.krl.parser.expressions import (
    at_declaration,
    declaration,
    declarations,
    expression,
    string,
)
from pico_engine.krl.parser.statements import postlude
from pico_engine.krl.syntax import (
    Boolean,
    Configure,
    Declaration,
    Foreach,
    Identifier,
    KeyDeclaration,
    MetaProperty,
    MetaValue,
    NameList,
    Rule,
    Ruleset,
    RulesetId,
    UseModule,
)

META_KEYS = frozenset(
    {"version", "name", "description", "author", "logging", "use", "configure", "shares", "provides"}
)
"""What a meta block may hold; `share` and `provide` will do as well."""

_OLD_META_KEYS = frozenset({"key", "keys", "errors"})
_TEXTS = frozenset({"version", "name", "description", "author"})
_META_HINTS = {
    "sharing": "write `shares name, name` with the names of the functions that may be asked from outside",
    "alias": "`alias` stands directly behind `use module io.example.module`",
    "with": "`with` stands directly behind `use module io.example.module`",
    "key": 'give keys when the ruleset is installed; `meta:rulesetConfig{"name"}` has them',
    "keys": 'give keys when the ruleset is installed; `meta:rulesetConfig{"name"}` has them',
    "errors": "remove it; select `system:error` instead",
}
FOUND_MAX = 500
"""Errors after which reading ends: each looks for where to go on, and nobody mends so many at once."""

_POSTLUDE = frozenset({"fired", "notfired", "else", "finally", "always"})
_BEGIN = "a KRL file begins with `ruleset io.example.name {`"

T = TypeVar("T")


def ruleset(c: Cursor) -> Ruleset:
    """The whole text."""
    start = c.token.start
    c.expect_word("ruleset", "", _BEGIN)
    rid = _rid(c, "the ruleset's id, such as `io.example.name`")
    c.expect("{", "`{` behind the ruleset's id", "the id consists of words with `.` or `-` between them")
    version = string(c, "a version in double quotes") if c.take_word("version") else None
    meta: tuple[MetaProperty, ...] = ()
    if c.is_word("meta"):
        meta = _attempt(c, _meta, _at_section) or ()
    found: tuple[Declaration, ...] = ()
    if c.is_word("global"):
        found = _attempt(c, _global, _at_rule) or ()
    rules: list[Rule] = []
    while True:
        if c.is_word("rule"):
            rule = _attempt(c, _rule, _at_rule)
            rules += [rule] if rule else []
        elif c.kind == "}" and c.peek().kind == END:
            c.advance()
            return Ruleset(c.span(start), rid, version, meta, found, tuple(rules))
        elif c.kind == END and c.found:
            return Ruleset(c.span(start), rid, version, meta, found, tuple(rules))  # what is missing was said
        else:
            _attempt(c, _no_rule, _at_rule)


def _no_rule(c: Cursor) -> None:
    """Say what is wrong where a rule or the ruleset's end should be."""
    if c.take("}"):
        hint = "the `}` before it ends the ruleset: there may be one too many" if c.kind == SYMBOL else ""
        c.fail("the end of the text", hint)
    hint = ""
    if c.is_word("meta") or c.is_word("global"):
        hint = "`meta`, `global` and rules stand in this order, each of the first two once"
    c.fail("`rule`, or `}` to end the ruleset", hint)


# -- going on behind an error --------------------------------------------------------------------------------


def _attempt(c: Cursor, read: Callable[[Cursor], T], resume: Callable[[Cursor], bool]) -> T | None:
    """What `read` reads; or note its failure and go on where `resume` says so, at the end at the latest."""
    begin = c.index
    try:
        return read(c)
    except ParseFailure as failure:
        if c.found is None or len(c.found) >= FOUND_MAX:
            raise
        c.found.append(failure.diagnostic)
    c.depth = c.deepest = 0
    if c.index == begin:
        c.advance()
    while c.kind != END and not resume(c):
        c.advance()
    c.guessed.update(
        token.text
        for token, behind in zip(c.tokens[begin : c.index], c.tokens[begin + 1 :], strict=False)
        if token.kind == SYMBOL and behind.kind in ("=", ",", ")")
    )
    return None


def _at_rule(c: Cursor) -> bool:
    """`rule name {` or `rule name is`: nothing else looks like it."""
    return c.is_word("rule") and c.peek().kind == SYMBOL and (c.peek(2).kind == "{" or c.peek(2).text == "is")


def _at_section(c: Cursor) -> bool:
    return (c.is_word("global") and c.peek().kind == "{") or _at_rule(c)


def _begins_line(c: Cursor) -> bool:
    return c.index > 0 and "\n" in c.source[c.tokens[c.index - 1].stop : c.token.start]


def _column(c: Cursor) -> int:
    return c.token.start - c.source.rfind("\n", 0, c.token.start)


# -- meta and global -----------------------------------------------------------------------------------------


def _rid(c: Cursor, what: str) -> RulesetId:
    """Words joined by `.` or `-` without any space."""
    token = c.expect(SYMBOL, what)
    text = token.text
    while c.kind in (".", "-") and c.token.start == c.stop:
        mark = c.advance()
        if c.kind != SYMBOL or c.token.start != mark.stop:
            c.fail(f"a word directly behind `{text}{mark.text}`", "an id is like `io.example.name`")
        text += mark.text + c.advance().text
    return RulesetId(c.span(token.start), text)


def _meta(c: Cursor) -> tuple[MetaProperty, ...]:
    c.advance()
    c.expect("{", "`{` behind `meta`")
    found: list[MetaProperty] = []

    def resume(c: Cursor) -> bool:
        known = c.kind == SYMBOL and (
            c.text in META_KEYS or c.text in _OLD_META_KEYS or c.text in _META_HINTS
        )
        closing = c.kind == "}" and (c.peek().text in ("global", "rule") or c.peek(2).kind == END)
        return (known and _begins_line(c)) or closing or _at_section(c)

    while not c.take("}"):
        if c.found and (c.kind == END or _at_section(c)):
            break
        found_one = _attempt(c, _meta_property, resume)
        found += [found_one] if found_one else []
    return tuple(found)


def _meta_property(c: Cursor) -> MetaProperty:
    if c.kind != SYMBOL:
        c.fail("a property of `meta`, or `}` to end it")
    token = c.token
    if token.text not in _META_READERS:
        message = f"`{token.text}` is no property of `meta`"
        c.refuse("meta-key", message, _META_HINTS.get(token.text, f"there are {_one_of(META_KEYS)}"), token)
    c.advance()
    key = Identifier(c.span(token.start), token.text)
    value = _META_READERS[token.text](c)
    return MetaProperty(c.span(token.start), key, value)


def _one_of(words: frozenset[str]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(words))


def _text(c: Cursor) -> MetaValue:
    return expression(c, what="a text, in double quotes or `<<…>>`")


def _logging(c: Cursor) -> MetaValue:
    if not (c.is_word("on") or c.is_word("off")):
        c.fail("`on` or `off`")
    token = c.advance()
    return Boolean(c.span(token.start), token.text == "on")


def _use(c: Cursor) -> MetaValue:
    c.expect_word("module")
    start = c.token.start
    rid = _rid(c, "the module's ruleset id")
    alias = c.name("a name behind `alias`") if c.take_word("alias") else None
    configuration: list[Declaration] = []
    if c.take_word("with"):
        joined = True
        while joined or at_declaration(c):
            configuration.append(declaration(c))
            joined = c.take_word("and")
        if c.kind == ",":
            c.fail("`and`, or the next property of `meta`", "values for a module are joined by `and`")
    return UseModule(c.span(start), rid, alias, tuple(configuration))


def _configure(c: Cursor) -> MetaValue:
    c.expect_word("using")
    start = c.token.start
    found = declarations(c)
    return Configure(c.span(start), found)


def _name_list(c: Cursor) -> MetaValue:
    start, first = c.token.start, c.index
    if c.tokens[c.index - 1].text.startswith("provide") and c.take_word("keys"):
        c.names("the name of a key")
        c.expect_word("to")
        _rids(c)
        return _key_declaration(c, first)
    names = c.names("a name that `global` declares")
    return NameList(c.span(start), names)


def _rids(c: Cursor) -> None:
    _rid(c, "a ruleset's id")
    while c.take(","):
        _rid(c, "a ruleset's id")


def _key(c: Cursor) -> MetaValue:
    first = c.index
    c.expect(SYMBOL, "the key's name")
    expression(c, what="the key")
    return _key_declaration(c, first)


def _errors(c: Cursor) -> MetaValue:
    first = c.index
    c.expect_word("to")
    _rid(c, "a ruleset's id")
    return _key_declaration(c, first)


def _key_declaration(c: Cursor, first: int) -> KeyDeclaration:
    """What was taken since the token `first`, as a text: nobody looks into it."""
    taken = c.tokens[first : c.index]
    return KeyDeclaration(c.span(taken[0].start), " ".join(token.text for token in taken))


_META_READERS: dict[str, Callable[[Cursor], MetaValue]] = {
    **dict.fromkeys(_TEXTS, _text),
    "logging": _logging,
    "use": _use,
    "configure": _configure,
    "share": _name_list,
    "shares": _name_list,
    "provide": _name_list,
    "provides": _name_list,
    "key": _key,
    "keys": _key,
    "errors": _errors,
}


def _global(c: Cursor) -> tuple[Declaration, ...]:
    c.advance()
    c.expect("{", "`{` behind `global`")
    found: list[Declaration] = []
    column = 0

    def read(c: Cursor) -> Declaration:
        if not at_declaration(c):
            c.fail("a declaration, `name = value`, or `}` to end `global`")
        one = declaration(c)
        c.take(";")
        if c.kind != "}" and not at_declaration(c):
            c.fail("a declaration, `name = value`, or `}` to end `global`")
        return one

    def resume(c: Cursor) -> bool:
        if _at_rule(c):
            return True
        if c.kind == "}" and (_column(c) < column or c.peek(2).kind == END):
            return True
        return at_declaration(c) and _begins_line(c) and _column(c) <= column

    while not c.take("}"):
        if c.found and (c.kind == END or _at_rule(c)):
            break
        column = _column(c)
        one = _attempt(c, read, resume)
        found += [one] if one else []
    return tuple(found)


# -- rules ---------------------------------------------------------------------------------------------------


def _rule(c: Cursor) -> Rule:
    start = c.advance().start
    name = c.name("the rule's name")
    active = True
    if c.take_word("is"):
        if not (c.is_word("active") or c.is_word("inactive")):
            c.fail("`active` or `inactive`")
        active = c.advance().text == "active"
    c.expect("{", f"`{{` behind the name of the rule `{name.name}`")
    selected = select(c) if c.take_word("select") else None
    foreach: list[Foreach] = []
    while c.is_word("foreach"):
        foreach.append(_foreach(c))
    prelude: tuple[Declaration, ...] = ()
    if c.take_word("pre"):
        c.expect("{", "`{` behind `pre`")
        prelude = declarations(c)
        c.expect("}", "a declaration, `name = value`, or `}` to end `pre`")
    block = None
    if c.kind == SYMBOL and c.text not in _POSTLUDE:
        block = action_block(c)
    end = postlude(c)
    if c.kind != "}":
        what = "" if end else ", or its postlude"
        c.fail(f"`}}` to end the rule `{name.name}`{what}", _rule_hint(c, end is not None))
    c.advance()
    return Rule(c.span(start), name, active, selected, tuple(foreach), prelude, block, end)


def _rule_hint(c: Cursor, ended: bool) -> str:
    if c.is_word("pre") or c.is_word("select") or c.is_word("foreach"):
        return "a rule holds `select`, `foreach`, `pre`, actions and the postlude in this order"
    if c.kind == STRING and not ended:
        return "an attribute is matched by `name re#pattern#`; actions are `every {…}`"
    if c.kind == "{" and not ended:
        return "actions stand in `every {…}`"
    if c.kind == ";":
        return "there is no `;` here; it ends declarations, actions and statements"
    if c.is_word("if"):
        return "a rule has one block of actions; a second condition is a second rule"
    if c.kind == SYMBOL and not ended and c.peek().kind in ("(", ":"):
        return "several actions stand in `every {…}`"
    return ""


def _foreach(c: Cursor) -> Foreach:
    start = c.advance().start
    over = expression(c, what="what to go through")
    if not c.is_word("setting"):
        c.fail("`setting(…)` behind `foreach`", "write `foreach things setting(thing)`")
    setting = c.setting()
    return Foreach(c.span(start), over, setting)
