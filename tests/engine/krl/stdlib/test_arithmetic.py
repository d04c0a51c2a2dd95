"""Arithmetic: numbers as doubles, whole where they can be, and nothing that grows without being counted."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.errors import KrlLimitExceeded, KrlRuntimeError
from pico_engine.krl.stdlib import OPERATORS
from pico_engine.krl.values import UNDEFINED
from tests.engine.krl.helpers import CountingRun, exact

RUN = CountingRun(10**9, 10**9)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.sampled_from("+-*"), NUMBERS, NUMBERS)
def test_as_doubles_do(name: str, a: float, b: float) -> None:
    x, y = float(a), float(b)
    doubles = {"+": x + y, "-": x - y, "*": x * y}
    answer = OPERATORS[name](RUN, a, b)
    assert float(answer) == doubles[name] or math.isnan(answer)
    if math.isfinite(answer):
        assert (type(answer) is int) == (float(answer).is_integer() and abs(answer) <= 2**53)


@given(st.integers(-(2**53), 2**53), st.integers(-(2**53), 2**53).filter(bool))
def test_quotient_and_rest_belong_together(a: int, b: int) -> None:
    rest = OPERATORS["%"](RUN, a, b)
    assert (a - rest) % b == 0
    assert abs(rest) < abs(b)
    assert rest == 0 or (rest < 0) == (a < 0)
    assert OPERATORS["/"](RUN, a, b) == a / b


def test_nothing_divides_by_zero_but_the_log_says_so() -> None:
    run = CountingRun()
    assert OPERATORS["/"](run, 1.5, {}) == 0
    assert run.logged == [("debug", "[DIVISION BY ZERO] 1.5 / 0", None)]
    assert OPERATORS["%"](run, 1, None) == 0


def test_endless_numbers() -> None:
    endless = OPERATORS["*"](RUN, 1e308, 10)
    assert endless == math.inf
    assert OPERATORS["+"](RUN, endless, 1) == "[JSObject]1"
    huge = "0x" + "f" * 300
    assert math.isnan(OPERATORS["%"](RUN, huge, 5))
    assert OPERATORS["%"](RUN, 5, huge) == 5
    assert math.isnan(OPERATORS["-"](RUN, huge, huge))


@given(NUMBERS, NUMBERS)
def test_bits_are_those_of_32(a: float, b: float) -> None:
    for name in ("band", "bor", "bxor", "shiftLeft", "shiftRight"):
        assert -(2**31) <= OPERATORS[name](RUN, a, b) < 2**31
    assert OPERATORS["bnot"](RUN, OPERATORS["bnot"](RUN, a)) == OPERATORS["bor"](RUN, a, 0)


@pytest.mark.parametrize(
    ("name", "args", "text"),
    [
        ("bnot", ["x"], "x cannot be inverted "),
        ("bor", [1, "x"], "1 cannot be bitwise anded x"),
        ("shiftLeft", [[], "x"], "[Array] cannot be shifted by x"),
        ("-", ["x"], "Cannot negate x"),
        ("%", ["{}", 1], "Cannot calculate {} modulo 1"),
    ],
)
def test_complaints(name: str, args: list[object], text: str) -> None:
    with pytest.raises(KrlRuntimeError) as caught:
        OPERATORS[name](RUN, *args)
    assert str(caught.value) == f"TypeError: {text}"


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((1, 3), [1, 2, 3]),
        ((3, 1), [3, 2, 1]),
        ((2, 2), [2]),
        ((0.5, 3), [0.5, 1.5, 2.5, 3.5]),
        ((2**53, 2**53), [2**53]),
        ((1,), []),
        (("x", 1), []),
        ((UNDEFINED, [1]), [0, 1]),
        ((-0.5, -0.5), [-0.5]),
    ],
)
def test_ranges(args: tuple[object, ...], expected: list[object]) -> None:
    assert exact(OPERATORS["range"](CountingRun(), *args)) == exact(expected)


@pytest.mark.parametrize("end", [10**9, 1e300, -1e300, 1.7976931348623157e308, "0x" + "f" * 300])
def test_a_range_is_counted_before_it_is_made(end: object) -> None:
    with pytest.raises(KrlLimitExceeded):
        OPERATORS["range"](CountingRun(), 0, end)


def test_texts_that_double_meet_the_limit() -> None:
    run = CountingRun(chars_max=1_000_000)
    text = "x"
    with pytest.raises(KrlLimitExceeded, match="memory"):
        while True:
            text = OPERATORS["+"](run, text, text)
    assert len(text) <= 1_000_000


def test_long_texts_taken_for_numbers_are_counted() -> None:
    text = "1" * 1_000_000
    for name in ("-", "*", "/", "%", "band", "bnot", "range", "<=>", "chr", "substr"):
        with pytest.raises(KrlLimitExceeded):
            OPERATORS[name](CountingRun(steps_max=10_000), text)
