"""From an event expression to the table of a state machine.

Theory of operation. A machine has states, small ints: START, END and what lies between. A row of the table
says which states an event leads to. Two kinds of edges leave a state:

- *on* an event: the event matches one of the expression's simple events, called letters and numbered;
- *otherwise*: the event matches some letter, but none of the listed ones (`then` alone makes these).

An expression is laid between two given states: a simple event is one edge; `or` lays its parts side by side;
the others lay them one behind the other with new states, the *joints*, in between; `and` and `any` lay every
permutation. Nothing is shared between two copies of a part, so that a copy which leads back to where it began
(`then`, `not between`) leads back to its own beginning. Afterwards copies that can only ever be active
together are merged; this changes the size of the table, never what it does.

A machine can be in several states at once; how it moves is told in `machine`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise, permutations
from math import perm

from pico_engine.errors import RulesetDefinitionError
from pico_engine.expressions.ast import (
    After,
    Aggregate,
    And,
    AnyOf,
    Before,
    Between,
    Count,
    Expression,
    NotBetween,
    Or,
    Repeat,
    Simple,
    Then,
)

START = 0
END = 1

PERMUTATIONS_MAX = 720
"""Orders that one `and` or `any` may have, each a chain of states of its own: all of 6 are 720. Any 5 of 10
would be 30,240 chains, and seconds to compile."""

EDGES_MAX = 20_000
"""Edges of a table before merging: bounds what nested `and`, `any` and `count` multiply to."""

DEPTH_MAX = 100
"""Expressions inside each other: a tree that deep is made by a program, and Python's stack has an end."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A simple event as an edge uses it. Its aggregates are fed with the last `window` events."""

    simple: Simple
    aggregates: tuple[Aggregate, ...] = ()
    window: int = 0


Otherwise = tuple[int, ...]
"""The letters that an event must not match, sorted."""

Edge = tuple[int, int | Otherwise, int]
"""From a state, on a letter or otherwise, to a state."""


@dataclass(slots=True)
class Row:
    """What leads out of one state."""

    on: dict[int, tuple[int, ...]] = field(default_factory=dict)
    otherwise: tuple[tuple[Otherwise, int], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.on or self.otherwise)


@dataclass(slots=True)
class Table:
    """Rows by state; letters in the order of their appearance in the expression."""

    letters: tuple[Letter, ...]
    rows: tuple[Row, ...]
    laid: int = 0
    """Edges before merging: what it took to compile."""


def compile_table(expression: Expression) -> Table:
    """The table of `expression`. Raises RulesetDefinitionError when it would be larger than the limits."""
    layout = _Layout()
    layout.lay(expression, START, END)
    table = _table(tuple(layout.letters), _merged(set(layout.edges)))
    table.laid = len(layout.edges)
    return table


