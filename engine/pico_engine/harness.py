"""A pico in memory: to try a ruleset, or to test it, without a node.

def test_alarm() -> None:
    pico = Harness(Thermometer)
    for minute in range(3):
        pico.clock.minutes(1)
        answer = pico.event("sensor:reading", celsius=45)
    assert answer.names == ["alarm"]
    assert pico.query(Thermometer, "temperatures")[-1]["celsius"] == 45
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from pico_engine.engine import Engine
from pico_engine.errors import EngineError
from pico_engine.events import split_name
from pico_engine.identities import ExampleIdentities, Identities
from pico_engine.limits import EngineLimits
from pico_engine.messages import (
    OWNER,
    Accepted,
    Effect,
    EventAnswer,
    EventMessage,
    Failed,
    LogLine,
    Message,
    OperationAnswer,
    OperationMessage,
    QueryAnswer,
    QueryMessage,
)
from pico_engine.registry import Registry
from pico_engine.ruleset import Ruleset
from pico_engine.store import MemoryStore, Store
from pico_engine.values import EMPTY_MAP, Json, thaw


class SeededEntropy:
    """Bytes that look random and follow from a seed: the same run gives the same bytes."""

    def __init__(self, seed: int | str | bytes = 0) -> None:
        text = seed if isinstance(seed, bytes) else str(seed).encode()
        self._key = blake2b(text, digest_size=32).digest()
        self._block = 0
        self._left = b""

    def __call__(self, count: int) -> bytes:
        while len(self._left) < count:
            block = self._block.to_bytes(8, "big")
            self._left += blake2b(block, key=self._key, digest_size=64).digest()
            self._block += 1
        taken, self._left = self._left[:count], self._left[count:]
        return taken


@dataclass(slots=True)
class VirtualClock:
    """Time in milliseconds since 1970 UTC; it passes when told to."""

    now: int = 1_700_000_000_000

    def milliseconds(self, count: float) -> None:
        self.now += round(count)

    def seconds(self, count: float) -> None:
        self.milliseconds(count * 1_000)

    def minutes(self, count: float) -> None:
        self.seconds(count * 60)

    def hours(self, count: float) -> None:
        self.minutes(count * 60)

    def days(self, count: float) -> None:
        self.hours(count * 24)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to an event."""

    eid: str
    directives: list[Json] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [directive["name"] for directive in self.directives]

    def options(self, name: str) -> Json:
        """The options of the first directive of this name. Raises KeyError when there is none."""
        for directive in self.directives:
            if directive["name"] == name:
                return thaw(directive["options"])
        raise KeyError(f"no directive {name} among {self.names}")


