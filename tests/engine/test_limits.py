"""Every limit has a unit in its name and a reason beside it; tests/docs looks for its line there."""

from __future__ import annotations

import ast
import inspect
from dataclasses import fields

import pytest

from pico_engine.limits import EngineLimits, KrlLimits

NAMES = [(kind, one.name) for kind in (EngineLimits, KrlLimits) for one in fields(kind) if one.name != "krl"]


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_a_limit_is_a_positive_number_with_a_reason(kind: type, name: str) -> None:
    default = getattr(kind(), name)
    assert isinstance(default, int)
    assert default > 0
    body = ast.parse(inspect.getsource(kind)).body[0].body
    for here, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(here, ast.AnnAssign) and here.target.id == name:
            assert isinstance(after, ast.Expr), f"{name} has no reason beside it"
            assert len(after.value.value.split()) > 3
