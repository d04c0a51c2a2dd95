"""Event expressions: from the syntax tree to plain data that can be cached, and from that to the engine's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pico_engine.expressions import ast as events
from pico_engine.expressions.krl_patterns import krl_regex
from pico_engine.krl import syntax

Plan = tuple[Any, ...]
"""An event expression as tuples of text and numbers: its kind first."""

SEVERAL: Final[Mapping[str, type[events.Expression]]] = {
    "or": events.Or,
    "and": events.And,
    "before": events.Before,
    "then": events.Then,
    "after": events.After,
}


def select_plan(
    node: syntax.Select, conditions: Mapping[int, int], limit: int | None, ms: int | None
) -> Plan:
    """`conditions`: place in the text → number; `limit`: number of the function of `within`; or `ms`."""
    if isinstance(node, syntax.SelectWhere):
        number = conditions[node.condition.span.start]
        return (("simple", events.ANY, events.ANY, (), (), number), None, None)
    return (_plan(node.event, conditions), limit, ms)


def _plan(node: syntax.EventExpression, conditions: Mapping[int, int]) -> Plan:
    if isinstance(node, syntax.SimpleEvent):
        matches = tuple((one.name.name, one.pattern.pattern, one.pattern.flags) for one in node.matches)
        names = tuple(dict.fromkeys(name.name for name in node.setting))
        where = conditions[node.where.span.start] if node.where is not None else None
        return ("simple", node.domain.name, node.type.name, matches, names, where)
    if isinstance(node, syntax.EventGroup):
        aggregate = node.event.aggregate
        found: tuple[tuple[str, int, str], ...] = ()
        if aggregate is not None:
            found = tuple((aggregate.op, number, one.name) for number, one in enumerate(aggregate.names))
        return (node.op, int(node.count.value), _plan(node.event, conditions), found)
    parts = tuple(_plan(one, conditions) for one in node.events)
    count = int(node.count.value) if node.count is not None else 0
    return (node.op, count, parts)


def select_of(plan: Plan) -> events.Select:
    """The engine's event expression. Raises RulesetDefinitionError for one that cannot be."""
    expression, limit, ms = plan
    return events.Select(_expression(expression), ms if limit is None else _limit(limit))


def _expression(plan: Plan) -> events.Expression:
    kind = plan[0]
    if kind == "simple":
        return _simple(plan)
    if kind in ("count", "repeat"):
        _, count, event, found = plan
        simple = _simple(event)
        captures = simple.captures
        aggregates = tuple(events.Aggregate(*one) for one in found if one[1] < captures)
        return (events.Count if kind == "count" else events.Repeat)(count, simple, aggregates)
    _, count, parts = plan
    inner = tuple(_expression(part) for part in parts)
    if kind == "any":
        return events.AnyOf(count, inner)
    if kind in ("between", "not between"):
        return (events.Between if kind == "between" else events.NotBetween)(*inner)
    return SEVERAL[kind](inner)  # type: ignore[call-arg]  # all of them take their parts


def _simple(plan: Plan) -> events.Simple:
    _, domain, kind, matches, names, where = plan
    return events.Simple(
        domain,
        kind,
        tuple(events.AttributePattern(name, krl_regex(pattern, flags)) for name, pattern, flags in matches),
        None if where is None else _where(where),
        names,
    )


def _where(number: int) -> events.Where:
    def where(event: Any, settings: dict[str, Any], ruleset: Any) -> object:
        # without its object the rule is let through, to fail for the reason that there is none
        return ruleset is None or ruleset.condition(number, event, settings)

    return where


def _limit(number: int) -> Callable[[Any, Any], int]:
    def limit(event: Any, ruleset: Any) -> int:
        milliseconds: int = 1 << 53 if ruleset is None else ruleset.limit(number, event)
        return milliseconds

    return limit
