"""KRL's regular expressions on KRL's strings. Expected values are those of a JavaScript engine."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pico_engine.errors import RulesetDefinitionError
from pico_engine.expressions.krl_patterns import krl_regex, krl_string
from pico_engine.expressions.patterns import MATCHED_TEXT_MAX_CHARS
from pico_engine.regex import RegexLimitExceeded


@pytest.mark.parametrize(
    ("value", "string"),
    [
        ("a", "a"),
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (7.0, "7"),
        (0.1, "0.1"),
        ([], "[Array]"),
        ({}, "[Map]"),
    ],
)
def test_values_as_strings(value: Any, string: str) -> None:
    assert krl_string(value) == string


@pytest.mark.parametrize(
    ("pattern", "flags", "value", "captured"),
    [
        ("^(.*)$", "", None, ("null",)),
        ("(.*)", "", {"k": 1}, ("[Map]",)),
        ("^a$", "", "a\n", None),
        ("^a$", "m", "a\nb", ()),
        ("^A", "i", "ab", ()),
        ("(a)|(b)", "", "b", (None, "b")),
        (r"(\d)", "", "\u0663", None),
        (r"(\w+)", "", "\u00e9a", ("a",)),
        ("(?<year>[0-9]{4})", "", "in 2024", ("2024",)),
        (r"(?<c>.)\k<c>", "", "abb", ("b",)),
        ("(?<!a)b", "", "ab", None),
        ("(?<=a+)(b)", "", "aab", ("b",)),
        ("a[^]b", "", "a\nb", ()),
        ("a[]", "", "a", None),
        (r"[\]$]", "", "$", ()),
        ("[[]", "", "[", ()),
        ("^[+--]+$", "", "+,-", ()),
        ("^[&&||~~]+$", "", "&|~", ()),
        (r"\/", "", "a/b", ()),
        (r"\e\-\u0041\x42", "", "e-AB", ()),
        (r"a\0", "", "a\0", ()),
        ("g", "g", "go", ()),
    ],
)
def test_matches_as_javascript_does(
    pattern: str, flags: str, value: Any, captured: tuple[Any, ...] | None
) -> None:
    test = krl_regex(pattern, flags)
    assert test.match(value, False) == captured
    assert captured is None or test.captures == len(captured)


def test_a_missing_attribute_is_the_empty_string() -> None:
    assert krl_regex("^(.*)$").match(None, True) == ("",)
    assert krl_regex(".").match(None, True) is None


def test_text_is_limited() -> None:
    assert krl_regex("a").match("a" * MATCHED_TEXT_MAX_CHARS, False) == ()
    assert krl_regex("a").match("a" * (MATCHED_TEXT_MAX_CHARS + 1), False) is None


@pytest.mark.parametrize(("pattern", "flags"), [("(", ""), ("a", "y"), ("a**", ""), ("a{99999999999}", "")])
def test_what_cannot_be_compiled_is_refused(pattern: str, flags: str) -> None:
    with pytest.raises(RulesetDefinitionError):
        krl_regex(pattern, flags)


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="ab()[]{}^$\\?*+.|<>=!:kdwx0-9,&~", max_size=12))
def test_any_pattern_compiles_or_is_refused(pattern: str) -> None:
    try:
        test = krl_regex(pattern)
    except RulesetDefinitionError:
        return
    assert test.match("ab", False) is None or test.captures >= 0


def test_describes_itself() -> None:
    assert krl_regex("^a", "i").describe() == "re#^a#i"
    assert krl_regex("a") == krl_regex("a")
    assert krl_regex("a") != krl_regex("a", "i")


def test_what_takes_too_long_is_an_error() -> None:
    with pytest.raises(RegexLimitExceeded):
        krl_regex(r"(a*)*\1b").match("a" * 1000, False)
