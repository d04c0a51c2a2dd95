"""RE2 runs what it answers as JavaScript does, and both matchers agree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pico_engine.regex.assemble import assemble
from pico_engine.regex.errors import RegexLimitExceeded, RegexSyntaxError
from pico_engine.regex.linear import SIZE_MAX_NODES, linear
from pico_engine.regex.machine import Patience, search
from pico_engine.regex.parser import parse
from pico_engine.regex.regex import FIRST_TRY_STEPS, compile_regex


@pytest.mark.parametrize(
    "pattern",
    [
        "a",
        r"^(\d+)-(\w*)$",
        "(a|b)+c",
        "(?:a{1,3}b)*",
        "[^]",
        "[]",
        "(?<n>a)?b",
        "((a)b)*",
        r"\bfoo\b",
        "a??b",
    ],
)
def test_what_re2_runs(pattern: str) -> None:
    assert linear(parse(pattern)) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)",
        "(?<!a)b",
        r"(a)\1",
        r"\B",
        "(a*)*",
        "(?:a|)+",
        "(a*)?",
        "((a)|b)*",
        "(a){0}",
        "a{1001}",
        "(?:a{1000}){1000}",
        "(?:[^a]{999}b){9}",
    ],
)
def test_what_re2_does_not_run(pattern: str) -> None:
    assert linear(parse(pattern)) is None


def test_texts_that_do_not_suit() -> None:
    plain, lines = linear(parse("[Ss]$")), linear(parse("s$", "m"))
    assert plain is not None
    assert lines is not None
    for text in ("s", "é\r\U0001f600", "s\n"):
        assert plain.suits(text)
    for text in ("\ud800", "\u017f", "\u212a"):
        assert not plain.suits(text)
    assert lines.suits("s\n")
    for text in ("s\r", "s\u2028", "s\u2029"):
        assert not lines.suits(text)


def test_offsets_count_characters() -> None:
    regex = linear(parse("(é)?(\U0001f600)(x)?"))
    assert regex is not None
    assert regex.search("ßé\U0001f600-\U0001f600x", 0) == [1, 3, 1, 2, 2, 3, -1, -1]
    assert regex.search("ßé\U0001f600-\U0001f600x", 3) == [4, 6, -1, -1, 4, 5, 5, 6]


PATTERNS = st.recursive(
    st.sampled_from(
        ["a", "b", "é", "[ab]", "[^a]", ".", r"\d", r"\s", r"\w", "^", "$", r"\b", "ab", "K", "s", r"\n"]
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        inner.map("({})".format),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "+?", "{2}", "{1,2}?", "{2,}"])).map(
            lambda two: f"(?:{two[0]}){two[1]}"
        ),
        st.tuples(inner, st.sampled_from(["*", "+?", "{0,2}"])).map(lambda two: f"({two[0]}){two[1]}"),
    ),
    max_leaves=8,
)


@settings(max_examples=600, deadline=None)
@given(
    PATTERNS,
    st.sampled_from(["", "i", "m", "im"]),
    st.text(alphabet="abABkKsS1 é\n\r\u2028\u017f\u212a\U0001f600", max_size=10),
    st.integers(0, 3),
)
def test_both_matchers_agree(pattern: str, flags: str, text: str, start: int) -> None:
    tree = parse(pattern, flags)
    regex = linear(tree)
    if regex is None or not regex.suits(text):
        return
    start = min(start, len(text))
    assert regex.search(text, start) == search(assemble(tree), text, start, Patience(None))


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(x+x+)+y|(a|aa)+c"])
def test_what_would_run_away_is_answered_by_re2(pattern: str) -> None:
    steps: list[int] = []
    assert compile_regex(pattern).search("a" * 60_000 + "d", 0, steps.append) is None
    assert sum(steps) < 60_000


def test_large_patterns_are_refused_quickly_or_run() -> None:
    for pattern in ("(?:" * 50 + "a" + "){1000}" * 50, "[^a]{1000}" * 1000, "(a|b|c){500}" * 700):
        try:
            regex = compile_regex(pattern)
            assert regex.search("a" * 50) is None
        except (RegexSyntaxError, RegexLimitExceeded):
            pass
    assert SIZE_MAX_NODES < 10_000


def test_backtracking_goes_first_and_re2_takes_over() -> None:
    regex = compile_regex("(?:a|aa)+$|b(c)")
    steps: list[int] = []
    found = regex.search("a" * 40 + "bc", 0, steps.append)
    assert found is not None
    assert (found.start, found.groups) == (40, ("c",))
    assert FIRST_TRY_STEPS < sum(steps) < 2 * FIRST_TRY_STEPS
    steps.clear()
    assert regex.search("bc", 0, steps.append) is not None
    assert sum(steps) < 20
