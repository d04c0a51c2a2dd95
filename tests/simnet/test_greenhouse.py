"""The greenhouse story holds with many seeds; its checks notice what is wrong."""

from __future__ import annotations

import pytest

from pico_simnet.errors import InvariantBroken
from pico_simnet.greenhouse import GreenhouseStory, check_beginning, check_counts
from pico_simnet.host import SimulatedHost
from pico_simnet.runs import run
from pico_simnet.world import World

SEEDS = range(120)


@pytest.mark.parametrize("first", range(0, len(SEEDS), 20))
def test_seeds(first: int) -> None:
    for seed in SEEDS[first : first + 20]:
        one = run(seed)
        assert one.failure is None, f"{one.failure!r}; see it: {one.replay}"


def test_several_watchers_hear_the_same() -> None:
    world = World(11)
    GreenhouseStory(world, watchers=3, readings=15).run()
    assert len(world.monitor.connected()) == 6


def test_readings_that_are_lost_or_doubled_are_noticed() -> None:
    story = GreenhouseStory(World(0))
    story.sent.tried |= {1, 2, 3}
    story._check_readings([1, 2], {1, 2})
    for readings, sure in (([1], {1, 2}), ([1, 1], {1}), ([1, 9], {1})):
        with pytest.raises(InvariantBroken):
            story._check_readings(readings, sure)


def test_a_store_that_lost_what_was_answered_is_noticed_at_the_crash(monkeypatch) -> None:
    """A disk that lies: nothing after the beginning ever reaches it."""
    world = World(2)
    story = GreenhouseStory(world)
    disk = story._greenhouse.host.disk
    monkeypatch.setattr(disk, "finish", lambda handle: None)
    monkeypatch.setattr(SimulatedHost, "wants", lambda self, other: False)
    for number in range(5):
        story._read(number)
        world.run_for(200)
    assert story.sent.answered
    monkeypatch.setattr(world.monitor, "durable", lambda host, batch: None)
    with pytest.raises(InvariantBroken, match="acknowledged and are lost"):
        story._greenhouse.host.crash()


def test_order_and_answers_are_checked() -> None:
    check_beginning("x", [1, 2], [1, 2, 3])
    for part in ([2], [1, 3], [1, 2, 3, 3]):
        with pytest.raises(InvariantBroken):
            check_beginning("x", part, [1, 2, 3])
    check_counts([[-1, 0], [5, 2]], [4, 5])
    for answers in ([[5, 1]], [[5, 3]], [[5, 2], [4, 1]]):
        with pytest.raises(InvariantBroken):
            check_counts(answers, [4, 5])
