"""Where picos live: the store interface, a batch of writes, and a store in memory."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from pico_engine.errors import StoreError

INSORT_KEYS_MAX: Final = 64
"""Up to so many new keys are put into a sorted list one by one; more are appended and sorted at once.
Both cost time in proportion to the list's length; measured, they meet near a hundred keys."""


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
        """Rows with `start` <= key < `stop`, in key order (backwards if `reverse`), at most `limit`.

        They are the rows of the moment of the call, whatever is written while the caller reads them. Give a
        `limit` when you will not read all: a store may fetch them all at once.
        """
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


def refuse_stale(batch: Batch, newest_epoch: int) -> None:
    """Raise StoreError for a batch of a former reign; every adapter calls this before it writes.

    A batch of epoch 0 is stale too once another epoch was seen: its writer does not know that it must share.
    """
    if batch.epoch < newest_epoch:
        raise StoreError(
            f"refused a batch of epoch {batch.epoch}: the store was taken over under epoch {newest_epoch}",
            "stop this process; another one runs these picos now",
        )


class MemoryStore:
    """A store that forgets: for unit tests, throw-away picos and simulations."""

    def __init__(self) -> None:
        self._rows: dict[bytes, bytes] = {}
        # Sorted when somebody scans, not when somebody writes: loading many rows costs one sort.
        self._keys: list[bytes] = []
        self._unsorted: set[bytes] = set()
        self._epoch = 0

    def get(self, key: bytes) -> bytes | None:
        return self._rows.get(key)

    def scan(
        self, start: bytes, stop: bytes, *, limit: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        low, high = self._span(start, stop)
        if limit is not None:
            low, high = (max(low, high - limit), high) if reverse else (low, min(high, low + limit))
        keys = self._keys[low:high]
        if reverse:
            keys.reverse()
        return iter([(key, self._rows[key]) for key in keys])

    def write(self, batch: Batch) -> None:
        refuse_stale(batch, self._epoch)
        spans = [(prefix, prefix_end(prefix)) for prefix in batch.dropped_prefixes]
        for key, value in batch.rows.items():
            if value is None:
                self._delete(key)
            else:
                if key not in self._rows:
                    self._unsorted.add(key)
                self._rows[key] = value
        for start, stop in spans:
            low, high = self._span(start, stop)
            for key in self._keys[low:high]:
                del self._rows[key]
            del self._keys[low:high]
        self._epoch = batch.epoch

    def close(self) -> None:
        """Nothing to give back."""

    def _span(self, start: bytes, stop: bytes) -> tuple[int, int]:
        """Where the keys from `start` up to `stop` are in the sorted list."""
        if len(self._unsorted) <= INSORT_KEYS_MAX:
            for key in self._unsorted:
                insort(self._keys, key)
        else:
            self._keys += self._unsorted
            self._keys.sort()
        self._unsorted.clear()
        low = bisect_left(self._keys, start)
        return low, max(low, bisect_left(self._keys, stop))

    def _delete(self, key: bytes) -> None:
        if self._rows.pop(key, None) is None:
            return
        if key in self._unsorted:
            self._unsorted.remove(key)
        else:
            del self._keys[bisect_left(self._keys, key)]
