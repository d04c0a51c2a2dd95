"""The agent's rows: connections and outboxes in their picos, and what the node as a whole keeps.

In a pico: section `connections`: ECI → what the connection is; `ECI#` → [sent, received, mark, mark], the
numbers and the marks of the last message of each direction (apart, because they change with every message).
Section `outbox`: `ECI/NUMBER` → a message that the other side has not acknowledged.

Of the node: `g/PEER` → addresses; `h/PEER/ECI` → pico, all connections with a node; `o/PEER/ECI` → pico,
those with an outbox; `f/PEER/ECI` → the end of a connection whose channel is gone already; `j/NUMBER` → an
event for an engine that takes it by HTTP; `k/` what the node is as a mediator, and at its own; `l/` the
mailboxes of the mediator that it is; `m/ECI/…` which messages of another agent had their effect (`taken`);
`n/ECI` the end of a connection with another agent, until it is said (`partings`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pico_engine.ledger import Section
from pico_engine.values import FrozenList, FrozenMap, Json, freeze

if TYPE_CHECKING:
    from pico_engine.ledger import Ledger
    from pico_engine.pico import Pico

INVITER: Final = "inviter"
INVITEE: Final = "invitee"
INVITED, REQUESTED, ESTABLISHED, REFUSED = "invited", "requested", "established", "refused"

MARK_CHARS = 16
"""Of a message id, which is random: enough to tell two messages apart that never met."""


class NodeRows:
    """The rows of the node as a whole."""

    def __init__(self, ledger: Ledger) -> None:
        self.farewells = Section(ledger, b"f/", lazy=True)
        self.peers = Section(ledger, b"g/", lazy=True)
        self.by_peer = Section(ledger, b"h/", lazy=True)
        self.mediation = Section(ledger, b"k/", lazy=True)
        self.mailboxes = Section(ledger, b"l/", lazy=True)
        self.partings = Section(ledger, b"n/", lazy=True)
        self.taken = Section(ledger, b"m/", lazy=True)
        self.posts = Section(ledger, b"j/", lazy=True)
        self.unsent = Section(ledger, b"o/", lazy=True)

    def forget(self) -> None:
        """Drop what is held in memory; it is read again when needed."""
        for section in (self.farewells, self.peers, self.by_peer, self.posts, self.unsent):
            section.forget()
        self.mediation.forget()
        self.mailboxes.forget()
        self.partings.forget()
        self.taken.forget()


def connection_of(pico: Pico, eci: str) -> FrozenMap | None:
    """What the connection of this channel is; None when the channel has none."""
    row: FrozenMap | None = pico.connections.rows.get(eci)
    return row


def is_foreign(pico: Pico, eci: str) -> bool:
    """Whether the other side of this channel is an agent of another make, which numbers no messages."""
    row = connection_of(pico, eci)
    return row is not None and "foreign" in row


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


def marks(pico: Pico, eci: str) -> tuple[str, str]:
    """(mark of the last message sent, of the last one received); "" where it is not known."""
    row: Any = pico.connections.rows.get(eci + "#")
    return ("", "") if row is None else (row[2], row[3])


def mark_of(message_id: str) -> str:
    """What is kept of a message's id, to tell it from another one of the same number."""
    return message_id[:MARK_CHARS]


def put_numbers(
    pico: Pico, eci: str, sent: int, received: int, sent_mark: str = "", received_mark: str = ""
) -> None:
    """Without its mark whatever follows a message is taken for its successor."""
    pico.connections.put(eci + "#", FrozenList((sent, received, sent_mark, received_mark)))


def put_received(pico: Pico, eci: str, number: int, message_id: str) -> None:
    sent, _ = numbers(pico, eci)
    put_numbers(pico, eci, sent, number, marks(pico, eci)[0], mark_of(message_id))


def outbox_key(eci: str, number: int) -> str:
    return f"{eci}/{number:012x}"


def drop_outbox(pico: Pico, eci: str) -> None:
    for key, _ in list(pico.outbox.scan(eci + "/", eci + "0")):  # "0" follows "/"
        pico.outbox.delete(key)


def drop_connection(pico: Pico, eci: str) -> None:
    """Forget a connection with its numbers and its outbox."""
    drop_outbox(pico, eci)
    for key in (eci, eci + "#"):
        if key in pico.connections.rows:
            pico.connections.delete(key)
