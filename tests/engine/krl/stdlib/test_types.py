"""Operators on any value: types and conversions, the log, characters."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.errors import KrlLimitExceeded, KrlRuntimeError
from pico_engine.krl.stdlib import OPERATORS
from pico_engine.krl.values import UNDEFINED
from pico_engine.regex import compile_regex
from tests.engine.krl.helpers import NAMED_FUNCTIONS, CountingRun, exact, shared

RUN = CountingRun(10**9, 10**9)


@pytest.mark.parametrize(
    ("val", "type", "expected"),
    [
        ("false", "Boolean", False),
        ("0", "Boolean", True),
        (0, "Boolean", False),
        ([], "Boolean", True),
        (255, "Hex", "ff"),
        ("0xff", "Number", 255),
        ("0xff", "Hex", "0xff"),
        (math.nan, "Hex", "NaN"),
        ({}, "Hex", None),
        ("text", "Number", None),
        ([1, 2], "Number", 2),
        (None, "Null", None),
        ("a|b", "RegExp", compile_regex("a|b")),
        ("[a]", "RegExp", compile_regex("[a]")),
        ([], "RegExp", compile_regex(r"\[Array\]")),
        (5, "RegExp", compile_regex("5")),
        (NAMED_FUNCTIONS["id"], "String", "[Function]"),
        (True, "String", "true"),
    ],
)
def test_as(val: Any, type: str, expected: Any) -> None:
    assert exact(OPERATORS["as"](RUN, val, type)) == exact(expected)


def test_as_without_a_type_is_the_value() -> None:
    assert OPERATORS["as"](RUN, 5) == 5


@pytest.mark.parametrize(
    ("val", "type", "text"),
    [
        ("0", "Array", 'TypeError: Cannot use the .as("Array") operator with 0 (type String)'),
        (1, UNDEFINED, 'TypeError: Cannot use the .as("undefined") operator with 1 (type Number)'),
        (None, "Hex", "TypeError: Cannot read properties of null (reading 'toString')"),
        (UNDEFINED, "Hex", "TypeError: Cannot read properties of undefined (reading 'toString')"),
        ("(", "RegExp", "SyntaxError: Invalid regular expression: /(/: Unterminated group"),
    ],
)
def test_as_what_cannot_be(val: Any, type: Any, text: str) -> None:
    with pytest.raises(KrlRuntimeError) as caught:
        OPERATORS["as"](RUN, val, type)
    assert str(caught.value) == text


def test_defaults() -> None:
    run = CountingRun()
    assert OPERATORS["defaultsTo"](run, 0, 5, "unused") == 0
    assert OPERATORS["defaultsTo"](run, math.nan, 5) == 5
    assert OPERATORS["defaultsTo"](run, None) is UNDEFINED
    assert run.logged == []
    assert OPERATORS["defaultsTo"](run, UNDEFINED, 5, "none given") == 5
    assert run.logged == [("debug", "[DEFAULTSTO] none given", None)]


def test_klog_hands_the_value_on() -> None:
    run = CountingRun()
    value = {"a": UNDEFINED, "b": [math.nan]}
    assert OPERATORS["klog"](run, value, "seen") is value
    assert OPERATORS["klog"](run, 1) == 1
    assert run.logged == [("klog", "seen", {"val": {"b": [None]}}), ("klog", "klog", {"val": 1})]
    with pytest.raises(KrlLimitExceeded):
        OPERATORS["klog"](CountingRun(steps_max=1_000), shared(40))


def test_noop_does_nothing() -> None:
    assert OPERATORS["noop"](RUN) is None


@given(st.characters(exclude_categories=["Cs"]))
def test_a_character_and_its_number(char: str) -> None:
    assert OPERATORS["chr"](RUN, OPERATORS["ord"](RUN, char)) == char


@pytest.mark.parametrize(
    ("val", "char"),
    [
        ("97", "a"),
        (-1, "\uffff"),
        (0x110000, "\x00"),
        (0xD83D, "\ufffd"),
        (97.9, "a"),
        ("x", None),
        (UNDEFINED, "\x00"),
    ],
)
def test_characters_of_other_values(val: Any, char: str | None) -> None:
    assert OPERATORS["chr"](RUN, val) == char


def test_first_characters() -> None:
    assert [OPERATORS["ord"](RUN, val) for val in ("", "ab", None, 5)] == [None, 97, 110, 53]


def test_encode_and_decode_are_the_json_texts() -> None:
    assert OPERATORS["encode"](RUN, {"a": 1}, 1) == '{\n "a": 1\n}'
    assert OPERATORS["decode"](RUN, '{"a":1.0}') == {"a": 1}


def test_long_texts_are_counted() -> None:
    for args in (
        ("0x" + "f" * 1_000_000, "Number"),
        ("1" * 1_000_000, "Number"),
        ("a" * 1_000_000, "RegExp"),
    ):
        with pytest.raises(KrlLimitExceeded):
            OPERATORS["as"](CountingRun(steps_max=10_000), *args)
    with pytest.raises(KrlLimitExceeded):
        OPERATORS["typeof"](CountingRun(steps_max=10_000), "0x" + "f" * 1_000_000)
