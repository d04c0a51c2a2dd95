"""A turn: one message, all the rules it selects, all the events they raise; everything or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pico_engine.errors import BadAttributes, EngineError, LimitExceeded, RulesetFailed
from pico_engine.events import Event, check_name
from pico_engine.expressions.progress import NOTHING
from pico_engine.values import EMPTY_MAP, FrozenMap, Json, encode, freeze, printable

if TYPE_CHECKING:
    from greenlet import greenlet

    from pico_engine.definition import InstalledRule
    from pico_engine.engine import Engine
    from pico_engine.expressions import Machine, Outcome
    from pico_engine.ledger import Seen
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
    by: Turn | None = field(default=None, kw_only=True, repr=False)
    """The turn that sent it, where that ran inside the one that commits (see `nesting`)."""


@dataclass(slots=True)
class Post(Send):
    """An HTTP request that leaves when the turn commits; nobody waits for its answer.

    `eci`, `domain`, `type` and `attrs` say which event the answer becomes; none where `eci` is "".
    """

    method: str = "POST"
    url: str = ""
    headers: Json = EMPTY_MAP
    body: str | None = None
    follow_redirects: bool = True


RuleTrace = tuple[str, str, str, str, str, str]
"""What became of one considered rule: rid, rule, domain, type, outcome (`fired`, `failed`, `last`, or why it
did not fire), detail. A tuple, because every rule of every turn makes one."""


Mark = tuple[int, int, int, int, int, frozenset[str]]
"""Lengths of the journal, directives, sends, deletions and agenda, and `stopped`, before a rule ran."""

_NONE: Final[frozenset[str]] = frozenset()
_UNTOUCHED: Final[Mark] = (0, 0, 0, 0, 1, _NONE)
"""The mark of a turn that has done nothing yet but take its event."""


class Turn:
    """The turn at hand of one pico.

    What few turns need is a default of the class: making a turn is a good part of what an event costs.
    """

    hops = 0
    chain: tuple[str, ...] = ()
    read_only = False
    outer: Turn | None = None
    """The turn inside which this one runs: it asked, or made this pico."""
    journal: list[Any] | None = None
    """Put aside while the turn waits, or while it asks a pico of this engine."""
    seen: Seen | None = None
    """How far the journal was looked through when the turn was left last."""
    event: Event | None = None
    rid = ""
    rule = ""
    raised = 0
    deletions: Sequence[str] = ()
    """Picos that go when the turn commits."""
    closed: frozenset[str] = _NONE
    """Channels that were deleted in this turn: its sends may still name them as their own."""
    stopped: frozenset[str] = _NONE
    """Rulesets that said `last` for the event at hand."""
    cut: tuple[int, int, list[Event]] | None = None
    """What the rule at hand took off the agenda: its place in `considered`, from where, the events."""
    granted: frozenset[str] = _NONE
    """URLs that the node's owner named for this turn: they may be fetched where rulesets may not ask."""
    waiter: greenlet | None = None
    waits_for: str | None = None
    answer: WaitAnswer | None = None
    is_untouched = True
    """Had nothing been done yet when its first rule was considered?"""
    answers_undefined = False
    """Did the query at hand answer KRL's undefined, which is null to all but old clients?"""
    failure: EngineError | None = None
    """Why the first rule that failed did; not one that lacked attributes: old clients send what they like."""
    metered = False
    """Has the pico's meter of KRL rulesets begun to count this turn?"""
    interruptions = 0
    """Rules that computed too long."""
    logged = 0
    """Log entries written."""
    directed_bytes = 0
    """Options of directives, as JSON."""
    sent_bytes = 0
    """Attributes and bodies of what is sent, as JSON."""
    calls = 0
    """Requests to the world outside made in this turn."""

    def __init__(self, engine: Engine, pico: Pico, message: Message, eid: str, now: int) -> None:
        self.engine = engine
        self.pico = pico
        self.message = message
        self.eid = eid
        self.now = now
        self.agenda: list[Event] = []
        self.directives: list[Json] = []
        self.sends: list[Send] = []
        self.considered: list[RuleTrace] = []

    # -- what rules ask for -------------------------------------------------------------------------------

    def raise_event(self, event: Event) -> None:
        self.raised += 1
        check_name(event.domain, event.type, self.engine.limits.name_max_chars)
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
        """Raises LimitExceeded; BadRequest for names that no message can carry."""
        if not (send.eci.isascii() and send.domain.isascii() and send.type.isascii()):
            for part in (send.eci, send.domain, send.type):
                freeze(part)
        check_name(send.domain, send.type, self.engine.limits.name_max_chars)
        if len(self.sends) >= self.engine.limits.sends_max:
            raise LimitExceeded(f"one turn sends more than {self.engine.limits.sends_max} events")
        if send.attrs or type(send) is Post:
            most = self.engine.limits.sends_max_bytes
            self.sent_bytes += len(encode(send.attrs)) + (len(send.body or "") if type(send) is Post else 0)
            if self.sent_bytes > most:
                raise LimitExceeded(f"one turn sends more than {most:,} bytes (sends_max_bytes)")
        self.sends.append(send)

    def count_call(self) -> None:
        """One more request to the world outside. Raises LimitExceeded."""
        self.calls += 1
        most = self.engine.limits.outside_calls_max
        if self.calls > most:
            raise LimitExceeded(
                f"one turn makes more than {most} requests to the world outside (outside_calls_max)",
                "spread them over several events",
            )

    def direct(self, name: Json, options: Json) -> None:
        if len(self.directives) >= self.engine.limits.directives_max:
            raise LimitExceeded(f"one turn gives more than {self.engine.limits.directives_max} directives")
        if options:
            most = self.engine.limits.directives_max_bytes
            self.directed_bytes += len(encode(options))
            if self.directed_bytes > most:
                raise LimitExceeded(
                    f"one turn gives directives of more than {most:,} bytes (directives_max_bytes)"
                )
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
        """Run the agenda to its end. Raises TurnAborted when the turn cannot be kept."""
        engine, pico = self.engine, self.pico
        if self.outer is None:
            engine.turn_serial += 1  # else the time is that of the turn around it
        engine.rule_running = True  # rules and their conditions: all of it may be interrupted
        try:
            for event in self.agenda:  # grows while it is walked
                self.event = event
                if self.stopped:
                    self.stopped = _NONE
                for_rid = event.for_rid
                rules = pico.rules_for(event.domain, event.type)
                if len(self.considered) + len(rules) > engine.limits.considered_max:
                    raise TurnAborted(self._too_many_rules())
                for rule in rules:
                    if for_rid is None or for_rid == rule.rid:
                        self._consider(rule, event)
        finally:
            engine.rule_running = False
            self.rid = self.rule = ""

    def _too_many_rules(self) -> EngineError:
        most = self.engine.limits.considered_max
        return LimitExceeded(
            f"one event made pico {self.pico.did} look at more than {most:,} rules (considered_max)",
            "raise fewer events, or give events of different kinds different names",
        )

    def _consider(self, rule: InstalledRule, event: Event) -> None:
        """Run the rule if the event selects it."""
        instance, rid, name, machine, run = rule
        settings = NOTHING
        if machine is not None:
            try:
                outcome = self._match(machine, rule, event)
            except TurnOverdueError:
                self._interrupted(rid, name, f"the condition of rule {name} of {rid}")
                return
            except Exception as error:  # noqa: BLE001 - a rule's condition is foreign code
                self._rule_failed(rid, name, error)
                return
            if not outcome[0]:
                self.considered.append((rid, name, event.domain, event.type, outcome[3], ""))
                return
            settings = outcome[2]
        if rid in self.stopped:
            self.considered.append((rid, name, event.domain, event.type, "last", ""))
            return
        self.rid, self.rule = rid, name
        considered = self.considered
        mark = _UNTOUCHED if machine is None and self.is_untouched and not considered else self._mark()
        try:
            run(instance, event, settings)
            considered.append((rid, name, event.domain, event.type, "fired", ""))
        except TurnAborted:
            raise
        except TurnOverdueError:
            self._go_back(mark)
            self._interrupted(rid, name, f"rule {name} of {rid}")
        except Exception as error:  # noqa: BLE001 - a rule is foreign code: its failure must stay its own
            self._go_back(mark)
            self._rule_failed(rid, name, error)

    def _match(self, machine: Machine, rule: InstalledRule, event: Event) -> Outcome:
        if machine.is_simple:
            return machine.match_simple(event, rule.instance)
        return self._advance(f"{rule.rid}/{rule.name}", machine, rule.instance, event)

    def stop(self, rid: str) -> None:
        """Let no later rule of this ruleset run for the event at hand."""
        self.stopped |= {rid}

    def _advance(self, key: str, machine: Machine, instance: Any, event: Event) -> Outcome:
        """Take the event on a compound expression, whose progress is kept with the pico."""
        section = self.pico.progress
        progress = section.rows.get(key)
        outcome = machine.advance(progress, event, instance)
        if outcome.progress is None:
            if progress is not None:
                section.delete(key)
        elif outcome.progress is not progress:
            if outcome.progress.settings or outcome.progress.windows:
                encode(outcome.progress.to_json())  # what cannot be stored must fail here, not at the commit
            section.put(key, outcome.progress)
        return outcome

    def _interrupted(self, rid: str, rule: str, what: str) -> None:
        """A rule computed too long: it failed. When another one does, the whole turn ends."""
        error = self.overdue(what)
        self.engine.runner.end_tick()
        if self.interruptions:
            raise TurnAborted(error)
        self.interruptions += 1
        self._rule_failed(rid, rule, error)

    def overdue(self, what: str = "the turn") -> EngineError:
        """The error of what was interrupted because it computed too long."""
        return LimitExceeded(
            f"{what} ran longer than turn_max_ms ({self.engine.limits.turn_max_ms} ms) and was interrupted",
            "look for an endless loop; long work belongs into several turns",
        )

    def _rule_failed(self, rid: str, rule: str, error: BaseException) -> None:
        """Say in the log what went wrong, and raise `system:error` in the rule's own ruleset."""
        text = describe_failure(error)
        event = self.event
        assert event is not None, "rules run for an event"
        self.considered.append((rid, rule, event.domain, event.type, "failed", text))
        if self.failure is None and not isinstance(error, BadAttributes):
            self.failure = failure_of(error, f"rule {rule} of {rid}")
        self.engine.count("rules_failed")
        said = f"rule {rule} failed: {text}"
        self.engine.log(self.pico, "error", rid, said, self.now, by_ruleset=False)
        if (event.domain, event.type) != ("system", "error"):
            attrs = {"level": "error", "data": text, "rid": rid, "rule_name": rule, "genus": "system"}
            self.raise_event(self._system_error(attrs, rid))

    def _system_error(self, attrs: dict[str, Json], rid: str) -> Event:
        return Event("system", "error", FrozenMap(attrs), self.eid, self.now, "", None, rid)

    def _mark(self) -> Mark:
        """Where a rule begins."""
        return (
            len(self.engine.ledger.journal),
            len(self.directives),
            len(self.sends),
            len(self.deletions),
            len(self.agenda),
            self.stopped,
        )

    def _go_back(self, mark: Mark) -> None:
        """Drop what a rule did: everything that came after `mark`."""
        journal, directives, sends, deletions, agenda, self.stopped = mark
        if self.cut is not None and self.cut[0] == len(self.considered):
            _, start, events = self.cut
            self.agenda[start:] = events
        self.engine.ledger.rollback(journal)
        del self.directives[directives:]
        del self.sends[sends:]
        self.deletions = self.deletions[:deletions]
        del self.agenda[agenda:]

    def declare_error(self, level: str, data: Json) -> None:
        """KRL's `error LEVEL data`: raise system:error in the own ruleset; level `error` also stops it."""
        self.engine.log(self.pico, level, self.rid, f"{level} declared by rule {self.rule}", self.now, data)
        if level == "error":
            self.stop(self.rid)
            event = self.event
            here = next((i for i, one in enumerate(self.agenda) if one is event), -1)
            if self.cut is None or self.cut[0] != len(self.considered):
                self.cut = (len(self.considered), here + 1, self.agenda[here + 1 :])
            del self.agenda[here + 1 :]
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
        return printable(f"{error.what}. {error.hint}." if error.hint else error.what)
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = f" ({frame.tb_frame.f_code.co_filename}:{frame.tb_lineno})" if frame is not None else ""
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - a foreign exception that cannot even be printed
        said = "(its text cannot be had)"
    return f"{printable(type(error).__name__)}: {printable(said)}{where}"


def failure_of(error: BaseException, what: str) -> EngineError:
    """`error` as one of ours, for an answer."""
    if isinstance(error, EngineError):
        return error
    return RulesetFailed(f"{what} failed: {describe_failure(error)}")
