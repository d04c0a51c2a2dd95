"""The acceptance tests find what is wrong with rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pico_didcomm.mediator.rows import MemoryRows, Row, Rows
from pico_didcomm.mediator.testing import RowsConformance


class Forgetful(MemoryRows):
    def put(self, key: str, row: Row) -> None:
        if len(str(row)) < 1_000:
            super().put(key, row)


class Unordered(MemoryRows):
    def scan(self, start: str, end: str) -> Iterator[tuple[str, Row]]:
        return iter(sorted(super().scan(start, end), reverse=True))


class Sharing(MemoryRows):
    def put(self, key: str, row: Row) -> None:
        super().put(key, row)
        self._rows[key] = row


class Undying(MemoryRows):
    def delete(self, key: str) -> None:
        pass


@pytest.mark.parametrize("kind", [Forgetful, Unordered, Sharing, Undying])
def test_broken_rows_fail(kind: type[MemoryRows]) -> None:
    class Suite(RowsConformance):
        def rows(self) -> Rows:
            return kind()

    suite = Suite()
    failed = 0
    for name in dir(suite):
        if name.startswith("test_"):
            try:
                getattr(suite, name)()
            except AssertionError:
                failed += 1
    assert failed > 0


def test_who_gives_no_rows_is_told_so() -> None:
    with pytest.raises(NotImplementedError):
        RowsConformance().rows()
