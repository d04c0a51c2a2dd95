"""Tests of attributes as KRL has them: a regular expression on the value as KRL writes it as a string."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from pico_engine.errors import RulesetDefinitionError
from pico_engine.expressions.numbers import javascript_text
from pico_engine.expressions.patterns import MATCHED_TEXT_MAX_CHARS

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "g": re.NOFLAG}

_KEPT_ESCAPES = frozenset("dDwWsSbBnrtfvxu0123456789")
"""Escapes that both dialects know; before another letter a backslash means nothing in JavaScript."""


@dataclass(frozen=True, slots=True)
class _KrlRegex:
    pattern: str
    flags: str
    compiled: re.Pattern[str] = field(compare=False)

    @property
    def captures(self) -> int:
        return self.compiled.groups

    def match(self, value: Any, missing: bool) -> tuple[Any, ...] | None:
        subject = value if isinstance(value, str) else "" if missing else krl_string(value)
        if len(subject) > MATCHED_TEXT_MAX_CHARS:
            return None
        found = self.compiled.search(subject)
        return None if found is None else found.groups()

    def describe(self) -> str:
        return f"re#{self.pattern}#{self.flags}"


def krl_regex(pattern: str, flags: str = "") -> _KrlRegex:
    """The test `re#pattern#flags`; captures its groups, None for one that took no part."""
    return _KrlRegex(pattern, flags, compile_javascript_regex(pattern, flags))


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


def compile_javascript_regex(pattern: str, flags: str = "") -> re.Pattern[str]:
    """A regular expression of JavaScript (ECMA-262 §22.2, without the u flag) as Python's.

    The dialects differ in few places: `$` (never before a final line feed), named groups, empty classes,
    escapes without meaning, and what counts as digit or word character (ASCII only). Lookbehind of varying
    width does not exist in Python and is refused.
    """
    unknown = set(flags) - set(_FLAGS)
    if unknown:
        raise RulesetDefinitionError(
            f"the regular expression re#{pattern}#{flags} has unknown flags", "KRL knows g, i and m"
        )
    combined = re.ASCII if "i" not in flags else re.NOFLAG
    for flag in flags:
        combined |= _FLAGS[flag]
    try:
        return re.compile(_translated(pattern, multiline="m" in flags), combined)
    except (re.error, OverflowError, RecursionError) as error:
        raise RulesetDefinitionError(
            f"the regular expression re#{pattern}#{flags} cannot be understood: {error}",
            "correct the expression",
        ) from None


def _translated(pattern: str, *, multiline: bool) -> str:
    out: list[str] = []
    at = 0
    in_class = False
    while at < len(pattern):
        rest = pattern[at:]
        if rest[0] == "\\" and len(rest) > 1:
            piece, taken = _escape(rest, in_class=in_class)
        elif in_class:
            in_class = rest[0] != "]"
            # Python warns of what it may one day read as operations on sets, `--` among them
            doubled = rest[0] == "-" and out[-1] == "-"
            piece, taken = ("\\" + rest[0] if doubled or rest[0] in "[&~|" else rest[0]), 1
        elif rest.startswith("[^]"):
            piece, taken = r"[\s\S]", 3
        elif rest.startswith("[]"):
            piece, taken = "(?!)", 2
        elif rest[0] == "[":
            in_class = True
            taken = 2 if rest.startswith("[^") else 1
            piece = rest[:taken]
        elif rest.startswith("(?<") and rest[3:4] not in ("=", "!"):
            piece, taken = "(?P<", 3
        elif rest[0] == "$":
            piece, taken = (r"(?=[\n\r\u2028\u2029]|\Z)" if multiline else r"\Z"), 1
        else:
            piece, taken = rest[0], 1
        out.append(piece)
        at += taken
    return "".join(out)


def _escape(rest: str, *, in_class: bool) -> tuple[str, int]:
    """The translation of the escape at the beginning of `rest`, and its length."""
    letter = rest[1]
    if letter == "k" and not in_class and (name := re.match(r"\\k<(\w+)>", rest)):
        return f"(?P={name[1]})", len(name[0])
    if letter == "0":
        return r"\x00", 2
    if letter in "xu":
        digits = 2 if letter == "x" else 4
        code = rest[2 : 2 + digits]
        if len(code) == digits and all(digit in "0123456789abcdefABCDEF" for digit in code):
            return "\\" + letter + code, 2 + digits
        return letter, 2
    if letter == "b" and in_class:
        return r"\x08", 2
    if letter in _KEPT_ESCAPES or not letter.isalnum():
        return "\\" + letter, 2
    return re.escape(letter), 2
