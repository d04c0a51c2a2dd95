"""Operators on texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.errors import KrlLimitExceeded
from pico_engine.krl.stdlib import OPERATORS, strings
from tests.engine.krl.helpers import CountingRun, operate

RUN = CountingRun(10**9, 10**9)


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("capitalize", ["ßa"], "SSa"),
        ("capitalize", [""], ""),
        ("uc", ["straße"], "STRASSE"),
        ("lc", ["ΑΣ"], "ας"),
        ("lc", [None], "null"),
        ("trim", ["\ufeff\u00a0x\u2028\x1c"], "x\u2028\x1c"),
        ("trimLeading", ["\n x "], "x "),
        ("trimTrailing", ["\n x "], "\n x"),
        ("startsWith", ["abc", ""], True),
        ("endsWith", ["abc", "bc"], True),
        ("contains", ["null", None], True),
        ("contains", ["abc", "ca"], False),
    ],
)
def test_texts(name: str, args: list[object], expected: object) -> None:
    assert OPERATORS[name](RUN, *args) == expected


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((1,), "ello"),
        ((1, 2), "el"),
        ((1, -2), "el"),
        ((4, -4), "ell"),
        ((-1, 3), "he"),
        ((5,), ""),
        ((6, -1), ""),
        ((0.9, 1.2), "he"),
        ((None, 99), "hello"),
        (("x", 1), "hello"),
        ((1, "x"), "ello"),
        ((-9, -9), ""),
    ],
)
def test_parts(args: tuple[object, ...], expected: str) -> None:
    assert OPERATORS["substr"](RUN, "hello", *args) == expected


def test_characters_are_counted_and_not_their_halves() -> None:
    text = "\U0001f600\U0001f601x"
    assert OPERATORS["length"](RUN, text) == 3
    assert OPERATORS["substr"](RUN, text, 1, 1) == "\U0001f601"


@given(st.text(), st.integers(-20, 20), st.integers(-20, 20))
def test_a_part_is_in_the_whole(text: str, start: int, length: int) -> None:
    part = OPERATORS["substr"](RUN, text, start, length)
    assert OPERATORS["contains"](RUN, text, part)


@pytest.mark.parametrize("name", strings.OPERATORS)
def test_long_texts_are_counted(name: str) -> None:
    text = "x" * 1_000_000
    with pytest.raises(KrlLimitExceeded):
        operate(name, CountingRun(steps_max=10_000), text, text)
