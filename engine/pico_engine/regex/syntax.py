"""The tree of a regular expression: a few frozen nodes, in which flags and escapes are resolved already."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from pico_engine.regex.charset import Ranges


@dataclass(frozen=True, slots=True)
class Characters:
    """One character out of a set; with the flag i the set holds all that count as the same."""

    ranges: Ranges


class Where(Enum):
    """A place in the text; consumes nothing."""

    START = "start of text"
    END = "end of text"
    LINE_START = "start of line"
    LINE_END = "end of line"
    BOUNDARY = "word boundary"
    NO_BOUNDARY = "no word boundary"


@dataclass(frozen=True, slots=True)
class Assertion:
    where: Where


@dataclass(frozen=True, slots=True)
class Sequence:
    """All of them, one after the other; the empty sequence matches the empty string."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """The first that leads to a match."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    """Groups are numbered from 1 in the order of their opening parentheses."""

    number: int
    body: Node


@dataclass(frozen=True, slots=True)
class Repeat:
    """`high` None: no bound. The groups `first` up to, not including, `last` are inside `body`."""

    body: Node
    low: int
    high: int | None
    greedy: bool
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Look:
    """A lookahead or, with `behind`, a lookbehind."""

    body: Node
    behind: bool
    negative: bool


@dataclass(frozen=True, slots=True)
class Backreference:
    """What group `number` matched; the empty string while it has matched nothing."""

    number: int


Node: TypeAlias = Characters | Assertion | Sequence | Alternatives | Capture | Repeat | Look | Backreference

EMPTY = Sequence(())


@dataclass(frozen=True, slots=True)
class Pattern:
    """`names` has, for each group from 1, its name or None."""

    body: Node
    names: tuple[str | None, ...]
    ignore_case: bool
