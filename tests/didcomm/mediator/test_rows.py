"""Rows in memory pass the acceptance tests of rows."""

from __future__ import annotations

from pico_didcomm.mediator.rows import MemoryRows, Rows
from pico_didcomm.mediator.testing import RowsConformance


class TestMemoryRows(RowsConformance):
    def rows(self) -> Rows:
        return MemoryRows()
