"""The tables that expressions compile to, and how large they may become."""

from math import perm

import pytest

from pico_engine.errors import RulesetDefinitionError
from pico_engine.expressions.ast import (
    COUNT_MAX,
    And,
    AnyOf,
    Before,
    Count,
    Expression,
    NotBetween,
    Or,
    Repeat,
    Simple,
    Then,
)
from pico_engine.expressions.compile import (
    DEPTH_MAX,
    END,
    PERMUTATIONS_MAX,
    START,
    Letter,
    Row,
    compile_table,
)


def test_orders_are_limited() -> None:
    six = tuple(Simple("a", str(index)) for index in range(6))
    assert perm(6) == PERMUTATIONS_MAX
    rows = compile_table(And(six)).rows
    assert len(rows) == 2 + sum(perm(6, length) for length in range(1, 6))
    with pytest.raises(RulesetDefinitionError, match="30,240 orders"):
        compile_table(AnyOf(5, tuple(Simple("a", str(index)) for index in range(10))))


def test_tables_and_depth_are_limited() -> None:
    everything = compile_table(Count(COUNT_MAX, Simple("a", "x")))
    assert len(everything.rows) == COUNT_MAX + 1
    part: Expression = Simple("a", "x")
    with pytest.raises(RulesetDefinitionError, match="transitions"):
        compile_table(Count(COUNT_MAX, Count(COUNT_MAX, part)))
    for _ in range(DEPTH_MAX):
        part = Or((part,))
    with pytest.raises(RulesetDefinitionError, match="nested deeper"):
        compile_table(part)


def test_equal_ways_are_merged() -> None:
    a, b, c = (Simple("t", name) for name in "abc")
    assert len(compile_table(Or((Before((a, b)), Before((a, c))))).rows) == 3
    assert len(compile_table(And((a, a))).rows) == 3
    assert len(compile_table(Or((a, a, a))).rows) == 2


def test_then_leads_back_on_anything_else() -> None:
    a, b = Simple("t", "a"), Simple("t", "b")
    table = compile_table(Then((a, b)))
    assert table.letters == (Letter(a), Letter(b))
    assert table.rows == (Row({0: (2,)}), Row(), Row({1: (END,)}, (((1,), START),)))


def test_then_after_repeat_is_not_broken_by_the_repetition() -> None:
    a, b = Simple("t", "a"), Simple("t", "b")
    joint = compile_table(Then((Repeat(1, a), b))).rows[2]
    assert joint == Row({0: (2,), 1: (END,)}, (((0, 1), START),))


def test_the_same_expression_is_numbered_the_same_every_time() -> None:
    a, b, c = (Simple("t", name) for name in "abc")
    expression = AnyOf(2, (a, Then((b, Repeat(2, c))), NotBetween(a, b, c)))
    assert compile_table(expression) == compile_table(expression)


def test_foreign_expressions_are_refused() -> None:
    with pytest.raises(RulesetDefinitionError, match="str is no event expression"):
        compile_table("a:x")  # type: ignore[arg-type]
