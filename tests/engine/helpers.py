"""An engine whose every step a test decides: when batches are written, and what answers from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pico_engine.engine import Engine
from pico_engine.errors import EngineError
from pico_engine.harness import SeededEntropy
from pico_engine.identities import ExampleIdentities
from pico_engine.messages import (
    OWNER,
    Effect,
    EventMessage,
    Failed,
    LogLine,
    OperationMessage,
    QueryMessage,
    RemoteQuery,
    WaitAnswer,
)
from pico_engine.port import Port
from pico_engine.registry import Registry
from pico_engine.store import MemoryStore

START_MS = 1_700_000_000_000


class Elsewhere(Port):
    """The rest of the world: channels whose ECI ends in `.far` are there, and take whatever is sent."""

    def __init__(self) -> None:
        self.sent: list[EventMessage] = []

    def send_event(self, pico, event):
        if event.eci.endswith(".far"):
            self.sent.append(event)
            return True
        return False

    def can_query(self, pico, eci):
        return eci.endswith(".far")


class Steps:
    """An engine, its store and its clock; nothing happens by itself."""

    def __init__(self, *rulesets, limits=None, store=None, seed=0, install=None) -> None:
        self.now = START_MS
        self.store = store or MemoryStore()
        self.registry = Registry(rulesets)
        self.entropy = SeededEntropy(seed)
        self.limits = limits
        self.logs: list[LogLine] = []
        self.effects: list[Effect] = []
        self.rids = tuple(one.definition.rid for one in rulesets) if install is None else install
        self.open()

    def open(self) -> None:
        self.port = Elsewhere()
        self.engine = Engine(
            self.store, self.registry, ExampleIdentities(), self.entropy, port=self.port, limits=self.limits
        )
        if self.engine.root is None:
            self.engine.new_root("root", self.rids, self.now)
            self.engine.start(self.now)
            self.settle()
        else:
            self.engine.start(self.now)

    def crash(self) -> None:
        """Begin again with what was written; everything else is lost."""
        self.effects.clear()
        self.open()

    @property
    def root(self) -> str:
        return self.engine.root

    def turns(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            self.engine.handle_timer(self.now)
        while (effect := self.engine.next_effect()) is not None:
            (self.logs if isinstance(effect, LogLine) else self.effects).append(effect)

    def write(self):
        number, batch = self.engine.take_batch()
        self.store.write(batch)
        self.engine.durable(number)
        return batch

    def settle(self) -> None:
        """Everything that is due now, and what it wrote."""
        while True:
            timer = self.engine.next_timer()
            if timer is not None and timer <= self.now:
                self.turns()
            elif self.engine.has_changes:
                self.write()
            else:
                self.turns(0)
                return

    def send(self, target, name, attrs=None, *, door=OWNER, sender=None, **options) -> object:
        """Hand an event over; answers its reply mark."""
        domain, kind = name.split(":")
        reply = object()
        self.engine.receive(
            EventMessage(target, domain, kind, attrs or {}, door, sender, reply, **options), self.now
        )
        return reply

    def ask(self, target, rid, name, args=None, *, door=OWNER, sender=None, **options) -> object:
        reply = object()
        self.engine.receive(
            QueryMessage(target, rid, name, args or {}, door, sender, reply, **options), self.now
        )
        return reply

    def answer(self, reply) -> Effect | None:
        """The answer to what was handed over, if it came."""
        self.turns(0)
        for effect in self.effects:
            if getattr(effect, "reply", None) is reply:
                return effect
        return None

    def event(self, target, name, attrs=None, **options):
        """Hand over, settle, answer the directives. Raises EngineError."""
        return self._value(self.send(target, name, attrs, **options)).directives

    def query(self, target, rid, name, args=None, **options):
        return self._value(self.ask(target, rid, name, args, **options)).value

    def _value(self, reply):
        self.settle()
        answer = self.answer(reply)
        assert answer is not None, "no answer came"
        if isinstance(answer, Failed):
            raise answer.error
        return answer

    def operate(self, did, run: Callable[[Any], Any]) -> Any:
        reply = object()
        self.engine.receive(OperationMessage(did, "test", run, None, reply), self.now)
        return self._value(reply).value

    def waits(self) -> list[RemoteQuery]:
        """The questions that went out and were not answered."""
        self.turns(0)
        return [
            one
            for one in self.effects
            if isinstance(one, RemoteQuery) and one.wait in self.engine.waiting.turns
        ]

    def answer_wait(self, value=None, error: EngineError | None = None, which: int = 0) -> None:
        self.engine.receive(WaitAnswer(self.waits()[which].wait, value, error), self.now)

    def child(self, *rids: str, name: str = "child", of: str | None = None) -> dict[str, Any]:
        of = of or self.root
        made = self.operate(of, lambda pico: pico.engine.family.new_child(pico, name, rids))
        return dict(made)

    def channel(self, did=None, tags=(), events=None, queries=None, doors=("http",), peer=None) -> str:
        from pico_engine.channels import ALLOW_ALL

        return self.operate(
            did or self.root,
            lambda pico: (
                pico.engine.family.new_channel(
                    pico, tags, events or ALLOW_ALL, queries or ALLOW_ALL, doors, peer
                ).eci
            ),
        )

    def rows(self) -> dict[bytes, bytes]:
        return dict(self.store.scan(b"\x00", b"\xff"))
