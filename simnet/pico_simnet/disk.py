"""A disk that forgets what was not synced: the store of a simulated node, which can crash and fail."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pico_engine.errors import StoreError
from pico_engine.store import Batch, MemoryStore, prefix_end, refuse_stale


@dataclass(frozen=True, slots=True)
class Crashed:
    """What a crash did to the batches that were on their way: these reached the disk, those did not."""

    kept: int
    lost: int


class SimulatedDisk:
    """`pico_engine.store.Store` for simulations, with the group commit in two steps.

    `begin_write` hands a batch to the disk: not durable, not seen by reads. `finish` is the moment when the
    sync returned: durable and seen. What passes between them is up to the simulated world. Batches finish in
    the order in which they began. `write` is both at once.

    `crash` ends the process that had the disk, and the disk is ready for the next one. Of the batches on
    their way a prefix may have reached it, each whole: a log on a real disk ends somewhere. A write that
    failed is such a batch too; after it every write is refused until `crash`, as in a store on a real disk
    until it is opened again.

    Not modelled: damage, bytes that a real disk lost although it said they were synced.
    """

    def __init__(self) -> None:
        self._rows = MemoryStore()
        self._in_flight: deque[tuple[int, Batch]] = deque()
        self._handles = 0
        self._epoch = 0  # of the newest batch that began
        self._synced_epoch = 0
        self._next_failure: StoreError | None = None
        self._failure: StoreError | None = None
        self._is_closed = False

    @property
    def in_flight(self) -> int:
        """Batches that began and did not finish."""
        return len(self._in_flight)

    def get(self, key: bytes) -> bytes | None:
        self._require_open()
        return self._rows.get(key)

    def scan(
        self, start: bytes, stop: bytes, *, limit: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        self._require_open()
        return self._rows.scan(start, stop, limit=limit, reverse=reverse)

    def write(self, batch: Batch) -> None:
        self.finish(self.begin_write(batch))

    def begin_write(self, batch: Batch) -> int:
        """Hand over a batch; returns the handle to `finish` it with."""
        self._require_working()
        refuse_stale(batch, self._epoch)
        for prefix in batch.dropped_prefixes:
            prefix_end(prefix)  # raises for what would be refused later
        self._epoch = batch.epoch
        self._handles += 1
        own = replace(batch, rows=dict(batch.rows), dropped_prefixes=list(batch.dropped_prefixes))
        self._in_flight.append((self._handles, own))
        return self._handles

    def finish(self, handle: int) -> None:
        """The sync of this batch returned. Raises StoreError if it failed, or the disk crashed meanwhile."""
        self._require_working()
        if not any(number == handle for number, _ in self._in_flight):
            raise StoreError(f"write {handle} is not on its way", "a crash took it, or it finished before")
        if self._in_flight[0][0] != handle:
            raise ValueError(f"write {handle} cannot finish before write {self._in_flight[0][0]}")
        if self._next_failure:
            self._failure, self._next_failure = self._next_failure, None
            raise self._failure
        self._sync_oldest()

    def fail_next(self, error: StoreError | None) -> None:
        """Let the next `finish` (or `write`) fail in this way; None: let it succeed after all."""
        self._next_failure = error

    def crash(self, keep: int | Callable[[int], int] = 0) -> Crashed:
        """Cut the power; then the disk is open for the next process. Also how to open it after a failure.

        `keep` says how many of the batches on their way had reached the disk, or is drawn: it is called with
        their number and answers with one from 0 to that.
        """
        count = len(self._in_flight)
        kept = keep(count) if callable(keep) else keep
        if not 0 <= kept <= count:
            raise ValueError(f"of {count} batches on their way {kept} cannot be kept")
        for _ in range(kept):
            self._sync_oldest()
        self._in_flight.clear()
        self._epoch = self._synced_epoch
        self._next_failure = self._failure = None
        self._is_closed = False
        return Crashed(kept, count - kept)

    def close(self) -> None:
        """End the process in good order. What is on its way stays so; `crash` tells whether it arrives."""
        self._is_closed = True

    def _sync_oldest(self) -> None:
        _, batch = self._in_flight.popleft()
        self._rows.write(batch)
        self._synced_epoch = batch.epoch

    def _require_working(self) -> None:
        self._require_open()
        if self._failure:
            raise type(self._failure)(f"not opened again since: {self._failure}", self._failure.hint)

    def _require_open(self) -> None:
        if self._is_closed:
            raise StoreError("the simulated disk is closed", "open it again before using it")
