"""Who may come in: a table of inbound connections and the limits on it. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pico_node.peers.counters import Counters
from pico_node.peers.limits import PeerLimits


@dataclass(slots=True, eq=False)
class Ticket:
    """One inbound connection. `leave` closes it; `carries_session` protects it from giving way."""

    ip: str
    leave: Callable[[], None]
    peer_id: str = ""  # empty: it has not proven who it is
    carries_session: bool = False


class Admission:
    """Connections that have not proven who they are never stand in the way of those who will.

    Proving takes an honest peer some ten milliseconds. So when the table of half-open connections is full the
    oldest of them gives way to the newest: hundreds of silent sockets delay nobody.
    """

    def __init__(
        self, limits: PeerLimits, counters: Counters, is_wanted: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._limits = limits
        self._counters = counters
        self._is_wanted = is_wanted
        self._half_open: dict[Ticket, None] = {}  # in the order in which they came
        self._proven: dict[Ticket, None] = {}

    def arrive(self, ip: str, leave: Callable[[], None]) -> Ticket:
        """A connection came in."""
        if len(self._half_open) >= self._limits.half_open_max:
            oldest = next(iter(self._half_open))
            del self._half_open[oldest]
            self._counters.inbound_crowded_out += 1
            oldest.leave()
        ticket = Ticket(ip, leave)
        self._half_open[ticket] = None
        self._counters.inbound += 1
        self._counters.half_open = len(self._half_open)
        return ticket

    def prove(self, ticket: Ticket, peer_id: str) -> bool:
        """The connection has proven to be this peer's. Whether it may stay; another may have to leave."""
        self._half_open.pop(ticket, None)
        self._counters.half_open = len(self._half_open)
        ticket.peer_id = peer_id
        limits, wanted = self._limits, self._is_wanted(peer_id)
        own = [other for other in self._proven if other.peer_id == peer_id]
        admitted = self._make_room(own, limits.inbound_per_peer_max, any_peer=True)
        if admitted:
            neighbours = [other for other in self._proven if other.ip == ticket.ip]
            admitted = self._make_room(neighbours, limits.inbound_per_ip_max, any_peer=wanted)
        if admitted:
            admitted = self._make_room(list(self._proven), limits.inbound_max, any_peer=wanted)
        if not admitted:
            self._counters.inbound_refused += 1
            return False
        self._proven[ticket] = None
        return True

    def gone(self, ticket: Ticket) -> None:
        """The connection is closed."""
        self._half_open.pop(ticket, None)
        self._proven.pop(ticket, None)
        self._counters.half_open = len(self._half_open)

    @property
    def proven(self) -> int:
        return len(self._proven)

    def _make_room(self, tickets: list[Ticket], most: int, *, any_peer: bool) -> bool:
        """Whether there is room for one more, after the least deserving has left if need be."""
        if len(tickets) < most:
            return True
        for ticket in tickets if any_peer else []:
            if not ticket.carries_session:
                return self._send_away(ticket)
        for ticket in tickets if any_peer else []:
            if not self._is_wanted(ticket.peer_id):
                return self._send_away(ticket)
        return False

    def _send_away(self, ticket: Ticket) -> bool:
        self._proven.pop(ticket, None)
        self._counters.inbound_refused += 1
        ticket.leave()
        return True
