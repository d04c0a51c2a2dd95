"""Tests of characters against a set: by Python's `re`, which is fast, or for large sets by their ranges.

`re` is given single character classes only, with which it cannot run away. It lists the characters of a class
one by one when it compiles it, so the class is written from the set or from what is not in it, whichever is
smaller; and where both are large, not at all.
"""

from __future__ import annotations

import re
from typing import Final

from pico_engine.regex import charset
from pico_engine.regex.charset import Ranges

LISTED_MAX_CHARS: Final = 2_048
"""`re` takes about a tenth of a millisecond for so many."""

_FAST_CHARS_PER_STEP: Final = 32
_SLOW_CHARS_PER_STEP: Final = 2


class Members:
    """A set that is asked often. `chars_per_step`: how many are looked at in the time of one instruction."""

    __slots__ = ("_class", "_one", "_ranges", "_run", "chars_per_step")

    def __init__(self, members: Ranges) -> None:
        self._ranges = members
        written = python_class(members)
        self._class = None if written is None else re.compile(written)
        self._one = None if self._class is None else self._class.match
        self._run = None if written is None else re.compile(written + "*+").match
        self.chars_per_step = _FAST_CHARS_PER_STEP if written is not None else _SLOW_CHARS_PER_STEP

    def has(self, text: str, at: int) -> bool:
        """Whether there is a character at `at`, and it is one of the set."""
        if self._one is not None:
            return self._one(text, at) is not None
        return at < len(text) and charset.contains(self._ranges, ord(text[at]))

    def run_end(self, text: str, begin: int, limit: int) -> int:
        """How far the characters from `begin` on belong to the set; `limit` at most."""
        if self._run is not None:
            found = self._run(text, begin, limit)
            return begin if found is None else found.end()
        at = begin
        while at < limit and charset.contains(self._ranges, ord(text[at])):
            at += 1
        return at

    def find(self, text: str, begin: int) -> int:
        """Where the first one from `begin` on is; the length of `text` if there is none."""
        if self._class is not None:
            found = self._class.search(text, begin)
            return len(text) if found is None else found.start()
        at = begin
        while at < len(text) and not charset.contains(self._ranges, ord(text[at])):
            at += 1
        return at


def python_class(members: Ranges) -> str | None:
    """The set as a character class for `re`; None if that would take long to compile."""
    outside = charset.complement(members)
    if _listed(members) <= min(_listed(outside), LISTED_MAX_CHARS):
        return f"[{_written(members)}]" if members else r"[^\x00-\U0010ffff]"
    if _listed(outside) <= LISTED_MAX_CHARS:
        return f"[^{_written(outside)}]" if outside else r"[\x00-\U0010ffff]"
    return None


def _listed(members: Ranges) -> int:
    """Characters that `re` lists: those of the basic plane."""
    return charset.size(tuple((low, min(high, 0xFFFF)) for low, high in members if low <= 0xFFFF))


def _written(members: Ranges) -> str:
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in members)
