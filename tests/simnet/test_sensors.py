"""The sensors story: shipped rulesets under the same weather."""

from __future__ import annotations

import pytest

from pico_simnet.errors import InvariantBroken
from pico_simnet.runs import run
from pico_simnet.sensors import SensorStory
from pico_simnet.world import World
from tests.simnet.test_mutations import no_duplicate_check, out_of_order


@pytest.mark.parametrize("first", [0, 20])
def test_seeds(first: int) -> None:
    for seed in range(first, first + 20):
        one = run(seed, "sensors")
        assert one.failure is None, f"{one.failure!r}; see it: {one.replay}"


def test_watchers_are_told() -> None:
    told_count = violations_count = 0
    for seed in range(4):
        story = SensorStory(World(seed), watchers=2)
        story.run()
        for told, violations in story._told():
            told_count += len(told)
            violations_count += len(violations)
    assert told_count > 100
    assert 30 < violations_count < told_count


@pytest.mark.parametrize("mutation", [no_duplicate_check, out_of_order])
def test_a_mistake_is_found_here_too(mutation, monkeypatch) -> None:
    mutation(monkeypatch)
    failures = [run(seed, "sensors").failure for seed in range(10)]
    assert any(isinstance(failure, InvariantBroken) for failure in failures)
