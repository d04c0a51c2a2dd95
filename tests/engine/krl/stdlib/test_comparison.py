"""Comparing operators."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.krl.errors import KrlLimitExceeded
from pico_engine.krl.stdlib import OPERATORS
from pico_engine.krl.values import UNDEFINED
from pico_engine.regex import compile_regex
from tests.engine.krl.helpers import CountingRun, shared

RUN = CountingRun(10**9, 10**9)
VALUES: list[Any] = [None, UNDEFINED, True, 0, 1, 2.5, "", "2", "10", "a", [], [1], {}, {"a": 1}]


@pytest.mark.parametrize("left", VALUES)
@pytest.mark.parametrize("right", VALUES)
def test_the_comparisons_agree(left: Any, right: Any) -> None:
    order = OPERATORS["<=>"](RUN, left, right)
    told = {name: OPERATORS[name](RUN, left, right) for name in ("<", ">", "<=", ">=", "==", "!=")}
    assert order == -OPERATORS["<=>"](RUN, right, left)
    assert [told["<"], told[">"], told["<="], told[">="]] == [order < 0, order > 0, order <= 0, order >= 0]
    assert told["=="] != told["!="]


@pytest.mark.parametrize(
    ("left", "right", "yes"),
    [
        (["a", [1], None], [1], True),
        (["a", [1], None], UNDEFINED, True),
        (["a"], "b", False),
        ([compile_regex("a")], "a", False),
        ({"a.b": 1}, "a.b", True),
        ({"a": {"b": [1]}}, "a.b", True),
        ({"a": {"b": [1]}}, 'a["b"][0]', True),
        ({"a": {"b": [1]}}, "a.b[1]", False),
        ({"a": {"b": [1]}}, ["a", "b", "length"], True),
        ({"a": {"b": [1]}}, [], False),
        ({"a": "text"}, "a.0", True),
        ({"": {"x": 1}}, ".x", True),
        ({"null": 1}, None, True),
        ({"1": 1}, 1.0, True),
        ({"a": None}, "a", True),
        ("a", "a", False),
        ({}, "constructor", False),
    ],
)
def test_membership(left: Any, right: Any, yes: bool) -> None:
    assert OPERATORS["><"](RUN, left, right) is yes


def test_looking_through_much_is_counted() -> None:
    run = CountingRun(steps_max=1_000)
    with pytest.raises(KrlLimitExceeded):
        OPERATORS["><"](run, ["x"] * 100_000, "y")
    with pytest.raises(KrlLimitExceeded):
        OPERATORS["><"](CountingRun(steps_max=1_000), [1] * 100_000, 2)
    with pytest.raises(KrlLimitExceeded):
        OPERATORS["><"](CountingRun(steps_max=1_000), {}, "[" * 100_000)
    with pytest.raises(KrlLimitExceeded):
        OPERATORS["><"](CountingRun(steps_max=1_000), ["x" * 10_000] * 100, "x" * 9_999 + "y")
    with pytest.raises(KrlLimitExceeded):
        OPERATORS["=="](CountingRun(steps_max=1_000), shared(30), shared(30))


def test_isnull() -> None:
    told = [OPERATORS["isnull"](RUN, value) for value in (None, UNDEFINED, float("nan"), 0, "", False, [])]
    assert told == [True, True, True, False, False, False, False]
