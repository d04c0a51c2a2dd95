"""What can go wrong in a simulated world.

SimulationError
├── InvariantBroken  something happened that must never happen: a bug in what is simulated
├── NotQuiet         faults have stopped, time has passed, and something is still not done
└── BadScenario      the scenario asks for what the world cannot do
"""

from __future__ import annotations


class SimulationError(Exception):
    """A run did not end as it should; `code` is stable, the text says what was seen and where."""

    code = "simulation-error"
    default_hint = "run the seed again with --trace and read back from the end"

    def __init__(self, what: str = "", hint: str = "") -> None:
        self.what = what or (type(self).__doc__ or self.code).split("\n", maxsplit=1)[0]
        self.hint = hint or self.default_hint
        super().__init__(f"{self.code}: {self.what}")


class InvariantBroken(SimulationError):
    """A promise was broken."""

    code = "invariant-broken"


class NotQuiet(SimulationError):
    """Something is still not done."""

    code = "not-quiet"


class BadScenario(SimulationError):
    """The scenario asks for what the world cannot do."""

    code = "bad-scenario"
    default_hint = "correct the scenario"
