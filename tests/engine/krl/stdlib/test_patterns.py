"""Operators with regular expressions, and sprintf."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.errors import LimitExceeded
from pico_engine.krl.errors import KrlLimitExceeded, KrlRuntimeError
from pico_engine.krl.stdlib import OPERATORS
from pico_engine.krl.values import UNDEFINED
from pico_engine.regex import compile_regex
from tests.engine.krl.helpers import NAMED_FUNCTIONS, CountingRun, exact, function

RUN = CountingRun(10**9, 10**9)


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("like", ["abc", "b."], True),
        ("like", [None, None], True),
        ("match", ["abc", compile_regex("B", "i")], True),
        ("match", ["5", 5], False),
        ("extract", ["abc", "(x)?(b)"], [UNDEFINED, "b"]),
        ("extract", ["abab", compile_regex("(a)b", "g")], ["ab", "ab"]),
        ("extract", ["abc", compile_regex("x", "g")], []),
        ("split", ["a1b2", compile_regex("([0-9])|x")], ["a", "1", "b", "2", ""]),
        ("split", ["ab", compile_regex("(x)?")], ["a", UNDEFINED, "b"]),
        ("split", ["", ""], []),
        ("split", ["", ","], [""]),
        ("split", ["a.b", "."], ["a", "b"]),
        ("split", ["\U0001f600x", ""], ["\U0001f600", "x"]),
        ("split", ["a null b", None], ["a ", " b"]),
        ("replace", ["aXbX", "X"], "abX"),
        ("replace", ["aXbX", "X", "[$&$`$'$$]"], "a[XabX$]bX"),
        ("replace", ["ab", compile_regex("(a)|(b)", "g"), "<$1$2>"], "<a><b>"),
        ("replace", ["ab", compile_regex("b*", "g"), "-"], "-a--"),
        ("replace", ["a1", compile_regex("[0-9]"), None], "a"),
        ("replace", ["[Map]", {}, "x"], "x"),
        ("replace", ["a", compile_regex("a"), NAMED_FUNCTIONS["arr"]], "a,0,a"),
        ("replace", ["a", "a", NAMED_FUNCTIONS["map"]], "[object Object]"),
        ("replace", ["a.a", ".", NAMED_FUNCTIONS["nul"]], "undefined.a"),
    ],
)
def test_patterns(name: str, args: list[Any], expected: Any) -> None:
    assert exact(OPERATORS[name](RUN, *args)) == exact(expected)


def test_a_pattern_has_no_memory() -> None:
    pattern = compile_regex("a", "g")
    assert [OPERATORS["match"](RUN, "a", pattern) for _ in range(3)] == [True, True, True]


def test_a_match_of_nothing_does_not_go_on_for_ever() -> None:
    replaced = OPERATORS["replace"](RUN, "ab", compile_regex("x*", "g"), NAMED_FUNCTIONS["s"])
    assert replaced == "xaxbx"


@pytest.mark.parametrize("name", ["like", "match", "extract"])
def test_a_wrong_pattern(name: str) -> None:
    with pytest.raises(KrlRuntimeError) as caught:
        OPERATORS[name](RUN, "a", "(")
    assert str(caught.value).startswith("SyntaxError: Invalid regular expression: /(/")


@pytest.mark.parametrize(
    ("val", "template", "expected"),
    [
        (5, "%d%d %d", "5%d 5"),
        (5, r"\%d %d", "%d 5"),
        (5, r"\\%d", "\\5"),
        ("a", "%s and %d", "a and %d"),
        ("$1$&", "x%s", "xxx%s"),
        ("$`", "ab%s", "aba"),
        (True, "%s%d", "%s%d"),
        (1e21, "%d", "1e+21"),
        ("a", None, ""),
        ("a", 5, "5"),
        ([], "%s", "%s"),
    ],
)
def test_sprintf(val: Any, template: Any, expected: str) -> None:
    assert OPERATORS["sprintf"](RUN, val, template) == expected


@given(st.text(), st.text("ab,", min_size=1, max_size=2))
def test_pieces_join_to_the_whole(text: str, separator: str) -> None:
    assert OPERATORS["join"](RUN, OPERATORS["split"](RUN, text, separator), separator) == text
    by_pattern = OPERATORS["split"](RUN, text, compile_regex(separator))
    assert by_pattern == (OPERATORS["split"](RUN, text, separator) if text else [""])


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("split", ["," * 100_000, ","]),
        ("split", ["x" * 100_000, ""]),
        ("split", ["," * 40_000, compile_regex(",")]),
        ("extract", ["x" * 40_000, compile_regex("x", "g")]),
        ("replace", ["x" * 10_000, compile_regex("x", "g"), "$`"]),
        ("replace", ["x" * 10_000, "x", "$'" * 10_000]),
        ("replace", ["x" * 100_000, compile_regex("(?=(x+))", "g"), "$1$1"]),
        ("replace", ["x" * 10_000, compile_regex("x", "g"), function(lambda found: "y" * 1_000)]),
        ("sprintf", ["x" * 1_000, "%s " * 10_000]),
        ("sprintf", ["$`$'" * 100, "%s " * 10_000]),
        ("sprintf", ["$&" * 10_000, "%s " * 100]),
    ],
)
def test_what_would_grow_is_counted_first(name: str, args: list[Any]) -> None:
    run = CountingRun(chars_max=300_000)
    with pytest.raises(KrlLimitExceeded):
        OPERATORS[name](run, *args)


def test_patterns_cannot_run_away() -> None:
    text = "a" * 5_000
    with pytest.raises(LimitExceeded):
        OPERATORS["match"](CountingRun(steps_max=100_000), text, compile_regex(r"(?:(a|aa)+\1?)+$(?!.)x"))
    with pytest.raises(KrlLimitExceeded):
        OPERATORS["like"](CountingRun(steps_max=10_000), "a", "a" * 5_000)
