"""Expressions, by the strength with which operators bind (Pratt's method), and lists of declarations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from pico_engine.krl.lexer import (
    CHEVRON_CLOSE,
    CHEVRON_OPEN,
    CHEVRON_TEXT,
    HOLE_CLOSE,
    HOLE_OPEN,
    NUMBER,
    REGEXP,
    STRING,
    SYMBOL,
)
from pico_engine.krl.parser.cursor import Cursor
from pico_engine.krl.parser.hints import hint_for_word
from pico_engine.krl.syntax import (
    Arguments,
    Array,
    Boolean,
    Call,
    Chevron,
    Conditional,
    Declaration,
    DomainIdentifier,
    Expression,
    Function,
    Identifier,
    Infix,
    Map,
    MapEntry,
    Member,
    NamedArgument,
    Null,
    Number,
    Parameter,
    RegExp,
    Span,
    String,
    Unary,
)

PRECEDENCE: Mapping[str, int] = MappingProxyType({
    "=>": 10,
    "||": 20,
    "&&": 30,
    "==": 40, "!=": 40, "<": 40, "<=": 40, ">": 40, ">=": 40, "like": 40, "><": 40, "<=>": 40, "cmp": 40,
    "+": 50, "-": 50,
    "*": 60, "/": 60, "%": 60,
    ".": 80, "[": 80, "{": 80,
    "(": 90,
})  # fmt: skip
"""How strongly what stands behind an expression binds it; equal ones from left to right."""

PREFIX_PRECEDENCE = 70
"""Of `+`, `-` and `not` in front of an expression."""

BEFORE_BLOCK = PRECEDENCE["{"]
"""Behind `choose` a `{` begins the block and is no path: only a call binds more strongly."""

OPERATOR_WORDS = frozenset(
    {"like", "cmp", "or", "and", "before", "then", "after", "between", "any", "count", "repeat"}
)
"""Words that begin no expression, although they may be names: `ent:count` and `xs.any(f)` are well."""

EXACT_MAX = 2**53
"""Whole numbers up to here are exact in a number, which is a double; from here on they are kept as one."""

_OPERATOR_HINTS = {
    "and": "in an expression write `&&`; `and` joins events",
    "or": "in an expression write `||`; `or` joins events",
    "like": "`like` is an operator: `text like pattern`",
    "cmp": "`cmp` is an operator: `a cmp b`",
}
_CHANGE_HINT = "values do not change: `y = x.put(key, value)` makes a changed map"
_RETURN_HINT = "a function holds declarations and, last, the one value that it returns"


def expression(c: Cursor, binding: int = 0, what: str = "an expression", hint: str = "") -> Expression:
    """An expression whose operators all bind more strongly than `binding`."""
    outer = c.enter()
    start = c.token.start
    prefix = WORD_READERS.get(c.text, _symbol) if c.kind == SYMBOL else _READERS.get(c.kind)
    if prefix is None:
        c.fail(what, hint)
    left = prefix(c)
    strength = PRECEDENCE.get
    while strength(c.text, 0) > binding:
        c.deepen(c.deepest + 1)
        left = _BEHIND.get(c.text, _infix)(c, left, start)
    c.leave(outer)
    return left


# -- what may begin an expression ----------------------------------------------------------------------------


def _symbol(c: Cursor) -> Expression:
    if c.text in OPERATOR_WORDS:
        c.fail(
            "an expression",
            _OPERATOR_HINTS.get(c.text) or f"`{c.text}` joins events: give the variable another name",
        )
    name = c.name("an expression")
    if c.kind != ":":
        return name
    c.advance()
    second = c.name(f"a name behind `{name.name}:`")
    return DomainIdentifier(Span(name.span.start, second.span.stop), name.name, second.name)


def _number(c: Cursor) -> Number:
    token = c.advance()
    value = float(token.text)
    whole = value <= EXACT_MAX and value.is_integer()
    return Number(Span(token.start, token.stop), int(value) if whole else value)


def string(c: Cursor, what: str = "a string") -> String:
    """A plain string; `\\"` and `\\\\` are the only escapes."""
    token = c.expect(STRING, what)
    value = token.text[1:-1]
    if "\\" in value:
        value = value.replace('\\"', '"').replace("\\\\", "\\")
    return String(Span(token.start, token.stop), value)


def _chevron(c: Cursor) -> Chevron:
    opening = c.advance()
    parts: list[Expression] = []
    while c.kind != CHEVRON_CLOSE:
        if c.kind == CHEVRON_TEXT:
            token = c.advance()
            value = token.text
            if "\\" in value:
                value = value.replace("\\>", ">").replace("\\#{", "#{").replace("\\\\", "\\")
            parts.append(String(Span(token.start, token.stop), value))
        elif c.kind == HOLE_OPEN:
            c.advance()
            parts.append(expression(c, what="an expression within `#{…}`"))
            c.expect(HOLE_CLOSE, "`}` to end the `#{`")
        else:
            c.refuse("unclosed", "this chevron has no end", "it ends with `>>`", opening)
    c.advance()
    return Chevron(c.span(opening.start), tuple(parts))


def regexp(c: Cursor) -> RegExp:
    """A regular expression; whether it is one is for the checks."""
    token = c.expect(REGEXP, "a regular expression such as `re#^a.*#`")
    pattern, _, flags = token.text[3:].rpartition("#")
    return RegExp(Span(token.start, token.stop), pattern.replace("\\#", "#"), flags)


def _true(c: Cursor) -> Boolean:
    c.advance()
    return Boolean(c.span(c.stop - 4), True)


def _false(c: Cursor) -> Boolean:
    c.advance()
    return Boolean(c.span(c.stop - 5), False)


def _null(c: Cursor) -> Null:
    c.advance()
    return Null(c.span(c.stop - 4))


def _group(c: Cursor) -> Expression:
    c.advance()
    inner = expression(c)
    c.expect(")", "`)`")
    return inner


def _array(c: Cursor) -> Array:
    start = c.advance().start
    items: list[Expression] = []
    while c.kind != "]":
        items.append(expression(c, what="an element of the array, or `]`"))
        if not c.take(","):
            break
    c.expect("]", "`,` or `]` in the array")
    return Array(c.span(start), tuple(items))


def _map(c: Cursor) -> Map:
    start = c.advance().start
    entries: list[MapEntry] = []
    while c.kind != "}":
        if c.kind != STRING:
            c.fail("a map's key, which is a string, or `}`", 'write `{"key": value}`')
        key = string(c)
        if c.kind != ":":
            c.refuse(
                "map-key",
                f"expected `:` behind the map's key, but found `{c.text}`",
                "a key is a plain string; set others with `.put(key, value)`",
                c.token,
            )
        c.advance()
        value = expression(c, what="the key's value")
        entries.append(MapEntry(Span(key.span.start, c.stop), key, value))
        if not c.take(","):
            break
    c.expect("}", "`,` or `}` in the map")
    return Map(c.span(start), tuple(entries))


def _unary(c: Cursor) -> Unary:
    token = c.advance()
    operand = expression(c, PREFIX_PRECEDENCE)
    return Unary(c.span(token.start), token.text, operand)


def _function(c: Cursor) -> Function:
    start = c.advance().start
    taken = parameters(c)
    c.expect("{", "`{` to begin the function's body")
    inside = declarations(c)
    c.take_word("return")
    hint = "write `return value`, without `=`" if c.kind == "=" else _RETURN_HINT
    result = expression(c, what="the value that the function returns", hint=hint)
    c.take(";")
    if c.kind != "}":
        changed = c.kind == "=" and isinstance(result, Member)
        c.fail(
            "`}` to end the function",
            _CHANGE_HINT if changed else hint_for_word(c.tokens, c.index) or _RETURN_HINT,
        )
    c.advance()
    return Function(c.span(start), taken, inside, result)


# -- what may stand behind one -------------------------------------------------------------------------------


def _infix(c: Cursor, left: Expression, start: int) -> Infix:
    op = c.advance().text
    right = expression(c, PRECEDENCE[op], f"an expression behind `{op}`")
    return Infix(c.span(start), op, left, right)


def _conditional(c: Cursor, left: Expression, start: int) -> Conditional:
    c.advance()
    then = expression(c, PRECEDENCE["=>"])
    c.expect("|", "`|` and what holds otherwise", "a condition has both: `condition => this | that`")
    otherwise = expression(c)
    return Conditional(c.span(start), left, then, otherwise)


def _dot(c: Cursor, left: Expression, start: int) -> Member:
    c.advance()
    key = name_or_domain(c, "a name behind `.`")
    return Member(c.span(start), left, "dot", key)


def _index(c: Cursor, left: Expression, start: int) -> Member:
    c.advance()
    key = expression(c, what="an index")
    c.expect("]", "`]`")
    return Member(c.span(start), left, "index", key)


def _path(c: Cursor, left: Expression, start: int) -> Member:
    opening = c.advance()
    empty = "put `;` before a `{` that begins a map of its own" if c.kind == "}" else ""
    key = expression(c, what="a key within `{…}`", hint=empty)
    hint = ""
    if c.kind == ":" and isinstance(key, String):
        line = c.source.count("\n", 0, opening.start) + 1
        hint = f"the `{{` of line {line} is read as a path into what stands before it: end that with `;`"
    c.expect("}", "`}`", hint)
    return Member(c.span(start), left, "path", key)


def _call(c: Cursor, left: Expression, start: int) -> Call:
    given = arguments(c)
    return Call(c.span(start), left, given)


# -- parts ---------------------------------------------------------------------------------------------------


def arguments(c: Cursor) -> Arguments:
    """`(a, b, name = c)`."""
    start = c.token.start
    c.expect("(", "`(` and arguments")
    items: list[Expression | NamedArgument] = []
    while c.kind != ")":
        item = expression(c, what="an argument, or `)`")
        if isinstance(item, Identifier) and c.take("="):
            value = expression(c, what="the argument's value")
            items.append(NamedArgument(c.span(item.span.start), item, value))
        else:
            items.append(item)
        if not c.take(","):
            break
    c.expect(")", "`,` or `)` in the arguments")
    return Arguments(c.span(start), tuple(items))


def parameters(c: Cursor) -> tuple[Parameter, ...]:
    """`(a, b = default)`."""
    c.expect("(", "`(` and parameters")
    taken: list[Parameter] = []
    while c.kind != ")":
        name = c.name("a parameter, or `)`")
        default = expression(c, what="the parameter's default") if c.take("=") else None
        taken.append(Parameter(c.span(name.span.start), name, default))
        if not c.take(","):
            break
    c.expect(")", "`,` or `)` in the parameters")
    return tuple(taken)


def name_or_domain(c: Cursor, what: str) -> Identifier | DomainIdentifier:
    """`name` or `domain:name`."""
    name = c.name(what)
    if not c.take(":"):
        return name
    second = c.name(f"a name behind `{name.name}:`")
    return DomainIdentifier(Span(name.span.start, second.span.stop), name.name, second.name)


def domain_name(c: Cursor, what: str) -> DomainIdentifier:
    """`domain:name`."""
    name = c.name(what)
    c.expect(":", f"`:` behind `{name.name}`", "persistent variables are written `ent:name`")
    second = c.name(f"a name behind `{name.name}:`")
    return DomainIdentifier(Span(name.span.start, second.span.stop), name.name, second.name)


def at_declaration(c: Cursor) -> bool:
    """`name =` is at hand."""
    return c.at_name() and c.peek().kind == "="


def declaration(c: Cursor) -> Declaration:
    """`name = value`."""
    name = c.name("a declaration, `name = value`")
    c.expect("=", f"`=` behind `{name.name}`")
    value = expression(c, what="a value")
    return Declaration(c.span(name.span.start), name, value)


def declarations(c: Cursor) -> tuple[Declaration, ...]:
    """As many as there are, each with or without a `;` behind it."""
    found: list[Declaration] = []
    while at_declaration(c):
        found.append(declaration(c))
        c.take(";")
    return tuple(found)


WORD_READERS: dict[str, Callable[[Cursor], Expression]] = {
    "not": _unary,
    "true": _true,
    "false": _false,
    "null": _null,
    "function": _function,
}
"""By the word that an expression begins with; actions.py adds `defaction`. Any other word is a name."""

_READERS: Mapping[str, Callable[[Cursor], Expression]] = {
    NUMBER: _number,
    STRING: string,
    CHEVRON_OPEN: _chevron,
    REGEXP: regexp,
    "(": _group,
    "[": _array,
    "{": _map,
    "+": _unary,
    "-": _unary,
}

_BEHIND: Mapping[str, Callable[[Cursor, Expression, int], Expression]] = {
    "=>": _conditional,
    ".": _dot,
    "[": _index,
    "{": _path,
    "(": _call,
}
