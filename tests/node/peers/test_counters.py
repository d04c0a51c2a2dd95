"""Counters: all begin at nothing, and all are shown."""

from __future__ import annotations

from dataclasses import fields

import pytest

from pico_node.http.metrics import GAUGES
from pico_node.peers.counters import Counters


def test_all_begin_at_nothing_and_are_shown():
    assert Counters().as_dict() == {field.name: 0 for field in fields(Counters)}


def test_what_is_shown_is_a_copy():
    counters = Counters()
    before = counters.as_dict()
    counters.dials += 2
    assert (before["dials"], counters.as_dict()["dials"]) == (0, 2)


def test_a_counter_that_does_not_exist_cannot_be_counted():
    with pytest.raises(AttributeError):
        Counters().diels = 1


def test_those_that_go_down_too_are_shown_as_gauges():
    assert {name for name in Counters().as_dict() if f"peers_{name}" in GAUGES} == {"sessions", "half_open"}
