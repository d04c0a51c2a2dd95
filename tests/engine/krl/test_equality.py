"""Equality of values, and keys that are equal just when values are."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.equality import equality_key, is_equal
from pico_engine.krl.errors import KrlLimitExceeded
from pico_engine.krl.values import UNDEFINED
from pico_engine.regex import compile_regex
from pico_engine.values import DEPTH_MAX_LEVELS, FrozenMap
from tests.engine.krl.helpers import NAMED_FUNCTIONS, CountingRun, nested, shared

FUNCTION, OTHER = NAMED_FUNCTIONS["id"], NAMED_FUNCTIONS["one"]

EQUAL: list[tuple[Any, Any]] = [
    (1, 1.0),
    (None, UNDEFINED),
    (UNDEFINED, math.nan),
    (math.inf, math.inf),
    ({"a": 1, "b": [UNDEFINED]}, FrozenMap(b=[math.nan], a=1)),
    (compile_regex("a", "gi"), compile_regex("a", "ig")),
    (FUNCTION, FUNCTION),
    ([[], {}], [[], {}]),
]
UNEQUAL: list[tuple[Any, Any]] = [
    (1, "1"),
    (1, True),
    (0, False),
    (0, None),
    ("", None),
    ([], {}),
    ({"a": None}, {}),
    ({"a": 1}, {"b": 1}),
    ([1], [1, 2]),
    (compile_regex("a", "g"), compile_regex("a")),
    (compile_regex("a"), "re#a#"),
    (FUNCTION, OTHER),
    ([True], [1]),
    (math.inf, -math.inf),
    ("a", ["a"]),
]


@pytest.mark.parametrize(
    ("left", "right", "same"), [(*pair, True) for pair in EQUAL] + [(*pair, False) for pair in UNEQUAL]
)
def test_equal_or_not(left: Any, right: Any, same: bool) -> None:
    run = CountingRun()
    assert is_equal(run, left, right) == same
    assert is_equal(run, right, left) == same
    assert (equality_key(run, left) == equality_key(run, right)) == same


SCALARS = st.sampled_from([None, UNDEFINED, math.nan, True, False, 0, 1, 1.0, 0.5, "", "0", "1", "a"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=6,
)


@given(VALUES, VALUES)
def test_keys_are_equal_just_when_values_are(left: Any, right: Any) -> None:
    run = CountingRun()
    assert (equality_key(run, left) == equality_key(run, right)) == is_equal(run, left, right)
    assert is_equal(run, left, left)


def test_neither_deep_nor_shared_data_hurts() -> None:
    deepest, deeper = nested(DEPTH_MAX_LEVELS), nested(DEPTH_MAX_LEVELS + 1)
    assert is_equal(CountingRun(), deepest, nested(DEPTH_MAX_LEVELS))
    assert equality_key(CountingRun(), deepest) == equality_key(CountingRun(), nested(DEPTH_MAX_LEVELS))
    with pytest.raises(KrlLimitExceeded, match="64 levels"):
        is_equal(CountingRun(), deeper, nested(DEPTH_MAX_LEVELS + 1))
    with pytest.raises(KrlLimitExceeded, match="64 levels"):
        equality_key(CountingRun(), deeper)
    with pytest.raises(KrlLimitExceeded, match="steps"):
        is_equal(CountingRun(steps_max=10_000), shared(40), shared(40))
    with pytest.raises(KrlLimitExceeded, match="steps"):
        equality_key(CountingRun(steps_max=10_000), shared(40))
