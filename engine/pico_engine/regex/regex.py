"""Regular expressions as JavaScript has them, which cannot run away: what the rest of the engine uses.

ECMA-262's RegExp without the flag u, with the flags g, i and m. Texts are counted in characters, not in
UTF-16 units. Unlike JavaScript's, a Regex holds no state: each search begins where it is told to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from pico_engine.regex import machine
from pico_engine.regex.assemble import Program, assemble
from pico_engine.regex.errors import RegexLimitExceeded
from pico_engine.regex.linear import Linear, linear
from pico_engine.regex.machine import SEARCH_MAX_STEPS, Patience, Spans
from pico_engine.regex.parser import parse
from pico_engine.regex.syntax import Pattern
from pico_engine.regex.template import expand

Count: TypeAlias = Callable[[int], object]
"""Is told how much was done; raises to end the work."""

_CACHED_MAX: Final = 256
"""Compiled expressions kept: more than the rulesets of a node have; each takes some kilobytes."""

FIRST_TRY_STEPS: Final = 1_000
"""What backtracking may take before RE2 is asked: about a millisecond, and what RE2 needs for a long text."""

_NO_NAMES: Final[Mapping[str, str | None]] = MappingProxyType({})


class Match(NamedTuple):
    """`text[start:stop]` matched. `groups` begins with group 1; one that took no part is None."""

    text: str
    start: int
    stop: int
    groups: tuple[str | None, ...]
    named: Mapping[str, str | None]

    @property
    def found(self) -> str:
        return self.text[self.start : self.stop]

    def expand(self, template: str) -> str:
        """`template` as JavaScript's replace fills it in."""
        return expand(template, self.text, self.start, self.stop, self.groups, self.named)


@dataclass(frozen=True)
class Regex:
    """A compiled expression; equal to any other of the same pattern and flags. Made by `compile_regex`."""

    pattern: str
    flags: str
    _tree: Pattern = field(compare=False, repr=False)

    @property
    def names(self) -> tuple[str | None, ...]:
        """The name of each group from 1 on, or None."""
        return self._tree.names

    @property
    def captures(self) -> int:
        """How many groups it has."""
        return len(self.names)

    @cached_property
    def is_global(self) -> bool:
        return "g" in self.flags

    @cached_property
    def _has_names(self) -> bool:
        return any(self.names)

    @cached_property
    def _program(self) -> Program:
        return assemble(self._tree)

    @cached_property
    def _linear(self) -> Linear | None:
        return linear(self._tree)

    def search(self, text: str, start: int = 0, step: Count | None = None) -> Match | None:
        """The first match that begins at `start` or later, with or without the flag g.

        `step` is told the work in steps, and may raise. Raises RegexLimitExceeded beyond SEARCH_MAX_STEPS.
        """
        spans = self._search(text, start, step)
        return None if spans is None else self._match(text, spans)

    def _search(self, text: str, start: int, step: Count | None) -> Spans | None:
        """By backtracking, which is mostly the faster way; where it is not, on RE2 if that can do it."""
        try:
            return machine.search(self._program, text, start, Patience(step, FIRST_TRY_STEPS))
        except RegexLimitExceeded:
            pass
        linear = self._linear
        if linear is None or not linear.suits(text) or linear.cost_steps(text) > SEARCH_MAX_STEPS:
            return machine.search(self._program, text, start, Patience(step))
        if step is not None:
            step(linear.cost_steps(text))
        return linear.search(text, start)

    def matches(self, text: str, step: Count | None = None) -> Iterator[Match]:
        """All matches that do not overlap; one at most without the flag g."""
        at = 0
        while at <= len(text):
            found = self.search(text, at, step)
            if found is None:
                return
            yield found
            if not self.is_global:
                return
            at = found.stop + (found.stop == found.start)

    def replace(self, text: str, template: str, step: Count | None = None, grow: Count | None = None) -> str:
        """`text` with its match, or with the flag g all of them, replaced by the filled-in template.

        `grow` is told how many characters were made, before they all are joined.
        """
        return self.replace_by(text, lambda found: found.expand(template), step, grow)

    def replace_by(
        self,
        text: str,
        replacement: Callable[[Match], str],
        step: Count | None = None,
        grow: Count | None = None,
    ) -> str:
        """Likewise, with what `replacement` says for each match."""
        pieces: list[str] = []
        end = 0
        for found in self.matches(text, step):
            piece = replacement(found)
            if grow is not None:
                grow(len(piece) + found.start - end)
            pieces += (text[end : found.start], piece)
            end = found.stop
        pieces.append(text[end:])
        return "".join(pieces)

    def split(self, text: str, step: Count | None = None) -> list[str | None]:
        """The pieces between all matches, with or without g, and between them what groups captured."""
        if not text:
            found = self.search(text, 0, step)
            return [text] if found is None else []
        pieces: list[str | None] = []
        end = at = 0
        while at < len(text):
            found = self.search(text, at, step)
            if found is None or found.start >= len(text):
                break
            if found.stop == end:
                at = found.start + 1
                continue
            pieces += (text[end : found.start], *found.groups)
            end = at = found.stop
        return [*pieces, text[end:]]

    def _match(self, text: str, spans: list[int]) -> Match:
        start, stop, *rest = spans
        if not rest:
            return Match(text, start, stop, (), _NO_NAMES)
        groups = tuple(
            [
                None if begin < 0 or end < 0 else text[begin:end]
                for begin, end in zip(rest[::2], rest[1::2], strict=True)
            ]
        )
        if not self._has_names:
            return Match(text, start, stop, groups, _NO_NAMES)
        named = {name: group for name, group in zip(self.names, groups, strict=True) if name is not None}
        return Match(text, start, stop, groups, named)


@lru_cache(maxsize=_CACHED_MAX)
def compile_regex(pattern: str, flags: str = "") -> Regex:
    """The expression `/pattern/flags`. Raises RegexSyntaxError as JavaScript does, or beyond a limit."""
    return Regex(pattern, flags, parse(pattern, flags))
