"""Event expressions in Python: `when("a:x", p=number()).before("b:y").within(minutes=5)`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pico_engine.errors import RulesetDefinitionError
from pico_engine.expressions.ast import (
    After,
    Aggregate,
    And,
    AnyOf,
    AttributePattern,
    Before,
    Between,
    Count,
    Expression,
    NotBetween,
    Or,
    Repeat,
    Select,
    Simple,
    Then,
    Where,
)
from pico_engine.expressions.patterns import Pattern

RESERVED_SETTINGS = frozenset({"self", "event", "ruleset"})
"""Names that a rule's method or a condition already uses for something else."""

_FORMS = "docs/reference/python-rulesets.md has every form"


@dataclass(frozen=True, slots=True)
class AggregateOf:
    """What `max_of("celsius")` and its like give: a function of a captured setting."""

    function: str
    captured: str


def max_of(captured: str) -> AggregateOf:
    """The greatest value of the setting `captured` among the last n events."""
    return AggregateOf("max", captured)


def min_of(captured: str) -> AggregateOf:
    """The least value."""
    return AggregateOf("min", captured)


def sum_of(captured: str) -> AggregateOf:
    """The sum of the values."""
    return AggregateOf("sum", captured)


def average_of(captured: str) -> AggregateOf:
    """The mean of the values."""
    return AggregateOf("avg", captured)


def list_of(captured: str) -> AggregateOf:
    """The values, oldest first."""
    return AggregateOf("push", captured)


@dataclass(frozen=True, slots=True)
class EventExpression:
    """An event expression under construction. Every method gives a new one."""

    expression: Expression
    within_ms: int | None = None

    def or_(self, *others: EventExpression | str) -> EventExpression:
        """Either this or one of the others; `|` does the same."""
        return EventExpression(Or(self._with(others)))

    def and_(self, *others: EventExpression | str) -> EventExpression:
        """All of them in any order, one after the other; `&` does the same. `a & b & c` has 6 orders."""
        first, *rest = self._with(others)
        parts = first.expressions if isinstance(first, And) else (first,)
        return _distinct(And((*parts, *rest)))

    def before(self, other: EventExpression | str) -> EventExpression:
        """This, and later the other."""
        return _distinct(Before(self._with((other,))))

    def then(self, other: EventExpression | str) -> EventExpression:
        """This and directly after it the other: another event that this rule cares for starts it anew."""
        return _distinct(Then(self._with((other,))))

    def after(self, other: EventExpression | str) -> EventExpression:
        """The other, and later this."""
        return _distinct(After(self._with((other,))))

    def between(self, first: EventExpression | str, last: EventExpression | str) -> EventExpression:
        """`first`, then this, then `last`."""
        return _distinct(Between(*self._with((first, last))))

    def not_between(self, first: EventExpression | str, last: EventExpression | str) -> EventExpression:
        """`first`, then `last`, without this in between."""
        middle, begin, end = self._with((first, last))
        _distinct(Before((begin, end)))
        return EventExpression(NotBetween(middle, begin, end))

    def count(self, n: int, **aggregates: AggregateOf) -> EventExpression:
        """Every `n`-th time; `when("a:x", p=number()).count(3, highest=max_of("p"))` looks back on all n."""
        simple = self._counted("count", n)
        return EventExpression(Count(n, simple, _aggregates(simple, aggregates)))

    def repeat(self, n: int, **aggregates: AggregateOf) -> EventExpression:
        """The `n`-th time and every time after it; aggregates slide over the last n."""
        simple = self._counted("repeat", n)
        return EventExpression(Repeat(n, simple, _aggregates(simple, aggregates)))

    def within(
        self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0
    ) -> EventExpression:
        """All of it in this time from its first event on. Comes last, and once."""
        if self.within_ms is not None:
            raise RulesetDefinitionError("a second `within` on one expression", "give the time limit once")
        within_ms = round(1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days))))
        if within_ms <= 0:
            raise RulesetDefinitionError(
                f"nothing can happen within {within_ms} ms", "give a time, such as within(minutes=5)"
            )
        return EventExpression(self.expression, within_ms)

    def select(self) -> Select:
        """The expression for `compile_select`."""
        return Select(self.expression, self.within_ms)

    __or__ = or_
    __and__ = and_

    def __ror__(self, other: str) -> EventExpression:
        return when(other).or_(self)

    def __rand__(self, other: str) -> EventExpression:
        return when(other).and_(self)

    def _with(self, others: Iterable[EventExpression | str]) -> tuple[Expression, ...]:
        return tuple(_part(expression) for expression in (self, *others))

    def _counted(self, word: str, n: int) -> Simple:
        _check_whole(word, n)
        expression = _part(self)
        if not isinstance(expression, Simple):
            raise RulesetDefinitionError(
                f"{word} over a compound expression",
                f"{word} one event; a rule may raise it when the compound one fired",
            )
        return expression


