"""Basic message 2.0: a text from one person to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pico_didcomm.message import Message
from pico_didcomm.protocols.fields import check_type, text
from pico_didcomm.protocols.tables import Table, one_way_tables

PROTOCOL: Final = "https://didcomm.org/basicmessage/2.0"
BASIC_MESSAGE_TYPE: Final = f"{PROTOCOL}/message"

CONTENT_CHARS_MAX: Final = 65_536
"""A long letter; what is longer is an attachment of another protocol."""

TABLES: Final[tuple[Table, ...]] = one_way_tables(PROTOCOL, "sender", "receiver", "message")


@dataclass(frozen=True, slots=True)
class BasicMessage:
    """A text; `sent_time` in seconds since 1970, None where its sender does not say (it should)."""

    content: str
    lang: str | None = None
    sent_time: int | None = None


def make_basic_message(message_id: str, from_did: str, to_did: str, basic: BasicMessage) -> Message:
    """The message that carries a text."""
    return Message(
        message_id,
        BASIC_MESSAGE_TYPE,
        {"content": basic.content},
        from_=from_did,
        to=(to_did,),
        created_time=basic.sent_time,
        lang=basic.lang,
    )


def parse_basic_message(message: Message) -> BasicMessage:
    """Reads a text, which may be empty."""
    check_type(message, BASIC_MESSAGE_TYPE)
    return BasicMessage(
        text(message.body, "content", CONTENT_CHARS_MAX, empty=True),
        message.lang,
        message.created_time,
    )
