"""Trust ping 2.0: asks whether the other side is there and can read us."""

from __future__ import annotations

from typing import Final

from pico_didcomm.message import Message
from pico_didcomm.protocols.fields import boolean, check_type
from pico_didcomm.protocols.tables import Table, requester_table, responder_table

PROTOCOL: Final = "https://didcomm.org/trust-ping/2.0"
PING_TYPE: Final = f"{PROTOCOL}/ping"
PING_RESPONSE_TYPE: Final = f"{PROTOCOL}/ping-response"

PING_TYPES: Final = (PING_TYPE, "https://didcomm.org/trust_ping/2.0/ping")
PING_RESPONSE_TYPES: Final = (PING_RESPONSE_TYPE, "https://didcomm.org/trust_ping/2.0/ping_response")
"""The second spelling is that of older pico engines."""

TABLES: Final[tuple[Table, ...]] = (
    requester_table(PROTOCOL, "sender", "ping", ("ping-response", "ping_response")),
    responder_table(PROTOCOL, "receiver", "ping", ("ping-response",)),
)


def make_ping(
    message_id: str,
    from_did: str,
    to_did: str,
    *,
    response_requested: bool = True,
    old_spelling: bool = False,
) -> Message:
    """A ping; `old_spelling` for older pico engines."""
    body = {"response_requested": response_requested}
    return Message(message_id, PING_TYPES[old_spelling], body, from_=from_did, to=(to_did,))


def wants_response(ping: Message) -> bool:
    """Whether a ping is to be answered."""
    check_type(ping, *PING_TYPES)
    return boolean(ping.body, "response_requested", default=True)


def make_ping_response(message_id: str, ping: Message, from_did: str, to_did: str) -> Message:
    """The answer to a ping, in the spelling that the ping used."""
    type_ = (
        PING_RESPONSE_TYPES[PING_TYPES.index(ping.type)] if ping.type in PING_TYPES else PING_RESPONSE_TYPE
    )
    return Message(message_id, type_, from_=from_did, to=(to_did,), thid=ping.thid or ping.id)
