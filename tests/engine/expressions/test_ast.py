"""Expressions that make no sense are refused where they are written."""

from collections.abc import Callable

import pytest

from pico_engine.errors import RulesetDefinitionError
from pico_engine.expressions.ast import (
    COUNT_MAX,
    Aggregate,
    AnyOf,
    AttributePattern,
    Count,
    Or,
    Repeat,
    Select,
    Simple,
)
from pico_engine.expressions.patterns import number

A = Simple("a", "x")
WITH_P = Simple("a", "x", (AttributePattern("p", number()),), settings=("p",))


@pytest.mark.parametrize(
    ("build", "what"),
    [
        (lambda: Simple("", "x"), "a domain and a type"),
        (lambda: Simple("a", ""), "a domain and a type"),
        (lambda: Simple("a", "x", settings=("p", "q", "p")), "captures 'p' twice"),
        (lambda: AttributePattern("", number()), "no attribute name"),
        (lambda: Or(()), "Or has no expressions"),
        (lambda: AnyOf(0, (A, A)), "any 0 of 2"),
        (lambda: AnyOf(2, (A, A)), "any 2 of 2"),
        (lambda: AnyOf(-1, (A, A)), "any -1 of 2"),
        (lambda: Count(0, A), "count 0 is not possible"),
        (lambda: Repeat(COUNT_MAX + 1, A), f"repeat {COUNT_MAX + 1} is not possible"),
        (lambda: Count(2, Or((A, A)), (Aggregate("max", 0, "m"),)), "over a compound expression"),
        (lambda: Count(2, A, (Aggregate("max", 0, "m"),)), "no captured value"),
        (lambda: Count(2, WITH_P, (Aggregate("max", 0, "p"),)), "twice"),
        (lambda: Aggregate("median", 0, "m"), "no aggregate 'median'"),
        (lambda: Select(A, -1), "-1 ms"),
    ],
)
def test_what_cannot_be_is_refused_with_a_hint(build: Callable[[], object], what: str) -> None:
    with pytest.raises(RulesetDefinitionError, match=what) as caught:
        build()
    assert caught.value.hint
    assert caught.value.hint != RulesetDefinitionError.default_hint


def test_expressions_compare_by_value_and_kind() -> None:
    assert Simple("a", "x", (AttributePattern("p", number()),), settings=("p",)) == WITH_P
    assert Count(2, A) != Repeat(2, A)
    assert len({Count(2, A), Repeat(2, A), Count(2, A)}) == 2
