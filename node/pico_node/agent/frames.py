"""What agents say to each other inside a session: one letter, then the content.

| letter | content | meaning |
|---|---|---|
| H | JSON {"agent", "addresses"} | first in every session: where this node can be reached |
| D | a DIDComm envelope | a message for one of the receiver's channels |
| O | JSON [from, to, acknowledged, sent] | a connection is about to send: how far its sender is |
| A | JSON [[channel, number, mark], …] | messages of these channels applied up to this one; mark may lack |
| U | JSON [to, from] | the channel that an O or D was for does not live here |

Numbers are those of the messages' `sender_order` headers. An end of a connection is acknowledged with
`END_NUMBER`, whether its channel is still known or not.
"""

from __future__ import annotations

from typing import Final

from pico_engine.errors import BadRequest
from pico_engine.values import Json, decode, encode

HELLO: Final = b"H"
DATA: Final = b"D"
OPEN: Final = b"O"
ACK: Final = b"A"
UNKNOWN: Final = b"U"

END_NUMBER: Final = (1 << 53) - 1
"""Larger than any number of a message (the largest integer that all JSON readers take)."""
NUMBER_MAX: Final = 1 << 47
"""Of a message: half of what the key of an outbox row has room for, more than anybody will ever send."""


def frame(letter: bytes, content: Json) -> bytes:
    return letter + encode(content)


def read_frame(data: bytes) -> tuple[bytes, Json]:
    """(letter, content) of a frame that is not D. Raises BadRequest."""
    letter = data[:1]
    content = decode(data[1:])
    if letter == HELLO and isinstance(content, dict):
        return letter, content
    if letter == OPEN and _is_row(content, 4) and _are_dids(content[:2]) and _are_numbers(content[2:]):
        return letter, content
    if letter == ACK and isinstance(content, list):
        if all(map(_is_acknowledgement, content)):
            return letter, content
    elif letter == UNKNOWN and _is_row(content, 2) and _are_dids(content):
        return letter, content
    raise BadRequest("a frame that says nothing we know", "the other node's software may be newer")


def _is_acknowledgement(row: Json) -> bool:
    marked = _is_row(row, 3) and isinstance(row[2], str)
    return (marked or _is_row(row, 2)) and _are_dids(row[:1]) and _are_numbers(row[1:2])


def _is_row(content: Json, length: int) -> bool:
    return isinstance(content, list) and len(content) == length


def _are_dids(values: Json) -> bool:
    return all(isinstance(value, str) and value.startswith("did:") for value in values)


def _are_numbers(values: Json) -> bool:
    return all(type(value) is int and (0 <= value <= NUMBER_MAX or value == END_NUMBER) for value in values)
