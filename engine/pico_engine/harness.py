"""A pico in memory: to try a ruleset, or to test it, without a node.

def test_alarm() -> None:
    pico = Harness(Thermometer)
    for minute in range(3):
        pico.clock.minutes(1)
        answer = pico.event("sensor:reading", celsius=45)
    assert answer.names == ["alarm"]
    assert pico.query(Thermometer, "temperatures")[-1]["celsius"] == 45

Rulesets in KRL are given as text or as files, alone or together with others:

def test_counter() -> None:
    pico = Harness(Path("org.example.counter.krl"))
    assert pico.event("counter:inc", n=2).options("counted") == {"n": 2}
    assert pico.query("org.example.counter", "value") == 2
    assert pico.errors == []
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Protocol

from pico_engine.definition import RulesetDefinition
from pico_engine.engine import Engine
from pico_engine.errors import BadRequest, EngineError
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
    HttpCall,
    LogLine,
    Message,
    OperationAnswer,
    OperationMessage,
    QueryAnswer,
    QueryMessage,
    RulesetCall,
    WaitAnswer,
)
from pico_engine.pico import Pico
from pico_engine.port import Port
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


class SourceFile(Protocol):
    """A file with KRL in it; `pathlib.Path` is one."""

    def read_text(self, encoding: str) -> str: ...
    def absolute(self) -> SourceFile: ...
    def as_uri(self) -> str: ...


Installable = type[Ruleset] | str | SourceFile
"""A ruleset: a class, the text of one in KRL, or the file of one in KRL."""

Outside = Callable[[HttpCall | RulesetCall], Json]
"""Plays the world outside: answers a request with its value (see HttpCall), or raises EngineError."""

TEXT_FOLDER = "file:///krl"
"""Where rulesets that are given as text seem to come from: those beside find each other by their ids."""


class _OpenPort(Port):
    """An engine whose rulesets may ask the world outside."""

    def can_call(self, pico: Pico) -> bool:
        del pico
        return True


class Bench:
    """An engine on a store in memory, driven by hand: everything it acknowledges is committed at once.

    `outside` answers what rulesets ask the world outside; without it they may ask nothing.
    """

    def __init__(
        self,
        *rulesets: type[Ruleset],
        root_rulesets: tuple[str, ...] = (),
        store: Store | None = None,
        seed: int | str = 0,
        limits: EngineLimits | None = None,
        clock: VirtualClock | None = None,
        identities: Identities | None = None,
        outside: Outside | None = None,
    ) -> None:
        self.outside = outside
        self.store = store if store is not None else MemoryStore()
        self.clock = clock or VirtualClock()
        self.registry = Registry(rulesets)
        self._arguments = (identities or ExampleIdentities(), SeededEntropy(seed), limits)
        self.log: list[LogLine] = []
        self.unclaimed: list[Effect] = []
        self.engine = self._start(root_rulesets)

    def _start(self, root_rulesets: tuple[str, ...]) -> Engine:
        identities, entropy, limits = self._arguments
        port = _OpenPort() if self.outside is not None else None
        engine = Engine(self.store, self.registry, identities, entropy, port=port, limits=limits)
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
        effects: list[Effect] = []
        while True:
            self._work()
            answers = []
            while (effect := self.engine.next_effect()) is not None:
                if isinstance(effect, LogLine):
                    self.log.append(effect)
                elif self.outside is not None and isinstance(effect, HttpCall | RulesetCall):
                    answers.append(_answer_of(self.outside, effect))
                else:
                    effects.append(effect)
            if not answers:
                return effects
            for answer in answers:
                self.engine.receive(answer, self.clock.now)

    def _work(self) -> None:
        engine = self.engine
        while True:
            timer = engine.next_timer()
            if timer is not None and timer <= self.clock.now:
                engine.handle_timer(self.clock.now)
            elif engine.has_changes:
                number, batch = engine.take_batch()
                self.store.write(batch)
                engine.durable(number)
            else:
                return

    def wait(self, milliseconds: float) -> None:
        """Let time pass, and everything that is scheduled happen at its own time."""
        end = self.clock.now + round(milliseconds)
        self.unclaimed += self.run()
        while (timer := self.engine.next_timer()) is not None and timer <= end:
            self.clock.now = max(self.clock.now, timer)
            self.unclaimed += self.run()
        self.clock.now = end

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

    def install(self, target: str, ruleset: Installable, config: Mapping[str, Json] | None = None) -> str:
        """Install a ruleset in a pico, or another version of it; answers its id.

        One in Python takes of `config` the names that it knows, one in KRL takes all of it. Raises
        EngineError for what the engine would not install; KrlSyntaxError, which is one, for mistakes in KRL.
        """
        if isinstance(ruleset, type):
            definition = self.registry.add(ruleset)
            known = {name: one for name, one in (config or {}).items() if name in definition.defaults}
            self.operate(target, lambda pico: pico.engine.family.install(pico, definition.rid, known))
            return definition.rid
        text, url = _read(ruleset)
        rid = self.engine.library.compile(text, url).definition.rid
        url = url or f"{TEXT_FOLDER}/{rid}.krl"

        def install(pico: Pico) -> Json:
            installing = pico.engine.installing
            installing.take_text(pico, url, text)
            return installing.install(pico, url, config or {})

        self.operate(target, install)
        return rid


def _answer_of(outside: Outside, call: HttpCall | RulesetCall) -> WaitAnswer:
    try:
        return WaitAnswer(call.wait, outside(call))
    except EngineError as error:
        return WaitAnswer(call.wait, error=error)


def _read(source: str | SourceFile) -> tuple[str, str]:
    """Text and URL of a ruleset in KRL; no URL for one that is given as text. Raises BadRequest."""
    if not isinstance(source, str):
        return source.read_text("utf-8-sig"), source.absolute().as_uri()
    if "{" not in source:
        raise BadRequest(
            f"{source[:80]!r} is no ruleset", "give the text of one in KRL, or its file as pathlib.Path"
        )
    return source, ""


def in_order_of_use(definitions: Iterable[RulesetDefinition]) -> list[str]:
    """The rulesets' ids, modules before those that use them; else in the order given."""
    uses = {one.rid: one.uses for one in definitions}
    ordered: dict[str, None] = {}

    def put(rid: str, users: tuple[str, ...]) -> None:
        for used in uses[rid]:
            if used in uses and used not in users:  # a circle is for the engine to refuse
                put(used, (*users, used))
        ordered[rid] = None

    for rid in uses:
        put(rid, (rid,))
    return list(ordered)


