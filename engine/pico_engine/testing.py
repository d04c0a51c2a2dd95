"""Acceptance tests that every store adapter must pass, for whoever writes one.

Subclass, say how to open your store, and let pytest collect the subclass:

    class TestMyStore(StoreConformance):
        def open_store(self, directory: str) -> Store:
            return MyStore(directory)

`directory` does not exist yet when a test opens its first store; a store that lives elsewhere takes it as a
name. This module needs no pytest itself: the tests are plain methods with plain assertions, and `tmp_path` is
pytest's own fixture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import blake2b

from pico_engine.errors import StoreError
from pico_engine.store import Batch, Store, prefix_end

LOWEST, HIGHEST = b"\x00", b"\xff" * 40
"""Bounds around every key used here. No key begins with `!`: adapters keep that for rows of their own."""

MODEL_STEPS = 150
"""So long is the random program of the model test: enough for several reopenings, still under a second."""


class ForgetfulStoreConformance:
    """What every store does, even one that forgets everything when it is closed."""

    def open_store(self, directory: str) -> Store:
        """Open the store of this name, made new if there is none."""
        raise NotImplementedError("say in a subclass how to open the store")

    @contextmanager
    def opened(self, tmp_path: object, **rows: bytes) -> Iterator[Store]:
        """A new store with these rows, closed in the end."""
        store = self.open_store(f"{tmp_path}/store")
        try:
            store.write(Batch({key.encode(): value for key, value in rows.items()}))
            yield store
        finally:
            store.close()

    def test_an_absent_key_has_no_value(self, tmp_path: object) -> None:
        with self.opened(tmp_path, b=b"1") as store:
            assert store.get(b"a") is None
            assert store.get(b"bb") is None

    def test_what_was_written_is_read(self, tmp_path: object) -> None:
        with self.opened(tmp_path, a=b"old") as store:
            store.write(Batch({b"a": b"new", b"b": b""}))
            assert store.get(b"a") == b"new"
            assert store.get(b"b") == b"", "an empty value is a value"

    def test_a_deleted_row_is_gone(self, tmp_path: object) -> None:
        with self.opened(tmp_path, a=b"1", b=b"2") as store:
            store.write(Batch({b"a": None, b"never-there": None}))
            assert _all(store) == [(b"b", b"2")]

    def test_keys_are_ordered_as_unsigned_bytes(self, tmp_path: object) -> None:
        with self.opened(tmp_path) as store:
            keys = [bytes([byte]) for byte in range(255) if bytes([byte]) != b"!"] + [
                b"a\x00",
                b"aa",
                b"a\xff",
            ]
            store.write(Batch(dict.fromkeys(reversed(keys), b"v")))
            assert [key for key, _ in store.scan(b"\x00", b"\xff")] == sorted(keys)

    def test_a_scan_includes_its_start_and_excludes_its_stop(self, tmp_path: object) -> None:
        with self.opened(tmp_path, a=b"1", b=b"2", c=b"3") as store:
            assert list(store.scan(b"a", b"c")) == [(b"a", b"1"), (b"b", b"2")]
            assert list(store.scan(b"c", b"a")) == []
            assert list(store.scan(b"b", b"b")) == []

    def test_every_range_reads_the_same_backwards(self, tmp_path: object) -> None:
        """Ranges that hold a single row are worth the test: LevelDB's Python binding skips that row."""
        with self.opened(tmp_path, a=b"1", b=b"2", d=b"3", f=b"4") as store:
            bounds = [b"a", b"aa", b"b", b"c", b"d", b"e", b"f", b"g"]
            for start in bounds:
                for stop in bounds:
                    rows = list(store.scan(start, stop))
                    assert list(store.scan(start, stop, reverse=True)) == rows[::-1], (start, stop)

    def test_a_limit_counts_from_where_the_scan_begins(self, tmp_path: object) -> None:
        with self.opened(tmp_path, a=b"1", b=b"2", c=b"3") as store:
            assert list(store.scan(b"a", b"z", limit=2)) == [(b"a", b"1"), (b"b", b"2")]
            assert list(store.scan(b"a", b"z", limit=2, reverse=True)) == [(b"c", b"3"), (b"b", b"2")]
            assert list(store.scan(b"a", b"z", limit=0)) == []
            assert len(list(store.scan(b"a", b"z", limit=9))) == 3

    def test_a_scan_shows_the_moment_of_its_call(self, tmp_path: object) -> None:
        with self.opened(tmp_path, a=b"1", b=b"2", c=b"3") as store:
            rows = store.scan(b"a", b"z")
            store.write(Batch({b"a": b"changed", b"b": None, b"d": b"new"}))
            assert list(rows) == [(b"a", b"1"), (b"b", b"2"), (b"c", b"3")]

    def test_a_dropped_prefix_takes_all_its_rows_and_no_others(self, tmp_path: object) -> None:
        with self.opened(tmp_path) as store:
            kept = [b"p", b"p.", b"p/\x00", b"p1", b"q"]
            dropped = [b"p0", b"p0\x00", b"p0/x", b"p0\xff", b"p0\xff\xff"]
            store.write(Batch(dict.fromkeys(kept + dropped, b"v")))
            store.write(Batch({b"p0/new": b"of the same batch", b"p2": b"v"}, [b"p0"]))
            assert [key for key, _ in _all(store)] == sorted([*kept, b"p2"])

    def test_prefixes_that_end_in_ff_and_several_at_once(self, tmp_path: object) -> None:
        with self.opened(tmp_path) as store:
            store.write(Batch(dict.fromkeys([b"a\xfe", b"a\xff", b"a\xff\x01", b"b", b"c1", b"c2"], b"v")))
            store.write(Batch(dropped_prefixes=[b"a\xff", b"c", b"nothing-there"]))
            assert [key for key, _ in _all(store)] == [b"a\xfe", b"b"]

    def test_a_prefix_that_names_everything_is_refused(self, tmp_path: object) -> None:
        with self.opened(tmp_path, a=b"1") as store:
            for prefix in (b"", b"\xff\xff"):
                assert _raises(ValueError, partial(store.write, Batch({b"b": b"2"}, [prefix])))
            assert _all(store) == [(b"a", b"1")], "nothing of a refused batch is written"

    def test_an_empty_batch_changes_nothing(self, tmp_path: object) -> None:
        with self.opened(tmp_path, a=b"1") as store:
            store.write(Batch())
            assert _all(store) == [(b"a", b"1")]

    def test_a_batch_can_be_changed_after_it_was_written(self, tmp_path: object) -> None:
        with self.opened(tmp_path) as store:
            batch = Batch({b"a": b"1"})
            store.write(batch)
            batch.rows[b"b"] = b"2"
            assert _all(store) == [(b"a", b"1")]

    def test_many_rows_and_large_values_fit_into_one_batch(self, tmp_path: object) -> None:
        with self.opened(tmp_path) as store:
            rows: dict[bytes, bytes | None] = {b"row%05d" % number: b"v" * 100 for number in range(5_000)}
            large = b"0123456789abcdef" * 65_536
            store.write(Batch({**rows, b"large": large}))
            assert store.get(b"large") == large
            assert len(list(store.scan(b"row", b"rox"))) == 5_000

    def test_a_former_reign_cannot_write(self, tmp_path: object) -> None:
        with self.opened(tmp_path, a=b"1") as store:
            store.write(Batch({b"a": b"2"}, epoch=7))
            store.write(Batch({b"a": b"3"}, epoch=7))
            for epoch in (6, 0):
                stale = Batch({b"a": b"stale"}, [b"b"], epoch=epoch)
                assert _raises(StoreError, partial(store.write, stale))
            assert store.get(b"a") == b"3"
            store.write(Batch({b"a": b"4"}, epoch=8))
            assert _all(store) == [(b"a", b"4")], "an adapter's own rows are not seen by scans"

    def test_closing_twice_is_allowed(self, tmp_path: object) -> None:
        store = self.open_store(f"{tmp_path}/store")
        store.close()
        store.close()


