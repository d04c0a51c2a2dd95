"""The ledger: a pico's rows in memory, the journal that undoes a failed rule, and the batch to commit.

Theory of operation. All that an engine knows is rows (key, value). Rows of one kind of one pico form a
`Section`, a dict in memory. Each change goes through `Section.put` or `Section.delete`, which write the old
value to the journal of the turn at hand. Then

- a rule that fails is undone by walking the journal backwards to the mark set before the rule;
- a turn that ends well `commit`s: its keys become dirty. A value is encoded when the batch is taken, so a
  counter that a hundred turns of a tick increase is encoded and written once;
- `take_batch` gives the batch to the driver; until `durable` says that it is on disk, reads go through it,
  so a pico may be put away and loaded again at any moment.

A turn that waits for an answer leaves uncommitted values in memory while turns of other picos commit.
`suspend` writes aside what the waiting turn overlays, so that no batch holds a value of an unfinished turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from pico_engine.store import Batch, StoreReader
from pico_engine.values import decode, encode, freeze


class _Marker:
    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


MISSING: Final = _Marker("MISSING")
"""No row in memory (of a lazy section: perhaps one in the store)."""
DELETED: Final = _Marker("DELETED")
"""A row of a lazy section that was deleted in memory; the store may still have it."""

JournalEntry = tuple["Section", str, Any]
Seen = tuple[int, JournalEntry | None, set["Section"]]
"""How many entries of a journal were looked through, the last of them, and their sections."""


def _decode_frozen(data: bytes) -> Any:
    return freeze(decode(data))


class Section:
    """Rows of one kind: `key` (text) → value.

    An eager section holds all its rows in `rows`; a lazy one fetches them on demand and may forget them.
    `changed` is called after every change, and after it was undone.
    """

    __slots__ = ("changed", "decode", "dirty", "encode", "lazy", "ledger", "prefix", "rows")

    def __init__(
        self,
        ledger: Ledger,
        prefix: bytes,
        *,
        lazy: bool = False,
        to_bytes: Callable[[Any], bytes] = encode,
        from_bytes: Callable[[bytes], Any] = _decode_frozen,
    ) -> None:
        self.ledger = ledger
        self.prefix = prefix
        self.lazy = lazy
        self.encode = to_bytes
        self.decode = from_bytes
        self.rows: dict[str, Any] = {}
        self.dirty: set[str] = set()
        self.changed: Callable[[], None] | None = None

    def get(self, key: Any, default: Any = None) -> Any:
        """The row's value. Rulesets may ask for what is no key at all: there is no such row."""
        value = self.rows.get(key, MISSING)
        if value is MISSING and self.lazy and type(key) is str:
            data = self.ledger.get(self.prefix + key.encode(errors="replace"))
            if data is None:  # not remembered: strangers may ask for keys without end
                return default
            value = self.rows[key] = self.decode(data)
        return default if value is MISSING or value is DELETED else value

    def put(self, key: str, value: Any) -> None:
        rows = self.rows
        self.ledger.journal.append((self, key, rows.get(key, MISSING)))
        rows[key] = value
        if self.changed is not None:
            self.changed()

    def replace(self, key: str, old: Any, value: Any) -> None:
        """`put` for who has the value at hand that is to be replaced."""
        self.ledger.journal.append((self, key, old))
        self.rows[key] = value
        if self.changed is not None:
            self.changed()

    def delete(self, key: str) -> None:
        rows = self.rows
        self.ledger.journal.append((self, key, rows.get(key, MISSING)))
        if self.lazy:
            rows[key] = DELETED
        else:
            rows.pop(key, None)
        if self.changed is not None:
            self.changed()

    def scan(self, start: str = "", stop: str = "\U0010ffff") -> Iterator[tuple[str, Any]]:
        """Rows with `start` <= key < `stop` in key order, of a lazy section too; what is read is kept."""
        self.fetch(start, stop)
        for key in sorted(key for key in self.rows if start <= key < stop):
            value = self.rows[key]
            if value is not DELETED:
                yield key, value

    def fetch(self, start: str, stop: str) -> None:
        """Read a range of a lazy section into memory."""
        if self.lazy:
            prefix, known = self.prefix, self.rows
            for full, data in self.ledger.scan(prefix + start.encode(), prefix + stop.encode()):
                key = full[len(prefix) :].decode()
                if key not in known:
                    known[key] = self.decode(data)

    def items(self) -> list[tuple[str, Any]]:
        """All rows of an eager section, in no promised order."""
        return list(self.rows.items())

    def forget(self) -> None:
        """Drop what a lazy section holds in memory, where it is not waiting to be written."""
        if self.lazy and not self.dirty:
            self.rows.clear()


