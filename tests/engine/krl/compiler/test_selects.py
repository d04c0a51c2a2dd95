"""Event expressions as plain data and back. All recorded cases are in test_event_expressions."""

from __future__ import annotations

import marshal
from types import SimpleNamespace

import pytest

from pico_engine.expressions import ast as events
from pico_engine.krl import parse
from pico_engine.krl.compiler.selects import select_of, select_plan
from tests.engine.krl.picos import ruleset


def plan(select: str) -> tuple[object, ...]:
    node = parse(ruleset(f"rule r {{ select {select} }}")).rules[0].select
    assert node is not None
    return select_plan(node, {}, None, None)


@pytest.mark.parametrize(
    ("select", "expression"),
    [
        ("when a b", events.Simple("a", "b")),
        ("when a b or a c", events.Or((events.Simple("a", "b"), events.Simple("a", "c")))),
        ("when any 1 (a b, a c)", events.AnyOf(1, (events.Simple("a", "b"), events.Simple("a", "c")))),
        ("when count 3 (a b)", events.Count(3, events.Simple("a", "b"))),
        ("when repeat 3 (a b)", events.Repeat(3, events.Simple("a", "b"))),
        (
            "when a b not between(a c, a d)",
            events.NotBetween(events.Simple("a", "b"), events.Simple("a", "c"), events.Simple("a", "d")),
        ),
    ],
)
def test_there_and_back(select: str, expression: events.Expression) -> None:
    data = plan(select)
    assert marshal.loads(marshal.dumps(data)) == data  # type: ignore[arg-type]  # plain data
    assert select_of(data) == events.Select(expression)


def test_aggregates_take_what_is_captured_and_no_more() -> None:
    made = select_of(plan("when count 3 (a b n re#(.)#) max(m, of_nothing)"))
    assert isinstance(made.expression, events.Count)
    assert made.expression.aggregates == (events.Aggregate("max", 0, "m"),)


def test_conditions_and_limits_ask_the_instance() -> None:
    asked = SimpleNamespace(condition=lambda *given: given, limit=lambda *given: 5)
    select = select_of((("simple", "a", "b", (), (), 7), 3, None))
    assert isinstance(select.expression, events.Simple)
    assert select.expression.where is not None
    assert select.expression.where("event", {"s": 1}, asked) == (7, "event", {"s": 1})
    assert select.expression.where("event", {}, None), (
        "without an instance the rule runs, to say why there is none"
    )
    assert callable(select.within_ms)
    assert select.within_ms("event", asked) == 5
    assert select.within_ms("event", None) > 1_000_000
