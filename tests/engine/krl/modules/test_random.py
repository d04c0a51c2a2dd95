"""Chance: from the turn's entropy only, within its bounds, and both bounds can be reached."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.modules.random import MEMBERS
from pico_engine.krl.modules.words import WORDS
from tests.engine.krl.helpers import CountingRun


class Fixed(CountingRun):
    """Its entropy repeats one byte."""

    def __init__(self, byte: int = 0) -> None:
        super().__init__()
        self.byte = byte

    def entropy(self, n: int) -> bytes:
        return bytes([self.byte]) * n


class Given(CountingRun):
    """Its entropy is given."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.data = data

    def entropy(self, n: int) -> bytes:
        taken, self.data = self.data[:n], self.data[n:]
        return taken


def call(run: CountingRun, name: str, *args: Any, **named: Any) -> Any:
    return run.call(MEMBERS[name].invocable(name), args, named)


def test_ids_have_the_form_of_a_cuid_and_sort_by_time() -> None:
    run = Given(bytes(range(24)))
    first, second = call(run, "uuid"), call(run, "uuid")
    assert re.fullmatch("c[0-9a-z]{24}", first)
    assert first != second
    run = Fixed(255)
    run.now_ms += 1
    assert call(run, "uuid") > first


def test_words() -> None:
    assert call(Fixed(0), "word") == WORDS[0]
    assert call(Fixed(255), "word") == WORDS[-1]


def test_bounds_as_in_the_reference() -> None:
    """A missing bound is null, and null is the number 0."""
    for byte in (0, 128, 255):
        assert call(Fixed(byte), "integer") == 0
        assert call(Fixed(byte), "number") == 0
        assert call(Fixed(byte), "integer", "x") == 0
    assert [call(Fixed(byte), "integer", 9) for byte in (0, 255)] == [0, 9]
    assert [call(Fixed(byte), "integer", -9, -3) for byte in (0, 255)] == [-9, -3]
    assert [call(Fixed(byte), "integer", upper="2.5", lower=True) for byte in (0, 255)] == [1, 3]
    assert [call(Fixed(byte), "integer", "x", "y") for byte in (0, 255)] == [0, 1]
    assert [call(Fixed(byte), "integer", [1, 2], {}) for byte in (0, 255)] == [0, 2]


@given(st.binary(min_size=7, max_size=7), st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_within_the_bounds(chance: bytes, one: int, other: int) -> None:
    low, high = sorted((one, other))
    whole = call(Given(chance), "integer", one, other)
    assert type(whole) is int
    assert low <= whole <= high
    assert low / 7 <= call(Given(chance), "number", one / 7, other / 7) <= high / 7


def test_the_same_entropy_gives_the_same() -> None:
    for name in ("uuid", "word", "number"):
        assert call(Given(bytes(range(12))), name, *([5] if name == "number" else [])) == call(
            Given(bytes(range(12))), name, *([5] if name == "number" else [])
        )
