"""Names of KRL and of the generated code."""

from __future__ import annotations

import pytest

from pico_engine.krl.compiler.scope import Scope, python_name
from pico_engine.krl.verify import OWN_NAME


def test_inner_names_hide_outer_ones() -> None:
    outer = Scope()
    first = outer.declare("x", 1)
    inner = Scope(outer)
    assert inner.find("x") is first
    second = inner.declare("x", 2, "function", ("a",))
    assert (inner.find("x"), outer.find("x")) == (second, first)
    assert first.python != second.python
    assert inner.find("y") is None


def test_a_name_declared_twice_is_one_variable() -> None:
    scope = Scope()
    known = scope.declare("x", 1, "function")
    again = scope.declare("x", 2)
    assert again.python == known.python
    assert again.kind == "value"


@pytest.mark.parametrize("name", ["a", "$", "$a_1", "__class__", "run", "k_list", "x" * 500])
def test_generated_names_are_of_their_own_kind(name: str) -> None:
    assert OWN_NAME.fullmatch(python_name(name, 7))
    assert python_name(name, 7) != python_name(name, 8)
