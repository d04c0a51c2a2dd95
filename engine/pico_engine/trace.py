"""What happened: one trace per turn, and the log entries of picos."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

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


class Traces:
    """The newest turns of an engine, in memory."""

    def __init__(self, most: int) -> None:
        self._ring: deque[tuple[Any, ...]] = deque(maxlen=most)
        self.add = self._ring.append
        """Takes the fields of a TurnTrace as a plain tuple: one is made for every turn."""

    def newest(self, most: int, pico: str | None = None) -> list[dict[str, Json]]:
        """The newest turns (of one pico), oldest of them first."""
        found = []
        for fields in reversed(self._ring):
            trace = TurnTrace(*fields)
            if pico is None or trace.pico == pico:
                found.append(trace.describe())
                if len(found) == most:
                    break
        return found[::-1]
