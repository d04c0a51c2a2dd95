"""A simulated host: an agent on a simulated disk, and a driver that commits in groups as the real one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pico_didcomm.keys import key_pair
from pico_engine.errors import EngineError, StoreError
from pico_engine.harness import SeededEntropy
from pico_engine.messages import LogLine
from pico_engine.registry import Registry
from pico_engine.store import Batch
from pico_node.agent import Agent
from pico_node.agent.messages import (
    Connect,
    Effect,
    Forget,
    Message,
    PeerDown,
    PeerFrames,
    PeerUp,
    SendFrames,
)
from pico_simnet.disk import SimulatedDisk
from pico_simnet.errors import BadScenario
from pico_simnet.trace import mark_of

if TYPE_CHECKING:
    from pico_simnet.world import World

TICKS_WITHOUT_END = 100_000
"""An agent that is still due after so many calls at one moment of time never will be done."""


@dataclass(slots=True)
class HostPace:
    """How fast a host is, and how wrong its clock."""

    disk_min_ms: int = 0
    disk_max_ms: int = 15
    tick_max_ms: int = 2
    """Messages that come within one tick are handled together."""
    writes_max: int = 1
    """Writes on their way at a time; what comes meanwhile gathers for the next."""
    early_commit_per_mille: int = 300
    """How often a tick begins a write before it lets the agent work: what was taken in is then on the disk
    some time before what came of it."""
    skew_ms: int = 0


@dataclass(slots=True)
class _Write:
    """A batch on its way to the disk, and what may be let out when it is there."""

    number: int
    handle: int
    batch: Batch
    effects: list[Effect] = field(default_factory=list)


class SimulatedHost:
    """One node of a world. `life` counts its starts: what belongs to an earlier life is ignored."""

    def __init__(self, world: World, name: str, registry: Registry, pace: HostPace) -> None:
        self._world = world
        self.name = name
        self.pace = pace
        self.registry = registry
        self.disk = SimulatedDisk()
        self._chance = world.chance.stream(f"host/{name}")
        seed = SeededEntropy(f"{world.seed}/node-key/{name}")(32)
        self._node_key = key_pair("Ed25519", seed).public
        self.life = 0
        self._agent: Agent | None = None
        self._wanted: dict[str, None] = {}
        self._writes: deque[_Write] = deque()
        self._ticking = False
        self._wakes_at: int | None = None
        self._sessions = 0
        self._crash_after_effects: int | None = None
        self._crash_kinds: tuple[type, ...] = ()
        self._crash_in_write: Callable[[int], int] | None = None
        self.peer_id = Agent(self.disk, registry, SeededEntropy(seed), self._node_key).peer_id

    # -- life ---------------------------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        return self._agent is not None

    @property
    def agent(self) -> Agent:
        if self._agent is None:
            raise BadScenario(f"host {self.name} is down")
        return self._agent

    @property
    def now(self) -> int:
        """This host's own clock."""
        return self._world.epoch_ms + self._world.now + self.pace.skew_ms

    def start(self) -> None:
        """Start the node from what is on its disk."""
        if self._agent is not None:
            return
        self.life += 1
        self._world.trace_line(self.name, f"start {self.life}")
        entropy = SeededEntropy(f"{self._world.seed}/entropy/{self.name}/{self.life}")
        self._agent = Agent(self.disk, self.registry, entropy, self._node_key)
        self._agent.start(self.now, [f"/sim/{self.name}"])
        self._schedule_tick()

    def crash(self, keep: Callable[[int], int] | int = 0) -> None:
        """Cut the power: memory is gone, of the writes on their way a prefix (`keep`) is on the disk."""
        if self._agent is None:
            return
        crashed = self.disk.crash(keep)
        self._world.trace_line(self.name, f"crash, writes kept {crashed.kept}, lost {crashed.lost}")
        for write in list(self._writes)[: crashed.kept]:
            self._world.monitor.durable(self, write.batch)
        self._agent = None
        self._wanted.clear()
        self._writes.clear()
        self._ticking = False
        self._wakes_at = None
        self._crash_after_effects = None
        self._crash_in_write = None
        self._world.host_crashed(self)

    def crash_after_effects(self, count: int, kinds: tuple[type, ...] = (object,)) -> None:
        """Crash in the middle of letting out: right after so many more effects of these kinds."""
        self._crash_after_effects = count
        self._crash_kinds = kinds

    def crash_in_write(self, keep: Callable[[int], int]) -> None:
        """Crash while the next write is on its way."""
        self._crash_in_write = keep

    def mend(self) -> None:
        """Faults that were to come do not come, and a host that is down starts."""
        self._crash_after_effects = None
        self._crash_in_write = None
        self.disk.fail_next(None)
        self.start()

    def next_session(self) -> int:
        """The number of a new session; a real driver counts them the same way."""
        self._sessions += 1
        return self._sessions

    def wants(self, other: SimulatedHost) -> bool:
        return other.peer_id in self._wanted

    # -- the driver ---------------------------------------------------------------------------------------

    def receive(self, message: Message) -> None:
        """Hand a message to the agent; what follows from it happens at the next tick."""
        agent = self._agent
        if agent is None:
            return
        self._world.trace_line(self.name, _say(message))
        agent.receive(message, self.now)
        self._schedule_tick()

    def _schedule_tick(self) -> None:
        if not self._ticking:
            self._ticking = True
            self._world.after(self._chance.between(0, self.pace.tick_max_ms), self._living(self._tick))

    def _living(self, action: Callable[[], None]) -> Callable[[], None]:
        """`action`, unless this life of the host has ended by then."""
        life = self.life

        def run() -> None:
            if self.life == life and self._agent is not None:
                action()

        return run

    def _tick(self) -> None:
        self._ticking = False
        if self._chance.happens(self.pace.early_commit_per_mille):
            self._commit()
        agent = self._agent
        if agent is None:  # it crashed while effects were let out
            return
        for _ in range(TICKS_WITHOUT_END):
            timer = agent.next_timer()
            if timer is None or timer > self.now:
                break
            agent.handle_timer(self.now)
        else:
            raise BadScenario(f"host {self.name} is never done at {self._world.now} ms")
        self._commit()
        self._schedule_wake()

    def _schedule_wake(self) -> None:
        if self._agent is None:
            return
        timer = self._agent.next_timer()
        if timer is None:
            return
        at = max(timer - self.now, 0) + self._world.now
        if self._wakes_at is None or at < self._wakes_at:
            self._wakes_at = at
            self._world.at(at, self._living(lambda: self._wake(at)))

    def _wake(self, at: int) -> None:
        if self._wakes_at == at:
            self._wakes_at = None
            self._tick()

    # -- group commit -------------------------------------------------------------------------------------

    def _commit(self) -> None:
        """Begin to write what has gathered, if the disk is free; hold effects until they may go."""
        agent = self.agent
        if len(self._writes) >= self.pace.writes_max:
            return
        effects: list[Effect] = []
        while (effect := agent.next_effect()) is not None:
            effects.append(effect)
        if agent.has_changes:
            number, batch = agent.take_batch()
            self._begin(number, batch, effects)
        elif self._writes:
            self._writes[-1].effects += effects
        else:
            self._let_out(effects)

    def _begin(self, number: int, batch: Batch, effects: list[Effect]) -> None:
        write = _Write(number, self.disk.begin_write(batch), batch, effects)
        self._writes.append(write)
        size = sum(len(key) + len(value or b"") for key, value in batch.rows.items())
        parts = [part for key in sorted(batch.rows) for part in (key, batch.rows[key] or b"")]
        self._world.trace_line(
            self.name, f"write {number}: {len(batch.rows)} rows, {size} bytes {mark_of(parts)}"
        )
        delay = self._chance.long_tail(self.pace.disk_min_ms, self.pace.disk_max_ms)
        keep = self._crash_in_write
        if keep is not None:
            self._world.after(self._chance.between(0, delay), self._living(lambda: self.crash(keep)))
        self._world.after(delay, self._living(lambda: self._finish(write)))

    def _finish(self, write: _Write) -> None:
        """The sync of a write returned: only now may it be told."""
        while self._writes and self._writes[0].number <= write.number:  # a later one cannot be there alone
            first = self._writes[0]
            try:
                self.disk.finish(first.handle)
            except StoreError as error:
                self._world.trace_line(self.name, f"write {first.number} failed: {error.code}")
                self.crash(lambda count: self._chance.between(0, count))
                return
            self._writes.popleft()
            self._world.monitor.durable(self, first.batch)
            self.agent.durable(first.number)
            self._let_out(first.effects)
            if self._agent is None:
                return
        self._commit()

    def _let_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            self._world.monitor.effect(self, effect)
            self._carry_out(effect)
            if self._crash_after_effects is not None and isinstance(effect, self._crash_kinds):
                self._crash_after_effects -= 1
                if self._crash_after_effects == 0:
                    self.crash()
                    return

    def _carry_out(self, effect: Effect) -> None:
        if isinstance(effect, SendFrames):
            self._world.send(self, effect)
        elif isinstance(effect, Connect):
            self._wanted[effect.peer_id] = None
            self._world.dial(self, effect.peer_id)
        elif isinstance(effect, Forget):
            self._wanted.pop(effect.peer_id, None)
        elif isinstance(effect, LogLine):
            self._world.trace_line(self.name, f"log {effect.level}: {effect.text}")
        else:
            self._answer(effect)

    def _answer(self, effect: Any) -> None:
        error: EngineError | None = getattr(effect, "error", None)
        what = type(effect).__name__ if error is None else f"Failed {error.code}: {error.what}"
        self._world.trace_line(self.name, f"answer {what}")
        if effect.reply is not None:
            effect.reply(effect)


def _say(message: Any) -> str:
    if isinstance(message, PeerFrames):
        return f"frames {len(message.frames)} {mark_of(message.frames)} in session {message.session}"
    if isinstance(message, PeerUp | PeerDown):
        return f"{type(message).__name__} session {message.session}"
    name = getattr(message, "name", "") or f"{message.domain}:{message.type}"
    return f"{type(message).__name__} {name}"
