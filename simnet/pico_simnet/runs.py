"""Running scenarios by seed: what came of each run, and how to see it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from pico_simnet.errors import BadScenario
from pico_simnet.greenhouse import GreenhouseStory
from pico_simnet.sensors import SensorStory
from pico_simnet.trace import Trace
from pico_simnet.world import World


class Story(Protocol):
    """What a scenario makes of a world."""

    def run(self) -> None:
        """Play to the end; raises whatever went wrong."""
        ...


SCENARIOS: Final[dict[str, Callable[[World], Story]]] = {
    "greenhouse": GreenhouseStory,
    "sensors": SensorStory,
}


@dataclass(slots=True)
class Run:
    """One run. `failure` is what was raised, None when all invariants held."""

    scenario: str
    seed: int
    digest: str
    events: int
    simulated_ms: int
    failure: Exception | None
    trace: Trace

    @property
    def replay(self) -> str:
        """The command that shows this run again, line by line."""
        return f"python -m pico_simnet --scenario {self.scenario} --seed {self.seed} --trace"


def run(seed: int, scenario: str = "greenhouse", *, keep_trace: bool = False) -> Run:
    """Play a scenario with a seed. Raises BadScenario when there is no such scenario."""
    make = SCENARIOS.get(scenario)
    if make is None:
        raise BadScenario(f"there is no scenario {scenario!r}", f"there are: {', '.join(sorted(SCENARIOS))}")
    world = World(seed, keep_trace=keep_trace)
    failure: Exception | None = None
    try:
        make(world).run()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the result of this run
        failure = error
    return Run(scenario, seed, world.trace.digest, world.events, world.now, failure, world.trace)
