"""Nodes are values: equal when they say the same, usable as keys."""

from __future__ import annotations

from pico_engine.regex.syntax import EMPTY, Characters, Repeat, Sequence


def test_nodes_are_values() -> None:
    node = Repeat(Characters(((97, 97),)), 0, None, greedy=True, first=1, last=1)
    assert {node: 1}[Repeat(Characters(((97, 97),)), 0, None, greedy=True, first=1, last=1)] == 1
    assert Sequence(()) == EMPTY
