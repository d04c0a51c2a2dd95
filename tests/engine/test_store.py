"""The store in memory, and what every adapter shares."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.errors import StoreError
from pico_engine.store import INSORT_KEYS_MAX, Batch, MemoryStore, prefix_end, refuse_stale
from pico_engine.testing import ForgetfulStoreConformance, StoreConformance


class TestMemoryStore(ForgetfulStoreConformance):
    def open_store(self, directory: str) -> MemoryStore:
        return MemoryStore()


keys = st.binary(min_size=1, max_size=3).filter(lambda key: key.strip(b"\xff") != b"")
batches = st.builds(
    Batch,
    st.dictionaries(keys, st.none() | st.binary(max_size=3), max_size=8),
    st.lists(keys, max_size=2),
)


@given(st.lists(batches, max_size=8), keys, keys)
def test_memory_store_agrees_with_a_dictionary_when_it_sorts_late(
    program: list[Batch], start: bytes, stop: bytes
) -> None:
    """Unlike the shipped model test, this one scans only at the end, after many writes."""
    store, model = MemoryStore(), dict[bytes, bytes]()
    for batch in program:
        store.write(batch)
        for key, value in batch.rows.items():
            model.pop(key, None)
            if value is not None:
                model[key] = value
        for prefix in batch.dropped_prefixes:
            model = {key: value for key, value in model.items() if not key.startswith(prefix)}
    expected = sorted(row for row in model.items() if start <= row[0] < stop)
    assert list(store.scan(start, stop)) == expected
    assert list(store.scan(start, stop, reverse=True)) == expected[::-1]


@pytest.mark.parametrize("count", [1, INSORT_KEYS_MAX, INSORT_KEYS_MAX + 1, 1_000])
def test_memory_store_sorts_few_and_many_new_keys(count: int) -> None:
    store = MemoryStore()
    store.write(Batch({b"%04d" % (number * 7): b"" for number in range(200)}))
    assert len(list(store.scan(b"0", b"9"))) == 200
    store.write(Batch({b"%04dx" % number: b"" for number in range(count)}))
    store.write(Batch({b"0000x": None, b"0000": None}))
    found = [key for key, _ in store.scan(b"0", b"9")]
    assert found == sorted(found)
    assert len(found) == 198 + count
    assert len(set(found)) == len(found)


@given(keys, st.binary(max_size=5))
def test_prefix_end_bounds_exactly_the_keys_with_the_prefix(prefix: bytes, key: bytes) -> None:
    assert (prefix <= key < prefix_end(prefix)) == key.startswith(prefix)


def test_prefix_end_needs_a_byte_that_can_grow() -> None:
    for prefix in (b"", b"\xff", b"\xff\xff"):
        with pytest.raises(ValueError, match="prefix"):
            prefix_end(prefix)


def test_a_stale_batch_names_both_epochs_and_says_what_to_do() -> None:
    refuse_stale(Batch(epoch=4), 4)
    with pytest.raises(StoreError, match=r"epoch 3.*epoch 4") as caught:
        refuse_stale(Batch(epoch=3), 4)
    assert "another" in caught.value.hint


def test_the_suite_is_importable_without_pytest() -> None:
    code = "import sys; sys.modules['pytest'] = None; import pico_engine.testing"
    subprocess.run([sys.executable, "-c", code], check=True)


class BackwardsBlind(MemoryStore):
    """A broken store, to see that the suite notices: it skips a single row when it scans backwards."""

    def scan(self, start, stop, *, limit=None, reverse=False):
        rows = list(super().scan(start, stop, limit=limit, reverse=reverse))
        return iter([] if reverse and len(rows) == 1 else rows)


class Forgetful(MemoryStore):
    """Another one: it ignores dropped prefixes and epochs, and forgets deletions."""

    def write(self, batch: Batch) -> None:
        super().write(Batch({key: value for key, value in batch.rows.items() if value is not None}))


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (BackwardsBlind, "test_every_range_reads_the_same_backwards"),
        (BackwardsBlind, "test_a_random_program_does_what_a_dictionary_does"),
        (Forgetful, "test_a_deleted_row_is_gone"),
        (Forgetful, "test_a_dropped_prefix_takes_all_its_rows_and_no_others"),
        (Forgetful, "test_prefixes_that_end_in_ff_and_several_at_once"),
        (Forgetful, "test_a_former_reign_cannot_write"),
        (MemoryStore, "test_what_was_written_survives"),
        (MemoryStore, "test_the_newest_epoch_survives"),
        (MemoryStore, "test_a_closed_store_says_so"),
    ],
)
def test_the_suite_fails_for_a_broken_store(broken: type[MemoryStore], test: str, tmp_path) -> None:
    class Suite(StoreConformance):
        def open_store(self, directory: str) -> MemoryStore:
            return broken()

    with pytest.raises(AssertionError):
        getattr(Suite(), test)(tmp_path)
