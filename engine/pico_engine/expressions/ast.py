"""Event expressions as data: what a rule selects on, built by both rule languages.

Select
└── Expression
    ├── Simple              one kind of event, with attribute patterns and a condition
    ├── Or And Before Then After    of any number of expressions
    ├── Between NotBetween  middle, first, last
    ├── AnyOf               n of several, in any order
    └── Count Repeat        n times the same; a Simple may carry aggregates

The meaning of each is in `compile`; a node checks its own arguments, so that a wrong expression fails where
it is written and not when an event comes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pico_engine.errors import RulesetDefinitionError

ANY = "*"
"""Stands for every domain, or every type."""

COUNT_MAX = 1_000
"""The n of `count` and `repeat`: each step is a state, and aggregates keep n values with the pico."""


class Event(Protocol):
    """What a machine needs to see of an event; `time_ms` is when it came, in ms since 1970 UTC."""

    @property
    def domain(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def attrs(self) -> Mapping[str, Any]: ...
    @property
    def time_ms(self) -> int: ...


Where = Callable[[Any, dict[str, Any], Any], object]
"""A condition `where(event, settings, ruleset)`; its answer counts by Python's truth. `settings` has what
earlier events of this attempt captured and what this event captured. It must only read. What it raises goes
through to whoever advances the machine."""

Limit = Callable[[Any, Any], int]
"""A time limit in ms that is worked out per event: `limit(event, ruleset)`."""


class AttributeTest(Protocol):
    """Says whether an attribute's value fits, and what of it to keep.

    A test must be hashable and compare by value, so that equal expressions compile to equal machines.
    """

    @property
    def captures(self) -> int:
        """How many values `match` gives."""
        ...

    def match(self, value: Any, missing: bool) -> tuple[Any, ...] | None:
        """The captured values, or None if `value` does not fit; `missing` when there is no such attribute."""
        ...

    def describe(self) -> str:
        """The test in words of the rule's author. Part of a machine's fingerprint, so it must be stable."""
        ...


@dataclass(frozen=True, slots=True)
class AttributePattern:
    """The attribute `name` must pass `test`."""

    name: str
    test: AttributeTest

    def __post_init__(self) -> None:
        if not self.name:
            raise RulesetDefinitionError("an attribute pattern has no attribute name", "name the attribute")


class Expression:
    """Any event expression but the outermost `Select`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Simple(Expression):
    """One event of `domain` and `type` whose attributes fit and whose condition holds.

    The values captured by all patterns, in order, are bound to `settings`; names in excess stay unset, values
    in excess are dropped.
    """

    domain: str
    type: str
    attributes: tuple[AttributePattern, ...] = ()
    where: Where | None = None
    settings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.domain or not self.type:
            raise RulesetDefinitionError(
                f"an event needs a domain and a type, this one is {self.domain!r}:{self.type!r}",
                'write "domain:type"; "*" stands for any',
            )
        seen: set[str] = set()
        for name in self.settings:
            if name in seen:
                raise RulesetDefinitionError(
                    f"{self.domain}:{self.type} captures {name!r} twice", "give each capture its own name"
                )
            seen.add(name)

    @property
    def captures(self) -> int:
        """How many values the patterns capture together."""
        return sum(pattern.test.captures for pattern in self.attributes)


@dataclass(frozen=True, slots=True)
class _Several(Expression):
    expressions: tuple[Expression, ...]

    def __post_init__(self) -> None:
        if not self.expressions:
            raise RulesetDefinitionError(
                f"{type(self).__name__} has no expressions", "give it at least one event"
            )


class Or(_Several):
    """One of them."""

    __slots__ = ()


class And(_Several):
    """All of them, in any order, none starting before another one ended."""

    __slots__ = ()


class Before(_Several):
    """One after the other."""

    __slots__ = ()


class Then(_Several):
    """One directly after the other: any other event this rule cares for starts it anew."""

    __slots__ = ()


class After(_Several):
    """One after the other, told backwards: the last one named comes first."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Between(Expression):
    """`first`, then `middle`, then `last`."""

    middle: Expression
    first: Expression
    last: Expression


@dataclass(frozen=True, slots=True)
class NotBetween(Expression):
    """`first`, then `last`, without `middle` in between."""

    middle: Expression
    first: Expression
    last: Expression


@dataclass(frozen=True, slots=True)
class AnyOf(Expression):
    """`n` different ones of the expressions, in any order. All of them is what `And` is for."""

    n: int
    expressions: tuple[Expression, ...]

    def __post_init__(self) -> None:
        if not 0 < self.n < len(self.expressions):
            raise RulesetDefinitionError(
                f"any {self.n} of {len(self.expressions)} expressions cannot be",
                "n must be greater than 0 and less than the number of expressions; for all of them use `and`",
            )


AGGREGATE_FUNCTIONS = ("max", "min", "sum", "avg", "push")


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Sets `setting` to `function` over the `capture`-th captured value (from 0) of the last n events.

    Text that spells a number counts as that number, everything else that is no number as 0; `push` gives the
    list of the values as they are.
    """

    function: str
    capture: int
    setting: str

    def __post_init__(self) -> None:
        if self.function not in AGGREGATE_FUNCTIONS:
            raise RulesetDefinitionError(
                f"there is no aggregate {self.function!r}", f"use one of {', '.join(AGGREGATE_FUNCTIONS)}"
            )


@dataclass(frozen=True, slots=True)
class _Times(Expression):
    n: int
    expression: Expression
    aggregates: tuple[Aggregate, ...] = ()

    def __post_init__(self) -> None:
        word = type(self).__name__.lower()
        if not 0 < self.n <= COUNT_MAX:
            raise RulesetDefinitionError(
                f"{word} {self.n} is not possible", f"{word} takes a number from 1 to {COUNT_MAX}"
            )
        if not self.aggregates:
            return
        if not isinstance(self.expression, Simple):
            raise RulesetDefinitionError(
                f"{word} with aggregates over a compound expression", "aggregate over one simple event"
            )
        for aggregate in self.aggregates:
            if not 0 <= aggregate.capture < self.expression.captures:
                raise RulesetDefinitionError(
                    f"{aggregate.function} has no captured value to work on",
                    "capture the attribute in the event that is counted",
                )
        names = [*self.expression.settings, *(aggregate.setting for aggregate in self.aggregates)]
        if len(set(names)) < len(names):
            raise RulesetDefinitionError(
                f"{word} sets one of {', '.join(names)} twice", "give each aggregate its own name"
            )


class Count(_Times):
    """Every n-th time."""

    __slots__ = ()


class Repeat(_Times):
    """The n-th time and every time after it; aggregates slide over the last n."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Select:
    """A whole event expression; `within_ms` limits the time from its first event to its last."""

    expression: Expression
    within_ms: int | Limit | None = None

    def __post_init__(self) -> None:
        if isinstance(self.within_ms, int) and self.within_ms < 0:
            raise RulesetDefinitionError(
                f"a time limit of {self.within_ms} ms cannot be kept", "give a limit of 0 or more"
            )
