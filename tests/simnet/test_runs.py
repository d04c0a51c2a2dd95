"""Runs: a failure is a result, with the command that shows it again."""

from __future__ import annotations

import pytest

from pico_simnet import runs
from pico_simnet.errors import BadScenario, InvariantBroken


class Broken:
    def __init__(self, world) -> None:
        self.world = world

    def run(self) -> None:
        self.world.run_for(5)
        raise InvariantBroken("always")


def test_a_good_run() -> None:
    one = runs.run(1)
    assert one.failure is None
    assert one.events > 100
    assert one.digest == runs.run(1, keep_trace=True).digest


def test_a_failure_tells_how_to_see_it_again(monkeypatch) -> None:
    monkeypatch.setitem(runs.SCENARIOS, "broken", Broken)
    one = runs.run(42, "broken")
    assert isinstance(one.failure, InvariantBroken)
    assert one.replay == "python -m pico_simnet --scenario broken --seed 42 --trace"
    assert one.simulated_ms == 5


def test_an_unknown_scenario() -> None:
    with pytest.raises(BadScenario, match="no scenario 'x'"):
        runs.run(1, "x")