class Ledger:
    """The engine's rows that are ahead of the store, and the journal of the turn at hand."""

    def __init__(self, store: StoreReader) -> None:
        self.store = store
        self.journal: list[JournalEntry] = []
        self.outer_journals: list[list[JournalEntry]] = []
        """Of the turns inside which the turn at hand is asked."""
        self._dirty_sections: list[Section] = []
        self._pending: dict[bytes, bytes | None] = {}
        self._dropped: list[bytes] = []
        self._in_flight: deque[tuple[int, Batch]] = deque()
        self._batches_taken = 0

    # -- reading what the store will hold once all batches are written ------------------------------------

    def get(self, key: bytes) -> bytes | None:
        """The newest committed value of a full key; rows still dirty in a section are not seen here."""
        for rows, dropped in self._newest_first():
            if dropped and key.startswith(dropped):
                return None
            if key in rows:
                return rows[key]
        return self.store.get(key)

    def _newest_first(self) -> Iterator[tuple[dict[bytes, bytes | None], tuple[bytes, ...]]]:
        """Rows and dropped prefixes (which are dropped after the rows were written) not yet in the store."""
        yield self._pending, tuple(self._dropped)
        for _, batch in reversed(self._in_flight):
            yield batch.rows, tuple(batch.dropped_prefixes)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Rows of a range in key order, as `get` would give them."""
        self.settle()
        ours: dict[bytes, bytes | None] = {}
        dropped: tuple[bytes, ...] = ()
        for rows, prefixes in self._newest_first():
            dropped += prefixes
            for key, value in rows.items():
                if start <= key < stop and key not in ours:
                    ours[key] = None if dropped and key.startswith(dropped) else value
        if not ours and not dropped:
            yield from self.store.scan(start, stop)
            return
        merged: dict[bytes, bytes | None] = {
            key: value
            for key, value in self.store.scan(start, stop)
            if not (dropped and key.startswith(dropped))
        }
        merged.update(ours)
        for key in sorted(merged):
            value = merged[key]
            if value is not None:
                yield key, value

    # -- the journal --------------------------------------------------------------------------------------

    def rollback(self, mark: int = 0) -> None:
        """Undo all changes made since the journal had `mark` entries."""
        journal = self.journal
        while len(journal) > mark:
            section, key, old = journal.pop()
            if old is MISSING:
                section.rows.pop(key, None)
            else:
                section.rows[key] = old
            if section.changed is not None:
                section.changed()

    def commit(self) -> None:
        """The turn ended well: what its journal names will be in the next batch."""
        for section, key, _ in self.journal:
            dirty = section.dirty
            if not dirty:
                self._dirty_sections.append(section)
            dirty.add(key)
        self.journal = []

    def suspend(self, journal: list[JournalEntry]) -> None:
        """Settle what earlier turns committed under the keys that an unfinished turn has changed since."""
        seen: set[tuple[int, str]] = set()
        for section, key, old in journal:
            if section.dirty and (id(section), key) not in seen:  # mostly there is nothing to settle
                seen.add((id(section), key))
                if key in section.dirty:
                    section.dirty.discard(key)
                    self._write(section, key, old)

    def suspend_again(self, journal: list[JournalEntry], seen: Seen | None) -> Seen:
        """`suspend` at the cost of what was added since the last call, which answered `seen`."""
        start = 0
        sections: set[Section] = set()
        if seen is not None and 0 < seen[0] <= len(journal) and journal[seen[0] - 1] is seen[1]:
            start, _, sections = seen
        for position in range(start, len(journal)):
            sections.add(journal[position][0])
        if any(section.dirty for section in sections):
            self.suspend(journal)
        return len(journal), journal[-1] if journal else None, sections

    def drop_prefix(self, prefix: bytes) -> None:
        """Delete all rows under `prefix` in the next batch (a pico was deleted)."""
        self._dropped.append(prefix)

    # -- batches ------------------------------------------------------------------------------------------

    def write_aside(self, key: bytes, data: bytes | None) -> None:
        """Put a row into the next batch past the journal: it stays although the turn at hand may be undone.

        For what is true whatever becomes of the turn, as a text under its own hash. None deletes the row.
        """
        self._pending[key] = data

    def _write(self, section: Section, key: str, value: Any) -> None:
        gone = value is MISSING or value is DELETED
        self._pending[section.prefix + key.encode()] = None if gone else section.encode(value)

    def settle(self) -> None:
        """Encode every dirty row into the batch at hand; in the middle of a turn, without its changes."""
        if not self._dirty_sections:
            return
        for journal in (*self.outer_journals, self.journal):
            self.suspend(journal)
        for section in self._dirty_sections:
            rows = section.rows
            for key in section.dirty:
                self._write(section, key, rows.get(key, MISSING))
            section.dirty.clear()
        self._dirty_sections.clear()

    @property
    def has_changes(self) -> bool:
        return bool(self._dirty_sections or self._pending or self._dropped)

    def take_batch(self) -> tuple[int, Batch]:
        """The batch of everything committed since the last one, and its number (see `durable`)."""
        self.settle()
        batch = Batch(self._pending, self._dropped)
        self._pending, self._dropped = {}, []
        self._batches_taken += 1
        self._in_flight.append((self._batches_taken, batch))
        return self._batches_taken, batch

    def durable(self, number: int) -> None:
        """All batches up to `number` are on disk."""
        while self._in_flight and self._in_flight[0][0] <= number:
            self._in_flight.popleft()
