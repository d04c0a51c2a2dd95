"""The order of values: by number or by text, texts as JavaScript compares them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.order import comes_first, compare, compare_text, units
from tests.engine.krl.helpers import CountingRun

RUN = CountingRun()


@pytest.mark.parametrize(
    ("left", "right", "by_number", "by_text"),
    [
        (2, 10, -1, 1),
        ("2", "10", -1, 1),
        (None, False, 0, 1),
        ("a", 5, 1, 1),
        ([1, 2], {"a": 1}, 1, -1),
        ("0x10", 15, 1, -1),
        (" 5 ", 5, 0, -1),
        (0.5, 0.25, 1, 1),
    ],
)
def test_by_number_and_by_text(left: Any, right: Any, by_number: int, by_text: int) -> None:
    assert (compare(RUN, left, right), compare_text(RUN, left, right)) == (by_number, by_text)
    assert (compare(RUN, right, left), compare_text(RUN, right, left)) == (-by_number, -by_text)


def test_characters_beyond_16_bits_stand_before_some_within() -> None:
    assert comes_first("\U0001f600", "\uffee")  # its first unit is d83d
    assert not comes_first("\uffee", "\U0001f600")
    assert compare_text(RUN, "\U0001f600", "\uffee") == -1


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_texts_are_compared_by_their_units(a: str, b: str) -> None:
    assert comes_first(a, b) == (units(a) < units(b))
