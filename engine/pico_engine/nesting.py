"""Turns of new picos inside the turn that makes them.

A pico that was made in the turn at hand is not there for anybody else before that turn commits. What has to
run in it earlier (an event that its maker waits for, the global block of a ruleset that it gets) runs here:
at once, with a journal of its own, which becomes part of the maker's when it is kept. So it is written in the
same commit as the pico's making, or undone with it: exactly once, and always at the same place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pico_engine.errors import EngineError, LimitExceeded
from pico_engine.events import Event
from pico_engine.messages import SYSTEM_DOOR, EventMessage, QueryMessage
from pico_engine.turn import Turn, TurnAborted

if TYPE_CHECKING:
    from pico_engine.definition import RulesetDefinition
    from pico_engine.messages import Message
    from pico_engine.pico import Pico

ENDED_INSIDE = "within"
"""The outcome of such a turn in its trace: it is kept if the turn around it is."""


def is_made_in(turn: Turn, pico: Pico) -> bool:
    """Was the pico made in this turn, or in one around it, which has not ended?"""
    ledger = turn.engine.ledger
    journals = (ledger.journal, *ledger.outer_journals)
    return any(section is pico.info for journal in journals for section, _, _ in journal)


@contextmanager
def _nested(outer: Turn, pico: Pico, message: Message, *, keep: bool) -> Iterator[Turn]:
    """A turn of `pico` inside `outer`; what it wrote joins that turn's, unless it fails or is not kept."""
    engine = outer.engine
    ledger = engine.ledger
    journal = outer.journal = ledger.journal
    ledger.outer_journals.append(journal)
    ledger.journal = []
    turn = Turn(engine, pico, message, outer.eid, outer.now)
    turn.outer, turn.read_only, turn.is_untouched = outer, not keep, False
    turn.chain = (*outer.chain, outer.pico.did)
    turn.calls, turn.raised = outer.calls, outer.raised
    pico.turn = turn
    running, engine.rule_running = engine.rule_running, True
    try:
        yield turn
    except BaseException:
        ledger.rollback()
        raise
    finally:
        engine.rule_running = running
        outer.calls, outer.raised = turn.calls, turn.raised
        if turn.metered and pico.meter is not None:
            pico.meter.end(turn)
        written = ledger.journal
        if not keep:
            ledger.rollback()
        ledger.journal = ledger.outer_journals.pop()
        ledger.journal += written
        pico.turn = None
        if pico.inbox:
            engine.runner.make_ready(pico)


def tell_new(outer: Turn, pico: Pico, event: EventMessage) -> None:
    """Run an event in a pico that was made in the turn `outer`; it is part of that turn.

    What its rules send leaves with what the turn sends. A rule that fails there fails for itself. Raises
    EngineError when the event could not be processed as a whole; nothing is left of it then.
    """
    engine = outer.engine
    engine.turns += 1
    try:
        with _nested(outer, pico, event, keep=True) as turn:
            turn.hops = event.hops
            pico.check_rulesets()
            turn.agenda.append(
                Event(event.domain, event.type, event.attrs, turn.eid, turn.now, event.eci, event.sender)
            )
            turn.run()
            _hand_on(turn, outer)
            turn.journal = engine.ledger.journal
            engine.runner.trace(turn, ENDED_INSIDE, (event.domain, event.type), event.door, event.sender)
    except TurnAborted as aborted:
        raise aborted.error from None


def _hand_on(turn: Turn, outer: Turn) -> None:
    """What is done when the turn commits is done when that around it does. Raises LimitExceeded."""
    limits = turn.engine.limits
    sends, sent_bytes = len(outer.sends) + len(turn.sends), outer.sent_bytes + turn.sent_bytes
    if sends > limits.sends_max or sent_bytes > limits.sends_max_bytes:
        raise LimitExceeded(
            f"one turn sends more than {limits.sends_max} events or {limits.sends_max_bytes:,} bytes "
            "(sends_max, sends_max_bytes), what the picos send that it made and told something among them",
            "send the new picos their events, so that they have turns of their own",
        )
    for send in turn.sends:
        send.by = send.by or turn
    outer.sends += turn.sends
    outer.sent_bytes = sent_bytes
    outer.deletions = (*outer.deletions, *turn.deletions)


def begin_ruleset(pico: Pico, definition: RulesetDefinition, mark: int) -> None:
    """Make the object of a ruleset in KRL that was just installed: evaluate its global block.

    Inside the pico's turn; for a new pico inside its maker's, where it may change nothing. The first rulesets
    of a root pico, which nobody's turn installs, begin when they are needed. Raises EngineError when it
    fails, and the installation is undone: all that was written since the journal had `mark` entries.
    """
    if definition.language != "krl":
        return
    try:
        _begin(pico, definition)
    except EngineError as error:
        pico.engine.ledger.rollback(mark)
        error.what = f"{error.what}. {definition.rid} was not installed: its global block fails"
        error.args = (error.what,)
        raise


def _begin(pico: Pico, definition: RulesetDefinition) -> None:
    if pico.turn is not None:
        pico.instance(definition)
        return
    maker = pico.engine.loaded_or_stored(pico.parent) if pico.parent else None
    if maker is not None and maker.turn is not None:
        message = QueryMessage(pico.did, definition.rid, "", {}, SYSTEM_DOOR, maker.did)
        with _nested(maker.turn, pico, message, keep=False):
            pico.instance(definition)
