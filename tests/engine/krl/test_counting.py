"""How work is counted: little for little, all of it before it is done."""

from __future__ import annotations

import pytest

from pico_engine.krl.counting import make, number_of, scan, write
from pico_engine.krl.errors import KrlLimitExceeded
from tests.engine.krl.helpers import CountingRun


def test_short_texts_cost_nothing_and_long_ones_by_their_length() -> None:
    run = CountingRun()
    scan(run, 63)
    assert run.steps == 0
    scan(run, 6_400)
    assert (run.steps, run.chars) == (100, 0)


def test_what_is_made_counts_as_memory_and_as_work() -> None:
    run = CountingRun()
    make(run, 640)
    assert (run.steps, run.chars) == (10, 5_120)
    write(run, 640)
    assert (run.steps, run.chars) == (20, 5_760)


def test_a_number_in_a_long_text_is_counted() -> None:
    run = CountingRun(steps_max=100)
    assert number_of(run, "12") == 12
    assert run.steps == 0
    with pytest.raises(KrlLimitExceeded):
        number_of(run, "1" * 10_000)
