"""Turns that wait: a rule or query asks another pico, and goes on when the answer comes.

A pico of this engine that is between turns is asked at once, inside the turn that asks. One that is itself
in the middle of a turn that waits is asked when it is done, and one elsewhere through the port: then the
asking turn's greenlet is left, and resumed with the answer. Who would wait for itself is refused
(`WaitCycle`): each question carries the picos that wait for its answer, and within the engine the picos that
wait for each other are followed. What cannot be seen from here ends at the deadline (`WaitTimeout`).
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from greenlet import greenlet

from pico_engine.admission import weight_of
from pico_engine.errors import (
    DeniedByPolicy,
    EngineError,
    LimitExceeded,
    UnknownChannel,
    UnknownPico,
    WaitCycle,
    WaitTimeout,
)
from pico_engine.messages import (
    LOCAL_DOOR,
    EventMessage,
    HttpCall,
    LogLine,
    QueryMessage,
    RemoteQuery,
    RulesetCall,
    WaitAnswer,
)
from pico_engine.nesting import is_made_in, tell_new
from pico_engine.values import Json, freeze

if TYPE_CHECKING:
    from pico_engine.channels import Channel
    from pico_engine.engine import Engine
    from pico_engine.pico import Pico
    from pico_engine.turn import Post, Turn

NEVER: Final = 1 << 62
"""Later than any time."""


class LocalReply:
    """Marks a query whose answer another turn of this engine waits for."""

    __slots__ = ("wait",)

    def __init__(self, wait: int) -> None:
        self.wait = wait


def seen_sender(channel: Channel, sender: str) -> str | None:
    """Whom a pico sees behind an event from this engine: as from elsewhere, not more.

    The family knows each other; a connection knows its other channel, not the pico behind it; a channel that
    is open to all knows nobody.
    """
    return sender if channel.family is not None else channel.peer


class Waiting:
    """The turns of an engine that wait."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.turns: dict[int, Turn] = {}
        self.resumable: deque[Turn] = deque()
        self._deadlines: list[tuple[int, int]] = []
        self._last_wait = 0
        self._posts: dict[int, tuple[str, Post]] = {}
        """HTTP requests that no turn waits for: wait → (DID of the pico, request)."""

    def ask(self, pico: Pico, eci: str, rid: str, name: str, args: Json) -> Json:
        """The answer of another pico's shared query. Raises what went wrong there, or on the way."""
        engine = self._engine
        turn = pico.turn
        assert turn is not None, "only rules and queries ask"
        chain = turn.chain if turn.read_only else (*turn.chain, pico.did)
        self._check_depth(chain)
        did = engine.index.get(eci)
        if did is None:
            if not engine.port.can_query(pico, eci):
                raise UnknownChannel(f"{eci} is no channel here, and of no connection of this pico")
            wait = self._new_wait()
            engine.effect(RemoteQuery(wait, pico.did, eci, rid, name, args, chain))
            return self._wait(turn, wait, None)
        question = QueryMessage(eci, rid, name, args, LOCAL_DOOR, pico.did, None, chain)
        target = engine.admission.door(question)
        self._check_cycle(chain, target)
        if target.turn is None:
            engine.admission.check_room(target)
            return engine.runner.run_query(target, question, turn)
        question.weight = weight_of(args)
        engine.admission.check_room(target, question.weight)
        wait = self._new_wait()
        question.reply = LocalReply(wait)
        engine.enqueue(target, question)
        return self._wait(turn, wait, target.did)

    def tell(self, pico: Pico, eci: str, name: tuple[str, str], attrs: Json) -> None:
        """Send an event to another pico of this engine, and wait until it was handled there.

        It has happened then, whatever becomes of the turn that waits; save in a pico that this turn has
        made, where it becomes part of the turn. Raises what went wrong there.
        """
        engine, turn = self._engine, pico.turn
        assert turn is not None, "only rules tell"
        chain = (*turn.chain, pico.did)
        self._check_depth(chain)
        event = EventMessage(eci, *name, attrs, LOCAL_DOOR, pico.did, eid=turn.eid, hops=turn.hops + 1)
        engine.admission.check_event(event)
        if engine.index.get(eci) is None:
            raise UnknownChannel(
                f"{eci} leads to no pico of this engine, and only those can be told in the middle of a turn",
                "send the event, and ask later",
            )
        target = engine.admission.door(event)
        self._check_cycle(chain, target)
        engine.admission.check_room(target, event.weight)
        event.sender = seen_sender(target.channels.rows[eci], pico.did)
        if target.turn is None and is_made_in(turn, target):
            tell_new(turn, target, event)
            return
        wait = self._new_wait()
        event.reply = LocalReply(wait)
        engine.enqueue(target, event)
        self._wait(turn, wait, target.did)

    # -- HTTP requests and rulesets at URLs ----------------------------------------------------------------

    def call(self, pico: Pico, call: HttpCall) -> Json:
        """The answer to an HTTP request of a rule or query, as HttpCall says. Raises what went wrong."""
        turn = self._calling_turn(pico)
        call.wait = self._new_wait()
        self._engine.effect(call)
        return self._wait(turn, call.wait, None)

    def load_ruleset(self, pico: Pico, url: str, *, refresh: bool = False) -> str:
        """The id of the ruleset at a URL; `refresh`: fetch it, though it is known. Raises what went wrong."""
        installing = self._engine.installing
        edition = installing.flush(pico, url) if refresh else installing.edition(pico, url)
        return edition.rid

    def fetch_ruleset(self, pico: Pico, url: str) -> Json:
        """The text at a URL, as RulesetCall says. Raises what went wrong."""
        turn = self._calling_turn(pico)
        wait = self._new_wait()
        granted = self._engine.installing.is_granted(pico, url)
        self._engine.effect(RulesetCall(wait, pico.did, url, granted))
        return self._wait(turn, wait, None)

    def _calling_turn(self, pico: Pico) -> Turn:
        turn = pico.turn
        assert turn is not None, "only rules and queries call"
        turn.count_call()
        self.check_may_call(pico)
        return turn

    def check_may_call(self, pico: Pico) -> None:
        """Raises DeniedByPolicy where rulesets may make no requests."""
        if not self._engine.port.can_call(pico):
            raise DeniedByPolicy(
                "rulesets make no HTTP requests here",
                "run the ruleset in a node; in tests, give the engine a port that allows it",
            )

    def post(self, pico: Pico, post: Post) -> None:
        """A turn commits that makes a request whose answer it does not wait for."""
        if self._engine.port.take_post(pico, post):
            return
        wait = self._new_wait()
        self._posts[wait] = (pico.did, post)
        call = HttpCall(wait, pico.did, post.rid, post.method, post.url, post.headers, post.body)
        call.follow_redirects, call.waits = post.follow_redirects, False
        self._engine.effect(call)

    def _posted(self, did: str, post: Post, answer: WaitAnswer) -> None:
        """The answer to such a request: it becomes an event, a failure becomes a line in the log."""
        engine = self._engine
        pico = engine.loaded_or_stored(did)
        if pico is None:
            return
        if answer.error is not None:
            text = f"{post.method} {post.url} failed: {answer.error}"
            engine.effect(LogLine("error", did, post.rid, text, engine.now))
        elif post.eci:
            attrs = {**post.attrs, **answer.value}
            event = EventMessage(post.eci, post.domain, post.type, attrs, LOCAL_DOOR, did)
            event.eid = engine.new_eid()
            engine.receive(event, engine.now)

    def check_chain(self, chain: tuple[str, ...], target: Pico) -> None:
        """A question from elsewhere: refuse it when its answer would wait for itself."""
        self._check_depth(chain)
        self._check_cycle(chain, target)

    def _check_depth(self, chain: tuple[str, ...]) -> None:
        most = self._engine.limits.query_depth_max
        if len(chain) > most:
            raise LimitExceeded(f"more than {most} queries wait for each other (query_depth_max)")

    def _check_cycle(self, chain: tuple[str, ...], target: Pico) -> None:
        one: Pico | None = target
        seen: set[str] = set()
        while one is not None and one.did not in seen:
            if one.did in chain:
                raise WaitCycle(f"pico {chain[-1]} asked {target.did}, which waits for {one.did} itself")
            seen.add(one.did)
            turn = one.turn
            one = self._engine.loaded_or_stored(turn.waits_for) if turn and turn.waits_for else None

    def _new_wait(self) -> int:
        self._last_wait += 1
        return self._last_wait

    def _wait(self, turn: Turn, wait: int, waits_for: str | None) -> Json:
        """Leave the turn until its answer comes."""
        engine = self._engine
        turn.answer = None
        self.turns[wait] = turn
        heappush(self._deadlines, (engine.now + engine.limits.wait_max_ms, wait))
        engine.count("turns_waited")
        self._leave(turn, waits_for)
        answer: WaitAnswer | None = turn.answer
        assert answer is not None, "a turn is resumed with its answer"
        if answer.error is not None:
            raise answer.error
        return freeze(answer.value)

    def pause(self, turn: Turn) -> None:
        """Leave the turn until its worker is called again. Raises UnknownPico when its pico was deleted."""
        turn.answer = None
        self._leave(turn, None)
        gone: WaitAnswer | None = turn.answer
        if gone is not None and gone.error is not None:
            raise gone.error

    def _leave(self, turn: Turn, waits_for: str | None) -> None:
        """Leave the worker of the turn; returns when it is switched to again."""
        engine = self._engine
        ledger = engine.ledger
        turn.journal = ledger.journal
        one: Turn | None = turn
        while one is not None:  # also the turns inside which this one asks
            assert one.journal is not None, "a turn that asks has put its journal aside"
            one.seen = ledger.suspend_again(one.journal, one.seen)
            one.waits_for = waits_for
            one = one.outer
        ledger.journal, outer_journals, ledger.outer_journals = [], ledger.outer_journals, []
        turn.waiter = greenlet.getcurrent()
        running, engine.rule_running = engine.rule_running, False
        engine.runner.to_hub()
        engine.rule_running = running
        engine.turn_serial += 1
        ledger.journal, ledger.outer_journals = turn.journal, outer_journals
        turn.waiter = None
        one = turn
        while one is not None:
            one.waits_for = None
            one = one.outer

    def answered(self, answer: WaitAnswer) -> None:
        """An answer came; one that nobody waits for any more is dropped."""
        turn = self.turns.pop(answer.wait, None)
        if turn is not None:
            turn.answer = answer
            self.resumable.append(turn)
            return
        post = self._posts.pop(answer.wait, None)
        if post is not None:
            self._posted(*post, answer)

    def next_resumable(self) -> greenlet | None:
        """The worker of a turn that can go on."""
        return self.resumable.popleft().waiter if self.resumable else None

    def next_deadline(self) -> int:
        while self._deadlines and self._deadlines[0][1] not in self.turns:
            heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else NEVER

    def expire(self, now: int) -> None:
        """Resume those whose deadline has passed, with an error."""
        while self.next_deadline() <= now:
            _, wait = heappop(self._deadlines)
            limit = self._engine.limits.wait_max_ms
            self.answered(WaitAnswer(wait, error=WaitTimeout(f"no answer within {limit} ms (wait_max_ms)")))

    def abandon(self, pico: Pico) -> None:
        """The pico goes: undo and end its waiting turn, if it has one."""
        gone: EngineError = UnknownPico(f"pico {pico.did} was deleted")
        if pico.turn is not None and pico.turn.journal is not None:
            ledger = self._engine.ledger
            journal, ledger.journal = ledger.journal, pico.turn.journal
            ledger.rollback()
            ledger.journal = journal
        for wait, turn in list(self.turns.items()):
            if _is_of(turn, pico):
                self.answered(WaitAnswer(wait, error=gone))
        for turn in self._engine.slices.paused:
            if _is_of(turn, pico):
                turn.answer = WaitAnswer(0, error=gone)

    def unfinished_prefixes(self) -> set[bytes]:
        """Prefixes of the picos that turns which have not ended have changed something of."""
        ledger = self._engine.ledger
        journals = [ledger.journal, *ledger.outer_journals]
        for turn in (*self.turns.values(), *self.resumable, *self._engine.slices.paused):
            one: Turn | None = turn
            while one is not None:
                journals.append(one.journal or [])
                one = one.outer
        return {section.prefix[:-2] for journal in journals for section, _, _ in journal}


def _is_of(turn: Turn, pico: Pico) -> bool:
    """Is it a turn of the pico, or does one of the pico wait for it?"""
    one: Turn | None = turn
    while one is not None:
        if one.pico is pico:
            return True
        one = one.outer
    return False
