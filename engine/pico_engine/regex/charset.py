"""Sets of characters as sorted ranges of code points, and which characters are the same but for case."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cache
from itertools import permutations
from typing import Final, TypeAlias

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Sorted, disjoint, not adjacent; both ends belong to a range."""

LAST: Final = 0x10FFFF
EVERYTHING: Final[Ranges] = ((0, LAST),)

_BMP_LAST: Final = 0xFFFF


def ranges(*parts: tuple[int, int]) -> Ranges:
    """The union of `parts`, in any order."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(parts):
        if merged and low <= merged[-1][1] + 1:
            if high > merged[-1][1]:
                merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return tuple(merged)


def of_characters(text: Iterable[str]) -> Ranges:
    return ranges(*((ord(one), ord(one)) for one in text))


def union(*sets: Ranges) -> Ranges:
    return ranges(*(part for one in sets for part in one))


def complement(one: Ranges) -> Ranges:
    gaps: list[tuple[int, int]] = []
    begin = 0
    for low, high in one:
        if begin < low:
            gaps.append((begin, low - 1))
        begin = high + 1
    if begin <= LAST:
        gaps.append((begin, LAST))
    return tuple(gaps)


def contains(one: Ranges, code: int) -> bool:
    at = bisect_right(one, (code, LAST))
    return at > 0 and one[at - 1][1] >= code


def size(one: Ranges) -> int:
    return sum(high - low + 1 for low, high in one)


DIGITS: Final = ranges((0x30, 0x39))
WORD: Final = ranges((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
LINE_ENDS: Final = of_characters("\n\r\u2028\u2029")
SPACES: Final = union(
    LINE_ENDS,
    of_characters("\t\v\f \u00a0\u1680\u202f\u205f\u3000\ufeff"),
    ranges((0x2000, 0x200A)),
)
"""WhiteSpace and LineTerminator of ECMA-262 §12.2 and §12.3."""


def canonical(character: str) -> str:
    """What stands for `character` where case is ignored: Canonicalize of ECMA-262 §22.2.2.7.3.

    Without JavaScript's flag u that is the upper case, unless this is longer, or would make an ASCII
    character of another. JavaScript sees a character beyond U+FFFF as two, which have no case.
    """
    upper = character.upper()
    if len(upper) != 1 or ord(character) > _BMP_LAST or (character > "\x7f" and upper <= "\x7f"):
        return character
    return upper


@cache
def _kin() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Pairs of characters that are the same but for case, by the first of each pair."""
    found: dict[str, list[int]] = {}
    for code in range(_BMP_LAST + 1):
        found.setdefault(canonical(chr(code)), []).append(code)
    pairs = sorted(pair for family in found.values() for pair in permutations(family, 2))
    return tuple(one for one, _ in pairs), tuple(other for _, other in pairs)


def ignoring_case(one: Ranges) -> Ranges:
    """`one` with all characters that are the same but for case."""
    codes, others = _kin()
    more: set[int] = set()
    for low, high in one:
        kin = others[bisect_left(codes, low) : bisect_right(codes, high)]
        more.update(code for code in kin if not low <= code <= high)
    return union(one, tuple((code, code) for code in more)) if more else one
