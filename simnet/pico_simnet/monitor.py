"""Invariants of the protocol that are checked at every write that reaches a disk and every effect let out.

The monitor sees what is durable on each host and what leaves it, as plain rows and frames; it shares no code
with the lanes that it watches. What it holds:

1. Numbers of a connection never go back, not by a crash either.
2. A number is given in the same write as the outbox row that carries it.
3. An outbox row goes only when the other side has its message on its disk.
4. A side has not received more than the other side has durably sent.
5. No acknowledgement and no mark leaves a host before what it tells of is on that host's disk.
6. No node ever says that another one's store is older than it was: no disk here goes back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pico_engine.messages import LogLine
from pico_engine.store import Batch
from pico_engine.values import decode
from pico_node.agent.frames import ACK, DATA, END_NUMBER, OPEN, read_frame
from pico_node.agent.messages import Effect, SendFrames
from pico_simnet.errors import InvariantBroken

if TYPE_CHECKING:
    from pico_simnet.host import SimulatedHost
    from pico_simnet.world import World


@dataclass(slots=True)
class _Side:
    """What is durable of one side of a connection."""

    pico: str = ""
    sent: int = 0
    received: int = 0
    other: str = ""
    outbox: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Changes:
    """What a batch changes of one side of a connection."""

    pico: str
    numbers: tuple[int, int] | None = None
    other: str | None = None
    rows: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    ended: bool = False


class Monitor:
    """Watches all hosts of a world. Raises InvariantBroken."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sides: dict[str, _Side] = {}
        self.writes_checked = 0
        self.effects_checked = 0

    def durable(self, host: SimulatedHost, batch: Batch) -> None:
        """A batch has reached the disk of a host."""
        self.writes_checked += 1
        changes: dict[str, _Changes] = {}
        for key, value in batch.rows.items():
            room, _, rest = key.partition(b"/")
            if room == b"p":
                did, section, name = rest.decode().split("/", 2)
                if section == "n":
                    self._connection_row(changes.setdefault(name.rstrip("#"), _Changes(did)), name, value)
                elif section == "x":
                    eci, _, digits = name.rpartition("/")
                    change = changes.setdefault(eci, _Changes(did))
                    (change.gone if value is None else change.rows).add(int(digits, 16))
        for eci, change in changes.items():
            if change.ended:
                self._sides.pop(eci, None)
            else:
                self._apply(host, eci, change)

    @staticmethod
    def _connection_row(change: _Changes, name: str, value: bytes | None) -> None:
        if value is None:
            change.ended = True
        elif name.endswith("#"):
            change.numbers = tuple(decode(value)[:2])
        else:
            change.other = decode(value)["their_did"]

    def _apply(self, host: SimulatedHost, eci: str, change: _Changes) -> None:
        side = self._side(eci)
        side.pico = change.pico
        if change.other is not None:
            side.other = change.other
        if change.numbers is not None:
            self._numbers(host, eci, *change.numbers, change.rows)
        for number in change.gone:
            self._row_gone(host, eci, number)
        side.outbox = (side.outbox | change.rows) - change.gone

    def _side(self, eci: str) -> _Side:
        return self._sides.setdefault(eci, _Side())

    def _numbers(self, host: SimulatedHost, eci: str, sent: int, received: int, rows: set[int]) -> None:
        side = self._side(eci)
        if sent < side.sent or received < side.received:
            self._broken(host, f"the numbers of {_short(eci)} went back to {sent}, {received}")
        missing = set(range(side.sent + 1, sent + 1)) - rows
        if missing:
            self._broken(host, f"message {min(missing)} of {_short(eci)} has a number and no outbox row")
        other = self._sides.get(side.other)
        if received > side.received and (other is None or received > other.sent):
            sent_there = other.sent if other is not None else "nothing"
            self._broken(host, f"{_short(eci)} received {received}; the other side has sent {sent_there}")
        side.sent, side.received = sent, received

    def _row_gone(self, host: SimulatedHost, eci: str, number: int) -> None:
        side = self._side(eci)
        other = self._sides.get(side.other)
        if other is not None and other.received < number:
            self._broken(
                host,
                f"outbox row {number} of {_short(eci)} was deleted; the other side's disk has "
                f"{other.received}",
            )

    def sides(self) -> list[tuple[str, str]]:
        """(pico, ECI) of every connection and open invitation that is on some disk."""
        return [(side.pico, eci) for eci, side in self._sides.items()]

    def connected(self) -> list[tuple[str, str]]:
        """(pico, ECI) of every side of a connection whose two sides know each other."""
        return [
            (side.pico, eci)
            for eci, side in self._sides.items()
            if side.other in self._sides and self._sides[side.other].other == eci
        ]

    def unsettled(self) -> list[str]:
        """ECIs whose messages have not all arrived, by what is on the disks."""
        return [
            eci
            for _, eci in self.connected()
            if self._sides[eci].sent != self._sides[self._sides[eci].other].received
            or self._sides[eci].outbox
        ]

    # -- what leaves a host -------------------------------------------------------------------------------

    def effect(self, host: SimulatedHost, effect: Effect) -> None:
        """An effect is let out."""
        self.effects_checked += 1
        if isinstance(effect, SendFrames):
            for data in effect.frames:
                if data[:1] != DATA:
                    self._control(host, data)
        elif isinstance(effect, LogLine) and "store is older than it was" in effect.text:
            self._broken(host, effect.text)

    def _control(self, host: SimulatedHost, data: bytes) -> None:
        letter, content = read_frame(data)
        if letter == ACK:
            for their_eci, number, *_ in content:
                theirs = self._sides.get(their_eci)
                mine = self._sides.get(theirs.other) if theirs is not None else None
                if number != END_NUMBER and mine is not None and number > mine.received:
                    self._broken(
                        host,
                        f"acknowledges message {number} from {_short(their_eci)}; its disk has "
                        f"{mine.received}",
                    )
        elif letter == OPEN:
            eci, _, _, sent = content
            side = self._sides.get(eci)
            if side is not None and sent > side.sent:
                self._broken(host, f"says it sent {sent} on {_short(eci)}; its disk has {side.sent}")

    def _broken(self, host: SimulatedHost, what: str) -> None:
        self._world.trace_line(host.name, f"INVARIANT {what}")
        raise InvariantBroken(f"at {self._world.now} ms {host.name}: {what}")


def _short(eci: str) -> str:
    """The end of a DID, which tells it from others."""
    return f"…{eci[-8:]}"
