"""Fair shares: a turn of KRL that computes long is put aside, slice by slice, while others have theirs.

Theory of operation. The meter of a pico's KRL counts steps. When a turn has taken `slice_steps`, its worker
is left in the middle of the rule, as one that waits for an answer is, and the pico counts as slow. Slow picos
stand in a line of their own, behind all others: each tick does what is ready, and then one slice of the line,
or one turn. So what one pico computes, whatever waits for it, delays others by a slice, never by a turn; a
node that has nothing else to do goes on with it at once. A slow pico that does with less than a slice is an
ordinary one again. All of it follows from counted steps, not from a clock: a simulation replays it.

What a turn that was put aside has made stays in memory. So few may be put aside at the same time; beyond, a
turn goes on to its end, and new turns of slow picos wait.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from greenlet import getcurrent

if TYPE_CHECKING:
    from greenlet import greenlet

    from pico_engine.engine import Engine
    from pico_engine.pico import Pico
    from pico_engine.turn import Turn

SLOW_TURNS_MAX: Final = 4
"""Turns put aside with which the line begins no further one: what each has made takes memory."""
PAUSED_TURNS_MAX: Final = 256
"""Turns put aside at the same time, of picos that were not known to be slow; each keeps a stack."""
PAUSED_MAX_BYTES: Final = 268_435_456
"""What the KRL of all turns put aside has made: as much as four turns with all of memory_max_bytes."""


class Slices:
    """The turns of an engine that were put aside, and the picos that wait behind all others."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.paused: deque[Turn] = deque()
        self.slow: deque[Pico] = deque()
        """Ready picos whose last turn took more than a slice."""

    @property
    def has_work(self) -> bool:
        return bool(self.paused or self.slow)

    def pause(self, pico: Pico) -> None:
        """The turn of `pico` has taken a slice: leave it until it is its turn again.

        Raises the error of a pico that was deleted meanwhile.
        """
        engine, turn = self._engine, pico.turn
        if turn is None or getcurrent().parent is None:
            return  # this is no worker, which can be left
        one: Turn | None = turn
        while one is not None:  # the slow one is who asks
            slow, one = one.pico, one.outer
        slow.is_slow = True
        if self._has_room(turn):
            engine.count("turns_paused")
            engine.runner.count_steps(engine.limits.krl.slice_steps)
            self.paused.append(turn)
            engine.waiting.pause(turn)

    def _has_room(self, turn: Turn) -> bool:
        if len(self.paused) >= PAUSED_TURNS_MAX:
            return False
        meters = [one.pico.meter for one in (turn, *self.paused)]
        return sum(meter.made_bytes for meter in meters if meter is not None) <= PAUSED_MAX_BYTES

    def next_slice(self) -> greenlet | Pico | None:
        """A worker to go on with, or a pico that may begin a turn. Each call answers another one."""
        while self.slow and len(self.paused) < SLOW_TURNS_MAX:
            pico = self.slow.popleft()
            if not pico.is_gone:
                pico.is_slow = False
                return pico
        return self.paused.popleft().waiter if self.paused else None
