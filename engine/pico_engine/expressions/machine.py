"""The machine of one event expression: a table and a clock limit, and how they take an event.

A machine is in a set of states, at first in START alone. An event that matches some letter of the expression
is salient; no other event leaves any trace. For a salient event all edges that lead on from the states are
followed together:

- one reaches END: the rule fires, END is the only state, what was captured is handed out and forgotten;
- some lead on: their targets are the new states, and states without such an edge are dropped;
- none leads on: the states stay.

END without edges of its own is as good as START, only the clock tells them apart: `within` counts from the
first salient event seen in START, and an attempt that begins after a match goes on with the clock that runs.
An event that comes later than the limit allows finds the machine in START.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from pico_engine.expressions.ast import ANY, Event, Select, Simple
from pico_engine.expressions.compile import END, START, Letter, compile_table
from pico_engine.expressions.describe import expression_text
from pico_engine.expressions.matching import Attempt, Matcher
from pico_engine.expressions.progress import NO_WINDOWS, NOTHING, Progress

FIRED: Final = "fired"
NOT_SALIENT: Final = "not-salient"
PROGRESSED: Final = "progressed"
WAITING: Final = "waiting"
EXPIRED_RESTARTED: Final = "expired-restarted"

FORMAT = b"1:"
"""Part of every fingerprint; to be raised when the same expression comes to be numbered differently."""

_AT_START = (START,)
_AT_END = (END,)


class Outcome(NamedTuple):
    """What an event did to a machine.

    `progress` is the very object that was passed in when nothing changed, so `is not` tells what to store;
    None is a machine at its start, of which nothing is stored. `settings` is filled when it fired. `why` is
    one of the codes above, "where", or "attribute:" and the name of the attribute that did not fit.
    """

    fired: bool
    progress: Progress | None
    settings: Mapping[str, Any]
    why: str


_new = tuple.__new__
"""Makes a named tuple in less than half the time; for what every event makes."""

_FIRED = Outcome(True, None, NOTHING, FIRED)


class Machine:
    """A compiled event expression. It holds no state: progress comes in and goes out.

    One machine serves every pico that has the rule. The engine looks machines up by `salience`, the domains
    and types (either may be "*") of events that can matter. When `is_simple`, there is never any progress and
    `match_simple` may be called in place of `advance` for an event whose domain and type are in the salience.
    """

    def __init__(self, select: Select) -> None:
        table = compile_table(select.expression)
        self.select = select
        self.letters: tuple[Letter, ...] = table.letters
        self.rows = table.rows
        self.transitions_laid = table.laid
        """How many transitions it took to compile; merged, there may be fewer."""
        self.salience: frozenset[tuple[str, str]] = frozenset(
            (letter.simple.domain, letter.simple.type) for letter in table.letters
        )
        self.settings: tuple[str, ...] = _setting_names(table.letters)
        self.is_simple: bool = isinstance(select.expression, Simple)
        shape = FORMAT + expression_text(select.expression).encode()
        self.fingerprint: str = blake2b(shape, digest_size=8).hexdigest()
        self._matchers = _matchers(table.letters)
        self._has_aggregates = any(letter.aggregates for letter in table.letters)
        self._end_is_start = not table.rows[END]
        # Where one event does it all, no clock is ever looked at.
        self._within_ms = select.within_ms if len(table.rows) > END + 1 or not self._end_is_start else None
        self._letters_by_event = _letters_by_event(table.letters)
        self._has_wildcards = any(ANY in pair for pair in self.salience)
        self.always: bool = self.is_simple and self._matchers[0].always
        """Does every event whose domain and type are in the salience make it fire?"""
        self._mismatches = {
            code: Outcome(False, None, NOTHING, code) for code in self._matchers[0].mismatches
        }

    def __repr__(self) -> str:
        return f"<Machine {expression_text(self.select.expression)}>"

    def match_simple(self, event: Event, ruleset: Any = None) -> Outcome:
        """Match an event whose domain and type are known to fit, on a machine that `is_simple`."""
        if self.always:
            return _FIRED
        matcher = self._matchers[0]
        captured = matcher.match(event, NOTHING, ruleset)
        if isinstance(captured, str):
            return self._mismatches[captured]
        if not captured:
            return _FIRED
        settings = dict(zip(matcher.names, captured, strict=False))
        return _new(Outcome, (True, None, settings, FIRED))

    def advance(self, progress: Progress | None, event: Event, ruleset: Any = None) -> Outcome:
        """Take one event; `ruleset` is handed through to conditions and limits."""
        letters = self._letters_by_event.get((event.domain, event.type))
        if letters is None:
            letters = self._letters_of(event.domain, event.type) if self._has_wildcards else ()
        if not letters:
            return _new(Outcome, (False, progress, NOTHING, NOT_SALIENT))
        if self.is_simple:
            return self.match_simple(event, ruleset)
        live = progress if progress is not None and progress.machine == self.fingerprint else None
        expired = live is not None and self._is_expired(live, event, ruleset)
        if expired:
            live = None
        states = _AT_START if live is None or self._is_as_good_as_start(live) else live.states
        attempt = Attempt(self._matchers, letters, event, NOTHING if live is None else live.settings, ruleset)
        hits = attempt.move(self.rows, states)
        if hits:
            return self._moved(live, hits, attempt, EXPIRED_RESTARTED if expired else PROGRESSED)
        return self._stayed(progress, live, attempt, expired)

    def _letters_of(self, domain: str, type_: str) -> tuple[int, ...]:
        return tuple(
            index
            for index, letter in enumerate(self.letters)
            if letter.simple.domain in (domain, ANY) and letter.simple.type in (type_, ANY)
        )

    def _is_expired(self, live: Progress, event: Event, ruleset: Any) -> bool:
        limit_ms = self._within_ms
        if limit_ms is None or not live.started_ms:  # a clock that began at 0 was never set: kept from KRL
            return False
        if not isinstance(limit_ms, int):
            limit_ms = limit_ms(event, ruleset)
        return event.time_ms - live.started_ms > limit_ms

    def _is_as_good_as_start(self, live: Progress) -> bool:
        return self._end_is_start and live.states == _AT_END

    def _moved(
        self, live: Progress | None, hits: tuple[int, ...], attempt: Attempt, progressed: str
    ) -> Outcome:
        started_ms = None if self._within_ms is None else _started_ms(live, attempt.event)
        settings = attempt.settings()
        windows = NO_WINDOWS if live is None else live.windows
        if self._has_aggregates:
            windows = attempt.slide(windows, settings)
        if END in hits:
            if self._end_is_start:
                windows = NO_WINDOWS
                if started_ms is None:
                    return _new(Outcome, (True, None, settings, FIRED))
            rest = _new(Progress, (self.fingerprint, _AT_END, started_ms, NOTHING, windows))
            return _new(Outcome, (True, rest, settings, FIRED))
        if hits == _AT_START:
            windows = NO_WINDOWS
            if not settings:
                return Outcome(False, None, NOTHING, progressed)
        rest = _new(Progress, (self.fingerprint, hits, started_ms, settings or NOTHING, windows))
        return _new(Outcome, (False, rest, NOTHING, progressed))

    def _stayed(
        self, progress: Progress | None, live: Progress | None, attempt: Attempt, expired: bool
    ) -> Outcome:
        if expired and attempt.is_salient():
            return Outcome(False, None, NOTHING, EXPIRED_RESTARTED)
        if live is not None and attempt.is_salient():
            if self._is_as_good_as_start(live):
                progress = None
            elif START in live.states and self._within_ms is not None:
                progress = live._replace(started_ms=attempt.event.time_ms)
        elif live is None and not expired:
            progress = None  # of another machine, if of any
        return _new(Outcome, (False, progress, NOTHING, attempt.mismatch() or WAITING))


def compile_select(select: Select) -> Machine:
    """Compile once per rule. Raises RulesetDefinitionError for an expression beyond the limits."""
    return Machine(select)


def _started_ms(live: Progress | None, event: Event) -> int:
    if live is None or START in live.states:
        return event.time_ms
    return live.started_ms or event.time_ms


def _letters_by_event(letters: tuple[Letter, ...]) -> dict[tuple[str, str], tuple[int, ...]]:
    """For each domain and type that a letter names, the letters that fit, in their order."""
    named: dict[tuple[str, str], list[int]] = {}
    for index, letter in enumerate(letters):
        named.setdefault((letter.simple.domain, letter.simple.type), []).append(index)
    found = {}
    for domain, type_ in named:
        pairs = {(domain, type_), (domain, ANY), (ANY, type_), (ANY, ANY)}
        found[domain, type_] = tuple(sorted(index for pair in pairs for index in named.get(pair, ())))
    return found


def _matchers(letters: tuple[Letter, ...]) -> tuple[Matcher, ...]:
    matchers = []
    windows = 0
    for letter in letters:
        matchers.append(Matcher(letter, windows))
        windows += len(letter.aggregates)
    return tuple(matchers)


def _setting_names(letters: tuple[Letter, ...]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for letter in letters:
        names.update(dict.fromkeys(letter.simple.settings))
        names.update(dict.fromkeys(aggregate.setting for aggregate in letter.aggregates))
    return tuple(names)
