"""Numbers from text, and numbers as JavaScript writes them."""

from math import inf, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.expressions.numbers import NUMBER_MAX_CHARS, javascript_text, number_of_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (100.0, "100"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (0.000001, "0.000001"),
        (1e-7, "1e-7"),
        (1.25e-9, "1.25e-9"),
        (2**53, "9007199254740992"),
        (12345678901234567890, "12345678901234567000"),
        (nan, "NaN"),
        (inf, "Infinity"),
        (-(10**400), "-Infinity"),
    ],
)
def test_numbers_as_javascript_prints_them(number: float, text: str) -> None:
    assert javascript_text(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_printed_numbers_read_back_as_the_same(number: float) -> None:
    assert float(javascript_text(number)) == number


@given(st.text() | st.from_regex(r"\A\s*[-+0-9.eE]{0,12}\s*\Z"))
def test_text_is_a_finite_number_or_none(text: str) -> None:
    number = number_of_text(text)
    assert number is None or (isfinite(number) and number == float(text.strip(" \t\r\n")))


def test_whole_numbers_stay_whole_and_long_text_is_none() -> None:
    assert type(number_of_text("12")) is int
    assert type(number_of_text("12.0")) is float
    assert number_of_text("1" * NUMBER_MAX_CHARS) is not None
    assert number_of_text("1" * (NUMBER_MAX_CHARS + 1)) is None
    assert number_of_text("\u0663") is None