class Harness:
    """One pico with the given rulesets; modules are installed before those that use them."""

    def __init__(
        self,
        *rulesets: Installable,
        config: Mapping[str, Json] | None = None,
        seed: int | str = 0,
        limits: EngineLimits | None = None,
        clock: VirtualClock | None = None,
        outside: Outside | None = None,
    ) -> None:
        classes = [one for one in rulesets if isinstance(one, type)]
        self.bench = Bench(*classes, seed=seed, limits=limits, clock=clock, outside=outside)
        self.clock = self.bench.clock
        self.did = self.bench.root
        given = {self._definition(one).rid: one for one in rulesets}
        for rid in in_order_of_use([self._definition(one) for one in given.values()]):
            self.install(given[rid], config)

    def _definition(self, ruleset: Installable) -> RulesetDefinition:
        if isinstance(ruleset, type):
            return ruleset.definition
        return self.bench.engine.library.compile(*_read(ruleset)).definition

    def install(self, ruleset: Installable, config: Mapping[str, Json] | None = None) -> str:
        """Install one more ruleset, or another version of one. As `Bench.install`."""
        return self.bench.install(self.did, ruleset, config)

    def wait(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Let time pass; everything that is scheduled happens at its own time."""
        self.bench.wait(1_000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days))))

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


__all__ = [
    "Answer",
    "Bench",
    "EngineError",
    "Harness",
    "Installable",
    "Outside",
    "SeededEntropy",
    "SourceFile",
    "VirtualClock",
    "in_order_of_use",
]
