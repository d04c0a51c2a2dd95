"""Looking after a store: copying it while it runs, reading all of it, saving what damage has left."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import plyvel

from pico_engine.errors import StoreCorrupt, StoreError
from pico_node.store.leveldb import FORMAT_KEY, explain, open_leveldb, readable
from pico_node.store.lock import LOCK_NAME, DirectoryLock

COPY_BATCH_BYTES: Final = 4 * 1024 * 1024
"""So much of a copy is held in memory and synced at once."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What reading a store found. With damage, the counts tell what came before it."""

    rows: int
    size_bytes: int
    damage: StoreCorrupt | None


def examine(db: Any, directory: Path) -> Findings:
    """Read every row from the disk, comparing checksums, to the end or the first damage."""
    rows = size_bytes = 0
    try:
        for key, value in readable(db.iterator(verify_checksums=True, fill_cache=False), directory):
            rows += 1
            size_bytes += len(key) + len(value)
    except StoreCorrupt as damage:
        return Findings(rows, size_bytes, damage)
    return Findings(rows, size_bytes, None)


def copy(db: Any, source: Path, target: Path) -> None:
    """Copy a running store as it is now. `target` appears when it is complete, or not at all."""
    refuse_existing(target)
    try:
        unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}.unfinished-", dir=target.parent))
    except OSError as error:
        raise StoreError(f"cannot write to {target.parent}: {error.strerror}", _WRITABLE) from error
    try:
        _copy_rows(db, source, unfinished)
        unfinished.rename(target)
        sync_directory(target.parent)
    except OSError as error:
        raise StoreError(f"cannot finish {target}: {error.strerror}", _WRITABLE) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def repair(directory: Path, archive: Path, *, assume_format: int | None = None) -> Findings:
    """Make a damaged store readable again, as far as that goes, after copying all its files to `archive`.

    A last resort when there is no backup: rows may be missing afterwards, others may be older than they were,
    and those that were in the log may be damaged, because LevelDB's repair reads it without checksums.
    `assume_format` is written when the row that tells the format is lost too; a wrong one spoils all rows.
    """
    refuse_existing(archive)
    if not (directory / LOCK_NAME).exists():
        raise StoreError(f"{directory} was never opened as a store", "name the directory of a store")
    lock = DirectoryLock(directory)
    try:
        shutil.copytree(directory, archive)
        os.sync()
        plyvel.repair_db(str(directory), paranoid_checks=True)
        db = open_leveldb(directory, create=False)
        try:
            if db.get(FORMAT_KEY) is None:
                if assume_format is None:
                    raise StoreCorrupt(
                        f"nothing tells the format of what is left in {directory}",
                        f"restore a backup, or repair again with assume_format; all files are in {archive}",
                    )
                db.put(FORMAT_KEY, b"%d" % assume_format, sync=True)
            return examine(db, directory)
        finally:
            db.close()
    except plyvel.Error as error:
        raise explain(error, directory) from error
    except OSError as error:
        raise StoreError(f"cannot copy {directory} to {archive}: {error}", _WRITABLE) from error
    finally:
        lock.release()


def refuse_existing(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise StoreError(f"{path} exists already", "name a directory that does not exist yet")


def sync_directory(directory: Path) -> None:
    """Make the names in a directory survive a power loss; syncing the files does not."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_WRITABLE = "choose a place that is writable and has room"


def _copy_rows(db: Any, source: Path, target: Path) -> None:
    with db.snapshot() as snapshot:
        rows = readable(snapshot.iterator(verify_checksums=True, fill_cache=False), source)
        copied = open_leveldb(target, create=True)
        try:
            batch, batch_bytes = copied.write_batch(sync=True), 0
            for key, value in rows:
                batch.put(key, value)
                batch_bytes += len(key) + len(value)
                if batch_bytes >= COPY_BATCH_BYTES:
                    batch.write()
                    batch.clear()
                    batch_bytes = 0
            batch.write()
        except plyvel.Error as error:
            raise explain(error, target) from error
        finally:
            copied.close()
