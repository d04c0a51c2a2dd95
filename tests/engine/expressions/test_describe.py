"""Expressions and machines in words."""

from pico_engine.expressions.ast import NotBetween, Or, Select, Simple
from pico_engine.expressions.build import EventExpression, any_of, max_of, when
from pico_engine.expressions.describe import describe, mermaid, select_text
from pico_engine.expressions.machine import compile_select
from pico_engine.expressions.patterns import matches, number


def text(expression: EventExpression) -> str:
    return select_text(expression.select())


def test_expressions_in_one_line() -> None:
    assert text(when("a:x", p=number(min=1))) == "a:x p=number(min=1) setting(p)"
    assert text(when("a:x", where=lambda event: True).within(seconds=2)) == "a:x where … within 2000 ms"
    assert text((when("a:x") | "b:y").before("c:z")) == "(a:x or b:y) before c:z"
    assert text(any_of(1, "a:x", when("b:y").then("c:z"))) == "any 1 (a:x, (b:y then c:z))"
    counted = when("a:x", p=number()).count(3, top=max_of("p"))
    assert text(counted) == "count 3 (a:x p=number() setting(p)) top=max(0)"
    assert text(when("a:x").between("b:y", "c:z")) == "a:x between (b:y, c:z)"
    single = Or((NotBetween(Simple("a", "x"), Simple("b", "y"), Simple("c", "z")),))
    assert select_text(Select(single, lambda event, ruleset: 1)) == "a:x not between (b:y, c:z) within …"


def test_a_machine_lists_its_edges() -> None:
    assert describe(compile_select(when("a:x").then("b:y").select())) == (
        "a:x then b:y\n  start -> s1: a:x\n  s1 -> end: b:y\n  s1 -> start: anything it cares for but b:y"
    )


def test_a_diagram_has_every_edge_and_no_character_that_ends_a_label() -> None:
    machine = compile_select(when("a:x", p=matches("#;:")).before("b:y").select())
    lines = mermaid(machine).splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> start"]
    assert lines[2:] == [
        "    start --> s1: a#58;x p=matches('#35;#59;#58;') setting(p)",
        "    s1 --> end: b#58;y",
    ]
