"""The trace: one line for each thing that happened in a world, and a hash over all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from hashlib import blake2b

LAST_LINES_MAX = 40
"""Lines that an unkept trace remembers, to show what led to a failure."""


class Trace:
    """Lines of the form `TIME WHO WHAT`, TIME in milliseconds since the world began.

    Two runs are the same when their digests are. The lines themselves are kept on request only.
    """

    def __init__(self, *, keep: bool = False) -> None:
        self._hash = blake2b(digest_size=16)
        self.lines: list[str] | deque[str] = [] if keep else deque(maxlen=LAST_LINES_MAX)
        self.count = 0

    def add(self, now_ms: int, who: str, what: str) -> None:
        line = f"{now_ms:>9} {who:<11} {what}"
        self._hash.update(line.encode())
        self._hash.update(b"\n")
        self.lines.append(line)
        self.count += 1

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def mark_of(parts: Iterable[bytes]) -> str:
    """A few digits that tell this content from other content."""
    digest = blake2b(digest_size=4)
    for part in parts:
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)
    return digest.hexdigest()
