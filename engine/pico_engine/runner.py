"""Running turns: workers that take messages from ready picos, and what becomes of each turn."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from greenlet import greenlet

from pico_engine.errors import (
    EngineError,
    RulesetFailed,
    RulesetMissing,
    UnknownPico,
    UnknownQuery,
    UnknownRuleset,
)
from pico_engine.events import Event
from pico_engine.installing import FLUSHED
from pico_engine.messages import (
    HTTP_DOOR,
    INSIDE_DOORS,
    NO_VALUE,
    OWNER,
    EventAnswer,
    EventMessage,
    Failed,
    LogLine,
    OperationAnswer,
    OperationMessage,
    QueryAnswer,
    QueryMessage,
    WaitAnswer,
)
from pico_engine.queue import dequeue_row
from pico_engine.turn import Send, Turn, TurnAborted, TurnOverdueError, failure_of
from pico_engine.values import Json, freeze
from pico_engine.waiting import LocalReply

if TYPE_CHECKING:
    from pico_engine.engine import Engine
    from pico_engine.pico import Pico


_new = tuple.__new__
"""Makes a named tuple in less than half the time; for what every event makes."""

TURNS_IN_A_ROW_MAX: Final = 8
"""Messages that one pico takes before the next has its turn: going from one to the other costs, too."""
STEPS_PER_TURN: Final = 200
"""Steps of KRL that count as a turn of the tick, so that ticks stay short: about 0.2 milliseconds."""
SENDS_PER_TURN: Final = 4
RULES_PER_TURN: Final = 64
"""Likewise: what a turn sends, and the rules that it looks at."""
TRACED_RULES_MAX: Final = 256
"""Rules and sends that one trace names: traces stay in memory."""
TRACED_KEY_CHARS: Final = 1_000
"""A trace of one rule without a message, and of one changed row whose key is no longer, is small."""
TRACED_CHANGES_MAX: Final = 1_000
"""Changed rows that one trace names; a turn may change a hundred times as many."""


def _is_held(error: EngineError | None) -> bool:
    return isinstance(error, RulesetMissing)


def _outcome(error: EngineError | None) -> str:
    return "committed" if error is None else error.code


class Runner:
    """Gives messages their turns. See the engine for the theory of operation."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.ready: deque[Pico] = deque()
        self._workers: list[greenlet] = []
        self._hub: greenlet | None = None
        self._turns_left = 0
        self._add_trace = engine.traces.add

    # -- workers ------------------------------------------------------------------------------------------

    def make_ready(self, pico: Pico) -> None:
        if not pico.ready and pico.turn is None:
            pico.ready = True
            self.ready.append(pico)

    def work(self) -> None:
        """Run turns until nothing is ready or the tick is full; workers that wait are left behind."""
        waiting = self._engine.waiting
        self._hub = greenlet.getcurrent()
        self._turns_left = self._engine.limits.turns_per_tick_max
        while (self.ready or waiting.resumable) and self._turns_left > 0:
            worker = waiting.next_resumable()
            if worker is None:
                worker = self._workers.pop() if self._workers else greenlet(self._live)
            worker.switch()
        self._work_slice()

    def _work_slice(self) -> None:
        """Go on with one of those that compute long, when all others had their turn."""
        following = self._engine.slices.next_slice()
        if following is None:
            return
        self._turns_left = max(self._turns_left, 1)
        if not isinstance(following, greenlet):
            self.ready.appendleft(following)
            following = self._workers.pop() if self._workers else greenlet(self._live)
        following.switch()

    def _live(self) -> None:
        """A worker's life: take turns while there are any, then rest until it is called again."""
        engine = self._engine
        ready, slow = self.ready, engine.slices.slow
        while True:
            while ready and self._turns_left > 0:
                pico = ready.popleft()
                if pico.is_slow:
                    slow.append(pico)
                    continue
                pico.ready = False
                pico.last_used_ms = engine.now
                inbox = pico.inbox
                for _ in range(TURNS_IN_A_ROW_MAX):
                    if not inbox or pico.turn is not None:
                        break
                    self._turns_left -= 1
                    engine.turns += 1
                    message = inbox.popleft()
                    if type(message) is EventMessage:
                        self._event_turn(pico, message)
                    else:
                        self._other_turn(pico, message)
                    if self._turns_left <= 0 or (pico.meter is not None and self._has_worked_long(pico)):
                        break
                if inbox:
                    self.make_ready(pico)
            self._workers.append(greenlet.getcurrent())
            self.to_hub()

    def _has_worked_long(self, pico: Pico) -> bool:
        """Did the pico's KRL take as long as many turns? They count as so many, and the next has its turn."""
        turns = 0
        if pico.meter is not None and pico.turn is None:
            turns = pico.meter.take_used() // STEPS_PER_TURN
            self._turns_left -= turns
        return turns > TURNS_IN_A_ROW_MAX or self._turns_left <= 0

    def count_steps(self, steps: int) -> None:
        """A turn that has not ended took so many steps of KRL in this tick."""
        self._turns_left -= steps // STEPS_PER_TURN

    def end_tick(self) -> None:
        """Begin no more turns in this tick: it took long."""
        self._turns_left = 0

    def to_hub(self) -> None:
        """Leave a worker; returns when it is switched to again."""
        assert self._hub is not None, "turns run inside handle_timer"
        self._hub.switch()

    def _other_turn(self, pico: Pico, message: Any) -> None:
        if type(message) is QueryMessage:
            self._answer_query(pico, message)
        else:
            self._operation_turn(pico, message)

    def reply(self, reply: Any, effect: EventAnswer | QueryAnswer | OperationAnswer | Failed) -> None:
        """Answer whoever asked: someone outside, or a turn of this engine."""
        if type(reply) is not LocalReply:
            self._engine.effect(effect)
        elif isinstance(effect, Failed):
            self._engine.waiting.answered(WaitAnswer(reply.wait, error=effect.error))
        elif isinstance(effect, QueryAnswer):
            self._engine.waiting.answered(WaitAnswer(reply.wait, effect.value))

    # -- events -------------------------------------------------------------------------------------------

    def _event_turn(self, pico: Pico, message: EventMessage) -> None:
        engine = self._engine
        eid, now, door = message.eid, engine.now, message.door
        eci: str | None = message.eci
        turn = pico.turn = Turn(engine, pico, message, eid, now)
        error: EngineError | None = None
        try:
            if door != HTTP_DOOR:
                eci = self._enter(turn, message)
            if eci is not None:
                if not pico.is_complete:
                    self._check_rulesets(pico, message)
                domain, kind, sender = message.domain, message.type, message.sender
                turn.agenda.append(Event(domain, kind, message.attrs, eid, now, eci, sender, message.for_rid))
                turn.run()
        except TurnAborted as aborted:
            error = aborted.error
        except EngineError as failed:
            error = failed
        except TurnOverdueError:  # between two rules: it could not be told which one is to blame
            error = turn.overdue()
        error = self._end(turn, message, error)
        self._trace_event(turn, message, _outcome(error))
        if message.reply is None:
            return
        if error is None and message.compatible:
            error = turn.failure
        if error is None and message.then_query is None and type(message.reply) is not LocalReply:
            engine.effects.append(_new(EventAnswer, (message.reply, turn.eid, turn.directives)))
        else:
            self._answer_event(message, error)

    def _enter(self, turn: Turn, message: EventMessage) -> str | None:
        """What an event that is none from HTTP needs before its rules; its `eci`, None when it is no news."""
        engine = self._engine
        turn.hops = message.hops
        if message.receipt is not None or message.schedule_id is not None:
            turn.is_untouched = False
            if not self._consume(turn, message):
                return None
        if message.door not in INSIDE_DOORS:
            return message.eci
        if (message.domain, message.type) == FLUSHED:
            turn.is_untouched = False
            engine.installing.take_up(turn.pico, message.attrs.get("url"))
        return ""

    def _check_rulesets(self, pico: Pico, message: EventMessage) -> None:
        """A pico that lacks a ruleset takes no event, save the one that can mend it."""
        if (message.domain, message.type) != ("wrangler", "uninstall_ruleset_request"):
            pico.check_rulesets()

    def _consume(self, turn: Turn, message: EventMessage) -> bool:
        """Write down that the message is consumed; False when it had its effect before."""
        if message.schedule_id is not None:
            return self._engine.schedules.begin(turn.pico, message.schedule_id, turn.now) is not None
        return message.receipt is None or message.receipt.apply(turn.pico)

    def _end(
        self, turn: Turn, message: EventMessage | OperationMessage, error: EngineError | None
    ) -> EngineError | None:
        """Commit the turn, or drop it and commit only that its message is consumed; answers why.

        A message is not consumed that could not be processed for want of a ruleset: it waits for that.
        """
        engine, pico = self._engine, turn.pico
        ledger = engine.ledger
        if pico.is_gone:
            ledger.rollback()
            pico.turn = None
            return error or UnknownPico(f"pico {pico.did} was deleted")
        if error is not None:
            self._drop(turn, message, error)
        if message.queue_key is not None and not _is_held(error):
            assert type(message) is EventMessage, "nothing else is queued"
            dequeue_row(pico, message)
            engine.queue_changed.add(pico)
        sends, considered = turn.sends, turn.considered
        if sends:
            deliver = engine.delivery.deliver
            for send in sends:
                deliver(send.by or turn, send)
            self._turns_left -= len(sends) // SENDS_PER_TURN
        if len(considered) >= RULES_PER_TURN:
            self._turns_left -= len(considered) // RULES_PER_TURN
        turn.journal = ledger.journal
        ledger.commit()
        for did in turn.deletions:
            engine.delete_pico(did)
        pico.turn = None
        if pico.elements.rows or pico.outbox.rows or pico.logs.rows:
            pico.trim()
        return error

    def _drop(self, turn: Turn, message: EventMessage | OperationMessage, error: EngineError) -> None:
        engine, pico = self._engine, turn.pico
        engine.ledger.rollback()
        turn.sends.clear()
        turn.deletions = ()
        engine.count("turns_aborted")
        if isinstance(message, EventMessage):
            held = _is_held(error)
            if not held:
                self._consume(turn, message)
            fate = "waits" if held else "was dropped"
            said = f"{message.domain}:{message.type} {fate}: {error}"
            engine.log(pico, "error", "", said, turn.now, by_ruleset=False)

    def _trace_event(self, turn: Turn, message: EventMessage, outcome: str) -> None:
        """`trace`, in one flat tuple for a turn as most are: one rule, one change, nothing sent."""
        journal, rules = turn.journal, turn.considered
        if journal is not None and len(journal) == 1 and len(rules) == 1 and not turn.sends:
            section, key, _ = journal[0]
            rule = rules[0]
            if len(key) <= TRACED_KEY_CHARS and not rule[5]:
                name, kind, door, sender = message.domain, message.type, message.door, message.sender
                self._add_trace(
                    (
                        turn.eid,
                        turn.pico.did,
                        turn.now,
                        name,
                        kind,
                        door,
                        sender,
                        outcome,
                        rule,
                        section.prefix,
                        key,
                        1,
                    )
                )
                return
        self.trace(turn, outcome, (message.domain, message.type), message.door, message.sender)

    def trace(
        self,
        turn: Turn,
        outcome: str,
        name: tuple[str, str],
        door: str = OWNER,
        sender: str | None = None,
        kind: str = "event",
    ) -> None:
        """Note what became of a turn, see TurnTrace."""
        journal, rules, sends = turn.journal or [], turn.considered, turn.sends
        did = turn.pico.did
        rules = rules[:TRACED_RULES_MAX]
        changed = [(section.prefix, key) for section, key, _ in journal[:TRACED_CHANGES_MAX]]
        # without their attributes, which may be large
        sent = [Send(one.eci, one.domain, one.type, None) for one in sends[:TRACED_RULES_MAX]]
        self._add_trace((turn.eid, did, turn.now, kind, name, door, sender, outcome, rules, changed, sent))
        self._engine.traces.weigh()

    def _answer_event(self, message: EventMessage, error: EngineError | None) -> None:
        if error is not None:
            self.reply(message.reply, Failed(message.reply, error))
        elif type(message.reply) is LocalReply:
            self._engine.waiting.answered(WaitAnswer(message.reply.wait))
        elif message.then_query is not None:
            rid, name, args = message.then_query
            question = QueryMessage(message.eci, rid, name, args, message.door, message.sender, message.reply)
            question.marks_undefined = message.compatible
            self._engine.receive(question, self._engine.now)

    def _operation_turn(self, pico: Pico, message: OperationMessage) -> None:
        """Run what the node itself wants of a pico, as a turn like any other."""
        engine = self._engine
        turn = Turn(engine, pico, message, engine.new_eid(), engine.now)
        turn.is_untouched = False
        pico.turn = turn
        value: Json = None
        error: EngineError | None = None
        try:
            value = message.run(pico)
            turn.run()
            if message.finish is not None:
                value = message.finish(pico)
        except TurnAborted as aborted:
            error = aborted.error
        except TurnOverdueError:
            error = turn.overdue()
        except Exception as failed:  # noqa: BLE001 - the answer must say what went wrong, whatever it was
            error = failure_of(failed, message.name)
        error = self._end(turn, message, error)
        self.trace(turn, _outcome(error), (message.name, ""), kind="operation")
        if message.reply is not None:
            done = Failed(message.reply, error) if error else OperationAnswer(message.reply, value)
            self.reply(message.reply, done)

    # -- queries ------------------------------------------------------------------------------------------

    def _answer_query(self, pico: Pico, message: QueryMessage) -> None:
        outcome = "answered"
        try:
            value = self.run_query(pico, message, None)
        except EngineError as error:
            self._engine.count(f"refused_{error.code}")
            outcome = error.code
            self.reply(message.reply, Failed(message.reply, error))
        else:
            self.reply(message.reply, QueryAnswer(message.reply, value))
        name = (message.rid, message.name)
        self._engine.traces.add(
            ("", pico.did, self._engine.now, "query", name, message.door, message.sender, outcome)
        )

    def run_query(self, pico: Pico, message: QueryMessage, outer: Turn | None) -> Json:
        """Run a shared query in a turn that may not write, inside the turn `outer`. Raises EngineError."""
        engine = self._engine
        if pico.installed.get(message.rid) is None:
            raise UnknownRuleset(f"ruleset {message.rid} is not installed in pico {pico.did}")
        pico.check_rulesets()
        definition = pico.definition(message.rid)
        assert definition is not None, "check_rulesets has seen it"
        function = definition.functions.get(message.name)
        if function is None and message.name == "__testing":
            return definition.testing
        if function is None or not function.shared:
            raise UnknownQuery(f'ruleset {message.rid} does not have query function "{message.name}"')
        ledger = engine.ledger
        journal = ledger.journal
        if outer is not None:
            outer.journal = journal
        ledger.journal = []
        ledger.outer_journals.append(journal)
        chain = (*message.chain, pico.did)
        turn = Turn(engine, pico, message, "", engine.now)
        turn.read_only, turn.chain, turn.outer = True, chain, outer
        pico.turn = turn
        if outer is None:
            engine.turn_serial += 1  # else the time is that of the turn which asks
        running, engine.rule_running = engine.rule_running, True
        try:
            value = function.run(pico.instance(definition), message.args)
            if turn.answers_undefined and message.marks_undefined:
                return NO_VALUE
            return self._frozen_result(message, value)
        except TurnAborted as aborted:
            raise aborted.error from None
        except EngineError:
            raise
        except (Exception, TurnOverdueError) as error:
            failure = failure_of(error, f"query {message.name} of {message.rid}")
            engine.effect(LogLine("error", pico.did, message.rid, failure.what, engine.now))
            raise failure from error
        finally:
            engine.rule_running = running
            if turn.metered and pico.meter is not None:
                pico.meter.end(turn)
            ledger.rollback()
            ledger.journal = ledger.outer_journals.pop()
            pico.turn = None
            pico.trim()
            if pico.inbox:
                self.make_ready(pico)

    def _frozen_result(self, message: QueryMessage, value: Json) -> Json:
        try:
            return freeze(value)
        except EngineError as error:  # the ruleset's fault, not that of whoever asks
            what = f"query {message.name} of {message.rid} answers what is not JSON-like data: {error}"
            raise RulesetFailed(what, error.hint) from error