class StoreConformance(ForgetfulStoreConformance):
    """What a store does that keeps what was written: all of the above, and that."""

    def reopen(self, store: Store, directory: str) -> Store:
        """Close and open again. Override to end the store in a harder way, such as a simulated power loss."""
        store.close()
        return self.open_store(directory)

    def test_what_was_written_survives(self, tmp_path: object) -> None:
        directory = f"{tmp_path}/store"
        store = self.open_store(directory)
        store.write(Batch({b"a": b"1", b"b": b"2", b"gone/1": b"", b"gone/2": b""}))
        store.write(Batch({b"a": None, b"c": b"3"}, [b"gone/"]))
        store = self.reopen(store, directory)
        assert _all(store) == [(b"b", b"2"), (b"c", b"3")]
        store.close()

    def test_the_newest_epoch_survives(self, tmp_path: object) -> None:
        directory = f"{tmp_path}/store"
        store = self.open_store(directory)
        store.write(Batch({b"a": b"1"}, epoch=3))
        store = self.reopen(store, directory)
        assert _raises(StoreError, lambda: store.write(Batch({b"a": b"2"}, epoch=2)))
        store.write(Batch({b"a": b"3"}, epoch=3))
        assert _all(store) == [(b"a", b"3")]
        store.close()

    def test_a_closed_store_says_so(self, tmp_path: object) -> None:
        store = self.open_store(f"{tmp_path}/store")
        store.write(Batch({b"a": b"1"}))
        store.close()
        uses: list[Callable[[], object]] = [
            lambda: store.get(b"a"),
            lambda: list(store.scan(b"a", b"b")),
            lambda: store.write(Batch({b"a": b"2"})),
        ]
        for use in uses:
            assert _raises(StoreError, use)

    def test_a_random_program_does_what_a_dictionary_does(self, tmp_path: object) -> None:
        directory = f"{tmp_path}/store"
        store, model, draw = self.open_store(directory), dict[bytes, bytes](), _Draws()
        for step in range(MODEL_STEPS):
            batch = draw.batch(value=b"%d" % step)
            store.write(batch)
            _apply(batch, model)
            if draw.below(20) == 0:
                store = self.reopen(store, directory)
            assert _all(store) == sorted(model.items()), f"after step {step}"
            start, stop, limit = draw.key(), draw.key(), draw.below(5)
            rows = sorted(row for row in model.items() if start <= row[0] < stop)
            assert list(store.scan(start, stop, limit=limit)) == rows[:limit]
            assert list(store.scan(start, stop, limit=limit, reverse=True)) == rows[::-1][:limit]
            assert store.get(start) == model.get(start)
        store.close()


