"""What a mediator keeps its state in: rows by key, in four methods; and rows in memory."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

Row = Mapping[str, Any]
"""A JSON object."""


class Rows(Protocol):
    """A sorted map from text to JSON objects.

    Whoever keeps it on disk makes what was changed by one call of the mediator durable as one, before the
    effects of that call leave: then nothing is acknowledged that a crash could take back.
    `pico_didcomm.mediator.testing.RowsConformance` tests an adapter.
    """

    def get(self, key: str) -> Row | None:
        """The row, None if there is none."""
        ...

    def put(self, key: str, row: Row) -> None:
        """Set the row."""
        ...

    def delete(self, key: str) -> None:
        """Remove the row; it need not be there."""
        ...

    def scan(self, start: str, end: str) -> Iterator[tuple[str, Row]]:
        """The rows from `start` up to and without `end`, in the order of their keys' UTF-8.

        Rows may be changed while the iterator is not at its end only by who does not go on with it.
        """
        ...


class MemoryRows:
    """Rows in memory: for tests, and for mediators that may forget."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._keys: list[str] = []

    def get(self, key: str) -> Row | None:
        return self._rows.get(key)

    def put(self, key: str, row: Row) -> None:
        if key not in self._rows:
            insort(self._keys, key)
        self._rows[key] = dict(row)

    def delete(self, key: str) -> None:
        if self._rows.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]

    def scan(self, start: str, end: str) -> Iterator[tuple[str, Row]]:
        at = bisect_left(self._keys, start)
        while at < len(self._keys) and self._keys[at] < end:
            yield self._keys[at], self._rows[self._keys[at]]
            at += 1
