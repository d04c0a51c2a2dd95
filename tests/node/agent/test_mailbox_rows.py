"""The mediator's rows in the ledger."""

from __future__ import annotations

from pico_didcomm.mediator.rows import Rows
from pico_didcomm.mediator.testing import RowsConformance
from pico_engine.ledger import Ledger, Section
from pico_engine.store import MemoryStore
from pico_node.agent.mailbox_rows import SectionRows


class TestSectionRows(RowsConformance):
    def rows(self) -> Rows:
        return SectionRows(Section(Ledger(MemoryStore()), b"l/", lazy=True))


def test_rows_of_the_store_and_of_memory_are_one_in_order() -> None:
    store = MemoryStore()
    ledger = Ledger(store)
    section = Section(ledger, b"l/", lazy=True)
    rows = SectionRows(section)
    for key in ("a/1", "a/3", "a/4"):
        rows.put(key, {"key": key})
    ledger.commit()
    number, batch = ledger.take_batch()
    store.write(batch)
    ledger.durable(number)
    section.forget()
    rows.put("a/2", {"key": "a/2"})
    rows.delete("a/3")
    rows.put("a/4", {"key": "new"})
    assert [(key, row["key"]) for key, row in rows.scan("a/", "a0")] == [
        ("a/1", "a/1"),
        ("a/2", "a/2"),
        ("a/4", "new"),
    ]
    assert rows.get("a/3") is None