class _Draws:
    """The same chance on every machine and in every run, without a source of randomness."""

    def __init__(self) -> None:
        self._count = 0

    def below(self, bound: int) -> int:
        self._count += 1
        return int.from_bytes(blake2b(b"%d" % self._count, digest_size=8).digest(), "big") % bound

    def key(self) -> bytes:
        """One of so few keys that programs often come back to the same row."""
        return b"".join((b"a", b"b/", b"c\x00", b"\xff")[self.below(4)] for _ in range(1 + self.below(3)))

    def batch(self, value: bytes) -> Batch:
        rows = {self.key(): value if self.below(3) else None for _ in range(self.below(6))}
        dropped = [b"a" + self.key()] if self.below(4) == 0 else []
        return Batch(rows, dropped)


def _apply(batch: Batch, model: dict[bytes, bytes]) -> None:
    for key, value in batch.rows.items():
        if value is None:
            model.pop(key, None)
        else:
            model[key] = value
    for prefix in batch.dropped_prefixes:
        for key in [key for key in model if prefix <= key < prefix_end(prefix)]:
            del model[key]


def _all(store: Store) -> list[tuple[bytes, bytes]]:
    return list(store.scan(LOWEST, HIGHEST))


def _raises(expected: type[Exception], use: Callable[[], object]) -> bool:
    try:
        use()
    except expected as error:
        return bool(str(error))
    return False
