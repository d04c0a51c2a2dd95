"""Sets of characters, and which characters are the same but for case."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.regex import charset

CODES = st.integers(0, charset.LAST)
SETS = st.lists(st.tuples(CODES, CODES).map(lambda pair: (min(pair), max(pair))), max_size=6).map(
    lambda parts: charset.ranges(*parts)
)


@given(SETS)
def test_ranges_are_sorted_disjoint_and_not_adjacent(one: charset.Ranges) -> None:
    for (_, high), (low, _) in pairwise(one):
        assert high + 1 < low
    assert all(low <= high for low, high in one)


@given(SETS, SETS, CODES)
def test_union_complement_and_size(one: charset.Ranges, other: charset.Ranges, code: int) -> None:
    assert charset.contains(charset.union(one, other), code) == (
        charset.contains(one, code) or charset.contains(other, code)
    )
    assert charset.contains(charset.complement(one), code) != charset.contains(one, code)
    assert charset.size(one) + charset.size(charset.complement(one)) == charset.LAST + 1
    assert charset.complement(charset.complement(one)) == one


@pytest.mark.parametrize(
    ("char", "same"),
    [
        ("a", "A"),
        ("A", "A"),
        ("é", "É"),
        ("ς", "Σ"),
        ("ß", "ß"),  # its upper case is longer
        ("\u017f", "\u017f"),  # its upper case is ASCII
        ("\u212a", "\u212a"),  # only its lower case is ASCII
        ("\U00010428", "\U00010428"),  # for JavaScript two characters without case
        ("1", "1"),
    ],
)
def test_what_stands_for_a_character(char: str, same: str) -> None:
    assert charset.canonical(char) == same


def test_ignoring_case_adds_the_whole_family() -> None:
    sigmas = charset.of_characters("\u03a3\u03c3\u03c2")
    assert charset.ignoring_case(charset.of_characters("\u03c3")) == sigmas
    assert charset.ignoring_case(charset.of_characters("k")) == charset.of_characters("Kk")
    assert charset.ignoring_case(charset.of_characters("1_")) == charset.of_characters("1_")


def test_spaces_are_those_of_javascript() -> None:
    inside = "\t\n\v\f\r \u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
    assert all(charset.contains(charset.SPACES, ord(char)) for char in inside)
    assert not any(charset.contains(charset.SPACES, ord(char)) for char in "\x1c\u0085\u180e\u200b")
    assert charset.size(charset.SPACES) == 25