class Bench:
    """An engine on a store in memory, driven by hand: everything it acknowledges is committed at once."""

    def __init__(
        self,
        *rulesets: type[Ruleset],
        root_rulesets: tuple[str, ...] = (),
        store: Store | None = None,
        seed: int | str = 0,
        limits: EngineLimits | None = None,
        clock: VirtualClock | None = None,
        identities: Identities | None = None,
    ) -> None:
        self.store = store if store is not None else MemoryStore()
        self.clock = clock or VirtualClock()
        self.registry = Registry(rulesets)
        self._arguments = (identities or ExampleIdentities(), SeededEntropy(seed), limits)
        self.log: list[LogLine] = []
        self.unclaimed: list[Effect] = []
        self.engine = self._start(root_rulesets)

    def _start(self, root_rulesets: tuple[str, ...]) -> Engine:
        identities, entropy, limits = self._arguments
        engine = Engine(self.store, self.registry, identities, entropy, limits=limits)
        if engine.root is None:
            engine.new_root("root", root_rulesets, self.clock.now)
        engine.start(self.clock.now)
        self.engine = engine
        self.run()
        return engine

    def restart(self) -> None:
        """Begin again from the store, as after a crash."""
        self.engine = self._start(())

    @property
    def root(self) -> str:
        root = self.engine.root
        assert root is not None, "the bench made a root pico"
        return root

    def run(self) -> list[Effect]:
        """Let the engine do all that is due now; answers its effects (log lines go to `log`)."""
        engine = self.engine
        effects: list[Effect] = []
        while True:
            timer = engine.next_timer()
            if timer is not None and timer <= self.clock.now:
                engine.handle_timer(self.clock.now)
            elif engine.has_changes:
                number, batch = engine.take_batch()
                self.store.write(batch)
                engine.durable(number)
            else:
                break
        while (effect := engine.next_effect()) is not None:
            if isinstance(effect, LogLine):
                self.log.append(effect)
            else:
                effects.append(effect)
        return effects

    def ask(self, message: Message) -> Effect:
        """Send one message and run; answers its answer. What else came out is in `unclaimed`."""
        reply = object()
        message.reply = reply  # type: ignore[union-attr]
        self.engine.receive(message, self.clock.now)
        found: Effect | None = None
        for effect in self.run():
            if getattr(effect, "reply", None) is reply:
                found = effect
            else:
                self.unclaimed.append(effect)
        if found is None:
            raise TimeoutError("the engine did not answer: a turn waits for something outside")
        return found

    def event(
        self, target: str, name: str, attrs: Mapping[str, Json] | None = None, *, door: str = OWNER
    ) -> Answer:
        """Send an event to a pico (door OWNER: by its DID, else by an ECI). Raises EngineError."""
        domain, kind = split_name(name)
        effect = self.ask(EventMessage(target, domain, kind, attrs or EMPTY_MAP, door))
        if isinstance(effect, Failed):
            raise effect.error
        assert isinstance(effect, EventAnswer | Accepted), "events are answered so"
        return Answer(effect.eid, effect.directives if isinstance(effect, EventAnswer) else [])

    def query(
        self, target: str, rid: str, name: str, args: Mapping[str, Json] | None = None, *, door: str = OWNER
    ) -> Json:
        """Ask a shared query. Raises EngineError."""
        effect = self.ask(QueryMessage(target, rid, name, args or EMPTY_MAP, door))
        if isinstance(effect, Failed):
            raise effect.error
        assert isinstance(effect, QueryAnswer), "queries are answered so"
        return thaw(effect.value)

    def operate(self, pico: str, run: Any, finish: Any = None) -> Json:
        """Run a function on a pico inside a turn of it. Raises EngineError."""
        effect = self.ask(OperationMessage(pico, "operation", run, finish))
        if isinstance(effect, Failed):
            raise effect.error
        assert isinstance(effect, OperationAnswer), "operations are answered so"
        return thaw(effect.value)


class Harness:
    """One pico with the given rulesets."""

    def __init__(
        self,
        *rulesets: type[Ruleset],
        config: Mapping[str, Json] | None = None,
        seed: int | str = 0,
        limits: EngineLimits | None = None,
    ) -> None:
        self.bench = Bench(*rulesets, seed=seed, limits=limits)
        self.clock = self.bench.clock
        self.did = self.bench.root
        for one in rulesets:
            self.install(one, config or {})

    def install(self, ruleset: type[Ruleset], config: Mapping[str, Json]) -> None:
        """Install one more ruleset; only the names that it knows are taken from `config`."""
        definition = self.bench.registry.add(ruleset)
        known = {name: value for name, value in config.items() if name in definition.defaults}
        self.bench.operate(self.did, lambda pico: pico.engine.family.install(pico, definition.rid, known))

    def event(self, name: str, attrs: Mapping[str, Json] | None = None, /, **more: Json) -> Answer:
        """Send the pico an event; due schedules fire first. Raises EngineError when the turn was dropped."""
        self.bench.run()
        return self.bench.event(self.did, name, {**(attrs or {}), **more})

    def query(self, ruleset: type[Ruleset] | str, name: str, /, **args: Json) -> Json:
        """Ask the pico a shared query. Raises EngineError."""
        self.bench.run()
        rid = ruleset if isinstance(ruleset, str) else ruleset.definition.rid
        return self.bench.query(self.did, rid, name, args)

    def restart(self) -> None:
        """Forget everything but what is stored."""
        self.bench.restart()

    @property
    def errors(self) -> list[str]:
        """What rules complained of."""
        return [line.text for line in self.bench.log if line.level == "error"]

    def traces(self, most: int = 100) -> list[dict[str, Json]]:
        return self.bench.engine.traces.newest(most, self.did)


__all__ = ["Answer", "Bench", "EngineError", "Harness", "SeededEntropy", "VirtualClock"]
