"""What the KRL of one turn of a pico uses: steps, memory, calls inside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pico_engine.krl.errors import KrlLimitExceeded

if TYPE_CHECKING:
    from pico_engine.limits import KrlLimits
    from pico_engine.turn import Turn


CODE_BYTES_PER_STEP: Final = 256
"""Length of generated code that takes about as long as a step: ten calls of helpers."""


class Meter:
    """Counts down what is left; one for all KRL rulesets of a pico, begun anew by each turn."""

    __slots__ = ("_limits", "depth", "memory", "steps")

    def __init__(self, limits: KrlLimits) -> None:
        self._limits = limits
        self.depth = self.steps = self.memory = 0
        self._reset()

    def _reset(self) -> None:
        self.steps = self._limits.steps_max
        self.memory = self._limits.memory_max_bytes
        self.depth = self._limits.call_depth_max

    def begin(self, turn: Turn) -> None:
        """A turn of the pico runs KRL; only its first call counts."""
        if not turn.metered:
            turn.metered = True
            self._reset()
            outer = _outer_of(turn)
            if outer is not None:
                self.steps, self.memory, self.depth = outer.steps, outer.memory, outer.depth

    def end(self, turn: Turn) -> None:
        """A turn that answers a question ends: what it used counts for the turn that asked."""
        outer = _outer_of(turn)
        if outer is not None:
            outer.steps, outer.memory = self.steps, self.memory

    def take_used(self) -> int:
        """The steps of the turn that ended; 0 when asked again."""
        used = self._limits.steps_max - self.steps
        self.steps = self._limits.steps_max
        return used

    def step(self, n: int) -> None:
        self.steps -= n
        if self.steps < 0:
            most = self._limits.steps_max
            raise KrlLimitExceeded(
                f"the rulesets took more than {most:,} steps in one turn (steps_max)",
                "look for work that repeats without end; spread long work over several events",
            )

    def grow(self, size: int) -> None:
        self.memory -= size
        if self.memory < 0:
            most = self._limits.memory_max_bytes
            raise KrlLimitExceeded(
                f"the rulesets made values of more than {most:,} bytes in one turn (memory_max_bytes)",
                "look for texts or lists that double; work on parts of large data",
            )

    def too_deep(self) -> KrlLimitExceeded:
        return KrlLimitExceeded(
            f"functions call each other more than {self._limits.call_depth_max} levels deep (call_depth_max)",
            "look for recursion without an end; map, filter and reduce need none",
        )


def _outer_of(turn: Turn) -> Meter | None:
    """The meter of the turn that asked, if KRL asked."""
    outer = turn.outer
    return outer.pico.meter if outer is not None and outer.metered else None
