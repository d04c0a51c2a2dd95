"""Tests of attributes as KRL has them: a regular expression on the value as KRL writes it as a string."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pico_engine.expressions.numbers import javascript_text
from pico_engine.expressions.patterns import MATCHED_TEXT_MAX_CHARS
from pico_engine.regex import Regex, compile_regex


@dataclass(frozen=True, slots=True)
class _KrlRegex:
    regex: Regex

    @property
    def captures(self) -> int:
        return self.regex.captures

    def match(self, value: Any, missing: bool) -> tuple[Any, ...] | None:
        subject = value if isinstance(value, str) else "" if missing else krl_string(value)
        if len(subject) > MATCHED_TEXT_MAX_CHARS:
            return None
        found = self.regex.search(subject)
        return None if found is None else found.groups

    def describe(self) -> str:
        return f"re#{self.regex.pattern}#{self.regex.flags}"


def krl_regex(pattern: str, flags: str = "") -> _KrlRegex:
    """The test `re#pattern#flags`; captures its groups, None for one that took no part.

    Raises RegexSyntaxError. Matching raises RegexLimitExceeded, which fails the rule, when the expression
    takes too long on a value.
    """
    return _KrlRegex(compile_regex(pattern, flags))


def krl_string(value: Any) -> str:
    """`value` as KRL's `.as("String")` writes it."""
    match value:
        case str():
            return value
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return javascript_text(value)
        case list() | tuple():
            return "[Array]"
        case _:
            return "[Map]"
