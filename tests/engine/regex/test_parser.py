"""The tree, and the limits of what is read."""

from __future__ import annotations

import pytest

from pico_engine.regex import charset
from pico_engine.regex.errors import RegexSyntaxError
from pico_engine.regex.parser import (
    GROUPS_MAX,
    NESTING_MAX_LEVELS,
    PATTERN_MAX_CHARS,
    REPEAT_MAX_COUNT,
    parse,
)
from pico_engine.regex.syntax import (
    EMPTY,
    Alternatives,
    Assertion,
    Backreference,
    Capture,
    Characters,
    Look,
    Repeat,
    Sequence,
    Where,
)

A = Characters(charset.of_characters("a"))


def test_the_tree() -> None:
    assert parse("").body == EMPTY
    assert parse("a|").body == Alternatives((A, EMPTY))
    assert parse("(?:a)").body == A
    tree = parse(r"^(?<n>a){2,3}?(?<!a)\1\k<n>$", "m")
    assert tree.names == ("n",)
    assert tree.body == Sequence(
        (
            Assertion(Where.LINE_START),
            Repeat(Capture(1, A), 2, 3, greedy=False, first=1, last=2),
            Look(A, behind=True, negative=True),
            Backreference(1),
            Backreference(1),
            Assertion(Where.LINE_END),
        )
    )


def test_case_is_resolved_in_the_tree() -> None:
    assert parse("a", "i").body == Characters(charset.of_characters("aA"))
    assert parse("[^a]", "i").body == Characters(charset.complement(charset.of_characters("aA")))


@pytest.mark.parametrize(
    ("fits", "does_not", "word"),
    [
        ("a" * PATTERN_MAX_CHARS, "a" * (PATTERN_MAX_CHARS + 1), "longer than"),
        ("(?:" * (NESTING_MAX_LEVELS - 1) + ")" * (NESTING_MAX_LEVELS - 1),
         "(?:" * NESTING_MAX_LEVELS + ")" * NESTING_MAX_LEVELS, "nested"),
        (f"a{{{REPEAT_MAX_COUNT}}}", f"a{{0,{REPEAT_MAX_COUNT + 1}}}", "repeat count"),
        ("()" * GROUPS_MAX, "()" * (GROUPS_MAX + 1), "groups"),
        ("(?:a{1000}){1000}", "a{99999999999}", "repeat count"),
    ],
    ids=["length", "nesting", "repeat", "groups", "huge repeat"],
)  # fmt: skip
def test_limits(fits: str, does_not: str, word: str) -> None:
    parse(fits)
    with pytest.raises(RegexSyntaxError, match=word):
        parse(does_not)


@pytest.mark.parametrize("flags", ["y", "gg", "u", "G"])
def test_flags(flags: str) -> None:
    with pytest.raises(RegexSyntaxError, match="Invalid flags"):
        parse("a", flags)


def test_an_error_knows_where() -> None:
    with pytest.raises(RegexSyntaxError) as caught:
        parse("ab**")
    assert caught.value.at == 3