def when(
    *events: str,
    where: Callable[..., object] | None = None,
    attributes: Mapping[str, Pattern] | None = None,
    **patterns: Pattern,
) -> EventExpression:
    """An event "domain:type" whose attributes fit and whose condition holds; of several events, any.

    What the patterns capture becomes keyword arguments of the rule. `attributes` is for attributes whose
    names are no Python names, or are `where` or `attributes`. The condition names as parameters what it
    needs: `event`, `ruleset`, and settings captured by this event or earlier ones. It must only read. A
    setting that was not captured (yet) makes it false.
    """
    if not events:
        raise RulesetDefinitionError("when() names no event", 'write when("domain:type")')
    tests = {name: _pattern(name, pattern) for name, pattern in {**(attributes or {}), **patterns}.items()}
    settings = tuple(name for attribute, test in tests.items() for name in test.settings(attribute))
    reserved = RESERVED_SETTINGS.intersection(settings)
    if reserved:
        raise RulesetDefinitionError(
            f"{events[0]!r} captures {', '.join(sorted(reserved))}, which has a meaning of its own in a rule",
            'capture it under another name: text().named("other")',
        )
    parts = tuple(
        Simple(
            *_domain_and_type(event),
            tuple(AttributePattern(name, test) for name, test in tests.items()),
            None if where is None else _condition(where),
            settings,
        )
        for event in events
    )
    return EventExpression(parts[0] if len(parts) == 1 else Or(parts))


def any_of(n: int, *expressions: EventExpression | str) -> EventExpression:
    """`n` different ones of the expressions, in any order, one after the other."""
    _check_whole("any_of", n)
    return _distinct(AnyOf(n, tuple(_part(expression) for expression in expressions)))


def _check_whole(word: str, n: object) -> None:
    if type(n) is not int:
        raise RulesetDefinitionError(
            f"{word} needs a whole number, not {n!r}", f"write {word}(3), or the like"
        )


def _part(expression: object) -> Expression:
    if isinstance(expression, str):
        return Simple(*_domain_and_type(expression))
    if not isinstance(expression, EventExpression):
        raise RulesetDefinitionError(f"{expression!r} is no event expression", 'write when("domain:type")')
    if expression.within_ms is not None:
        raise RulesetDefinitionError("`within` inside of an expression", "put `within` last, on all of it")
    return expression.expression


def _pattern(name: str, pattern: object) -> Pattern:
    if not isinstance(pattern, Pattern):
        raise RulesetDefinitionError(
            f"the attribute {name!r} has no pattern but {pattern!r}",
            f"write {name}=equals({pattern!r}) to compare, or {name}=anything()",
        )
    return pattern


def _domain_and_type(event: object) -> tuple[str, str]:
    domain, _, type_ = event.partition(":") if isinstance(event, str) else ("", "", "")
    if not domain or not type_ or ":" in type_ or any(char.isspace() for char in domain + type_):
        raise RulesetDefinitionError(
            f"{event!r} names no event", 'write "domain:type"; "*" stands for any domain or any type'
        )
    return domain, type_


def _aggregates(simple: Simple, wanted: Mapping[str, object]) -> tuple[Aggregate, ...]:
    for setting, aggregate in wanted.items():
        captured = aggregate.captured if isinstance(aggregate, AggregateOf) else None
        if captured not in simple.settings:
            raise RulesetDefinitionError(
                f"{setting!r} has nothing to work on",
                f'write {setting}=max_of("p") with p captured by {simple.domain}:{simple.type}',
            )
        if setting in RESERVED_SETTINGS:
            raise RulesetDefinitionError(
                f"{setting!r} has a meaning of its own in a rule", "give the aggregate another name"
            )
    return tuple(
        Aggregate(aggregate.function, simple.settings.index(aggregate.captured), setting)
        for setting, aggregate in wanted.items()
        if isinstance(aggregate, AggregateOf)
    )


def _distinct(expression: And | Before | Then | After | Between | AnyOf) -> EventExpression:
    """Refuse that two events which both happen capture under one name: the rule would see only one."""
    if isinstance(expression, Between):
        parts: tuple[Expression, ...] = (expression.first, expression.middle, expression.last)
    else:
        parts = expression.expressions
    seen: set[str] = set()
    for part in parts:
        names = _captured(part)
        twice = sorted(seen & names)
        if twice:
            raise RulesetDefinitionError(
                f"two events of one expression capture {', '.join(twice)}",
                'capture one of them under another name: number().named("second")',
            )
        seen |= names
    return EventExpression(expression)


def _captured(expression: Expression) -> set[str]:
    match expression:
        case Simple():
            return set(expression.settings)
        case Count(_, part, aggregates) | Repeat(_, part, aggregates):
            return _captured(part) | {aggregate.setting for aggregate in aggregates}
        case Between(middle, first, last):
            return _captured(middle) | _captured(first) | _captured(last)
        case NotBetween(_, first, last):
            return _captured(first) | _captured(last)
        case _:
            parts: tuple[Expression, ...] = getattr(expression, "expressions", ())
            return set().union(*map(_captured, parts))


def _condition(where: Callable[..., object]) -> Where:
    """`where` as the machine calls it, with what its parameters name."""
    try:
        parameters = tuple(inspect.signature(where).parameters.values())
    except (TypeError, ValueError):  # not callable, or built in without a signature
        parameters = ()
    if not parameters or any(
        parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY)
        for parameter in parameters
    ):
        raise RulesetDefinitionError(
            "a condition must name what it needs", "write where=lambda event, celsius: …"
        )
    given = {"event", "ruleset"}.intersection(parameter.name for parameter in parameters)
    required = tuple(p.name for p in parameters if p.default is p.empty and p.name not in given)
    optional = tuple(p.name for p in parameters if p.default is not p.empty and p.name not in given)

    def condition(event: Any, settings: dict[str, Any], ruleset: Any) -> object:
        arguments = {}
        for name in required:
            if name not in settings:
                return False
            arguments[name] = settings[name]
        for name in optional:
            if name in settings:
                arguments[name] = settings[name]
        if "event" in given:
            arguments["event"] = event
        if "ruleset" in given:
            arguments["ruleset"] = ruleset
        return where(**arguments)

    return condition
