"""Checks of expressions, declarations, actions and statements: names, kinds, and what is old or odd."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from pico_engine.krl.diagnostics import Diagnostic, Severity
from pico_engine.krl.scopes import Kind, Scope
from pico_engine.krl.syntax import (
    Action,
    ActionBlock,
    Arguments,
    Array,
    Assignment,
    Call,
    Chevron,
    Clear,
    Conditional,
    Declaration,
    DeclareError,
    Defaction,
    DomainIdentifier,
    Expression,
    Function,
    Guarded,
    Identifier,
    Infix,
    Log,
    Map,
    Member,
    NamedArgument,
    Parameter,
    Raise,
    RegExp,
    ScheduleEvent,
    Span,
    Statement,
    Unary,
)
from pico_engine.regex.errors import RegexSyntaxError
from pico_engine.regex.parser import parse as parse_regex

HINTED_MAX = 50
"""Undefined names beyond so many diagnostics get no hint: to look for a similar name takes time."""
REGEXPS_MAX = 1_000
"""Regular expressions of one ruleset: to read one takes as long as a hundred words."""
_SIMILAR_MAX_CHARS = 64
_SIMILAR_MAX_NAMES = 1_000
"""A similar name is looked for only among so many, of such length."""

_NOTHING = frozenset({"undefined", "nil", "None", "none"})


class CodeChecker:
    """Walks code in the order in which the compiler sees it, and notes what it finds.

    `guessed` are names that a part of the text which could not be read may declare: they count as declared.
    """

    def __init__(self, guessed: frozenset[str] = frozenset()) -> None:
        self.found: list[Diagnostic] = []
        self.regexps = 0
        self.guessed = guessed

    def note(self, severity: Severity, code: str, span: Span, message: str, hint: str = "") -> None:
        self.found.append(Diagnostic(severity, code, message, hint, span))

    def error(self, code: str, span: Span, message: str, hint: str = "") -> None:
        self.note("error", code, span, message, hint)

    def warn(self, code: str, span: Span, message: str, hint: str = "") -> None:
        self.note("warning", code, span, message, hint)

    # -- expressions -----------------------------------------------------------------------------------------

    def expression(self, node: Expression, scope: Scope) -> Kind:
        """Check an expression; answers what is known of its value."""
        match node:
            case Identifier():
                return self.name(node, scope)
            case Call():
                self._call(node, scope)
            case DomainIdentifier():
                self._domain(node)
            case Infix():
                self.expression(node.left, scope)
                self.expression(node.right, scope)
            case Member():
                self._member(node, scope)
            case Map():
                for entry in node.entries:
                    self.expression(entry.value, scope)
            case Array():
                self.expressions(node.items, scope)
            case Chevron():
                self.expressions(node.parts, scope)
            case Conditional():
                self.expressions((node.test, node.then, node.otherwise), scope)
            case Unary():
                self.expression(node.operand, scope)
            case RegExp():
                self.regexp(node)
            case Function():
                self._function(node, scope)
                return Kind.FUNCTION
            case Defaction():
                self._defaction(node, scope)
                return Kind.ACTION
            case _:
                pass  # a number, string, truth value or null
        return Kind.UNKNOWN

    def expressions(self, nodes: Iterable[Expression | None], scope: Scope) -> None:
        for node in nodes:
            if node is not None:
                self.expression(node, scope)

    def name(self, node: Identifier, scope: Scope, hint: str = "") -> Kind:
        """Check that something declares the name; answers what it stands for."""
        kind = scope.kind(node.name)
        if kind is not None:
            return kind
        if node.name not in self.guessed and not scope.is_missed(node.name):
            scope.missed.add(node.name)
            message = f"nothing declares `{node.name}`"
            if not hint and len(self.found) < HINTED_MAX:
                hint = _name_hint(node.name, scope)
            self.error("undefined-name", node.span, message, hint)
        return Kind.UNKNOWN

    def regexp(self, node: RegExp) -> None:
        self.regexps += 1
        if self.regexps > REGEXPS_MAX:
            if self.regexps == REGEXPS_MAX + 1:
                what = f"more than {REGEXPS_MAX:,} regular expressions in a ruleset: `REGEXPS_MAX`"
                self.error("too-large", node.span, what, "split it into several rulesets")
            return
        try:
            parse_regex(node.pattern, node.flags)
        except RegexSyntaxError as error:
            self.error("regexp", node.span, f"this regular expression is wrong: {error.reason}", error.hint)

    def _domain(self, node: DomainIdentifier) -> None:
        if (node.domain, node.name) == ("event", "attr"):
            self.warn("old-attr", node.span, "`event:attr` is old", 'write `event:attrs{"name"}`')

    def _member(self, node: Member, scope: Scope) -> None:
        self.expression(node.subject, scope)
        if node.how != "dot":
            self.expression(node.key, scope)
            return
        self.warn("old-member", node.span, "`.` without a call is old", 'write `map{"name"}`')
        if isinstance(node.key, DomainIdentifier):
            self.expression(node.key, scope)

    def _call(self, node: Call, scope: Scope) -> None:
        callee = node.callee
        if isinstance(callee, DomainIdentifier) and (callee.domain, callee.name) == ("event", "attrs"):
            hint = 'write `event:attrs` for all, `event:attrs{"name"}` for one'
            self.error("event-attrs-call", callee.span, "`event:attrs` is a map, not a function", hint)
        elif isinstance(callee, Member) and callee.how == "dot":  # x.f(y) is f(x, y)
            self._callable(callee.key, scope)
            self.expression(callee.subject, scope)
        else:
            self._callable(callee, scope)
        self.arguments(node.arguments, scope)

    def _callable(self, callee: Expression, scope: Scope) -> None:
        kind = self.expression(callee, scope)
        if kind in (Kind.FUNCTION, Kind.UNKNOWN):
            return
        what = {
            Kind.ACTION: "an action, and actions run only where a rule or `defaction` acts",
            Kind.ACTION_FUNCTION: "an action, and actions run only where a rule or `defaction` acts",
            Kind.STRING: "a string that an event's attribute gave",
        }.get(kind, "a map")
        self.error("not-a-function", callee.span, f"this is {what}, not a function")

    def arguments(self, node: Arguments, scope: Scope) -> None:
        named = False
        for item in node.items:
            if isinstance(item, NamedArgument):
                named = True
                self.expression(item.value, scope)
                continue
            if named:
                hint = "arguments with names stand behind all others"
                self.error(
                    "argument-order", item.span, "an argument without a name behind one with a name", hint
                )
            self.expression(item, scope)

    def _function(self, node: Function, scope: Scope) -> None:
        inside = scope.within()
        self._parameters(node.parameters, inside)
        self.declarations(node.declarations, inside)
        self.expression(node.result, inside)

    def _defaction(self, node: Defaction, scope: Scope) -> None:
        inside = scope.within()
        self._parameters(node.parameters, inside)
        self.declarations(node.declarations, inside)
        self.block(node.block, inside)
        self.expressions((node.result,), inside)

    def _parameters(self, parameters: tuple[Parameter, ...], scope: Scope) -> None:
        seen: set[str] = set()
        defaults = False
        for one in parameters:
            name = one.name.name
            if name in seen:
                self.error("duplicate-parameter", one.name.span, f"two parameters are called `{name}`")
            seen.add(name)
            scope.declare(name)
            if one.default is not None:
                defaults = True
                scope.declare(name, self.expression(one.default, scope))
            elif defaults:
                hint = "parameters with defaults stand behind all others"
                message = f"`{name}` has no default, but a parameter before it has"
                self.error("parameter-order", one.span, message, hint)

    def declarations(self, block: tuple[Declaration, ...], scope: Scope) -> None:
        """A block of declarations: values see what stands above them, functions see all of the block."""
        taken = frozenset(scope.names)
        seen: set[str] = set()
        functions: list[Declaration] = []
        last = {one.name.name: position for position, one in enumerate(block)}
        scope.below = set(last)
        for position, one in enumerate(block):
            name = one.name.name
            if name in seen:
                hint = "values do not change: give the new one a name of its own"
                self.error(
                    "duplicate-declaration", one.name.span, f"`{name}` is declared twice in this block", hint
                )
            elif name in taken:
                self._redeclared(one.name)
            seen.add(name)
            if isinstance(one.value, Function):
                functions.append(one)
                scope.declare(name)
            else:
                self.declaration(one, scope)
            if last[name] == position:
                scope.below.discard(name)
        scope.below = set()
        for one in functions:
            self.declaration(one, scope)

    def _redeclared(self, name: Identifier) -> None:
        message = (
            f"`{name.name}` is a parameter, setting or loop variable already; older engines cannot load this"
        )
        self.warn("redeclared", name.span, message, "give it another name")

    def declaration(self, node: Declaration, scope: Scope) -> None:
        """One declaration; a function may call itself, an action may not."""
        if isinstance(node.value, Function):
            scope.declare(node.name.name)
        kind = self.expression(node.value, scope)
        scope.declare(node.name.name, kind)

    # -- actions ---------------------------------------------------------------------------------------------

    def block(self, node: ActionBlock, scope: Scope) -> None:
        """An action block; the names that its actions set are seen behind it."""
        self.expressions((node.condition, node.discriminant), scope)
        for action in node.actions:
            if node.kind == "choose" and action.label is None:
                hint = "write `label => action(…)`"
                self.error("missing-label", action.span, "an action in a `choose` needs a label", hint)
            self._action(action, scope)

    def _action(self, node: Action, scope: Scope) -> None:
        kind = self.expression(node.action, scope)
        if kind not in (Kind.ACTION, Kind.ACTION_FUNCTION, Kind.UNKNOWN):
            hint = "make it a `defaction`, or name its value in `pre`" if kind is Kind.FUNCTION else ""
            what = "a function" if kind is Kind.FUNCTION else "a value"
            self.error("not-an-action", node.action.span, f"this is {what}, not an action", hint)
        self.arguments(node.arguments, scope)
        if len(node.setting) > 1:
            hint = "set one name and look into it"
            self.error("many-results", node.setting[1].span, "an action has one result", hint)
        for name in node.setting:
            scope.declare(name.name)

    # -- statements ------------------------------------------------------------------------------------------

    def statement(self, node: Statement, scope: Scope) -> None:
        match node:
            case Guarded():
                self.expressions((node.condition,), scope)
                self.statement(node.statement, scope)
            case Assignment():
                self._assignment(node, scope)
            case Clear():
                self._persistent(node.target)
                self.expressions((node.path,), scope)
            case Raise():
                self.expressions((node.attributes, node.event.whole, node.event.type), scope)
                self._for_rid(node, scope)
            case ScheduleEvent():
                event = node.event
                self.expressions((node.attributes, event.whole, event.type, node.at, node.repeat), scope)
                if node.setting is not None:
                    scope.declare(node.setting.name)
            case Log() | DeclareError():
                self.expression(node.value, scope)
            case Declaration():
                self.declaration(node, scope)
            case _:
                pass  # last

    def _persistent(self, target: DomainIdentifier) -> None:
        if target.domain != "ent":
            hint = "keep it in an `ent:` variable"
            if target.domain == "app":
                hint = "`app:` variables are of older engines: keep it in an `ent:` variable of one pico"
            message = f"`{target.domain}:{target.name}` is not persistent: only `ent:` variables are"
            self.error("not-persistent", target.span, message, hint)

    def _assignment(self, node: Assignment, scope: Scope) -> None:
        self._persistent(node.target)
        value = node.value
        if node.path is None and isinstance(value, Call) and isinstance(value.callee, Member):
            subject, key = value.callee.subject, value.callee.key
            name = f"{node.target.domain}:{node.target.name}"
            same = isinstance(subject, DomainIdentifier) and f"{subject.domain}:{subject.name}" == name
            if same and isinstance(key, Identifier) and key.name == "put":
                message = "the whole map is written anew"
                self.warn("put", subject.span, message, f"write `{name}{{key}} := value`")
        self.expression(value, scope)
        self.expressions((node.path,), scope)

    def _for_rid(self, node: Raise, scope: Scope) -> None:
        """What stands behind `for` was never looked at by older engines, so it may name anything."""
        if node.for_rid is None:
            return
        aside = CodeChecker(self.guessed)
        aside.expression(node.for_rid, scope.within())
        for one in aside.found:
            if one.code == "undefined-name":
                hint = "a ruleset's id is a string here"
                self.warn("for-unknown", one.span, f"{one.message}, so `for` is passed over", hint)


def _name_hint(name: str, scope: Scope) -> str:
    if scope.is_below(name):
        return f"`{name}` is declared further down: only functions see what comes behind them"
    if name in _NOTHING:
        return "what is not there is `null`"
    names = [one for one in scope.visible() if len(one) <= _SIMILAR_MAX_CHARS]
    if len(name) > _SIMILAR_MAX_CHARS or len(names) > _SIMILAR_MAX_NAMES:
        return ""
    near = get_close_matches(name, names, 1, cutoff=0.75)
    return f"is `{near[0]}` meant?" if near else ""
