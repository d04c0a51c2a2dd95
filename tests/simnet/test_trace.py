"""The trace: lines, and a digest that any difference changes."""

from __future__ import annotations

from pico_simnet.trace import LAST_LINES_MAX, Trace, mark_of


def test_every_line_counts() -> None:
    one, other = Trace(), Trace()
    for trace in (one, other):
        trace.add(5, "host", "starts")
    assert one.digest == other.digest
    one.add(6, "host", "crashes")
    other.add(7, "host", "crashes")
    assert one.digest != other.digest


def test_a_kept_trace_has_all_lines_and_another_the_last_ones() -> None:
    kept, last = Trace(keep=True), Trace()
    for number in range(LAST_LINES_MAX + 10):
        kept.add(number, "host", f"line {number}")
        last.add(number, "host", f"line {number}")
    assert len(kept.lines) == kept.count == last.count == LAST_LINES_MAX + 10
    assert list(last.lines) == list(kept.lines)[-LAST_LINES_MAX:]
    assert kept.digest == last.digest


def test_a_mark_tells_where_parts_end() -> None:
    assert mark_of([b"ab", b"c"]) != mark_of([b"a", b"bc"])
    assert mark_of([b"ab"]) == mark_of([b"ab"])
