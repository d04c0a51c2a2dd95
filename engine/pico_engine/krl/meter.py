"""What the KRL of one turn of a pico uses: steps, memory, calls inside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pico_engine.krl.errors import KrlLimitExceeded

if TYPE_CHECKING:
    from collections.abc import Callable

    from pico_engine.limits import KrlLimits
    from pico_engine.turn import Turn


CODE_BYTES_PER_STEP: Final = 256
"""Length of generated code that takes about as long as a step: ten calls of helpers."""


class Meter:
    """Counts down what is left; one for all KRL rulesets of a pico, begun anew by each turn.

    Steps are given out in slices: `pause` is called when one is used up.
    """

    __slots__ = ("_limits", "_pause", "_reserve", "_slice", "depth", "memory", "steps")

    def __init__(self, limits: KrlLimits, pause: Callable[[], None] | None = None) -> None:
        self._limits = limits
        self._pause = pause
        self.steps = self._slice = self._reserve = 0
        """What is left of the slice at hand, what it had, and what is left of the turn behind it."""
        self.depth = self.memory = 0
        self._reset()

    def _give(self, steps: int) -> None:
        """Begin a slice of a turn that has `steps` left."""
        self.steps = self._slice = min(steps, self._limits.slice_steps)
        self._reserve = steps - self._slice

    def _reset(self) -> None:
        self._give(self._limits.steps_max)
        self.memory = self._limits.memory_max_bytes
        self.depth = self._limits.call_depth_max

    def begin(self, turn: Turn) -> None:
        """A turn of the pico runs KRL; only its first call counts."""
        if not turn.metered:
            turn.metered = True
            self._reset()
            outer = _outer_of(turn)
            if outer is not None:
                self.take_over(outer)
                self.depth = outer.depth

    def end(self, turn: Turn) -> None:
        """A turn that answers a question ends: what it used counts for the turn that asked."""
        outer = _outer_of(turn)
        if outer is not None:
            outer.take_over(self)

    def take_over(self, other: Meter) -> None:
        """Go on counting where `other` stands."""
        self.steps, self._slice, self._reserve = other.steps, other._slice, other._reserve
        self.memory = other.memory

    def take_used(self) -> int:
        """The steps of the turn that ended, or of its last slice; 0 when asked again."""
        used = self._slice - max(self.steps, 0)  # work that is too much is refused before it is done
        self._give(self._limits.steps_max)
        return used

    @property
    def made_bytes(self) -> int:
        """Memory that values made in this turn take, at most."""
        return self._limits.memory_max_bytes - self.memory

    def step(self, n: int) -> None:
        self.steps -= n
        if self.steps < 0:
            left = self._reserve + self.steps
            if left >= 0:
                self._give(left)
                if self._pause is not None:
                    self._pause()
                return
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
