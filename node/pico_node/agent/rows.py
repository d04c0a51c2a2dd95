"""The agent's rows: connections and outboxes in their picos, and what the node as a whole keeps.

In a pico: section `connections`: ECI → what the connection is; `ECI#` → [sent, received], the numbers of the
last message of each direction (apart, because they change with every message). Section `outbox`:
`ECI/NUMBER` → a message that the other side has not acknowledged.

Of the node: `g/PEER` → addresses; `h/PEER/ECI` → pico, all connections with a node; `o/PEER/ECI` → pico,
those with an outbox; `f/PEER/ECI` → the end of a connection whose channel is gone already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pico_engine.ledger import Section
from pico_engine.values import FrozenList, FrozenMap, Json, freeze

if TYPE_CHECKING:
    from pico_engine.ledger import Ledger
    from pico_engine.pico import Pico

INVITER, INVITEE = "inviter", "invitee"
INVITED, REQUESTED, ESTABLISHED, REFUSED = "invited", "requested", "established", "refused"


class NodeRows:
    """The rows of the node as a whole."""

    def __init__(self, ledger: Ledger) -> None:
        self.farewells = Section(ledger, b"f/", lazy=True)
        self.peers = Section(ledger, b"g/", lazy=True)
        self.by_peer = Section(ledger, b"h/", lazy=True)
        self.unsent = Section(ledger, b"o/", lazy=True)

    def forget(self) -> None:
        """Drop what is held in memory; it is read again when needed."""
        for section in (self.farewells, self.peers, self.by_peer, self.unsent):
            section.forget()


def connection_of(pico: Pico, eci: str) -> FrozenMap | None:
    """What the connection of this channel is; None when the channel has none."""
    row: FrozenMap | None = pico.connections.rows.get(eci)
    return row


def connections_of(pico: Pico) -> list[tuple[str, FrozenMap]]:
    return [(eci, row) for eci, row in pico.connections.items() if not eci.endswith("#")]


def connection_to(pico: Pico, their_did: str) -> str | None:
    """Our channel of the connection whose other side is `their_did`."""
    for eci, row in pico.connections.rows.items():
        if not eci.endswith("#") and row["their_did"] == their_did:
            return eci
    return None


def put_connection(pico: Pico, eci: str, row: dict[str, Json] | FrozenMap, **changes: Json) -> FrozenMap:
    new: FrozenMap = freeze({**row, **changes})
    pico.connections.put(eci, new)
    return new


def numbers(pico: Pico, eci: str) -> tuple[int, int]:
    """(sent, received)."""
    row: Any = pico.connections.rows.get(eci + "#")
    return (0, 0) if row is None else (row[0], row[1])


def put_numbers(pico: Pico, eci: str, sent: int, received: int) -> None:
    pico.connections.put(eci + "#", FrozenList((sent, received)))


def outbox_key(eci: str, number: int) -> str:
    return f"{eci}/{number:012x}"


def drop_connection(pico: Pico, eci: str) -> None:
    """Forget a connection with its numbers and its outbox."""
    for key, _ in list(pico.outbox.scan(eci + "/", eci + "0")):  # "0" follows "/"
        pico.outbox.delete(key)
    for key in (eci, eci + "#"):
        if key in pico.connections.rows:
            pico.connections.delete(key)
