"""Randomness of the operating system, fetched in larger pieces: a turn needs a few bytes, very often."""

from __future__ import annotations

import os

PIECE_BYTES = 4_096


class SystemEntropy:
    """`entropy(n)` for engine and DIDComm."""

    __slots__ = ("_left", "_position")

    def __init__(self) -> None:
        self._left = b""
        self._position = 0

    def __call__(self, count: int) -> bytes:
        end = self._position + count
        if end > len(self._left):
            self._left = os.urandom(max(PIECE_BYTES, count))
            self._position, end = 0, count
        taken = self._left[self._position : end]
        self._position = end
        return taken
