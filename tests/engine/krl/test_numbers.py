"""Numbers and text: ECMAScript's forms, both ways."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.numbers import (
    number,
    number_to_hex,
    number_to_string,
    parse_int,
    radix_value,
    string_to_number,
    to_int32,
    to_integer,
    to_uint32,
)

DOUBLES = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (5.0, "5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e21, "1e+21"),
        (1e20, "1" + "0" * 20),
        (123456789012345680000.0, "123456789012345680000"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (-1.5e-10, "-1.5e-10"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (2**53 + 1, "9007199254740992"),
        (10**400, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
        (0.000123, "0.000123"),
        (100.25, "100.25"),
        (1.5e300, "1.5e+300"),
    ],
)
def test_numbers_as_text(x: float, text: str) -> None:
    assert number_to_string(x) == text


@pytest.mark.parametrize(
    ("text", "x"),
    [
        ("", 0),
        (" \n\ufeff\u3000", 0),
        ("12", 12),
        (" 3 ", 3),
        ("1.", 1),
        (".5", 0.5),
        ("+2", 2),
        ("-2e2", -200),
        ("1e3", 1000),
        ("0x1F", 31),
        ("0b101", 5),
        ("0O17", 15),
        ("-0x1", None),
        ("1_0", None),
        ("Infinity", None),
        ("nan", None),
        ("1e999", None),
        ("1 2", None),
        ("\u0661", None),
        ("\x1c1", None),
        ("1e", None),
        (".", None),
        ("--1", None),
        ("0x", None),
        ("9007199254740993", 9007199254740992),
    ],
)
def test_text_as_numbers(text: str, x: float | None) -> None:
    assert string_to_number(text) == x


@given(DOUBLES)
def test_a_number_comes_back_from_its_text(x: float) -> None:
    assert string_to_number(number_to_string(x)) == x


@given(st.integers() | DOUBLES)
def test_a_number_is_an_int_just_when_it_is_whole_and_exact(x: float) -> None:
    kept = number(x)
    assert (type(kept) is int) == (float(x).is_integer() and abs(float(x)) <= 2**53)
    assert kept == float(x)


def test_there_is_one_zero_and_endless_stays_endless() -> None:
    assert str(number(-0.0)) == "0"
    assert number(10**400) == math.inf
    assert number(-math.inf) == -math.inf


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (255, "ff"),
        (-255, "-ff"),
        (0, "0"),
        (0.5, "0.8"),
        (0.1, "0.1999999999999a"),
        (-2.75, "-2.c"),
        (math.nan, "NaN"),
        (2.0**60, "1" + "0" * 15),
    ],
)
def test_numbers_in_base_16(x: float, text: str) -> None:
    assert number_to_hex(x) == text


@given(DOUBLES)
def test_base_16_is_near(x: float) -> None:
    whole, _, fraction = number_to_hex(x).partition(".")
    back = abs(int(whole, 16)) + sum(
        int(digit, 16) / 16**place for place, digit in enumerate(fraction, 1) if place < 300
    )
    assert math.isclose(back, abs(x), rel_tol=1e-14, abs_tol=1e-300)


@pytest.mark.parametrize(
    ("text", "x"), [("12px", 12), (" -3.9", -3), ("x", None), ("", None), ("0x10", 0), ("+7", 7)]
)
def test_the_whole_number_a_text_begins_with(text: str, x: int | None) -> None:
    assert parse_int(text) == x


@pytest.mark.parametrize(
    ("x", "signed", "unsigned"),
    [
        (5, 5, 5),
        (-1, -1, 2**32 - 1),
        (2**31, -(2**31), 2**31),
        (2**32 + 7.9, 7, 7),
        (-1.9, -1, 2**32 - 1),
        (math.inf, 0, 0),
        (math.nan, 0, 0),
        (1e300, 0, 0),
    ],
)
def test_integers_of_32_bits(x: float, signed: int, unsigned: int) -> None:
    assert (to_int32(x), to_uint32(x)) == (signed, unsigned)


def test_fractions_are_cut_and_long_digits_do_not_hurt() -> None:
    assert [to_integer(x) for x in (2.9, -2.9, math.nan, math.inf, 7)] == [2, -2, 0, math.inf, 7]
    assert radix_value("0x" + "f" * 100_000) == math.inf
    assert radix_value("0x" + "0" * 100_000 + "1") == 1
    assert string_to_number("9" * 100_000) is None
    assert parse_int("1" * 100_000) == math.inf
