"""From the tree to a program of the backtracking matcher."""

from __future__ import annotations

from dataclasses import dataclass

from pico_engine.regex import instructions as op
from pico_engine.regex.analysis import anchored, beginning
from pico_engine.regex.charset import EVERYTHING, Ranges
from pico_engine.regex.members import Members
from pico_engine.regex.syntax import (
    Alternatives,
    Assertion,
    Backreference,
    Capture,
    Characters,
    Look,
    Node,
    Pattern,
    Repeat,
    Sequence,
)


@dataclass(frozen=True, slots=True)
class Program:
    """`first` finds where a match can begin; None: anywhere. `registers` is how many there are."""

    code: tuple[op.Instruction, ...]
    groups: int
    registers: int
    anchored: bool
    first: Members | None


def assemble(pattern: Pattern) -> Program:
    """The program that matches as ECMA-262 says, whatever the pattern."""
    groups = len(pattern.names)
    assembler = _Assembler(2 * (groups + 1), pattern.ignore_case)
    begin = assembler.node(pattern.body, assembler.emit(op.Accept()), backwards=False)
    assembler.entry(begin)
    first = beginning(pattern.body)
    return Program(
        code=assembler.program(),
        groups=groups,
        registers=assembler.registers,
        anchored=anchored(pattern.body),
        first=None if first is None or first == EVERYTHING else Members(first),
    )


class _Assembler:
    """Emits from the end to the beginning, so that each instruction knows what comes after it."""

    def __init__(self, registers: int, ignore_case: bool) -> None:
        self.registers = registers
        self._ignore_case = ignore_case
        self._code: list[op.Instruction] = [op.Jump(0)]
        self._members: dict[Ranges, Members] = {}

    def emit(self, instruction: op.Instruction) -> int:
        self._code.append(instruction)
        return len(self._code) - 1

    def entry(self, begin: int) -> None:
        """Execution begins at index 0, which leads to `begin`."""
        self._code[0] = op.Jump(begin)

    def program(self) -> tuple[op.Instruction, ...]:
        return tuple(self._code)

    def node(self, node: Node, then: int, *, backwards: bool) -> int:
        """Where the code of `node` begins, which goes on at `then`."""
        match node:
            case Characters(members):
                known = self._known(members)
                return self.emit(op.OneBackwards(known, then) if backwards else op.One(known, then))
            case Assertion(where):
                return self.emit(op.At(where, then))
            case Sequence(items):
                for item in items if backwards else reversed(items):
                    then = self.node(item, then, backwards=backwards)
                return then
            case Alternatives(options):
                begins = [self.node(option, then, backwards=backwards) for option in options]
                begin = begins.pop()
                for first in reversed(begins):
                    begin = self.emit(op.Fork(first, begin))
                return begin
            case Capture(number, body):
                opening, closing = 2 * number, 2 * number + 1
                if backwards:
                    opening, closing = closing, opening
                then = self.emit(op.Save(closing, then))
                return self.emit(op.Save(opening, self.node(body, then, backwards=backwards)))
            case Repeat():
                return self._repeat(node, then, backwards=backwards)
            case Look():
                return self._look(node, then)
            case Backreference(number):
                return self.emit(op.Same(number, self._ignore_case, backwards, then))

    def _repeat(self, node: Repeat, then: int, *, backwards: bool) -> int:
        if node.high == 0:
            return then
        if isinstance(node.body, Characters) and node.greedy and not backwards:
            return self.emit(op.Run(self._known(node.body.ranges), node.low, node.high, then))
        register = self._take_registers()
        again = self.emit(op.Jump(then))
        round_ = self.emit(op.Round(register, node.low, again))
        body = self.node(node.body, round_, backwards=backwards)
        enter = self.emit(op.Enter(register, node.first, node.last, body))
        self._code[again] = op.Again(register, node.low, node.high, node.greedy, enter, then)
        return self.emit(op.Counter(register, again))

    def _look(self, node: Look, then: int) -> int:
        register = self._take_registers()
        seen = self.emit(op.Seen(register, then, node.negative))
        body = self.node(node.body, seen, backwards=node.behind)
        return self.emit(op.Look(register, body, then if node.negative else None))

    def _take_registers(self) -> int:
        self.registers += 2
        return self.registers - 2

    def _known(self, members: Ranges) -> Members:
        if members not in self._members:
            self._members[members] = Members(members)
        return self._members[members]