class _Layout:
    """Lays expressions between states and collects the edges."""

    def __init__(self) -> None:
        self.letters: dict[Letter, int] = {}
        self.edges: dict[Edge, None] = {}
        self._leaving: defaultdict[int, set[int]] = defaultdict(set)
        """Letters on which an edge leaves a state."""
        self._states = 2
        self._depth = 0

    def lay(self, expression: Expression, start: int, end: int) -> None:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise RulesetDefinitionError(
                f"an event expression nested deeper than {DEPTH_MAX}", "split it over several rules"
            )
        match expression:
            case Simple():
                self._letter(Letter(expression), start, end)
            case Or(parts):
                for part in parts:
                    self.lay(part, start, end)
            case Before(parts):
                self._chain(parts, start, end)
            case After(parts):
                self._chain(parts[::-1], start, end)
            case Then(parts):
                for joint in self._chain(parts, start, end):
                    self._otherwise(joint, start)
            case And(parts):
                self._permutations(parts, len(parts), start, end)
            case AnyOf(n, parts):
                self._permutations(parts, n, start, end)
            case Between(middle, first, last):
                self._chain((first, middle, last), start, end)
            case NotBetween(middle, first, last):
                (joint,) = self._chain((first, last), start, end)
                self.lay(middle, joint, start)
            case Count() | Repeat():
                self._times(expression, start, end)
            case _:
                raise RulesetDefinitionError(
                    f"{type(expression).__name__} is no event expression", "use the classes of this package"
                )
        self._depth -= 1

    def _add(self, edge: Edge) -> None:
        self.edges[edge] = None
        if isinstance(edge[1], int):
            self._leaving[edge[0]].add(edge[1])
        if len(self.edges) > EDGES_MAX:
            raise RulesetDefinitionError(
                f"an event expression with more than {EDGES_MAX:,} transitions",
                "split it over several rules, or use fewer alternatives in `and` and `any`",
            )

    def _letter(self, letter: Letter, start: int, end: int) -> None:
        self._add((start, self.letters.setdefault(letter, len(self.letters)), end))

    def _chain(self, parts: Iterable[Expression], start: int, end: int) -> tuple[int, ...]:
        parts = tuple(parts)
        joints = tuple(range(self._states, self._states + len(parts) - 1))
        self._states += len(joints)
        for part, (before, behind) in zip(parts, pairwise((start, *joints, end)), strict=True):
            self.lay(part, before, behind)
        return joints

    def _otherwise(self, joint: int, start: int) -> None:
        self._add((joint, tuple(sorted(self._leaving[joint])), start))

    def _permutations(self, parts: tuple[Expression, ...], n: int, start: int, end: int) -> None:
        if perm(len(parts), n) > PERMUTATIONS_MAX:
            raise RulesetDefinitionError(
                f"{n} of {len(parts)} events in any order are {perm(len(parts), n):,} orders,"
                f" more than {PERMUTATIONS_MAX}",
                "name fewer events, or count a common event that several rules raise",
            )
        for order in permutations(parts, n):
            self._chain(order, start, end)

    def _times(self, times: Count | Repeat, start: int, end: int) -> None:
        part = times.expression
        joints = (start, *range(self._states, self._states + times.n - 1), end)
        self._states += times.n - 1
        steps = [*pairwise(joints)]
        if isinstance(times, Repeat):
            steps.append((end, end))
        for before, behind in steps:
            if times.aggregates and isinstance(part, Simple):
                self._letter(Letter(part, times.aggregates, times.n), before, behind)
            else:
                self.lay(part, before, behind)


def _merged(edges: set[Edge]) -> set[Edge]:
    """Merge states with the same edges leading in: they are active together or not at all.

    START is also active without any edge, and END also ends an attempt, so neither is merged.
    """
    while True:
        leading_in: defaultdict[int, set[tuple[int, int | Otherwise]]] = defaultdict(set)
        for source, on, target in edges:
            leading_in[target].add((source, on))
        kept: dict[frozenset[tuple[int, int | Otherwise]], int] = {}
        renamed: dict[int, int] = {}
        for state in sorted(leading_in):
            if state > END:
                # with what was just renamed, so that a chain of states goes in one round
                into = frozenset((renamed.get(source, source), on) for source, on in leading_in[state])
                keeper = kept.setdefault(into, state)
                if keeper != state:
                    renamed[state] = keeper
        if not renamed:
            return edges
        edges = {
            (renamed.get(source, source), on, renamed.get(target, target)) for source, on, target in edges
        }


def _table(letters: tuple[Letter, ...], edges: set[Edge]) -> Table:
    """Number the states that are left without gaps, in the order in which they were laid."""
    used = sorted({START, END} | {state for source, _, target in edges for state in (source, target)})
    number = {state: index for index, state in enumerate(used)}
    rows = [Row() for _ in used]
    for source, on, target in sorted(edges, key=_edge_order):
        row = rows[number[source]]
        if isinstance(on, int):
            row.on[on] = (*row.on.get(on, ()), number[target])
        else:
            row.otherwise = (*row.otherwise, (on, number[target]))
    return Table(letters, tuple(rows))


def _edge_order(edge: Edge) -> tuple[int, bool, Otherwise, int]:
    source, on, target = edge
    return (source, not isinstance(on, int), (on,) if isinstance(on, int) else on, target)
