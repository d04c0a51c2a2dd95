"""The mediator's rows in the node's ledger: what one message changed is durable before its effects leave."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from typing import Any

from pico_didcomm.mediator.rows import Row
from pico_engine.ledger import DELETED, Section
from pico_engine.values import freeze


class SectionRows:
    """`pico_didcomm.mediator.rows.Rows` over a lazy section. The caller commits."""

    def __init__(self, section: Section) -> None:
        self._section = section

    def get(self, key: str) -> Row | None:
        found: Row | None = self._section.get(key)
        return found

    def put(self, key: str, row: Row) -> None:
        self._section.put(key, freeze(dict(row)))

    def delete(self, key: str) -> None:
        self._section.delete(key)

    def scan(self, start: str, end: str) -> Iterator[tuple[str, Row]]:
        """What is in memory over what is stored, which is read only as far as the caller goes."""
        rows = dict(self._section.rows)
        ours = sorted(key for key in rows if start <= key < end)
        stored = ((key, value) for key, value in self._stored(start, end) if key not in rows)
        for key, value in merge(stored, ((key, rows[key]) for key in ours), key=lambda row: row[0]):
            if value is not DELETED:
                yield key, value

    def _stored(self, start: str, end: str) -> Iterator[tuple[str, Any]]:
        section = self._section
        prefix = section.prefix
        for full, data in section.ledger.scan(prefix + start.encode(), prefix + end.encode()):
            yield full[len(prefix) :].decode(), section.decode(data)
