"""Rules: loops, conditions, limits of time."""

from __future__ import annotations

import pytest

from pico_engine.krl.compiler import CompileError
from pico_engine.krl.compiler.rules import unit_ms
from tests.engine.krl.compiler.test_expressions import generated


@pytest.mark.parametrize(
    ("unit", "ms"),
    [
        ("second", 1_000),
        ("seconds", 1_000),
        ("minutes", 60_000),
        ("week", 604_800_000),
        ("years", 31_536_000_000),
        ("x", 1),
    ],
)
def test_units(unit: str, ms: int) -> None:
    assert unit_ms(unit) == ms


def test_loops_stand_inside_each_other() -> None:
    lines = generated(
        "rule r { select when a b foreach 1 setting(x) foreach x setting(y, k, z) "
        "always { ent:x := 1 on final } }"
    )
    loops = [line for line in lines if line.startswith("for ")]
    assert len(loops) == 2
    assert [line for line in lines if line.startswith("if t") and " and " in line]
    assert [line for line in lines if line.endswith("_z = k_undefined")]


def test_conditions_and_limits_are_functions() -> None:
    lines = generated("rule r { select when a b x re#a# setting(n) where n before a c within 1 + 1 minutes }")
    assert sum(line.startswith("def w") for line in lines) == 1
    assert any(line.startswith("def l") for line in lines)
    assert not [
        line
        for line in generated("rule r { select when a b before a c within 5 minutes }")
        if "k_within" in line
    ]


@pytest.mark.parametrize(
    ("select", "said"),
    [("any 2 (a b, a c)", "any 2 of 2"), ("count 0 (a b)", "count 0"), ("repeat 5000 (a b)", "repeat 5000")],
)
def test_event_expressions_that_cannot_be(select: str, said: str) -> None:
    with pytest.raises(CompileError, match=said):
        generated(f"rule r {{ select when {select} }}")


def test_a_rule_needs_a_select() -> None:
    with pytest.raises(CompileError, match="has no select"):
        generated("rule r { noop() }")
