"""The store on disk, against real files, a real full disk and real damage."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import plyvel
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pico_engine.errors import StoreCorrupt, StoreError, StoreFull, StoreLocked, StoreTooNew
from pico_engine.store import Batch, prefix_end
from pico_engine.testing import StoreConformance
from pico_node.store import LevelStore, level


class TestLevelStore(StoreConformance):
    def open_store(self, directory: str) -> LevelStore:
        return LevelStore.open(Path(directory))


class TestLevelStoreWithoutSync(StoreConformance):
    def open_store(self, directory: str) -> LevelStore:
        return LevelStore.open(Path(directory), sync=False)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


def rows_of(store: LevelStore) -> dict[bytes, bytes]:
    return dict(store.scan(b"", b"\xff" * 8))


keys = st.binary(min_size=1, max_size=3).filter(lambda key: key[:1] not in (b"!", b"\xff", b" "))
batches = st.builds(
    Batch,
    st.dictionaries(keys, st.none() | st.binary(max_size=3), max_size=8),
    st.lists(keys, max_size=2),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.one_of(batches, batches, batches, st.none()), max_size=10), keys, keys)
def test_agrees_with_a_dictionary(tmp_path_factory, program: list[Batch | None], start, stop) -> None:
    """None stands for closing and opening again."""
    directory = tmp_path_factory.mktemp("model") / "store"
    model: dict[bytes, bytes] = {}
    store = LevelStore.open(directory, sync=False)
    for batch in program:
        if batch is None:
            store.close()
            store = LevelStore.open(directory, sync=False)
            continue
        store.write(batch)
        model |= {key: value for key, value in batch.rows.items() if value is not None}
        gone = {key for key, value in batch.rows.items() if value is None}
        for prefix in batch.dropped_prefixes:
            gone |= {key for key in model if prefix <= key < prefix_end(prefix)}
        model = {key: value for key, value in model.items() if key not in gone}
        assert rows_of(store) == model
    expected = sorted(row for row in model.items() if start <= row[0] < stop)
    assert list(store.scan(start, stop)) == expected
    assert list(store.scan(start, stop, reverse=True)) == expected[::-1]
    store.close()


def test_the_directory_is_for_its_owner_only(tmp_path: Path) -> None:
    with LevelStore.open(tmp_path / "new" / "store"):
        assert (tmp_path / "new" / "store").stat().st_mode & 0o777 == 0o700


def test_create_false_makes_nothing(directory: Path) -> None:
    with pytest.raises(StoreError, match="no store"):
        LevelStore.open(directory, create=False)
    assert not directory.exists()
    directory.mkdir()
    with pytest.raises(StoreError, match="no store"):
        LevelStore.open(directory, create=False)
    LevelStore.open(directory).close()
    LevelStore.open(directory, create=False).close()


def test_a_foreign_directory_is_left_alone(directory: Path) -> None:
    directory.mkdir()
    (directory / "thesis.log").write_text("years of work")
    with pytest.raises(StoreError, match=r"no store of picomesh: it has thesis\.log"):
        LevelStore.open(directory)
    assert [entry.name for entry in directory.iterdir()] == ["thesis.log"]
    with pytest.raises(StoreError, match="Not a directory"):
        LevelStore.open(directory / "thesis.log")


def test_a_foreign_database_is_refused(directory: Path) -> None:
    with plyvel.DB(str(directory), create_if_missing=True) as foreign:
        foreign.put(b"a", b"1")
    with pytest.raises(StoreError, match="no store of picomesh"):
        LevelStore.open(directory)
    with plyvel.DB(str(directory)) as foreign:
        assert list(foreign) == [(b"a", b"1")]


def test_a_first_start_that_was_killed_early_is_taken_up(directory: Path) -> None:
    directory.mkdir()
    for name in ("LOCK.picomesh", "LOCK", "LOG", "MANIFEST-000001", "000001.dbtmp"):
        (directory / name).touch()
    with LevelStore.open(directory) as store:
        store.write(Batch({b"a": b"1"}))


def test_a_newer_format_is_refused_and_left_alone(directory: Path) -> None:
    LevelStore.open(directory).close()
    with plyvel.DB(str(directory)) as db:
        assert db.get(b"!format") == b"%d" % level.FORMAT_VERSION
        db.put(b"!format", b"99")
    with pytest.raises(StoreTooNew, match=rf"format 99; .* {level.FORMAT_VERSION}$"):
        LevelStore.open(directory)
    with plyvel.DB(str(directory)) as db:
        assert db.get(b"!format") == b"99"


def test_every_older_format_has_an_upgrade() -> None:
    assert set(level.UPGRADES) == set(range(1, level.FORMAT_VERSION))


def test_an_upgrade_archives_first(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LevelStore.open(directory) as store:
        store.write(Batch({b"count": b"1", b"other": b"x"}, epoch=2))
    steps = {
        1: lambda store: Batch({b"count": store.get(b"count") + b"2"}),
        2: lambda store: Batch({b"count": store.get(b"count") + b"3"}, [b"other"]),
    }
    monkeypatch.setattr(level, "FORMAT_VERSION", 3)
    monkeypatch.setattr(level, "UPGRADES", {1: steps[1], 2: lambda store: 1 // 0})
    with pytest.raises(ZeroDivisionError):
        LevelStore.open(directory)
    monkeypatch.setattr(level, "UPGRADES", steps)
    with LevelStore.open(directory) as store:
        assert rows_of(store) == {b"count": b"123"}
    with LevelStore.open(directory) as store:
        assert rows_of(store) == {b"count": b"123"}, "an upgrade is not repeated"
    assert sorted(entry.name for entry in directory.parent.iterdir()) == [
        "store",
        "store.format-1.1",
        "store.format-2.1",
    ]
    monkeypatch.setattr(level, "FORMAT_VERSION", 1)
    with LevelStore.open(directory.with_name("store.format-1.1")) as archive:
        assert rows_of(archive) == {b"count": b"1", b"other": b"x"}


def test_rows_of_the_store_itself_cannot_be_touched(directory: Path) -> None:
    with LevelStore.open(directory) as store:
        store.write(Batch({b" ": b"1", b'"': b"2"}, epoch=1))
        for batch in (Batch({b"!format": b"9"}, epoch=1), Batch({}, [b"!"], 1), Batch({}, [b"!epo"], 1)):
            with pytest.raises(ValueError, match="store itself"):
                store.write(batch)
        assert store.get(b"!format") is None
        assert rows_of(store) == {b" ": b"1", b'"': b"2"}
        assert [key for key, _ in store.scan(b" ", b"a", limit=2, reverse=True)] == [b'"', b" "]


def test_a_second_opening_is_refused_and_does_no_harm(directory: Path) -> None:
    """LevelDB's own lock would be gone after the second attempt, and the third would get in."""
    opening = (
        "import sys, pathlib; from pico_node.store import LevelStore as S; S.open(pathlib.Path(sys.argv[1]))"
    )
    with LevelStore.open(directory) as store:
        for _ in range(2):
            with pytest.raises(StoreLocked, match=f"this very process .*{os.getpid()}"):
                LevelStore.open(directory)
            other = subprocess.run(
                [sys.executable, "-c", opening, str(directory)], capture_output=True, text=True, check=False
            )
            assert other.returncode != 0
            assert (
                f"StoreLocked: {directory} is open already, in the process with id {os.getpid()}"
                in other.stderr
            )
        store.write(Batch({b"a": b"1"}))
    LevelStore.open(directory).close()


