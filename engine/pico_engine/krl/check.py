"""All that is wrong or doubtful in a ruleset: what the parser missed, then meta, names, events, rules.

What is an error here is what krl-compiler 1.4 refuses, and what no engine can run: docs/compatibility.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from pico_engine.expressions.ast import COUNT_MAX
from pico_engine.krl.check_code import CodeChecker
from pico_engine.krl.diagnostics import Diagnostic
from pico_engine.krl.parser import parse_all
from pico_engine.krl.scopes import TESTING, Kind, Scope, standard_scope
from pico_engine.krl.syntax import (
    Configure,
    EventExpression,
    EventGroup,
    EventOperator,
    Identifier,
    Infix,
    KeyDeclaration,
    MetaProperty,
    NameList,
    Number,
    Rule,
    Ruleset,
    SelectWhen,
    SelectWhere,
    SimpleEvent,
    Span,
    UseModule,
)

SHOWN_MAX_DIAGNOSTICS = 100
"""More than this helps nobody: one mistake may make many."""

_ONCE = frozenset({"version", "name", "description", "author", "logging"})
_TEXTS = _ONCE - {"logging"}


def check(text: str) -> list[Diagnostic]:
    """All errors and warnings of a text, in its order. Never raises, whatever the text."""
    tree, found, guessed = parse_all(text)
    if tree is not None:
        found += check_tree(tree, guessed)
    found.sort(key=lambda one: one.span)
    if len(found) > SHOWN_MAX_DIAGNOSTICS:
        left = len(found) - SHOWN_MAX_DIAGNOSTICS
        errors = any(one.severity == "error" for one in found[SHOWN_MAX_DIAGNOSTICS:])
        found = found[:SHOWN_MAX_DIAGNOSTICS]
        more = Diagnostic(
            "error" if errors else "warning", "too-many", f"{left} more are not shown", "", found[-1].span
        )
        found.append(more)
    return found


def check_tree(tree: Ruleset, guessed: frozenset[str] = frozenset()) -> list[Diagnostic]:
    """Errors and warnings of a tree, in the order in which a compiler meets them."""
    checker = _RulesetChecker(guessed)
    checker.ruleset(tree)
    return checker.found


class _RulesetChecker(CodeChecker):
    def ruleset(self, tree: Ruleset) -> None:
        scope = standard_scope().within()
        if tree.version is not None:
            self.warn(
                "old-version", tree.version.span, "`version` stands outside of `meta`", "put it into `meta`"
            )
        self._meta(tree, scope)
        self.declarations(tree.globals, scope)
        seen: set[str] = set()
        for rule in tree.rules:
            name = rule.name
            if name.name in seen:
                self.error("duplicate-rule", name.span, f"two rules are called `{name.name}`")
            seen.add(name.name)
            self._rule(rule, scope.within())
        for key, names in _names_told(tree):
            for name in names:
                self._told(key, name, scope)

    # -- meta ------------------------------------------------------------------------------------------------

    def _meta(self, tree: Ruleset, scope: Scope) -> None:
        seen = {"version"} if tree.version is not None else set()
        for one in tree.meta:
            key = one.key.name
            if key in seen and key in _ONCE:
                self.error("meta-repeated", one.key.span, f"`{key}` stands once in `meta`")
            seen.add(key)
            if isinstance(one.value, KeyDeclaration):
                self._old_key(one)
            elif key in _TEXTS and not isinstance(one.value, UseModule | Configure | NameList):
                self.expression(one.value, scope)
            elif key == "logging":
                self.warn("old-logging", one.span, "`logging` is old: everything is logged", "remove it")
        for one in tree.meta:
            if isinstance(one.value, Configure):
                for declaration in one.value.declarations:
                    scope.declare(declaration.name.name, self.expression(declaration.value, scope))
            elif isinstance(one.value, UseModule):
                for declaration in one.value.configuration:
                    self.expression(declaration.value, scope)

    def _old_key(self, one: MetaProperty) -> None:
        if one.key.name == "errors":
            message, hint = "`errors to` is no property of `meta` any more", "select `system:error` in a rule"
        else:
            message = "keys are no property of `meta` any more"
            hint = 'give them when the ruleset is installed; `meta:rulesetConfig{"name"}` has them'
        self.error("meta-key", one.span, message, hint)

    def _told(self, key: str, name: Identifier, scope: Scope) -> None:
        kind = scope.names.get(name.name)  # what the standard library has is nobody's to share
        if kind is None:
            if name.name not in self.guessed and name.name != TESTING:
                self.error(
                    "not-global", name.span, f"`{key}` tells `{name.name}`, which `global` does not declare"
                )
        elif kind is Kind.ACTION and key == "shares":
            hint = "share a function; an event makes a rule act"
            self.error("shared-action", name.span, f"`{name.name}` is an action, which nobody can ask", hint)

    # -- rules -----------------------------------------------------------------------------------------------

    def _rule(self, rule: Rule, scope: Scope) -> None:
        name = rule.name.name
        if not rule.is_active:
            self.warn(
                "inactive-rule", rule.name.span, f"the rule `{name}` is inactive: it counts as a comment"
            )
            return
        if rule.select is None:
            hint = "write `select when domain:type`"
            self.error("missing-select", rule.name.span, f"the rule `{name}` selects nothing", hint)
        elif isinstance(rule.select, SelectWhere):
            self.expression(rule.select.condition, scope)
        else:
            self._select(rule.select, scope)
        for foreach in rule.foreach:
            self.expression(foreach.expression, scope)
            for one in foreach.setting:
                scope.declare(one.name)
        self.declarations(rule.prelude, scope)
        if rule.block is not None:
            self.block(rule.block, scope)
        if rule.postlude is not None:
            for statements in (rule.postlude.fired, rule.postlude.notfired, rule.postlude.always):
                for statement in statements or ():
                    self.statement(statement, scope)

    def _select(self, node: SelectWhen, scope: Scope) -> None:
        self._event(node.event, scope)
        if node.within is not None:
            self.expression(node.within.amount, scope)

    def _event(self, node: EventExpression, scope: Scope) -> None:
        match node:
            case SimpleEvent():
                self._simple(node, scope)
            case EventGroup():
                self._group_count(node)
                self._event(node.event, scope)
            case EventOperator():
                if node.count is not None and not 0 < node.count.value < len(node.events):
                    count, length = _shown(node.count), len(node.events)
                    hint = "the number is at least 1 and less than that of events; all of them is `and`"
                    self.error(
                        "event-count", node.count.span, f"`any {count}` of {length} events cannot be", hint
                    )
                for event in node.events:
                    self._event(event, scope)

    def _group_count(self, node: EventGroup) -> None:
        if not 0 < node.count.value <= COUNT_MAX:
            message = f"`{node.op} {_shown(node.count)}` cannot be: the number is 1 to {COUNT_MAX:,}"
            self.error("event-count", node.count.span, message)

    def _simple(self, node: SimpleEvent, scope: Scope) -> None:
        for match in node.matches:
            self.regexp(match.pattern)
        if node.where_before_setting:
            assert node.where is not None
            hint = "write `setting(…) where …`"
            self.warn("old-setting", node.where.span, "`where` stands before `setting`", hint)
        elif node.setting and not node.matches:
            span = Span(node.setting[0].span.start, node.setting[-1].span.stop)
            hint = "`attribute re#(.*)#` in front of it captures"
            self.warn("old-setting", span, "`setting` has nothing to set: no attribute is matched", hint)
        for one in node.setting:
            scope.declare(one.name, Kind.STRING)
        if node.where is not None:
            self._where(node, scope)
        if node.aggregate is not None:
            for one in node.aggregate.names:
                scope.declare(one.name)

    def _where(self, node: SimpleEvent, scope: Scope) -> None:
        assert node.where is not None
        left = node.where.left if isinstance(node.where, Infix) else None
        if isinstance(left, Identifier):
            self.name(left, scope, f'an attribute is `event:attrs{{"{left.name}"}}`')
        self.expression(node.where, scope)


def _shown(count: Number) -> str:
    return f"{count.value:.17g}"


def _names_told(tree: Ruleset) -> Iterator[tuple[str, tuple[Identifier, ...]]]:
    for one in tree.meta:
        if isinstance(one.value, NameList):
            yield ("shares" if one.key.name.startswith("share") else "provides"), one.value.names
