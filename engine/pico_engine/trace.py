"""What happened: one trace per turn, and the log entries of picos."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pico_engine.values import Json

if TYPE_CHECKING:
    from pico_engine.turn import RuleTrace, Send


class TurnTrace(NamedTuple):
    """One turn: which rules were considered, what became of each, what changed and what was sent."""

    eid: str
    pico: str
    time_ms: int
    kind: str
    """`event`, `query` or `operation`."""
    name: tuple[str, str]
    """The event's (domain, type), the query's (rid, name), or the operation's (name, "")."""
    door: str
    sender: str | None
    outcome: str
    """`committed`, `answered` (a query), `within` (the turn is part of the one that made the pico), or the
    code of the error that dropped the turn."""
    considered: Sequence[RuleTrace] = ()
    changed: Sequence[tuple[bytes, str]] = ()
    sends: Sequence[Send] = ()

    def describe(self) -> dict[str, Json]:
        """As JSON; attributes and values are left out, they may be private."""
        separator = {"event": ":", "query": "/"}.get(self.kind, "")
        return {
            "eid": self.eid,
            "pico": self.pico,
            "time": self.time_ms,
            "kind": self.kind,
            "name": separator.join(self.name),
            "door": self.door,
            "sender": self.sender,
            "outcome": self.outcome,
            "rules": [
                {
                    "rid": rid,
                    "rule": rule,
                    "event": f"{domain}:{kind}",
                    "outcome": outcome,
                    **({"detail": detail} if detail else {}),
                }
                for rid, rule, domain, kind, outcome, detail in self.considered
            ],
            "changed": sorted({f"{_section_name(prefix)}/{key}" for prefix, key in self.changed}),
            "sent": [{"eci": send.eci, "event": f"{send.domain}:{send.type}"} for send in self.sends],
        }


_SECTION_NAMES = {
    "c": "channel",
    "e": "index",
    "i": "info",
    "k": "child",
    "m": "progress",
    "n": "connection",
    "q": "queue",
    "r": "ruleset",
    "s": "schedule",
    "t": "timer",
    "v": "variable",
    "w": "element",
    "x": "outbox",
    "y": "log",
}


def _section_name(prefix: bytes) -> str:
    letter = prefix[-2:-1].decode()
    return _SECTION_NAMES.get(letter, letter)


COUNTED_FROM_BYTES: Final = 4_096
"""Smaller traces are not counted: `traces_max` bounds them."""
_RULE_BYTES: Final = 128
_CHANGE_BYTES: Final = 96
_SEND_BYTES: Final = 160
"""What one entry of a trace takes besides its texts, which are its own."""


def weight_of(fields: Sequence[Any]) -> int:
    """About how many bytes the three lists at the end of a trace take."""
    considered, changed, sends = fields[8:]
    return (
        sum(_RULE_BYTES + _text_bytes(one[5]) for one in considered)
        + sum(_CHANGE_BYTES + _text_bytes(key) for _, key in changed)
        + sum(_SEND_BYTES + _text_bytes(one.eci + one.domain + one.type) for one in sends)
    )


def _text_bytes(text: str) -> int:
    return len(text) if text.isascii() else 4 * len(text)


_SHORT_FIELDS: Final = 12


def _whole(fields: tuple[Any, ...]) -> TurnTrace:
    if len(fields) != _SHORT_FIELDS:
        return TurnTrace(*fields)
    eid, pico, now, domain, kind, door, sender, outcome, rule, prefix, key, _ = fields
    name, changed = (domain, kind), [(prefix, key)]
    return TurnTrace(eid, pico, now, "event", name, door, sender, outcome, [rule], changed, [])


class Traces:
    """The newest turns of an engine, in memory: at most `most`, and so much of them as fits `most_bytes`."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._ring: deque[tuple[Any, ...]] = deque(maxlen=most)
        self._large: deque[tuple[int, tuple[Any, ...]]] = deque()
        self._large_bytes = 0
        self.add = self._ring.append
        """Takes the fields of a TurnTrace as a plain tuple: one is made for every turn.

        Of an event's turn of one rule and one change they may be eid, pico, time_ms, domain, type, door,
        sender, outcome, the rule, the changed row's prefix and key, and 1: one thing to keep, not seven."""

    def weigh(self) -> None:
        """The trace that was added last may be large: the oldest such ones lose their lists to make room."""
        fields = self._ring[-1]
        size = weight_of(fields)
        if size < COUNTED_FROM_BYTES:
            return
        self._large.append((size, fields))
        self._large_bytes += size
        while self._large_bytes > self._most_bytes:
            size, oldest = self._large.popleft()
            self._large_bytes -= size
            for entries in oldest[8:]:
                entries.clear()

    def newest(self, most: int, pico: str | None = None) -> list[dict[str, Json]]:
        """The newest turns (of one pico), oldest of them first."""
        found = []
        for fields in reversed(self._ring):
            trace = _whole(fields)
            if pico is None or trace.pico == pico:
                found.append(trace.describe())
                if len(found) == most:
                    break
        return found[::-1]
