"""What KRL may use in a turn, counted down."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pico_engine.krl.errors import KrlLimitExceeded
from pico_engine.krl.meter import Meter
from pico_engine.limits import KrlLimits

LIMITS = KrlLimits(steps_max=10, memory_max_bytes=100, call_depth_max=3)


def test_steps_and_memory_run_out() -> None:
    meter = Meter(LIMITS)
    meter.step(10)
    with pytest.raises(KrlLimitExceeded, match=r"10 steps in one turn \(steps_max\)"):
        meter.step(1)
    meter.grow(100)
    with pytest.raises(KrlLimitExceeded, match=r"100 bytes in one turn \(memory_max_bytes\)"):
        meter.grow(1)
    assert "(call_depth_max)" in meter.too_deep().what


def test_each_turn_begins_anew_and_only_once() -> None:
    meter, turn = Meter(LIMITS), SimpleNamespace(metered=False, outer=None)
    meter.step(5)
    meter.begin(turn)
    assert (meter.steps, meter.memory, meter.depth) == (10, 100, 3)
    meter.step(5)
    meter.begin(turn)
    assert meter.steps == 5, "the same turn goes on counting"
    meter.begin(SimpleNamespace(metered=False, outer=None))
    assert meter.steps == 10


def test_what_an_asked_turn_uses_counts_for_who_asks() -> None:
    asker, asked = Meter(LIMITS), Meter(LIMITS)
    outer = SimpleNamespace(metered=False, outer=None, pico=SimpleNamespace(meter=asker))
    asker.begin(outer)
    asker.step(4)
    asker.grow(40)
    asker.depth -= 1
    inner = SimpleNamespace(metered=False, outer=outer)
    asked.begin(inner)
    assert (asked.steps, asked.memory, asked.depth) == (6, 60, 2)
    asked.step(5)
    asked.end(inner)
    assert (asker.steps, asker.memory, asker.depth) == (1, 60, 2)
    by_python = SimpleNamespace(metered=False, outer=SimpleNamespace(metered=False))
    asked.begin(by_python)
    assert asked.steps == 10
    asked.end(by_python)


def test_what_a_turn_used_is_told_once() -> None:
    meter = Meter(LIMITS)
    meter.begin(SimpleNamespace(metered=False, outer=None))
    meter.step(7)
    assert meter.take_used() == 7
    assert meter.take_used() == 0


def test_steps_are_given_out_in_slices() -> None:
    pauses: list[int] = []
    meter = Meter(KrlLimits(steps_max=25_000), lambda: pauses.append(1))
    meter.step(10_000)
    assert not pauses
    meter.step(1)
    assert len(pauses) == 1
    meter.step(14_000)
    assert len(pauses) == 2
    assert meter.take_used() == 0, "what the slices before took was counted then"
    meter.step(24_999)
    with pytest.raises(KrlLimitExceeded, match="25,000 steps"):
        meter.step(2)
    assert len(pauses) == 3


def test_work_that_is_too_much_is_refused_before_it_is_done_and_not_counted_as_done() -> None:
    meter = Meter(KrlLimits(steps_max=25_000))
    with pytest.raises(KrlLimitExceeded):
        meter.step(1_000_000)
    assert meter.take_used() == 10_000
