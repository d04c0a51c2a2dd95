"""Sets of characters in use: the fast and the slow way answer the same."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.regex import charset
from pico_engine.regex.members import LISTED_MAX_CHARS, Members, python_class

CODES = st.one_of(st.integers(0, charset.LAST), st.integers(0x61, 0x7A), st.integers(0xD700, 0xE000))
SETS = st.lists(st.tuples(CODES, CODES).map(lambda pair: (min(pair), max(pair))), max_size=4).map(
    lambda parts: charset.ranges(*parts)
)
TEXTS = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("az\ud800\U0001f600")), max_size=8)


@given(SETS, TEXTS, st.integers(0, 8))
def test_answers_are_those_of_the_ranges(one: charset.Ranges, text: str, at: int) -> None:
    at = min(at, len(text))
    inside = [charset.contains(one, ord(char)) for char in text]
    members = Members(one)
    assert members.has(text, at) == (at < len(text) and inside[at])
    assert members.find(text, at) == next((i for i in range(at, len(text)) if inside[i]), len(text))
    end = members.run_end(text, at, len(text))
    assert all(inside[at:end])
    assert end == len(text) or not inside[end]
    assert members.run_end(text, at, min(end, at + 1)) == min(end, at + 1)


@given(SETS, st.characters())
def test_the_class_for_python_means_the_same(one: charset.Ranges, char: str) -> None:
    written = python_class(one)
    if written is not None:
        assert (re.fullmatch(written, char) is not None) == charset.contains(one, ord(char))


@pytest.mark.parametrize(
    ("one", "fast"),
    [
        (charset.DIGITS, True),
        (charset.complement(charset.SPACES), True),
        (charset.EVERYTHING, True),
        ((), True),
        (((0x100, 0x8000),), False),
        (((0, LISTED_MAX_CHARS - 1), (0x10000, charset.LAST)), True),
        (((0, LISTED_MAX_CHARS), (0x10000, charset.LAST)), False),
    ],
)
def test_only_classes_that_compile_quickly_are_given_to_re(one: charset.Ranges, fast: bool) -> None:
    assert (python_class(one) is not None) is fast
    assert Members(one).chars_per_step == (32 if fast else 2)
