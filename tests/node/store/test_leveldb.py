"""What LevelDB's errors become."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import plyvel
import pytest

from pico_engine.errors import StoreCorrupt, StoreError, StoreFull, StoreLocked
from pico_node.store.leveldb import explain, open_leveldb, readable

WHERE = Path("/somewhere/store")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (plyvel.IOError(b"IO error: /x/000003.log: " + os.strerror(errno.ENOSPC).encode()), StoreFull),
        (plyvel.IOError(b"IO error: /x/000003.log: " + os.strerror(errno.EDQUOT).encode()), StoreFull),
        (plyvel.IOError(b"IO error: /x/000003.log: " + os.strerror(errno.EFBIG).encode()), StoreFull),
        (plyvel.IOError(b"IO error: /x/000003.log: " + os.strerror(errno.EIO).encode()), StoreError),
        (plyvel.IOError(b"IO error: lock /x/LOCK: already held by process"), StoreLocked),
        (plyvel.CorruptionError(b"Corruption: block checksum mismatch"), StoreCorrupt),
        (plyvel.Error(b"NotFound: /x/MANIFEST-000002: No such file or directory"), StoreCorrupt),
        (plyvel.Error("text \u00e9"), StoreError),
        (plyvel.Error(), StoreError),
    ],
)
def test_each_error_has_its_kind_and_names_the_directory(error: plyvel.Error, expected: type) -> None:
    explained = explain(error, WHERE)
    assert type(explained) is expected
    assert str(WHERE) in str(explained)
    assert explained.hint


def test_a_database_of_another_program_is_not_opened_twice(tmp_path: Path) -> None:
    db = open_leveldb(tmp_path / "db", create=True)
    with pytest.raises(StoreLocked):
        open_leveldb(tmp_path / "db", create=False)
    db.close()
    with pytest.raises(StoreError):
        open_leveldb(tmp_path / "db", create=True)


def test_rows_of_a_closed_database_are_refused(tmp_path: Path) -> None:
    db = open_leveldb(tmp_path / "db", create=True)
    db.put(b"a", b"1")
    rows = readable(db.iterator(), WHERE)
    db.close()
    with pytest.raises(StoreError, match="closed"):
        next(rows)
