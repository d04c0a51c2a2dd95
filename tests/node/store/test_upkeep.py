"""Backup, check and repair, and the how-to guides that tell about them."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from pico_engine.errors import StoreCorrupt, StoreError, StoreFull
from pico_engine.store import Batch
from pico_node.store import LevelStore, repair, upkeep

GUIDES = Path(__file__).parents[3] / "docs" / "how-to"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


def rows_of(store: LevelStore) -> dict[bytes, bytes]:
    return dict(store.scan(b"", b"\xff" * 8))


def make(directory: Path, rows: int = 400) -> dict[bytes, bytes]:
    """A store with half of its rows in a table and half in the log."""
    for half in (0, 1):
        with LevelStore.open(directory) as store:
            store.write(
                Batch({b"%d/%04d" % (half, row): os.urandom(100) for row in range(rows // 2)}, epoch=5)
            )
            written = rows_of(store)
    return written


def flip(path: Path, place: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 1
    path.write_bytes(content)


def test_a_backup_is_a_store_of_the_same_rows(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "COPY_BATCH_BYTES", 10_000)
    rows = make(directory)
    target = directory.with_name("copy")
    with LevelStore.open(directory) as store:
        store.backup(target)
        store.write(Batch({b"later": b"1"}, epoch=5))
    assert sorted(entry.name for entry in directory.parent.iterdir()) == ["copy", "store"]
    assert target.stat().st_mode & 0o777 == 0o700
    with LevelStore.open(target, create=False) as copy:
        assert rows_of(copy) == rows
        with pytest.raises(StoreError, match="epoch 5"):
            copy.write(Batch({b"a": b"1"}, epoch=4))


def test_a_backup_overwrites_nothing(directory: Path) -> None:
    make(directory)
    target = directory.with_name("copy")
    target.write_text("mine")
    with LevelStore.open(directory) as store:
        with pytest.raises(StoreError, match="copy exists already"):
            store.backup(target)
        with pytest.raises(StoreError, match="cannot write to"):
            store.backup(directory / "absent" / "copy")
    assert target.read_text() == "mine"


def test_a_backup_that_fails_leaves_nothing_and_harms_nothing(directory: Path) -> None:
    rows = make(directory, rows=20_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with LevelStore.open(directory) as store:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
        try:
            with pytest.raises(StoreFull, match="unfinished"):
                store.backup(directory.with_name("copy"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        store.write(Batch({b"after": b"1"}, epoch=5))
        assert rows_of(store) == rows | {b"after": b"1"}
    assert [entry.name for entry in directory.parent.iterdir()] == ["store"]


def test_a_damaged_store_is_not_backed_up_as_if_it_were_sound(directory: Path) -> None:
    make(directory)
    flip(next(directory.glob("*.ldb")))
    with LevelStore.open(directory) as store, pytest.raises(StoreCorrupt, match=f"in {directory} is damaged"):
        store.backup(directory.with_name("copy"))
    assert [entry.name for entry in directory.parent.iterdir()] == ["store"]


def test_check_counts_and_reports(directory: Path) -> None:
    rows = make(directory)
    with LevelStore.open(directory) as store:
        found = store.check()
    assert found.damage is None
    assert found.rows == len(rows) + 2, "its own two rows included"
    assert found.size_bytes == sum(len(key) + len(value) for key, value in rows.items()) + len(
        b"!format" + b"1" + b"!epoch" + b"5"
    )
    flip(next(directory.glob("*.ldb")))
    with LevelStore.open(directory) as store:
        found = store.check()
    assert isinstance(found.damage, StoreCorrupt)
    assert found.rows < len(rows)


@pytest.mark.parametrize("damaged", ["*.log", "MANIFEST-*", "CURRENT"])
def test_repair_opens_what_could_not_be_opened(directory: Path, damaged: str) -> None:
    rows = make(directory)
    path = max(directory.glob(damaged), key=lambda path: path.stat().st_size)
    if damaged == "*.log":
        flip(path, 0.3)
    else:
        path.unlink()
    with pytest.raises(StoreCorrupt):
        LevelStore.open(directory)
    files = {path.name: path.read_bytes() for path in directory.iterdir()}
    archive = directory.with_name("archive")
    found = repair(directory, archive)
    assert found.damage is None
    assert files.items() <= {path.name: path.read_bytes() for path in archive.iterdir()}.items()
    with LevelStore.open(directory) as store:
        left = rows_of(store)
        assert left.keys() <= rows.keys()
        if damaged != "*.log":
            assert left == rows
        store.write(Batch({b"after": b"1"}, epoch=5))


def test_repair_touches_no_store_in_use_no_stranger_and_no_archive(directory: Path) -> None:
    make(directory)
    archive = directory.with_name("archive")
    with LevelStore.open(directory), pytest.raises(StoreError, match="open already"):
        repair(directory, archive)
    with pytest.raises(StoreError, match="never opened as a store"):
        repair(directory.parent, archive)
    assert not archive.exists()
    archive.mkdir()
    with pytest.raises(StoreError, match="exists already"):
        repair(directory, archive)


def test_repair_does_not_guess_a_lost_format(directory: Path) -> None:
    rows = make(directory)
    next(directory.glob("*.ldb")).unlink()
    with pytest.raises(StoreCorrupt, match="nothing tells the format"):
        repair(directory, directory.with_name("archive-1"))
    repair(directory, directory.with_name("archive-2"), assume_format=1)
    with LevelStore.open(directory) as store:
        assert rows_of(store) == {key: value for key, value in rows.items() if key.startswith(b"1/")}


def python_blocks(guide: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (GUIDES / guide).read_text(), re.DOTALL)


def run(block: str, home: Path) -> str:
    """Run an example of a guide as it stands there."""
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=home, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_examples_of_the_backup_guide(directory: Path) -> None:
    rows = make(directory)
    copy, check = python_blocks("back-up.md")
    run(copy, directory.parent)
    assert f"{len(rows) + 2} rows, no damage" in run(check, directory.parent)


def test_the_examples_of_the_repair_guide(directory: Path) -> None:
    make(directory)
    check, mend = python_blocks("repair-a-store.md")
    assert "no damage" in run(check, directory.parent)
    flip(next(directory.glob("*.ldb")))
    assert "is damaged" in run(check, directory.parent)
    assert "rows were saved" in run(mend, directory.parent)
