"""Which names a place in a ruleset sees, and what is known of what they stand for."""

from __future__ import annotations

from enum import Enum
from typing import Final

STANDARD_FUNCTIONS: Final = frozenset({
    "like", "cmp", "as", "isnull", "typeof", "klog", "sprintf", "defaultsTo", "shiftRight", "shiftLeft",
    "band", "bor", "bxor", "bnot", "chr", "range", "capitalize", "decode", "extract", "lc", "uc",
    "match", "ord", "split", "substr", "trimLeading", "trimTrailing", "trim", "startsWith", "endsWith",
    "contains", "replace", "all", "notall", "any", "none", "append", "collect", "filter", "map", "head",
    "tail", "index", "join", "length", "isEmpty", "pairwise", "reduce", "reverse", "slice", "splice",
    "delete", "encode", "keys", "values", "intersection", "union", "difference", "has", "once",
    "duplicates", "unique", "put", "sort", "get", "set",
})  # fmt: skip
"""Names of the standard library that every ruleset sees."""

STANDARD_ACTIONS: Final = ("send_directive", "noop")
"""Likewise its actions."""

TESTING: Final = "__testing"
"""The query that every ruleset has: a map of its queries and events."""


class Kind(Enum):
    """What a name is known to stand for."""

    UNKNOWN = "Unknown"
    FUNCTION = "Function"
    ACTION = "Action"
    ACTION_FUNCTION = "ActionFunction"
    STRING = "String"
    MAP = "Map"


class Scope:
    """The names of a ruleset, a rule or a function; what it does not have, the one around it may."""

    __slots__ = ("around", "below", "missed", "names")

    def __init__(self, around: Scope | None = None) -> None:
        self.around = around
        self.names: dict[str, Kind] = {}
        self.below: set[str] = set()
        """Names that the block at hand declares further down."""
        self.missed: set[str] = set()
        """Names that nothing declares, which was said."""

    def within(self) -> Scope:
        """A scope inside of this one."""
        return Scope(self)

    def declare(self, name: str, kind: Kind = Kind.UNKNOWN) -> None:
        self.names[name] = kind

    def kind(self, name: str) -> Kind | None:
        """What the name stands for; None if nothing declares it."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.around
        return None

    def visible(self) -> set[str]:
        """All names that are seen from here."""
        return set(self.names) | (self.around.visible() if self.around else set())

    def is_missed(self, name: str) -> bool:
        """Whether it was said here that nothing declares the name."""
        return name in self.missed or (self.around is not None and self.around.is_missed(name))

    def is_below(self, name: str) -> bool:
        """Whether a block around this place declares the name further down."""
        return name in self.below or (self.around is not None and self.around.is_below(name))


def standard_scope() -> Scope:
    """The names that are there before a ruleset declares any."""
    scope = Scope()
    for name in STANDARD_FUNCTIONS:
        scope.declare(name, Kind.FUNCTION)
    scope.declare("send_directive", Kind.ACTION)
    scope.declare("noop", Kind.ACTION_FUNCTION)
    scope.declare(TESTING, Kind.MAP)
    return scope
