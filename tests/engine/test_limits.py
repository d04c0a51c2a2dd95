"""Every limit has a unit in its name and a reason beside it; tests/docs looks for its line there."""

from __future__ import annotations

import ast
import inspect
from dataclasses import fields

import pytest

from pico_engine.errors import BadRequest
from pico_engine.limits import EngineLimits, KrlLimits, engine_limits

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


def test_limits_may_be_set_by_their_names() -> None:
    assert engine_limits([]) == EngineLimits()
    found = engine_limits(["steps_max=7", " queue_max_bytes = 1000 ", "steps_max=8"])
    assert found == EngineLimits(queue_max_bytes=1_000, krl=KrlLimits(steps_max=8))
    assert not {one.name for one in fields(KrlLimits)} & {one.name for one in fields(EngineLimits)}


@pytest.mark.parametrize(
    "text", ["", "steps_max", "steps_max=", "steps_max=0", "steps_max=-1", "steps_max=1e3", "krl=1", "x=1",
             "steps_max=\u0663", "steps_max=1234567890123456"],
)  # fmt: skip
def test_what_is_no_setting_of_a_limit_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        engine_limits([text])
