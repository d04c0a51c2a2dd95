"""Acceptance tests for `Rows`: whoever writes an adapter subclasses `RowsConformance` in a test module.

class TestMyRows(RowsConformance):
    def rows(self) -> Rows:
        return MyRows(...)
"""

from __future__ import annotations

from itertools import islice

from pico_didcomm.mediator.rows import Rows


class RowsConformance:
    """What a mediator relies on. `rows` makes empty ones, again for each test."""

    def rows(self) -> Rows:
        raise NotImplementedError

    def test_what_was_put_is_there_until_it_is_deleted(self) -> None:
        rows = self.rows()
        assert rows.get("a") is None
        rows.put("a", {"n": 1})
        rows.put("a", {"n": 2, "text": "ä", "list": [None, True, 1.5], "map": {}})
        found = rows.get("a")
        assert found is not None
        assert dict(found) == {"n": 2, "text": "ä", "list": [None, True, 1.5], "map": {}}
        rows.delete("a")
        assert rows.get("a") is None
        rows.delete("a")

    def test_rows_come_in_the_order_of_their_keys(self) -> None:
        rows = self.rows()
        for key in ("b/2", "a/1", "b/10", "b/1", "c", "b", "b0"):
            rows.put(key, {"key": key})
        assert [key for key, _ in rows.scan("b/", "b0")] == ["b/1", "b/10", "b/2"]
        assert [row["key"] for _, row in rows.scan("", "b")] == ["a/1"]
        assert list(rows.scan("x", "y")) == []
        assert list(rows.scan("b0", "b/")) == []

    def test_what_was_given_can_be_changed_afterwards(self) -> None:
        rows = self.rows()
        row = {"n": 1}
        rows.put("a", row)
        row["n"] = 2
        assert rows.get("a") == {"n": 1}

    def test_a_scan_can_be_left(self) -> None:
        rows = self.rows()
        for n in range(10):
            rows.put(f"k/{n}", {"n": n})
        for key, _ in list(islice(rows.scan("k/", "k0"), 3)):
            rows.delete(key)
        assert [row["n"] for _, row in rows.scan("k/", "k0")] == [3, 4, 5, 6, 7, 8, 9]

    def test_long_rows_and_keys(self) -> None:
        rows = self.rows()
        key, text = "m/did:peer:4" + "z" * 4_000, "x" * 700_000
        rows.put(key, {"text": text})
        found = rows.get(key)
        assert found is not None
        assert found["text"] == text
