"""The two errors say what is wrong, in JavaScript's words where it has some, and what to do."""

from __future__ import annotations

from pico_engine.errors import LimitExceeded, RulesetDefinitionError
from pico_engine.regex.errors import RegexLimitExceeded, RegexSyntaxError


def test_a_wrong_expression_is_an_error_of_the_ruleset() -> None:
    error = RegexSyntaxError("(", "mi", "Unterminated group", 1)
    assert isinstance(error, RulesetDefinitionError)
    assert str(error) == "Invalid regular expression: /(/im: Unterminated group"
    assert (error.pattern, error.flags, error.at) == ("(", "im", 1)
    assert "flags g, i and m" in error.hint


def test_a_long_pattern_is_not_shown_whole() -> None:
    assert len(str(RegexSyntaxError("a" * 10_000, "", "x"))) < 300


def test_a_search_that_takes_too_long_exceeds_a_limit() -> None:
    assert issubclass(RegexLimitExceeded, LimitExceeded)
    assert RegexLimitExceeded.code == "limit-exceeded"
