"""What the backtracking matcher executes: each instruction is one small step of ECMA-262 §22.2.2.

An instruction's `run` looks at the machine, may change it, and says where to go on: an index into the
program, FAILED or ACCEPTED. Registers 0 and 1 are not used, 2n and 2n + 1 are the ends of group n; behind
them are the counters of repetitions and what lookarounds remember.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from pico_engine.regex import charset
from pico_engine.regex.members import Members
from pico_engine.regex.syntax import Where

if TYPE_CHECKING:
    from pico_engine.regex.machine import Machine

FAILED: Final = -1
ACCEPTED: Final = -2
UNSET: Final = -1

_CHEAP_CHARS: Final = 32
"""Characters that C code looks at in about the time of one instruction here."""

_WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_LINE_ENDS: Final = frozenset("\n\r\u2028\u2029")


@dataclass(frozen=True, slots=True)
class Accept:
    def run(self, machine: Machine) -> int:  # noqa: ARG002
        return ACCEPTED


@dataclass(frozen=True, slots=True)
class One:
    """One character of the set; backwards within a lookbehind."""

    members: Members
    then: int

    def run(self, machine: Machine) -> int:
        if not self.members.has(machine.text, machine.position):
            return FAILED
        machine.position += 1
        return self.then


@dataclass(frozen=True, slots=True)
class OneBackwards:
    members: Members
    then: int

    def run(self, machine: Machine) -> int:
        before = machine.position - 1
        if before < 0 or not self.members.has(machine.text, before):
            return FAILED
        machine.position = before
        return self.then


@dataclass(frozen=True, slots=True)
class Run:
    """As many characters of a set as there are, up to `high`; gives them back one by one down to `low`."""

    members: Members
    low: int
    high: int | None
    then: int

    def run(self, machine: Machine) -> int:
        text, begin = machine.text, machine.position
        limit = len(text) if self.high is None else min(len(text), begin + self.high)
        end = self.members.run_end(text, begin, limit)
        machine.charge((end - begin) // self.members.chars_per_step)
        least = begin + self.low
        if end < least:
            return FAILED
        if end > least:
            machine.choices.append((self.then, end - 1, len(machine.trail), least))
        machine.position = end
        return self.then


@dataclass(frozen=True, slots=True)
class Fork:
    """Tries `first`, and `second` where that fails."""

    first: int
    second: int

    def run(self, machine: Machine) -> int:
        machine.choose_later(self.second)
        return self.first


@dataclass(frozen=True, slots=True)
class Jump:
    then: int

    def run(self, machine: Machine) -> int:  # noqa: ARG002
        return self.then


@dataclass(frozen=True, slots=True)
class Save:
    """Notes the position as one end of a group."""

    register: int
    then: int

    def run(self, machine: Machine) -> int:
        machine.set(self.register, machine.position)
        return self.then


@dataclass(frozen=True, slots=True)
class At:
    where: Where
    then: int

    def run(self, machine: Machine) -> int:
        return self.then if _holds(self.where, machine.text, machine.position) else FAILED


def _holds(where: Where, text: str, at: int) -> bool:
    match where:
        case Where.START:
            return at == 0
        case Where.END:
            return at == len(text)
        case Where.LINE_START:
            return at == 0 or text[at - 1] in _LINE_ENDS
        case Where.LINE_END:
            return at == len(text) or text[at] in _LINE_ENDS
        case Where.BOUNDARY | Where.NO_BOUNDARY:
            before = at > 0 and text[at - 1] in _WORD
            after = at < len(text) and text[at] in _WORD
            return (before != after) == (where is Where.BOUNDARY)


@dataclass(frozen=True, slots=True)
class Counter:
    """Begins a repetition: `register` counts its rounds, the one behind it holds where a round began."""

    register: int
    then: int

    def run(self, machine: Machine) -> int:
        machine.set(self.register, 0)
        return self.then


@dataclass(frozen=True, slots=True)
class Again:
    """Decides between one more round and what comes after the repetition."""

    register: int
    low: int
    high: int | None
    greedy: bool
    enter: int
    leave: int

    def run(self, machine: Machine) -> int:
        count = machine.registers[self.register]
        if count < self.low:
            return self.enter
        if self.high is not None and count >= self.high:
            return self.leave
        if self.greedy:
            machine.choose_later(self.leave)
            return self.enter
        machine.choose_later(self.enter)
        return self.leave


@dataclass(frozen=True, slots=True)
class Enter:
    """Begins a round: forgets what the groups inside have matched in the round before."""

    register: int
    first: int
    last: int
    then: int

    def run(self, machine: Machine) -> int:
        registers = machine.registers
        machine.set(self.register, registers[self.register] + 1)
        machine.set(self.register + 1, machine.position)
        for register in range(2 * self.first, 2 * self.last):
            if registers[register] != UNSET:
                machine.set(register, UNSET)
        machine.charge((self.last - self.first) // 4)
        return self.then


@dataclass(frozen=True, slots=True)
class Round:
    """Ends a round. One that was not needed and matched nothing does not count: RepeatMatcher step 2.b."""

    register: int
    low: int
    again: int

    def run(self, machine: Machine) -> int:
        registers = machine.registers
        if registers[self.register] > self.low and registers[self.register + 1] == machine.position:
            return FAILED
        return self.again


@dataclass(frozen=True, slots=True)
class Look:
    """Begins a lookaround: `register` remembers how many choices were open, the one behind it where it began.

    With `otherwise`, a negative one, which goes on there when its body fails.
    """

    register: int
    then: int
    otherwise: int | None

    def run(self, machine: Machine) -> int:
        # no trail: nothing inside a lookaround is tried again after its end
        machine.registers[self.register] = len(machine.choices)
        machine.registers[self.register + 1] = machine.position
        if self.otherwise is not None:
            machine.choose_later(self.otherwise)
        return self.then


@dataclass(frozen=True, slots=True)
class Seen:
    """Ends a lookaround whose body has matched: drops its choices and, unless negative, returns."""

    register: int
    then: int
    negative: bool

    def run(self, machine: Machine) -> int:
        del machine.choices[machine.registers[self.register] :]
        if self.negative:
            return FAILED
        machine.position = machine.registers[self.register + 1]
        return self.then


@dataclass(frozen=True, slots=True)
class Same:
    """What group `number` has matched, once more."""

    number: int
    ignore_case: bool
    backwards: bool
    then: int

    def run(self, machine: Machine) -> int:
        begin, end = machine.registers[2 * self.number : 2 * self.number + 2]
        if UNSET in (begin, end) or begin == end:
            return self.then
        length = end - begin
        at = machine.position - length if self.backwards else machine.position
        if at < 0 or at + length > len(machine.text):
            return FAILED
        machine.charge(length if self.ignore_case else length // _CHEAP_CHARS)
        if not self._same(machine.text[begin:end], machine.text[at : at + length]):
            return FAILED
        machine.position = at if self.backwards else at + length
        return self.then

    def _same(self, one: str, other: str) -> bool:
        if one == other or not self.ignore_case:
            return one == other
        return all(charset.canonical(a) == charset.canonical(b) for a, b in zip(one, other, strict=True))


Instruction: TypeAlias = (
    Accept
    | One
    | OneBackwards
    | Run
    | Fork
    | Jump
    | Save
    | At
    | Counter
    | Again
    | Enter
    | Round
    | Look
    | Seen
    | Same
)
