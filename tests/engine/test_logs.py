"""A pico's log keeps the newest entries, and takes anything."""

from __future__ import annotations

import pytest

from pico_engine.limits import EngineLimits
from pico_engine.logs import append_log, loggable, newest_logs
from pico_engine.messages import LogLine
from pico_engine.values import encode
from tests.engine.helpers import Steps


def test_the_oldest_go_first_and_leave_no_rows() -> None:
    steps = Steps(limits=EngineLimits(log_entries_max=5, log_entry_max_bytes=20))
    pico = steps.engine.pico(steps.root)
    for number in range(12):
        append_log(
            pico, LogLine("info", pico.did, "r", f"entry {number}", number, {"n": number}), steps.limits
        )
        steps.engine.ledger.commit()
    steps.write()
    steps.crash()
    pico = steps.engine.pico(steps.root)
    assert [one["text"] for one in newest_logs(pico, 100)] == [f"entry {number}" for number in range(7, 12)]
    assert [one["time"] for one in newest_logs(pico, 2)] == [10, 11]
    assert len([key for key in steps.rows() if b"/y/" in key]) == 5
    append_log(pico, LogLine("info", pico.did, "r", "x" * 50, 1, "y" * 50), steps.limits)
    [entry] = newest_logs(pico, 1)
    assert len(entry["text"]) == 20
    assert entry["data"] == "left out: more than 20 bytes"


@pytest.mark.parametrize("data", [object(), {1: 2}, float("nan"), "\ud800", [object()]])
def test_odd_data_is_left_out(data: object) -> None:
    assert loggable(data).startswith("left out")
    assert encode(loggable(data))
    assert loggable({"a": [1]}) == {"a": [1]}
