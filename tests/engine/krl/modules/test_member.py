"""Members of built-in modules."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.krl.linking import BUILT_IN
from pico_engine.krl.modules.member import Member
from pico_engine.krl.values import Action, ActionFunction, Function


def call(run: Any, first: Any = 1, second: Any = 2) -> Any:
    return run, first, second


@pytest.mark.parametrize(
    ("kind", "made"), [("function", Function), ("action", Action), ("both", ActionFunction)]
)
def test_a_member_as_a_value(kind: Any, made: type) -> None:
    value = Member(kind, call).invocable("m:call")
    assert type(value) is made
    assert (value.name, value.parameters) == ("m:call", ("first", "second"))
    assert value.body("run", 5) == ("run", 5, 2)


def test_properties_take_nothing_and_the_rest_has_defaults() -> None:
    import inspect

    for members in BUILT_IN.values():
        for name, member in members.items():
            parameters = list(inspect.signature(member.call).parameters.values())[1:]
            assert member.kind != "property" or not parameters, name
            assert all(
                one.default is not one.empty or one.kind is one.VAR_POSITIONAL for one in parameters
            ), name
