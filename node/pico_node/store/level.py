"""The store on disk: one LevelDB directory, one process, one synchronous write per batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import islice, takewhile
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import plyvel

from pico_engine.errors import StoreCorrupt, StoreError, StoreTooNew
from pico_engine.store import Batch, prefix_end, refuse_stale
from pico_node.store import upkeep
from pico_node.store.leveldb import EPOCH_KEY, FORMAT_KEY, OWN_PREFIX, closed, explain, open_leveldb, readable
from pico_node.store.lock import LOCK_NAME, DirectoryLock

FORMAT_VERSION = 1
"""Raised whenever older code could no longer understand the rows."""

UPGRADES: dict[int, Callable[[LevelStore], Batch]] = {}
"""For each older format the batch that makes it the next one. The rule: archive first. Before an upgrade
runs, the store is copied to a directory beside it; its batch and the new format number are one write."""

_OWN_STOP: Final = prefix_end(OWN_PREFIX)


class LevelStore:
    """`pico_engine.store.Store` on LevelDB; `open` makes one.

    Reads and writes may come from different threads; a process that has one must not fork and use it in the
    child. After a failed write every other one is refused until `reopen`: LevelDB itself would accept it,
    acknowledge it, and lose it at the next start, behind the torn record that the failed one left in its log.
    """

    def __init__(self, directory: Path, lock: DirectoryLock, *, sync: bool) -> None:
        self._directory = directory
        self._lock = lock
        self._sync = sync
        self._process = os.getpid()
        self._db: Any = None
        self._failure: StoreError | None = None
        self._epoch = 0
        self._is_closed = False

    @classmethod
    def open(cls, directory: Path, *, create: bool = True, sync: bool = True) -> Self:
        """The store in `directory`, made (readable by its owner only) if `create` and there is none.

        With `sync=False` writes are faster and survive the death of the process, but not of the machine.
        """
        if create and not directory.exists():
            _make(directory)
        _is_new(directory)  # refuses what is no store, before a lock file is put into it
        lock = DirectoryLock(directory)
        store = cls(directory, lock, sync=sync)
        try:
            store._start(create=create)
        except BaseException:
            store.close()
            raise
        return store

    def reopen(self) -> None:
        """Start LevelDB afresh after a failed write, under the same lock; may be tried again if it fails."""
        if self._is_closed:
            raise closed(self._directory)
        self._stop()
        self._start(create=False)

    def get(self, key: bytes) -> bytes | None:
        db = self._running()
        if key.startswith(OWN_PREFIX):
            return None
        try:
            value: bytes | None = db.get(key, verify_checksums=True)
        except plyvel.Error as error:
            raise explain(error, self._directory) from error
        return value

    def scan(
        self, start: bytes, stop: bytes, *, limit: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        db = self._running()
        if start >= stop:
            return iter(())
        # plyvel 1.5.1 returns nothing when it iterates backwards over a range of one row, unless the range
        # has no start; so its lower bound is kept here.
        rows: Iterator[tuple[bytes, bytes]] = db.iterator(
            start=None if reverse else start, stop=stop, reverse=reverse, verify_checksums=True
        )
        if reverse:
            rows = takewhile(lambda row: row[0] >= start, rows)
        if start < _OWN_STOP and stop > OWN_PREFIX:
            rows = (row for row in rows if not row[0].startswith(OWN_PREFIX))
        return readable(islice(rows, limit), self._directory)

    def write(self, batch: Batch) -> None:
        db = self._running()
        if self._failure:
            raise type(self._failure)(f"not opened again since: {self._failure}", self._failure.hint)
        refuse_stale(batch, self._epoch)
        changes = db.write_batch(sync=self._sync)
        try:
            _fill(changes, batch, db)
            if batch.epoch > self._epoch:
                changes.put(EPOCH_KEY, b"%d" % batch.epoch)
            changes.write()
        except plyvel.Error as error:
            self._failure = explain(error, self._directory)
            raise self._failure from error
        self._epoch = batch.epoch

    def backup(self, target: Path) -> None:
        """Copy the store as it is now into the new directory `target`, while it is in use."""
        upkeep.copy(self._running(), self._directory, target)

    def check(self) -> upkeep.Findings:
        """Read everything that is on disk, comparing checksums."""
        return upkeep.examine(self._running(), self._directory)

    def close(self) -> None:
        self._is_closed = True
        self._stop()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _running(self) -> Any:
        if self._db is None:
            raise closed(self._directory)
        if os.getpid() != self._process:
            raise StoreError(
                f"the store in {self._directory} was opened by the process that forked this one",
                "open stores after forking, in one process only",
            )
        return self._db

    def _start(self, *, create: bool) -> None:
        is_new = _is_new(self._directory)
        if is_new and not create:
            raise StoreError(f"there is no store in {self._directory}", "see whether the directory is right")
        self._db = open_leveldb(self._directory, create=is_new)
        try:
            if is_new:
                self._put_format(self._db.write_batch(sync=True))
                upkeep.sync_directory(self._directory)
            self._check_format()
            self._epoch = int(self._db.get(EPOCH_KEY, verify_checksums=True) or 0)
        except plyvel.Error as error:
            self._stop()
            raise explain(error, self._directory) from error
        except BaseException:
            self._stop()
            raise
        self._failure = None

    def _stop(self) -> None:
        # A forked child has no LevelDB thread to wait for, and its parent goes on using the files.
        if self._db is None or os.getpid() != self._process:
            return
        self._db.close()
        self._db = None

    def _check_format(self) -> None:
        row = self._db.get(FORMAT_KEY, verify_checksums=True)
        if row is None or not row.isdigit():
            raise StoreError(
                f"{self._directory} has a LevelDB database that is no store of picomesh",
                "name another directory; if it is a new store whose first start was interrupted, delete it",
            )
        version = int(row)
        if version > FORMAT_VERSION:
            raise StoreTooNew(
                f"the store in {self._directory} has format {version}; "
                f"this picomesh knows formats up to {FORMAT_VERSION}"
            )
        if version < FORMAT_VERSION:
            upkeep.copy(self._db, self._directory, _archive_name(self._directory, version))
        for older in range(version, FORMAT_VERSION):
            changes = self._db.write_batch(sync=True)
            _fill(changes, UPGRADES[older](self), self._db)
            self._put_format(changes, older + 1)

    def _put_format(self, changes: Any, version: int | None = None) -> None:
        changes.put(FORMAT_KEY, b"%d" % (version or FORMAT_VERSION))
        changes.write()


def _fill(changes: Any, batch: Batch, db: Any) -> None:
    """Put a batch into LevelDB's; where both name a key, LevelDB's later change wins."""
    for key, value in batch.rows.items():
        if key.startswith(OWN_PREFIX):
            raise ValueError(f"keys that begin with {OWN_PREFIX!r} belong to the store itself: {key!r}")
        if value is None:
            changes.delete(key)
        else:
            changes.put(key, value)
    for prefix in batch.dropped_prefixes:
        stop = prefix_end(prefix)
        if prefix < _OWN_STOP and stop > OWN_PREFIX:
            raise ValueError(f"the prefix {prefix!r} would drop rows of the store itself")
        for key in db.iterator(start=prefix, stop=stop, include_value=False, verify_checksums=True):
            changes.delete(key)
        for key in batch.rows:
            if key.startswith(prefix):
                changes.delete(key)


def _make(directory: Path) -> None:
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        upkeep.sync_directory(directory.parent)
    except OSError as error:
        raise StoreError(
            f"cannot make the directory {directory}: {error.strerror}", "see whether its parent is writable"
        ) from error


def _is_new(directory: Path) -> bool:
    """Whether a store has still to be made here. Raises for a directory that neither has one nor may get one.

    It matters because LevelDB, asked to open or make a database, makes an empty one and deletes the tables
    of the old one when the file CURRENT is lost.
    """
    try:
        if (directory / "CURRENT").exists():
            return False
        names = {entry.name for entry in directory.iterdir()}
    except OSError as error:
        raise StoreError(
            f"there is no store in {directory}: {error.strerror}", "see whether the directory is right"
        ) from error
    if LOCK_NAME in names and any(name.endswith((".ldb", ".log")) for name in names):
        raise StoreCorrupt(f"the store in {directory} is damaged: its file CURRENT is missing")
    strangers = {name for name in names if not name.startswith(("LOCK", "LOG", "MANIFEST-", "000"))}
    if strangers:
        raise StoreError(
            f"{directory} is no store of picomesh: it has {min(strangers)}", "name an empty or new directory"
        )
    return True


def _archive_name(directory: Path, version: int) -> Path:
    """A free name beside the store; an upgrade that was interrupted may have taken the first ones."""
    number = 1
    while (archive := directory.with_name(f"{directory.name}.format-{version}.{number}")).exists():
        number += 1
    return archive
