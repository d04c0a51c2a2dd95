"""Where picos live: the store interface, a batch of writes, and a store in memory."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(slots=True)
class Batch:
    """Writes that become durable together or not at all.

    `rows` maps a key to its new value, or to None to delete it. `dropped_prefixes` are key prefixes whose
    rows are all deleted, *after* `rows` was applied (a prefix names a deleted pico; it is never used again).
    `epoch` names the reign of the process that writes: a store shared by several processes refuses a batch
    of an older epoch than it has seen (0: the store is not shared).
    """

    rows: dict[bytes, bytes | None] = field(default_factory=dict)
    dropped_prefixes: list[bytes] = field(default_factory=list)
    epoch: int = 0

    def __bool__(self) -> bool:
        return bool(self.rows or self.dropped_prefixes)


class StoreReader(Protocol):
    """What the core may do with a store: read. It sees every batch that was written before."""

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`, None if there is none."""
        ...

    def scan(
        self, start: bytes, stop: bytes, *, limit: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Rows with `start` <= key < `stop`, in key order (backwards if `reverse`), at most `limit`."""
        ...


class Store(StoreReader, Protocol):
    """A store: an ordered map from bytes to bytes with atomic, durable batches.

    A new store adapter must pass `pico_engine.testing.StoreConformance`.
    """

    def write(self, batch: Batch) -> None:
        """Apply `batch` in one atomic write. When it returns the batch survives kill -9 and power loss.

        Raises StoreFull when there is no room, StoreError for every other failure; after either nothing
        of the batch is to be relied on until the store was opened again.
        """
        ...

    def close(self) -> None:
        """Give the store back. Closing twice is allowed."""
        ...


def prefix_end(prefix: bytes) -> bytes:
    """The smallest key greater than all keys that begin with `prefix`, to end a scan over a prefix."""
    trimmed = prefix.rstrip(b"\xff")
    if not trimmed:
        raise ValueError("a prefix needs at least one byte that is not 0xff")
    return trimmed[:-1] + bytes([trimmed[-1] + 1])


class MemoryStore:
    """A store that forgets: for unit tests, throw-away picos and simulations."""

    def __init__(self) -> None:
        self._keys: list[bytes] = []
        self._rows: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self._rows.get(key)

    def scan(
        self, start: bytes, stop: bytes, *, limit: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        low, high = bisect_left(self._keys, start), bisect_left(self._keys, stop)
        keys = self._keys[low:high]
        if reverse:
            keys.reverse()
        for key in keys[:limit]:
            yield key, self._rows[key]

    def write(self, batch: Batch) -> None:
        for key, value in batch.rows.items():
            if value is None:
                self._delete(key)
            else:
                if key not in self._rows:
                    insort(self._keys, key)
                self._rows[key] = value
        for prefix in batch.dropped_prefixes:
            for key, _ in list(self.scan(prefix, prefix_end(prefix))):
                self._delete(key)

    def _delete(self, key: bytes) -> None:
        if self._rows.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]

    def close(self) -> None:
        """Nothing to give back."""
