"""A turn: one message, all the rules it selects, all the events they raise; everything or nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pico_engine.errors import EngineError, LimitExceeded, RulesetFailed
from pico_engine.events import Event
from pico_engine.values import Json

if TYPE_CHECKING:
    from greenlet import greenlet

    from pico_engine.definition import RuleDefinition
    from pico_engine.engine import Engine
    from pico_engine.expressions import Machine, Outcome
    from pico_engine.messages import Message, WaitAnswer
    from pico_engine.pico import Pico


class TurnOverdueError(BaseException):
    """Raised into a rule that computes too long; not an Exception, so that no rule catches it by accident."""


@dataclass(slots=True)
class Send:
    """An event that leaves the pico when the turn commits."""

    eci: str
    domain: str
    type: str
    attrs: Json
    rid: str = ""


@dataclass(slots=True)
class Mark:
    """Where everything stood before a rule, to go back there when it fails."""

    journal: int
    directives: int
    sends: int
    raised: int
    deletions: int


@dataclass(slots=True)
class RuleTrace:
    """What became of one considered rule: `outcome` is `fired`, `failed`, `last`, or why it did not fire."""

    rid: str
    rule: str
    event: str
    outcome: str
    detail: str = ""


@dataclass(slots=True)
class Turn:
    """The turn at hand of one pico."""

    engine: Engine
    pico: Pico
    message: Message
    eid: str
    now: int
    read_only: bool = False
    chain: tuple[str, ...] = ()
    hops: int = 0
    event: Event | None = None
    rid: str = ""
    rule: str = ""
    agenda: deque[Event] = field(default_factory=deque)
    raised: int = 0
    directives: list[Json] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    deletions: list[str] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    """ECIs of channels that this turn deleted: what it sent to their other sides still goes out."""
    considered: list[RuleTrace] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    journal: list[Any] | None = None
    """Put aside while the turn waits, or while it asks a pico of this engine."""
    outer: Turn | None = None
    """The turn that asked, of a query that is answered inside it."""
    waiter: greenlet | None = None
    waits_for: str | None = None
    answer: WaitAnswer | None = None

    # -- what rules ask for -------------------------------------------------------------------------------

    def raise_event(self, event: Event) -> None:
        self.raised += 1
        if self.raised > self.engine.limits.raised_events_max:
            raise TurnAborted(
                LimitExceeded(
                    f"one event raised more than {self.engine.limits.raised_events_max} events in "
                    f"pico {self.pico.did}; the last was {event.name}",
                    "look for a rule that raises the event that selects it",
                )
            )
        self.agenda.append(event)

    def send(self, send: Send) -> None:
        if len(self.sends) >= self.engine.limits.sends_max:
            raise LimitExceeded(f"one turn sends more than {self.engine.limits.sends_max} events")
        self.sends.append(send)

    def direct(self, name: str, options: Json) -> None:
        if len(self.directives) >= self.engine.limits.directives_max:
            raise LimitExceeded(f"one turn gives more than {self.engine.limits.directives_max} directives")
        self.directives.append(
            {
                "type": "directive",
                "name": name,
                "options": options,
                "meta": {"rid": self.rid, "rule_name": self.rule, "txnId": self.eid},
            }
        )

    # -- running ------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Run the agenda until it is empty. Raises TurnAborted when the turn cannot be kept."""
        agenda = self.agenda
        while agenda:
            self.run_event(agenda.popleft())

    def run_event(self, event: Event) -> None:
        self.event = event
        pico = self.pico
        if self.stopped:
            self.stopped = set()
        for instance, rid, rule in pico.rules_for(event.domain, event.type):
            if event.for_rid is not None and event.for_rid != rid:
                continue
            machine = rule.machine
            try:
                if machine.is_simple:
                    outcome = machine.match_simple(event, instance)
                else:
                    outcome = self._advance(f"{rid}/{rule.name}", machine, instance, event)
            except Exception as error:  # noqa: BLE001 - a rule's condition is foreign code
                self._rule_failed(rid, rule.name, error, None)
                continue
            if not outcome.fired:
                self.considered.append(RuleTrace(rid, rule.name, event.name, outcome.why))
            elif rid in self.stopped:
                self.considered.append(RuleTrace(rid, rule.name, event.name, "last"))
            else:
                self._run_rule(instance, rid, rule, event, outcome.settings)

    def _advance(self, key: str, machine: Machine, instance: Any, event: Event) -> Outcome:
        """Take the event on a compound expression, whose progress is kept with the pico."""
        section = self.pico.progress
        progress = section.rows.get(key)
        outcome = machine.advance(progress, event, instance)
        if outcome.progress is None:
            if progress is not None:
                section.delete(key)
        elif outcome.progress is not progress:
            section.put(key, outcome.progress)
        return outcome

    def _run_rule(
        self, instance: Any, rid: str, rule: RuleDefinition, event: Event, settings: Mapping[str, Json]
    ) -> None:
        engine = self.engine
        self.rid, self.rule = rid, rule.name
        mark = Mark(
            len(engine.ledger.journal),
            len(self.directives),
            len(self.sends),
            len(self.agenda),
            len(self.deletions),
        )
        trace = RuleTrace(rid, rule.name, event.name, "fired")
        self.considered.append(trace)
        engine.turn_serial += 1
        try:
            engine.rule_running = True
            rule.run(instance, event, settings)
        except TurnAborted:
            raise
        except TurnOverdueError:
            self._rule_failed(rid, rule.name, self.overdue(f"rule {rule.name} of {rid}"), mark, trace)
        except Exception as error:  # noqa: BLE001 - a rule is foreign code: its failure must stay its own
            self._rule_failed(rid, rule.name, error, mark, trace)
        finally:
            engine.rule_running = False
            self.rid = self.rule = ""

    def overdue(self, what: str = "the turn") -> EngineError:
        """The error of what was interrupted because it computed too long."""
        return LimitExceeded(
            f"{what} ran longer than turn_max_ms ({self.engine.limits.turn_max_ms} ms) and was interrupted",
            "look for an endless loop; long work belongs into several turns",
        )

    def _rule_failed(
        self,
        rid: str,
        rule: str,
        error: BaseException,
        mark: Mark | None,
        trace: RuleTrace | None = None,
    ) -> None:
        """Drop what the rule did, say so in the log, and raise `system:error` in its own ruleset."""
        if mark is not None:
            self._go_back(mark)
        text = describe_failure(error)
        if trace is None:
            trace = RuleTrace(rid, rule, self.event.name if self.event else "", "failed")
            self.considered.append(trace)
        trace.outcome, trace.detail = "failed", text
        self.engine.count("rules_failed")
        self.engine.log(self.pico, "error", rid, f"rule {rule} failed: {text}", self.now)
        if self.event is not None and (self.event.domain, self.event.type) != ("system", "error"):
            attrs = {"level": "error", "data": text, "rid": rid, "rule_name": rule, "genus": "system"}
            self.raise_event(self._system_error(attrs, rid))

    def _system_error(self, attrs: dict[str, Json], rid: str) -> Event:
        return Event("system", "error", attrs, self.eid, self.now, "", None, rid)

    def _go_back(self, mark: Mark) -> None:
        self.engine.ledger.rollback(mark.journal)
        del self.directives[mark.directives :]
        del self.sends[mark.sends :]
        del self.deletions[mark.deletions :]
        while len(self.agenda) > mark.raised:
            self.agenda.pop()

    def declare_error(self, level: str, data: Json) -> None:
        """KRL's `error LEVEL data`: raise system:error in the own ruleset; level `error` also stops it."""
        self.engine.log(self.pico, level, self.rid, f"{level} declared by rule {self.rule}", self.now, data)
        if level == "error":
            self.stopped.add(self.rid)
            self.agenda.clear()
        attrs = {"level": level, "data": data, "rid": self.rid, "rule_name": self.rule, "genus": "user"}
        self.raise_event(self._system_error(attrs, self.rid))


class TurnAborted(BaseException):
    """The turn as a whole cannot be kept; carries the error to answer with."""

    def __init__(self, error: EngineError) -> None:
        super().__init__(str(error))
        self.error = error


def describe_failure(error: BaseException) -> str:
    """One line that tells an author what went wrong and where in their ruleset."""
    if isinstance(error, EngineError):
        return f"{error.what}. {error.hint}." if error.hint else error.what
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = f" ({frame.tb_frame.f_code.co_filename}:{frame.tb_lineno})" if frame is not None else ""
    return f"{type(error).__name__}: {error}{where}"


def failure_of(error: BaseException, what: str) -> EngineError:
    """`error` as one of ours, for an answer."""
    if isinstance(error, EngineError):
        return error
    return RulesetFailed(f"{what} failed: {describe_failure(error)}")
