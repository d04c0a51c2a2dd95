"""The backtracking matcher: executes a program on a text, with an end to its patience."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pico_engine.regex.assemble import Program
from pico_engine.regex.errors import RegexLimitExceeded
from pico_engine.regex.instructions import ACCEPTED, FAILED, UNSET

SEARCH_MAX_STEPS: Final = 500_000
"""Steps of one search, about half a second: honest expressions take a few for each character."""

_CHUNK_STEPS: Final = 256
"""Steps are reported to the caller in portions, because a call costs as much as a step."""

Spans = list[int]
"""The begin and end of the match, then of each group; -1 for a group that took no part."""


class Patience:
    """Counts the steps of one search; tells them to `step`, and ends after `steps`."""

    __slots__ = ("_left", "_step")

    def __init__(self, step: Callable[[int], object] | None, steps: int = SEARCH_MAX_STEPS) -> None:
        self._left = steps
        self._step = step

    def spend(self, steps: int) -> None:
        """Raises RegexLimitExceeded, and whatever `step` raises."""
        self._left -= steps
        if self._step is not None:
            self._step(steps)
        if self._left < 0:
            raise RegexLimitExceeded(
                f"a regular expression takes more than {SEARCH_MAX_STEPS} steps on a text (SEARCH_MAX_STEPS)"
            )


class Machine:
    """One search in one text. `choices` are what to try when the present way fails, the last one first:
    where to go on, at which position, how long the trail was; positions down to the last member may be tried
    as well. `trail` has the former values of registers that were changed since."""

    __slots__ = ("_code", "_patience", "_used", "choices", "position", "registers", "text", "trail")

    def __init__(self, program: Program, text: str, patience: Patience) -> None:
        self._code = program.code
        self._patience = patience
        self._used = 0
        self.text = text
        self.position = 0
        self.registers = [UNSET] * program.registers
        self.choices: list[tuple[int, int, int, int]] = []
        self.trail: list[tuple[int, int]] = []

    def set(self, register: int, value: int) -> None:
        """Changes a register so that backtracking undoes it."""
        self.trail.append((register, self.registers[register]))
        self.registers[register] = value

    def choose_later(self, index: int) -> None:
        """Goes on at `index` from this position if the present way fails."""
        self.choices.append((index, self.position, len(self.trail), self.position))

    def charge(self, steps: int) -> None:
        self._used += steps

    def attempt(self, begin: int) -> bool:
        """Whether a match begins at `begin`; then `position` is its end."""
        code = self._code
        self.position = begin
        index = 0
        while index != ACCEPTED:
            if index == FAILED:
                if not self.choices:
                    self._undo(0)
                    return False
                index = self._backtrack()
            self._used += 1
            if self._used >= _CHUNK_STEPS:
                self.tell()
            index = code[index].run(self)
        return True

    def tell(self) -> None:
        """Reports the steps so far."""
        used, self._used = self._used, 0
        self._patience.spend(used)

    def _backtrack(self) -> int:
        index, position, mark, least = self.choices.pop()
        if position > least:
            self.choices.append((index, position - 1, mark, least))
        self._undo(mark)
        self.position = position
        return index

    def _undo(self, mark: int) -> None:
        trail, registers = self.trail, self.registers
        while len(trail) > mark:
            register, value = trail.pop()
            registers[register] = value


def search(program: Program, text: str, start: int, patience: Patience) -> Spans | None:
    """The first match that begins at `start` or later. Raises RegexLimitExceeded."""
    machine = Machine(program, text, patience)
    begin = start
    while begin <= len(text):
        if program.first is not None:
            found = program.first.find(text, begin)
            machine.charge((found - begin) // program.first.chars_per_step)
            begin = found
            if begin == len(text):
                break
        if program.anchored and begin > 0:
            break
        if machine.attempt(begin):
            machine.tell()
            return [begin, machine.position, *machine.registers[2 : 2 * (program.groups + 1)]]
        begin += 1
    machine.tell()
    return None
