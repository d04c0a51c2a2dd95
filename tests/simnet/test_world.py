"""Worlds: one queue of time, and the same run from the same seed in every process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pico_engine.errors import UnknownPico
from pico_simnet.errors import BadScenario, NotQuiet
from pico_simnet.greenhouse import GreenhouseStory, built_in
from pico_simnet.world import World


def test_things_happen_in_the_order_of_time_and_then_of_asking() -> None:
    world, seen = World(), []
    world.at(5, lambda: seen.append("five"))
    world.at(3, lambda: world.after(2, lambda: seen.append("five, asked later")))
    world.at(3, lambda: seen.append("three"))
    world.run_until(4)
    assert seen == ["three"]
    assert world.now == 4
    world.run_for(10)
    assert seen == ["three", "five", "five, asked later"]


def test_what_is_asked_for_the_past_happens_now() -> None:
    world, seen = World(), []
    world.run_until(10)
    world.at(2, lambda: seen.append(world.now))
    world.run_for(1)
    assert seen == [10]


def test_waiting_in_vain_is_an_error() -> None:
    world = World()
    with pytest.raises(NotQuiet, match="after 50 ms still not: pigs fly"):
        world.run_until_true(lambda: False, 50, "pigs fly")


def test_commands_answer_or_raise_as_a_node_does() -> None:
    world = World()
    world.host("one", built_in())
    assert world.command("one", "status")["picos_loaded"] >= 1
    with pytest.raises(UnknownPico):
        world.command("one", "pico_show", pico="nobody")


def test_a_scenario_that_asks_for_what_is_not_there() -> None:
    world = World()
    world.host("one", built_in())
    with pytest.raises(BadScenario):
        world.host("one", built_in())
    with pytest.raises(BadScenario):
        world.partition("one", "two")


def story(seed: int, **options) -> World:
    world = World(seed, keep_trace=True)
    GreenhouseStory(world, **options).run()
    return world


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_same_seed_gives_the_same_trace_byte_for_byte(seed) -> None:
    one, again = story(seed, watchers=2), story(seed, watchers=2)
    assert one.trace.lines == again.trace.lines
    assert one.trace.digest == again.trace.digest
    assert story(seed + 100).trace.digest != one.trace.digest


def test_a_draw_more_in_one_stream_leaves_the_rest_of_the_world_alone() -> None:
    plain = story(4)
    world = World(4)
    drama = GreenhouseStory(world)
    world.chance.stream("something new").below(10)
    world.chance.below(10)
    drama.run()
    assert world.trace.digest == plain.trace.digest


PROGRAM = """
from pico_simnet.greenhouse import GreenhouseStory
from pico_simnet.world import World
for seed in range(6):
    world = World(seed)
    GreenhouseStory(world, watchers=3, readings=20).run()
    print(world.trace.digest)
"""


def test_other_processes_and_hash_seeds_give_the_same_trace() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for hash_seed in ("0", "4711")
    }
    assert len(outputs) == 1
    assert len(set(outputs.pop().split())) == 6
