"""The backtracking matcher: undoing, and the end of its patience."""

from __future__ import annotations

import pytest

from pico_engine.regex.assemble import assemble
from pico_engine.regex.errors import RegexLimitExceeded
from pico_engine.regex.machine import SEARCH_MAX_STEPS, Machine, Patience, search
from pico_engine.regex.parser import parse


def test_backtracking_undoes_what_groups_matched() -> None:
    program = assemble(parse("(?:(a)b|a(c))"))
    assert search(program, "ac", 0, Patience(None)) == [0, 2, -1, -1, 1, 2]


def test_a_failed_attempt_leaves_nothing() -> None:
    one = Machine(assemble(parse("(a)+b")), "aac", Patience(None))
    before = list(one.registers)
    assert not one.attempt(0)
    assert one.registers == before
    assert one.trail == []


def test_patience_ends() -> None:
    told: list[int] = []
    patience = Patience(told.append)
    patience.spend(SEARCH_MAX_STEPS)
    with pytest.raises(RegexLimitExceeded, match="SEARCH_MAX_STEPS"):
        patience.spend(1)
    assert told == [SEARCH_MAX_STEPS, 1]


def test_a_text_without_the_first_character_costs_little() -> None:
    told: list[int] = []
    assert search(assemble(parse("(?=a)a")), "b" * 64_000, 0, Patience(told.append)) is None
    assert sum(told) < 3_000
