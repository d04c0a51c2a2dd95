"""JSON text, written and read as JavaScript does."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.errors import KrlLimitExceeded
from pico_engine.krl.jsontext import decode, encode
from pico_engine.krl.numbers import number
from pico_engine.krl.values import UNDEFINED, ActionFunction
from pico_engine.regex import compile_regex
from pico_engine.values import DEPTH_MAX_LEVELS
from tests.engine.krl.helpers import NAMED_FUNCTIONS, CountingRun, exact, nested, shared

BOTH = ActionFunction("b", (), lambda run: None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {"b": UNDEFINED, "10": 1e21, "9": [math.nan, math.inf, 0.1]},
            '{"9":[null,"[JSObject]",0.1],"10":1e+21,"b":null}',
        ),
        ([compile_regex("a", "m"), NAMED_FUNCTIONS["id"], BOTH], '["re#a#","[Function]",null]'),
        ({"a": BOTH, "b": 1}, '{"b":1}'),
        ('"\\\n\x01\x7f\u2028é', '"\\"\\\\\\n\\u0001\x7f\u2028é"'),
        ([[], {}], "[[],{}]"),
        (-0.0, "0"),
    ],
)
def test_written(value: Any, text: str) -> None:
    assert encode(CountingRun(), value) == text


@pytest.mark.parametrize(
    ("indent", "spaces"),
    [
        (2, 2),
        ("3 or so", 3),
        ([4, 5], 4),
        ([["1"]], 1),
        (99, 10),
        (-1, 0),
        (None, 0),
        ({}, 0),
        ([], 0),
        (2.9, 2),
        (True, 0),
    ],
)
def test_indented(indent: Any, spaces: int) -> None:
    value = {"a": [1, {"b": []}], "c": {}}
    plain = {"indent": spaces} if spaces else {"separators": (",", ":")}
    assert encode(CountingRun(), value, indent) == json.dumps(value, **plain)  # type: ignore[arg-type]


def test_what_is_function_and_action_is_nothing() -> None:
    assert encode(CountingRun(), BOTH) is UNDEFINED


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1.0, -0, 1e2]", [1, 0, 100]),
        ('{"a":1,"a":2}', {"a": 2}),
        ("9007199254740993", 9007199254740992),
        ("1" * 5_000, math.inf),
        ("1e999", math.inf),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('["\\ud83d", {"\\ude00": 1}]', ["\ufffd", {"\ufffd": 1}]),
        ("null", None),
    ],
)
def test_read(text: str, value: Any) -> None:
    assert exact(decode(CountingRun(), text)) == exact(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "NaN",
        "-Infinity",
        "[1,]",
        "01",
        "+1",
        "'a'",
        '"\n"',
        "\ufeff1",
        "\u00a01",
        "{a:1}",
        "1 2",
        "tru",
        "1.",
        ".5",
    ],
)
def test_what_is_no_json_is_a_text(text: str) -> None:
    assert decode(CountingRun(), text) == text


def test_what_is_no_text_stays_as_it_is() -> None:
    value = [1]
    assert decode(CountingRun(), value) is value


NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False).map(number)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab1é", max_size=2), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON, st.integers(0, 3))
def test_what_is_written_can_be_read(value: Any, indent: int) -> None:
    text = encode(CountingRun(), value, indent)
    assert exact(decode(CountingRun(), text)) == exact(value)
    assert json.loads(text, parse_int=float) == value


def test_neither_deep_nor_shared_nor_large_data_hurts() -> None:
    assert decode(CountingRun(), "[" * DEPTH_MAX_LEVELS + "]" * DEPTH_MAX_LEVELS) == nested(DEPTH_MAX_LEVELS)
    assert encode(CountingRun(), nested(DEPTH_MAX_LEVELS)) == "[" * DEPTH_MAX_LEVELS + "]" * DEPTH_MAX_LEVELS
    for levels in (DEPTH_MAX_LEVELS + 1, 1_000, 100_000):
        with pytest.raises(KrlLimitExceeded, match="64 levels"):
            encode(CountingRun(), nested(levels))
        with pytest.raises(KrlLimitExceeded, match="64 levels"):
            decode(CountingRun(), "[" * levels + "]" * levels)
    with pytest.raises(KrlLimitExceeded, match="steps"):
        encode(CountingRun(steps_max=10_000), shared(40))
    with pytest.raises(KrlLimitExceeded, match="steps"):
        decode(CountingRun(steps_max=1_000), "[" + "[]," * 1_000 + "[]]")
    with pytest.raises(KrlLimitExceeded, match="memory"):
        encode(CountingRun(chars_max=1_000), ["x" * 2_000])


def test_deep_text_that_is_no_json_is_a_text() -> None:
    text = "[" * 500
    assert decode(CountingRun(), text) == text
