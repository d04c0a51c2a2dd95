"""Single instructions on a machine of their own."""

from __future__ import annotations

import pytest

from pico_engine.regex import instructions as op
from pico_engine.regex.assemble import Program
from pico_engine.regex.machine import Machine, Patience
from pico_engine.regex.members import Members
from pico_engine.regex.syntax import Where

A = Members(((97, 97),))


def machine(text: str, at: int) -> Machine:
    one = Machine(Program((), 1, 8, False, None), text, Patience(None))
    one.position = at
    return one


@pytest.mark.parametrize(
    ("where", "places"),
    [
        (Where.START, {0}),
        (Where.END, {5}),
        (Where.LINE_START, {0, 2, 3}),
        (Where.LINE_END, {1, 2, 5}),
        (Where.BOUNDARY, {0, 1, 3, 4}),
        (Where.NO_BOUNDARY, {2, 5}),
    ],
)
def test_places(where: Where, places: set[int]) -> None:
    text = "a\n\u2028b-"
    assert {at for at in range(6) if op.At(where, 7).run(machine(text, at)) == 7} == places


def test_a_run_takes_all_and_gives_back() -> None:
    one = machine("aaaab", 1)
    assert op.Run(A, 1, None, 7).run(one) == 7
    assert one.position == 4
    assert one.choices == [(7, 3, 0, 2)]
    assert op.Run(A, 2, 2, 7).run(machine("aaaa", 1)) == 7
    assert op.Run(A, 4, None, 7).run(machine("aaaab", 1)) == op.FAILED


def test_a_group_that_has_not_matched_repeats_nothing() -> None:
    one = machine("ab", 1)
    assert op.Same(1, False, False, 7).run(one) == 7
    assert one.position == 1


def test_a_group_again_backwards_and_without_case() -> None:
    one = machine("abAB", 4)
    one.registers[2:4] = [0, 2]
    assert op.Same(1, False, True, 7).run(one) == op.FAILED
    assert op.Same(1, True, True, 7).run(one) == 7
    assert one.position == 2


def test_an_empty_round_counts_only_while_rounds_are_needed() -> None:
    one = machine("a", 0)
    one.registers[4:6] = [2, 0]
    assert op.Round(4, 2, 7).run(one) == 7
    assert op.Round(4, 1, 7).run(one) == op.FAILED
