"""Chance from a seed: named streams of draws that do not disturb each other, whole numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pico_engine.harness import SeededEntropy

_Item = TypeVar("_Item")
_DRAW_BYTES = 4
_DRAW_RANGE = 1 << 32


class Chance:
    """One stream of draws. Streams of the same seed and other names are independent: a draw more in one
    leaves the others as they were, so a new fault does not turn a known run into another one.

    Draws are whole numbers from a hash, never floats: they are the same on every machine.
    """

    __slots__ = ("_bytes", "name", "seed")

    def __init__(self, seed: int | str, name: str) -> None:
        self.seed = seed
        self.name = name
        self._bytes = SeededEntropy(f"{seed}/{name}")

    def stream(self, name: str) -> Chance:
        """The stream of this name below this one."""
        return Chance(self.seed, f"{self.name}/{name}")

    def below(self, count: int) -> int:
        """From 0 to `count` - 1, for counts that are small against 2^32."""
        return int.from_bytes(self._bytes(_DRAW_BYTES), "big") * count // _DRAW_RANGE

    def between(self, low: int, high: int) -> int:
        """From `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def long_tail(self, low: int, high: int) -> int:
        """From `low` to `high`, mostly near `low`: what latencies look like (the cube of an even draw)."""
        draw = self.below(1_001)
        return low + (high - low) * draw**3 // 1_000_000_000

    def happens(self, per_mille: int) -> bool:
        return self.below(1_000) < per_mille

    def pick(self, items: Sequence[_Item]) -> _Item:
        return items[self.below(len(items))]
