"""Weather: faults drawn from the seed, over the time of a story. Each world has its own mix of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pico_engine.errors import StoreFull
from pico_engine.messages import Accepted
from pico_simnet.host import HostPace, SimulatedHost
from pico_simnet.links import DATAGRAM, STREAM, Link, LinkPace

if TYPE_CHECKING:
    from pico_simnet.chance import Chance
    from pico_simnet.world import World

SKEW_MAX_MS = 240_000
"""How wrong a clock may be: some minutes, as of a machine that has not asked for the time for long."""
CRASHES_MIN, CRASHES_MAX = 1, 3
"""Of each host in one story."""
LINK_FAULTS_MAX = 4
"""Of each kind, of each link in one story."""
PARTITION_MAX_MS = 20_000
HOLD_MAX_MS = 8_000


def draw_host_pace(chance: Chance) -> HostPace:
    """A host: mostly quick, some with a slow disk; clocks right or wrong."""
    slow = chance.happens(200)
    return HostPace(
        disk_max_ms=chance.pick((200, 1_500)) if slow else chance.pick((0, 5, 20)),
        tick_max_ms=chance.pick((0, 2, 20)),
        writes_max=chance.pick((1, 1, 2, 3)),
        skew_ms=chance.between(-SKEW_MAX_MS, SKEW_MAX_MS) if chance.happens(300) else 0,
    )


def draw_link_pace(chance: Chance) -> LinkPace:
    """A link: half are streams, half lose, repeat and reorder."""
    pace = LinkPace(
        kind=chance.pick((STREAM, DATAGRAM)),
        latency_max_ms=chance.pick((2, 60, 400, 3_000)),
        notice_max_ms=chance.pick((10, 4_000, 15_000)),
    )
    if pace.kind == DATAGRAM:
        pace.loss_per_mille = chance.pick((0, 50, 300))
        pace.repeat_per_mille = chance.pick((0, 50, 300))
    return pace


class Weather:
    """Faults of a world between `begin` and `end`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._chance = world.chance.stream("weather")
        self._over = False

    def begin(self, until_ms: int) -> None:
        """Draw what will happen from now on to `until_ms`."""
        for host in self._world.hosts.values():
            self._draw_crashes(host, self._chance.stream(host.name), until_ms)
        for link in self._world.links:
            self._draw_link_faults(link, self._chance.stream(link.name), until_ms)

    def end(self) -> None:
        """Everything is mended, and what was drawn for later does not happen."""
        self._over = True
        self._world.end_faults()

    def _some_time(self, chance: Chance, until_ms: int, action: Callable[[], None]) -> None:
        at = chance.between(self._world.now, until_ms)
        self._world.at(at, lambda: None if self._over else action())

    def _draw_crashes(self, host: SimulatedHost, chance: Chance, until_ms: int) -> None:
        for _ in range(chance.between(CRASHES_MIN, CRASHES_MAX)):
            self._some_time(chance, until_ms, self._crash(host, chance))

    def _crash(self, host: SimulatedHost, chance: Chance) -> Callable[[], None]:
        """One of the ways in which a host ends; most of them while it has something to do."""

        def keep(count: int) -> int:
            return chance.between(0, count)

        count = chance.between(1, 4)
        return chance.pick(
            (
                lambda: host.crash(keep),
                lambda: host.crash_in_write(keep),
                lambda: host.crash_in_write(keep),
                lambda: host.crash_after_effects(count),
                lambda: host.crash_after_effects(count, (Accepted,)),
                lambda: host.disk.fail_next(StoreFull("the simulated disk is full")),
            )
        )

    def _draw_link_faults(self, link: Link, chance: Chance, until_ms: int) -> None:
        for _ in range(chance.between(0, LINK_FAULTS_MAX)):
            self._some_time(chance, until_ms, lambda: link.cut("bad weather"))
        for start, stop, longest in (
            (link.partition, link.repair, PARTITION_MAX_MS),
            (link.hold, link.release, HOLD_MAX_MS),
        ):
            if chance.happens(500):
                length = chance.long_tail(10, longest)
                self._some_time(chance, until_ms, self._spell(start, stop, length))

    def _spell(
        self, start: Callable[[], None], stop: Callable[[], None], length_ms: int
    ) -> Callable[[], None]:
        def begin() -> None:
            start()
            self._world.after(length_ms, lambda: None if self._over else stop())

        return begin
