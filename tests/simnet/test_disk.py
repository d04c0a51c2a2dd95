"""The simulated disk: an ordinary store that can crash."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.errors import StoreError, StoreFull
from pico_engine.store import Batch
from pico_engine.testing import StoreConformance
from pico_simnet.disk import Crashed, SimulatedDisk


class TestSimulatedDisk(StoreConformance):
    """Through plain `write`; reopening is a power loss."""

    def open_store(self, directory: str) -> SimulatedDisk:
        return SimulatedDisk()

    def reopen(self, store: SimulatedDisk, directory: str) -> SimulatedDisk:
        assert store.crash() == Crashed(0, 0)
        return store


class TestSimulatedDiskClosedInGoodOrder(TestSimulatedDisk):
    def reopen(self, store: SimulatedDisk, directory: str) -> SimulatedDisk:
        store.close()
        return super().reopen(store, directory)


def rows_of(disk: SimulatedDisk) -> list[bytes]:
    return [key for key, _ in disk.scan(b"", b"\xff")]


def begin(disk: SimulatedDisk, *keys: bytes) -> list[int]:
    return [disk.begin_write(Batch({key: b"v", key + b"+": b"v"})) for key in keys]


def test_what_began_is_neither_seen_nor_durable() -> None:
    disk = SimulatedDisk()
    first, _ = begin(disk, b"a", b"b")
    assert rows_of(disk) == []
    assert disk.get(b"a") is None
    disk.finish(first)
    assert rows_of(disk) == [b"a", b"a+"]
    assert disk.in_flight == 1
    assert disk.crash() == Crashed(kept=0, lost=1)
    assert rows_of(disk) == [b"a", b"a+"]
    assert disk.in_flight == 0


@pytest.mark.parametrize("keep", [0, 1, 2, 3])
def test_a_crash_keeps_whole_batches_from_the_front(keep: int) -> None:
    disk = SimulatedDisk()
    begin(disk, b"a", b"b", b"c")
    assert disk.crash(keep) == Crashed(keep, 3 - keep)
    assert rows_of(disk) == [b"a", b"a+", b"b", b"b+", b"c", b"c+"][: 2 * keep]


def test_a_draw_is_told_how_many_are_on_their_way() -> None:
    disk = SimulatedDisk()
    begin(disk, b"a", b"b")
    asked: list[int] = []
    assert disk.crash(lambda count: asked.append(count) or 1) == Crashed(1, 1)
    assert asked == [2]
    for keep in (1, -1, lambda count: count + 1):
        with pytest.raises(ValueError, match="cannot be kept"):
            disk.crash(keep)


def test_a_former_process_cannot_finish_its_write() -> None:
    disk = SimulatedDisk()
    (old,) = begin(disk, b"a")
    disk.crash()
    begin(disk, b"b")
    with pytest.raises(StoreError, match=f"write {old} is not on its way"):
        disk.finish(old)
    assert rows_of(disk) == []


def test_writes_finish_once_and_in_order() -> None:
    disk = SimulatedDisk()
    first, second = begin(disk, b"a", b"b")
    with pytest.raises(ValueError, match="cannot finish before"):
        disk.finish(second)
    disk.finish(first)
    with pytest.raises(StoreError, match="not on its way"):
        disk.finish(first)
    disk.finish(second)


@pytest.mark.parametrize(("keep", "expected"), [(0, [b"a"]), (1, [b"a", b"b"])])
def test_a_failed_write_is_in_doubt_until_the_disk_is_opened_again(keep: int, expected: list[bytes]) -> None:
    disk = SimulatedDisk()
    disk.write(Batch({b"a": b"1"}))
    disk.fail_next(StoreFull())
    with pytest.raises(StoreFull):
        disk.write(Batch({b"b": b"2"}))
    with pytest.raises(StoreFull, match="not opened again since"):
        disk.write(Batch({b"c": b"3"}))
    assert rows_of(disk) == [b"a"]
    disk.crash(keep)
    assert rows_of(disk) == expected
    disk.write(Batch({b"d": b"4"}))
    assert rows_of(disk) == [*expected, b"d"]


def test_a_failure_hits_the_write_that_finishes_next() -> None:
    disk = SimulatedDisk()
    first, second = begin(disk, b"a", b"b")
    disk.fail_next(StoreFull("the disk is full at noon"))
    with pytest.raises(StoreFull, match="at noon"):
        disk.finish(first)
    with pytest.raises(StoreFull, match="not opened again"):
        disk.finish(second)
    assert disk.crash() == Crashed(0, 2)


def test_an_epoch_that_was_lost_in_a_crash_does_not_count() -> None:
    disk = SimulatedDisk()
    disk.begin_write(Batch({b"a": b"1"}, epoch=5))
    with pytest.raises(StoreError, match="epoch 5"):
        disk.begin_write(Batch({b"b": b"1"}, epoch=4))
    disk.crash()
    disk.write(Batch({b"b": b"1"}, epoch=4))
    disk.begin_write(Batch({b"a": b"1"}, epoch=5))
    disk.crash(keep=1)
    with pytest.raises(StoreError, match="epoch 5"):
        disk.write(Batch({b"b": b"1"}, epoch=4))


def test_a_batch_on_its_way_cannot_be_changed_any_more() -> None:
    disk = SimulatedDisk()
    batch = Batch({b"a": b"1"})
    handle = disk.begin_write(batch)
    batch.rows[b"b"] = b"2"
    batch.dropped_prefixes.append(b"a")
    disk.finish(handle)
    assert rows_of(disk) == [b"a"]


@given(
    st.lists(st.sampled_from(["begin", "finish", "crash"]), max_size=40), st.randoms(use_true_random=False)
)
def test_what_is_left_is_always_a_prefix_of_what_began(program: list[str], chance) -> None:
    """Each process writes on after the rows it found; so nothing acknowledged may be missing before them."""
    disk, began, acknowledged = SimulatedDisk(), 0, 0
    handles: list[tuple[int, int]] = []
    for step in program:
        if step == "begin":
            handles.append((disk.begin_write(Batch({b"%04d" % began: b"", b"~%04d" % began: b""})), began))
            began += 1
        elif step == "finish" and handles:
            handle, acknowledged = handles.pop(0)
            disk.finish(handle)
            acknowledged += 1
        elif step == "crash":
            disk.crash(lambda count: chance.randint(0, count))
            handles.clear()
            found = [key for key in rows_of(disk) if key[:1] != b"~"]
            assert found == [b"%04d" % number for number in range(len(found))]
            assert acknowledged <= len(found) <= began
            assert len(rows_of(disk)) == 2 * len(found), "batches are whole"
            began = acknowledged = len(found)
