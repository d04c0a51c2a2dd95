"""What is said of a tree before any text is seen, checked against what it matches."""

from __future__ import annotations

import pytest

from pico_engine.regex import charset
from pico_engine.regex.analysis import always_captured, anchored, beginning, nullable
from pico_engine.regex.parser import parse


@pytest.mark.parametrize(
    ("pattern", "may"),
    [
        ("", True),
        ("a", False),
        ("a*", True),
        ("a+", False),
        ("(a|)", True),
        ("(a|b)c", False),
        ("(?=a)", True),
        ("^$", True),
        (r"(a)\1", False),
        (r"\1(a*)", True),
        ("(a*){2}", True),
    ],
)
def test_whether_it_can_be_empty(pattern: str, may: bool) -> None:
    assert nullable(parse(pattern).body) is may


@pytest.mark.parametrize(
    ("pattern", "first"),
    [
        ("abc", "a"),
        ("a*b", "ab"),
        ("(a|b)+c", "ab"),
        ("^a", "a"),
        ("(?=x)a", "a"),
        ("a{0}b", "b"),
        ("a*", None),
        ("a|", None),
        ("(?:a|b*)c", "abc"),
    ],
)
def test_how_it_begins(pattern: str, first: str | None) -> None:
    assert beginning(parse(pattern).body) == (None if first is None else charset.of_characters(first))


def test_what_can_match_only_at_the_beginning() -> None:
    for pattern in ("^", "^a|^b", "(^a)", "(?:^a)+"):
        assert anchored(parse(pattern).body), pattern
    for pattern in ("a^", "^a|b", "(?:^a)*", ""):
        assert not anchored(parse(pattern).body), pattern
    assert not anchored(parse("^a", "m").body)


def test_which_groups_always_take_part() -> None:
    assert always_captured(parse("(a)(b)?(?:(c)|(d))((e)+)(?=(f))(?!(g))").body) == {1, 5, 6, 7}
