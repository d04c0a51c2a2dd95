"""Tests of attributes for Python rulesets: `when("sensor:reading", celsius=number(max=150))`.

An HTTP query string carries only text, so text that spells a number or a truth value is taken as one where
one is asked for; the rule then gets the number, not the text.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, Self

from pico_engine.errors import RulesetDefinitionError
from pico_engine.expressions.numbers import FLOAT_MAX, number_of_text

MATCHED_TEXT_MAX_CHARS = 65_536
"""Longer text matches no regular expression: a careless expression takes time that grows with the text."""

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern(ABC):
    """What the patterns share. A captured value is named like its attribute, or as `named` says."""

    setting: str | None = None

    def named(self, setting: str) -> Self:
        """Capture under another name than the attribute's."""
        return replace(self, setting=setting)

    def settings(self, attribute: str) -> tuple[str, ...]:
        """The names of the captured values when it tests `attribute`."""
        return (self.setting or attribute,)

    @property
    def captures(self) -> int:
        """How many values `match` gives."""
        return 1

    @abstractmethod
    def match(self, value: Any, missing: bool) -> tuple[Any, ...] | None:
        """The captured values, or None if `value` does not fit."""

    @abstractmethod
    def describe(self) -> str:
        """The pattern as its author writes it."""


@dataclass(frozen=True, slots=True)
class _Text(Pattern):
    def match(self, value: Any, missing: bool) -> tuple[Any, ...] | None:  # noqa: ARG002
        return (value,) if isinstance(value, str) else None

    def describe(self) -> str:
        return "text()"


@dataclass(frozen=True, slots=True)
class _Number(Pattern):
    min: float | None
    max: float | None
    whole: bool
    low: float
    high: float

    def match(self, value: Any, missing: bool) -> tuple[Any, ...] | None:  # noqa: ARG002
        kind = type(value)
        if kind is str:
            value = number_of_text(value)
            if value is None:
                return None
        elif kind is not float and kind is not int:
            return None
        # bounds are always finite, so that this also refuses what is infinite or not a number
        if not self.low <= value <= self.high:
            return None
        if self.whole and type(value) is float:
            return (int(value),) if value.is_integer() else None
        return (value,)

    def describe(self) -> str:
        bounds = [
            f"{name}={bound!r}" for name, bound in (("min", self.min), ("max", self.max)) if bound is not None
        ]
        return f"{'integer' if self.whole else 'number'}({', '.join(bounds)})"


@dataclass(frozen=True, slots=True)
class _Boolean(Pattern):
    def match(self, value: Any, missing: bool) -> tuple[Any, ...] | None:  # noqa: ARG002
        value = _boolean(value)
        return None if value is None else (value,)

    def describe(self) -> str:
        return "boolean()"


@dataclass(frozen=True, slots=True)
class _Matches(Pattern):
    pattern: str
    compiled: re.Pattern[str] = field(compare=False)
    names: tuple[str, ...]

    def match(self, value: Any, missing: bool) -> tuple[Any, ...] | None:  # noqa: ARG002
        if not isinstance(value, str) or len(value) > MATCHED_TEXT_MAX_CHARS:
            return None
        found = self.compiled.search(value)
        if found is None:
            return None
        return found.groups() or (found.group(),)

    @property
    def captures(self) -> int:
        return self.compiled.groups or 1

    def settings(self, attribute: str) -> tuple[str, ...]:
        return self.names or (self.setting or attribute,)

    def describe(self) -> str:
        return f"matches({self.pattern!r})"


@dataclass(frozen=True, slots=True)
class _OneOf(Pattern):
    values: tuple[Scalar, ...]
    kinds: tuple[type, ...]
    """Keeps 1, 1.0 and True apart, which Python holds for equal."""

    def match(self, value: Any, missing: bool) -> tuple[Any, ...] | None:
        if missing:
            return None
        for wanted in self.values:
            if _same(wanted, value):
                return (wanted,)
        return None

    def describe(self) -> str:
        word = "equals" if len(self.values) == 1 else "one_of"
        return f"{word}({', '.join(map(repr, self.values))})"


@dataclass(frozen=True, slots=True)
class _Present(Pattern):
    required: bool

    def match(self, value: Any, missing: bool) -> tuple[Any, ...] | None:
        return None if missing and self.required else (value,)

    def describe(self) -> str:
        return "present()" if self.required else "anything()"


def text() -> Pattern:
    """Text, also empty; nothing else."""
    return _Text()


def number(*, min: float | None = None, max: float | None = None) -> Pattern:  # noqa: A002
    """A finite number from `min` to `max`, or text that spells one. Captured as int or float."""
    return _bounded(min, max, whole=False)


def integer(*, min: float | None = None, max: float | None = None) -> Pattern:  # noqa: A002
    """Like `number`, but whole; 3.0 counts and is captured as 3."""
    return _bounded(min, max, whole=True)


def boolean() -> Pattern:
    """A truth value, or the text true or false."""
    return _Boolean()


def matches(regex: str) -> Pattern:
    """Text in which the regular expression is found.

    Captures each named group under its name (None if it took no part), or else the one group there is, or
    else what was found.
    """
    try:
        compiled = re.compile(regex)
    except re.error as error:
        raise RulesetDefinitionError(
            f"the regular expression {regex!r} cannot be understood: {error}", "correct the expression"
        ) from None
    names = tuple(compiled.groupindex)
    if len(names) != compiled.groups and (names or compiled.groups > 1):
        raise RulesetDefinitionError(
            f"the regular expression {regex!r} has groups without a name",
            "name what to capture with (?P<name>…), and write other groups as (?:…)",
        )
    return _Matches(regex, compiled, names)


def equals(value: Scalar) -> Pattern:
    """Exactly this value; a number or truth value also as text. Captures `value` itself."""
    return one_of(value)


def one_of(*values: Scalar) -> Pattern:
    """One of these values, compared as in `equals`."""
    for value in values:
        if value is not None and not isinstance(value, (str, int, float)):
            raise RulesetDefinitionError(
                f"an attribute cannot be compared with {value!r}", "use text, numbers, True, False or None"
            )
    if not values:
        raise RulesetDefinitionError("one_of() has no values", "name at least one value")
    return _OneOf(values, tuple(map(type, values)))


def present() -> Pattern:
    """Whatever it is, null too, as long as the event has the attribute."""
    return _Present(required=True)


def anything() -> Pattern:
    """Always fits. Captures None when the attribute is missing."""
    return _Present(required=False)


def _bounded(low: float | None, high: float | None, *, whole: bool) -> Pattern:
    for bound in (low, high):
        if bound is not None and (isinstance(bound, bool) or not isfinite(bound)):
            raise RulesetDefinitionError(f"{bound!r} bounds no number", "give min and max finite numbers")
    if low is not None and high is not None and low > high:
        raise RulesetDefinitionError(f"no number is from {low!r} to {high!r}", "give min the smaller one")
    return _Number(low, high, whole, -FLOAT_MAX if low is None else low, FLOAT_MAX if high is None else high)


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def _same(wanted: Scalar, value: Any) -> bool:
    if isinstance(wanted, bool):
        return _boolean(value) is wanted
    if isinstance(wanted, (int, float)):
        if isinstance(value, str):
            value = number_of_text(value)
        return isinstance(value, (int, float)) and not isinstance(value, bool) and value == wanted
    return type(value) is type(wanted) and bool(value == wanted)
