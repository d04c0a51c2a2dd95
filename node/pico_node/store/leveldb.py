"""What LevelDB needs to be trusted: how it is opened, what its errors mean, which rows are our own."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import plyvel

from pico_engine.errors import StoreCorrupt, StoreError, StoreFull, StoreLocked

OWN_PREFIX: Final = b"!"
"""Rows of the adapter itself; the core never sees them and may not write them."""
FORMAT_KEY: Final = b"!format"
EPOCH_KEY: Final = b"!epoch"

WRITE_BUFFER_BYTES: Final = 16 * 1024 * 1024
"""Four times LevelDB's default: a third more rows a second, for at most 16 MiB to replay at opening."""
BLOOM_BITS_PER_KEY: Final = 10
"""A hundredth of the reads of absent keys goes to the disk."""

Row = TypeVar("Row")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def open_leveldb(directory: Path, *, create: bool) -> Any:
    """LevelDB with all its checks on; its defaults let most damage pass in silence."""
    try:
        return plyvel.DB(
            str(directory),
            create_if_missing=create,
            error_if_exists=create,
            paranoid_checks=True,
            write_buffer_size=WRITE_BUFFER_BYTES,
            bloom_filter_bits=BLOOM_BITS_PER_KEY,
        )
    except plyvel.Error as error:
        raise explain(error, directory) from error


def explain(error: plyvel.Error, directory: Path) -> StoreError:
    """LevelDB's error as one of ours. It hands over only a text, which ends with the system's message."""
    detail = error.args[0] if error.args else b""
    text = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
    where = f"the store in {directory}"
    if text.endswith(tuple(os.strerror(code) for code in _NO_ROOM)):
        return StoreFull(f"no room for {where}: {text}")
    if isinstance(error, plyvel.CorruptionError) or text.endswith(os.strerror(errno.ENOENT)):
        return StoreCorrupt(f"{where} is damaged: {text}")
    if "/LOCK:" in text and text.startswith("IO error: lock "):
        return StoreLocked(f"{where} is open in another program: {text}")
    return StoreError(f"{where} failed: {text}", "see whether its disk is there, writable and healthy")


def closed(directory: Path) -> StoreError:
    return StoreError(f"the store in {directory} is closed", "open it again before using it")


def readable(rows: Iterable[Row], directory: Path) -> Iterator[Row]:
    """The rows of one of LevelDB's iterators, its errors as ours."""
    try:
        yield from rows
    except plyvel.Error as error:
        raise explain(error, directory) from error
    except RuntimeError as error:  # how plyvel says that the database was closed meanwhile
        raise closed(directory) from error
