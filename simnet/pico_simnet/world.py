"""A world: simulated hosts and links under one clock, one queue of what is to happen, one seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from pico_engine.messages import Failed, QueryMessage
from pico_engine.registry import Registry
from pico_engine.values import Json, thaw
from pico_node.agent.messages import Command, SendFrames
from pico_simnet.chance import Chance
from pico_simnet.errors import BadScenario, NotQuiet
from pico_simnet.host import HostPace, SimulatedHost
from pico_simnet.links import Link, LinkPace
from pico_simnet.looking import durable_query
from pico_simnet.monitor import Monitor
from pico_simnet.trace import Trace

if TYPE_CHECKING:
    from pico_engine.ruleset import Ruleset

EPOCH_MS = 1_700_000_000_000
"""The time of day when every world begins."""
RESTART_MIN_MS, RESTART_MAX_MS = 50, 15_000
"""How long a crashed host is down: from a supervisor that restarts it at once to a person who has to come."""
COMMAND_MAX_MS = 60_000
"""Simulated time that `command` and `query` wait for their answer."""


class World:
    """`World(seed)`: everything that happens in it follows from the seed and from what a scenario does.

    Time is in whole milliseconds since the world began (`now`). What happens at the same time happens in the
    order in which it was asked for.
    """

    def __init__(self, seed: int | str = 0, *, keep_trace: bool = False) -> None:
        self.seed = seed
        self.now = 0
        self.epoch_ms = EPOCH_MS
        self.chance = Chance(seed, "world")
        self.trace = Trace(keep=keep_trace)
        self.monitor = Monitor(self)
        self.hosts: dict[str, SimulatedHost] = {}
        self.links: list[Link] = []
        self.events = 0
        self.restarts_by_itself = True
        self.on_crash: list[Callable[[SimulatedHost], None]] = []
        self._by_peer_id: dict[str, SimulatedHost] = {}
        self._by_pair: dict[tuple[str, str], Link] = {}
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._serial = 0
        self._restart_chance = self.chance.stream("restart")

    # -- building -----------------------------------------------------------------------------------------

    def host(
        self, name: str, rulesets: Iterable[type[Ruleset]], pace: HostPace | None = None
    ) -> SimulatedHost:
        """Add a host and start it."""
        if name in self.hosts:
            raise BadScenario(f"there is a host {name} already")
        host = SimulatedHost(self, name, Registry(rulesets), pace or HostPace())
        self.hosts[name] = self._by_peer_id[host.peer_id] = host
        host.start()
        return host

    def link(self, one: str, other: str, pace: LinkPace | None = None) -> Link:
        """Add the way between two hosts."""
        link = Link(self, self.hosts[one], self.hosts[other], pace or LinkPace())
        self.links.append(link)
        self._by_pair[one, other] = self._by_pair[other, one] = link
        return link

    def link_of(self, one: str, other: str) -> Link:
        link = self._by_pair.get((one, other))
        if link is None:
            raise BadScenario(f"there is no link between {one} and {other}")
        return link

    # -- time ---------------------------------------------------------------------------------------------

    def at(self, time_ms: int, action: Callable[[], None]) -> None:
        self._serial += 1
        heappush(self._queue, (max(time_ms, self.now), self._serial, action))

    def after(self, delay_ms: int, action: Callable[[], None]) -> None:
        self.at(self.now + delay_ms, action)

    def run_until(self, time_ms: int) -> None:
        """Let everything happen that happens up to this time."""
        while self._queue and self._queue[0][0] <= time_ms:
            self._step()
        self.now = time_ms

    def run_for(self, duration_ms: int) -> None:
        self.run_until(self.now + duration_ms)

    def run_until_true(self, done: Callable[[], bool], most_ms: int, what: str) -> None:
        """Run until `done()`; raises NotQuiet if that takes longer than `most_ms`."""
        end = self.now + most_ms
        while not done():
            if not self._queue or self._queue[0][0] > end:
                raise NotQuiet(f"after {most_ms} ms still not: {what}")
            self._step()

    def _step(self) -> None:
        self.now, _, action = heappop(self._queue)
        self.events += 1
        action()

    # -- faults -------------------------------------------------------------------------------------------

    def partition(self, one: str, other: str) -> None:
        self.link_of(one, other).partition()

    def repair(self, one: str, other: str) -> None:
        self.link_of(one, other).repair()

    def hold(self, one: str, other: str) -> None:
        self.link_of(one, other).hold()

    def release(self, one: str, other: str) -> None:
        self.link_of(one, other).release()

    def crash(self, name: str, keep: Callable[[int], int] | int = 0) -> None:
        self.hosts[name].crash(keep)

    def host_crashed(self, host: SimulatedHost) -> None:
        """A host tells that it has crashed: its sessions break, and somebody will start it again."""
        for link in self.links:
            if host in link.hosts:
                link.cut(f"{host.name} crashed")
        for tell in self.on_crash:
            tell(host)
        if self.restarts_by_itself:
            delay = self._restart_chance.long_tail(RESTART_MIN_MS, RESTART_MAX_MS)
            self.after(delay, host.start)

    def end_faults(self) -> None:
        """From now on the network is whole and lossless, and every host is up."""
        self.trace_line("world", "faults end")
        for link in self.links:
            link.pace.loss_per_mille = link.pace.repeat_per_mille = 0
            if link.is_held:
                link.release()
            if link.is_partitioned:
                link.repair()
        for host in self.hosts.values():
            host.mend()

    # -- talking to hosts ---------------------------------------------------------------------------------

    def command(self, host: str, command: str, /, **parameters: Any) -> Json:
        """Give a host an owner's command and run until its answer. Raises EngineError, NotQuiet."""
        answers: list[Any] = []
        self.hosts[host].receive(Command(command, parameters, reply=answers.append))
        self.run_until_true(lambda: bool(answers), COMMAND_MAX_MS, f"{command} answered by {host}")
        if isinstance(answers[0], Failed):
            raise answers[0].error
        return thaw(answers[0].value)

    def query_disk(self, name: str, pico: str, rid: str, query: str) -> Json:
        """Answer a pico's query from what is on the disk of its host at this moment, running or not."""
        host = self.hosts[name]
        return durable_query(host.disk, host.registry, pico, QueryMessage(pico, rid, query))

    # -- for hosts and links ------------------------------------------------------------------------------

    def trace_line(self, who: str, what: str) -> None:
        self.trace.add(self.now, who, what)

    def send(self, host: SimulatedHost, effect: SendFrames) -> None:
        self._way(host, effect.peer_id).send(host, effect.session, effect.frames)

    def dial(self, host: SimulatedHost, peer_id: str) -> None:
        self._way(host, peer_id).dial()

    def _way(self, host: SimulatedHost, peer_id: str) -> Link:
        other = self._by_peer_id.get(peer_id)
        if other is None:
            raise BadScenario(f"{host.name} speaks to {peer_id}, which is no host of this world")
        return self.link_of(host.name, other.name)


__all__ = ["EPOCH_MS", "World"]