def test_a_forked_child_can_neither_use_nor_unlock_the_store(directory: Path) -> None:
    with LevelStore.open(directory) as store:
        child = os.fork()
        if child == 0:
            try:
                store.write(Batch({b"a": b"child"}))
            except StoreError:
                store.close()
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        with pytest.raises(StoreLocked, match="this very process"):
            LevelStore.open(directory)
        store.write(Batch({b"a": b"parent"}))
        assert rows_of(store) == {b"a": b"parent"}


def test_an_unfinished_scan_of_a_closed_store_says_so(directory: Path) -> None:
    store = LevelStore.open(directory)
    store.write(Batch({b"a": b"1", b"b": b"2"}))
    rows = store.scan(b"a", b"z")
    assert next(rows) == (b"a", b"1")
    store.close()
    with pytest.raises(StoreError, match="closed"):
        next(rows)
    for use in (store.check, store.reopen, lambda: store.backup(directory.with_name("copy"))):
        with pytest.raises(StoreError, match="closed"):
            use()


@contextmanager
def file_size_limit(limit_bytes: int):
    """Files cannot grow beyond the limit: what a full disk looks like, without being root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def fill(store: LevelStore) -> int:
    """Write batches of 50 rows until the store is full; how many were acknowledged."""
    for number in range(10_000):
        try:
            store.write(Batch({b"%05d/%02d" % (number, row): os.urandom(100) for row in range(50)}))
        except StoreFull:
            return number
    raise AssertionError("the disk never got full")


def assert_whole(store: LevelStore, acknowledged: int, batch_rows: int = 50) -> None:
    """All acknowledged batches are there, none in part; the one in flight may be there or not."""
    count = len(rows_of(store))
    assert count in (acknowledged * batch_rows, (acknowledged + 1) * batch_rows)


def test_a_full_disk_is_told_and_loses_nothing(directory: Path) -> None:
    store = LevelStore.open(directory)
    with file_size_limit(300_000):
        acknowledged = fill(store)
    assert acknowledged > 10
    with pytest.raises(StoreFull, match="not opened again since"):
        store.write(Batch({b"after": b"LevelDB would take this one, acknowledge it, and lose it"}))
    assert len(rows_of(store)) == acknowledged * 50, "reading goes on"
    store.reopen()
    assert_whole(store, acknowledged)
    store.write(Batch({b"after": b"now"}))
    store.close()
    with LevelStore.open(directory) as store:
        assert store.get(b"after") == b"now"


@pytest.mark.skipif(os.geteuid() != 0 or not sys.platform.startswith("linux"), reason="mounts a small disk")
def test_a_really_full_disk(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("may not mount here")
    try:
        store = LevelStore.open(tmp_path / "store")
        acknowledged = fill(store)
        with pytest.raises(StoreFull):
            store.reopen()
        with pytest.raises(StoreError, match="closed"):
            store.write(Batch({b"a": b"1"}))
        subprocess.run(["mount", "-o", "remount,size=64m", str(tmp_path)], check=True)
        store.reopen()
        assert_whole(store, acknowledged)
        store.write(Batch({b"after": b"1"}))
        store.close()
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


WRITER = """
import sys
from pathlib import Path
from pico_engine.store import Batch
from pico_node.store import LevelStore
store = LevelStore.open(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    rows = {b"%08d/%02d" % (number, row): bytes(200) for row in range(20)}
    store.write(Batch(rows | {b"newest": b"%d" % number}))
    print(number, flush=True)
    number += 1
"""


def test_kill_9_loses_nothing_that_was_acknowledged(directory: Path) -> None:
    first = 0
    for lines in (1, 40, 150, 7, 90):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(directory), str(first)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(lines)]
        child.send_signal(signal.SIGKILL)
        said += child.stdout.readlines()
        child.wait()
        child.stdout.close()
        acknowledged = int([line for line in said if line.endswith("\n")][-1])
        with LevelStore.open(directory) as store:
            newest = int(store.get(b"newest") or -1)
            assert newest >= acknowledged
            expected = [b"%08d/%02d" % (number, row) for number in range(newest + 1) for row in range(20)]
            assert [key for key, _ in store.scan(b"0", b"9")] == expected
        first = newest + 1


def make(directory: Path, batches: int = 60) -> dict[bytes, bytes]:
    """A store with rows in tables and in the log."""
    for half in (0, 1):
        with LevelStore.open(directory, sync=False) as store:
            for number in range(batches // 2):
                key = b"%d/%04d/" % (half, number)
                store.write(Batch({key + b"%d" % row: os.urandom(100) for row in range(10)}))
            rows = rows_of(store)
    return rows


def newest(directory: Path, pattern: str) -> Path:
    return max((path for path in directory.glob(pattern) if path.stat().st_size), key=lambda path: path.name)


def test_a_torn_last_record_loses_only_its_own_batch(directory: Path) -> None:
    rows = make(directory)
    log = newest(directory, "*.log")
    whole = log.read_bytes()
    for cut in (1, 100, 900):
        log.write_bytes(whole[:-cut])
        copy = directory.with_name(f"cut-{cut}")
        shutil.copytree(directory, copy)
        with LevelStore.open(copy) as store:
            missing = rows.keys() - rows_of(store).keys()
        assert {key[:7] for key in missing} == {b"1/0029/"}
        assert len(missing) == 10


def test_zeros_after_the_last_record_are_no_damage(directory: Path) -> None:
    """Some file systems leave them after a power loss."""
    rows = make(directory)
    with newest(directory, "*.log").open("ab") as log:
        log.write(bytes(5_000))
    with LevelStore.open(directory) as store:
        assert rows_of(store) == rows


def damage_of(directory: Path, rows: dict[bytes, bytes]) -> StoreCorrupt | None:
    """What is said about the damage; without any, the rows must be these."""
    try:
        with LevelStore.open(directory) as store:
            if damage := store.check().damage:
                return damage
            assert rows_of(store) == rows
    except StoreCorrupt as damage:
        return damage
    return None


def test_bit_flips_are_told(directory: Path) -> None:
    """Either every row is read as it was, or the damage is reported: nothing is missing in silence."""
    rows = make(directory)
    told = 0
    for pattern in ("*.log", "*.ldb"):
        sound = newest(directory, pattern)
        for step in range(12):
            copy = directory.with_name(f"{pattern[2:]}-{step}")
            shutil.copytree(directory, copy)
            content = bytearray(sound.read_bytes())
            content[len(content) * (2 * step + 1) // 24] ^= 1 << step % 8
            (copy / sound.name).write_bytes(content)
            damage = damage_of(copy, rows)
            if damage:
                assert str(copy) in str(damage)
                assert "repair-a-store.md" in damage.hint
                told += 1
    assert told >= 20


def test_reads_of_a_damaged_table_raise(directory: Path) -> None:
    make(directory)
    table = newest(directory, "*.ldb")
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    with LevelStore.open(directory) as store:
        with pytest.raises(StoreCorrupt, match=str(directory)):
            for number in range(30):
                store.get(b"0/%04d/0" % number)
        with pytest.raises(StoreCorrupt, match=str(directory)):
            rows_of(store)
        with pytest.raises(StoreCorrupt, match=str(directory)):
            store.write(Batch(dropped_prefixes=[b"0/"]))


@pytest.mark.parametrize("lost", ["CURRENT", "MANIFEST-*", "*.ldb"])
def test_a_lost_file_is_told(directory: Path, lost: str) -> None:
    make(directory)
    newest(directory, lost).unlink()
    before = {path.name for path in directory.glob("*.ldb")}
    with pytest.raises(StoreCorrupt, match=str(directory)):
        LevelStore.open(directory)
    assert {path.name for path in directory.glob("*.ldb")} == before, "nothing is thrown away"


def test_reads_and_backups_in_other_threads(directory: Path) -> None:
    with LevelStore.open(directory, sync=False) as store:
        problems: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for step in range(60):
                    store.write(Batch({b"%d/%03d/%d" % (number, step, row): b"v" for row in range(5)}))
                    assert len(list(store.scan(b"%d/" % number, b"%d0" % number))) == (step + 1) * 5
            except BaseException as problem:
                problems.append(problem)

        workers = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for worker in workers:
            worker.start()
        store.backup(directory.with_name("copy"))
        for worker in workers:
            worker.join()
        assert not problems
    with LevelStore.open(directory.with_name("copy")) as copy:
        assert len(rows_of(copy)) % 5 == 0, "batches are whole in a backup"
