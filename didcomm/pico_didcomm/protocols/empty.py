"""The empty message 1.0: headers that travel alone, above all acknowledgements.

An acknowledgement is polite, not due. To keep two agents from acknowledging each other for ever, a message
that is nothing but an acknowledgement is never acknowledged (DIDComm v2.1, "ACKs").
"""

from __future__ import annotations

from typing import Final

from pico_didcomm.message import Message
from pico_didcomm.protocols.tables import Table, one_way_tables

PROTOCOL: Final = "https://didcomm.org/empty/1.0"
EMPTY_TYPE: Final = f"{PROTOCOL}/empty"

TABLES: Final[tuple[Table, ...]] = one_way_tables(PROTOCOL, "sender", "receiver", "empty")


def make_ack(message_id: str, from_did: str, to_did: str, of: Message) -> Message:
    """A message that says nothing but that `of` has arrived."""
    return Message(message_id, EMPTY_TYPE, from_=from_did, to=(to_did,), thid=of.thid or of.id, ack=(of.id,))


def is_pure_ack(message: Message) -> bool:
    """Whether the message says nothing else."""
    return message.type == EMPTY_TYPE and message.ack is not None


def wants_ack(message: Message) -> bool:
    """Whether the message itself is to be acknowledged: it asks for it, and is no acknowledgement.

    Ids of older messages in `please_ack` are answered by the acknowledgement of this one only: nothing is
    kept of what has been received.
    """
    return message.please_ack is not None and not is_pure_ack(message)
