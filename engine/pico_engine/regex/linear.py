"""Runs what needs no backtracking on RE2, whose time grows with the text and not with the ways to match it.

RE2's answers are JavaScript's only for a part of the language; `translate` says for which, and why not.
Nothing outside of this module knows RE2.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, Protocol, cast

import re2

from pico_engine.regex.analysis import always_captured, nullable
from pico_engine.regex.charset import LAST, Ranges, complement, ranges
from pico_engine.regex.machine import Spans
from pico_engine.regex.syntax import (
    Alternatives,
    Assertion,
    Capture,
    Characters,
    Node,
    Pattern,
    Repeat,
    Sequence,
    Where,
)

REPEAT_MAX_COUNT: Final = 1_000
"""RE2 takes no larger count, as it writes repetitions out."""
SIZE_MAX_NODES: Final = 3_000
"""Repetitions written out. Beyond, a program takes long to compile, and backtracking does better."""

_MEMORY_MAX_BYTES: Final = 524_288
"""Of one program with its tables; with small tables RE2 is slower and still linear."""

_NODES_PER_STEP: Final = 128
"""What RE2 at its slowest visits of a program in about the time of one step of the backtracking matcher."""

_SURROGATES: Final = ranges((0xD800, 0xDFFF))

_PLACES: Final = {
    Where.START: r"\A",
    Where.END: r"\z",
    Where.LINE_START: "(?m:^)",
    Where.LINE_END: "(?m:$)",
    Where.BOUNDARY: r"\b",
}
"""No \\B: it would be found between the bytes of one character."""


class _Found(Protocol):
    def span(self, group: int) -> tuple[int, int]: ...


class _Compiled(Protocol):
    @property
    def programsize(self) -> int: ...
    def search(self, text: bytes, pos: int) -> _Found | None: ...


class Linear:
    """A pattern on RE2. `by_lines`: it asks for the begin or end of lines, and RE2 knows only line feeds."""

    __slots__ = ("_by_lines", "_compiled", "_groups", "_nodes")

    def __init__(self, compiled: _Compiled, groups: int, *, by_lines: bool) -> None:
        self._compiled = compiled
        self._groups = groups
        self._by_lines = by_lines
        self._nodes = compiled.programsize

    def cost_steps(self, text: str) -> int:
        """What a search in `text` costs at most, in steps of the backtracking matcher."""
        return 1 + len(text) * self._nodes // _NODES_PER_STEP

    def suits(self, text: str) -> bool:
        """Whether the answer for this text is JavaScript's."""
        if self._by_lines and ("\r" in text or "\u2028" in text or "\u2029" in text):
            return False
        if text.isascii():
            return True
        # RE2 reads [Ss] as s without regard to case, and then counts U+017F and U+212A as s and k
        if "\u017f" in text or "\u212a" in text:
            return False
        try:
            text.encode()
        except UnicodeEncodeError:  # lone surrogates have no UTF-8
            return False
        return True

    def search(self, text: str, start: int) -> Spans | None:
        """The first match that begins at `start` or later, in a text that suits."""
        data = text.encode()
        ascii_only = len(data) == len(text)
        found = self._compiled.search(data, start if ascii_only else len(text[:start].encode()))
        if found is None:
            return None
        ends = [end for group in range(self._groups + 1) for end in found.span(group)]
        return ends if ascii_only else _in_characters(data, ends)


def _in_characters(data: bytes, ends: list[int]) -> list[int]:
    """Offsets into `data` as offsets into the text; -1 stays."""
    known = {-1: -1, 0: 0}
    for before, after in pairwise(sorted({0, *ends} - {-1})):
        known[after] = known[before] + len(data[before:after].decode())
    return [known[end] for end in ends]


def linear(pattern: Pattern) -> Linear | None:
    """`pattern` on RE2; None if RE2 cannot express it, or not with JavaScript's meaning."""
    if size(pattern.body) > SIZE_MAX_NODES:
        return None
    translated = translate(pattern.body)
    if translated is None:
        return None
    options = re2.Options()
    options.max_mem = _MEMORY_MAX_BYTES
    options.log_errors = False
    try:
        compiled = cast("_Compiled", re2.compile(translated, options))
    except re2.error:  # larger than RE2 allows
        return None
    by_lines = _PLACES[Where.LINE_START] in translated or _PLACES[Where.LINE_END] in translated
    return Linear(compiled, len(pattern.names), by_lines=by_lines)


def size(node: Node) -> int:
    """How large it is when repetitions are written out."""
    match node:
        case Characters(members):
            return len(members)
        case Sequence(parts) | Alternatives(parts):
            return 1 + sum(map(size, parts))
        case Capture(_, body):
            return 1 + size(body)
        case Repeat():
            return size(node.body) * max(1, node.low + 1, node.high or 0)
        case _:
            return 1


def translate(node: Node) -> str | None:
    """The pattern for RE2; None if RE2 has no such thing or gives other answers.

    Lookarounds and references RE2 does not have. A repetition of what can match nothing, JavaScript ends
    without the empty round that RE2 counts. JavaScript forgets at each round what groups inside have matched:
    RE2 does not, which shows unless all those groups match in every round.
    """
    match node:
        case Characters(members):
            return _characters(members)
        case Assertion(where):
            return _PLACES.get(where)
        case Sequence(parts) | Alternatives(parts):
            translated = [translate(part) for part in parts]
            known = [part for part in translated if part is not None]
            if len(known) < len(translated):
                return None
            return "".join(known) if isinstance(node, Sequence) else f"(?:{'|'.join(known)})"
        case Capture(_, body):
            inside = translate(body)
            return None if inside is None else f"({inside})"
        case Repeat():
            return _repeat(node)
        case _:
            return None


def _repeat(node: Repeat) -> str | None:
    groups = frozenset(range(node.first, node.last))
    if nullable(node.body) or max(node.low, node.high or 0) > REPEAT_MAX_COUNT:
        return None
    if groups and (node.high == 0 or (node.high != 1 and not groups <= always_captured(node.body))):
        return None
    body = translate(node.body)
    if body is None:
        return None
    high = "" if node.high is None else str(node.high)
    return f"(?:{body}){{{node.low},{high}}}{'' if node.greedy else '?'}"


def _characters(members: Ranges) -> str:
    """Without surrogates, which have no UTF-8, and which no text has that comes here."""
    if len(members) == 1 and members[0][0] == members[0][1] < 0xD800:
        return rf"\x{{{members[0][0]:x}}}"
    kept = complement(ranges(*complement(members), *_SURROGATES))
    if not kept:
        return rf"[^\x00-\x{{{LAST:x}}}]"
    return "[" + "".join(rf"\x{{{low:x}}}-\x{{{high:x}}}" for low, high in kept) + "]"
