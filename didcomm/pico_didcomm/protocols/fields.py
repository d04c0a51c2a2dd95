"""Reads members of message bodies: each has its type and limit, or the message is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pico_didcomm.did.document import check_did
from pico_didcomm.errors import BadDid, BadMessage
from pico_didcomm.message import Message

INTEGER_MAX: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8259 section 6)."""


def check_type(message: Message, *types: str) -> None:
    """Refuses a message of another type."""
    if message.type not in types:
        raise BadMessage(f"a message of type {message.type[:80]!a}, not {types[0]}")


def text(body: Mapping[str, Any], name: str, chars_max: int, *, empty: bool = False) -> str:
    """A text of 1 (0 if it may be `empty`) to `chars_max` characters."""
    value = body.get(name)
    if type(value) is not str or len(value) > chars_max or not (value or empty):
        raise BadMessage(f"{name} is not text of {0 if empty else 1} to {chars_max} characters")
    return value


def optional_text(body: Mapping[str, Any], name: str, chars_max: int) -> str | None:
    """A text, or None when it is not there."""
    return text(body, name, chars_max, empty=True) if body.get(name) is not None else None


def boolean(body: Mapping[str, Any], name: str, default: bool | None = None) -> bool:
    """True or false; without a default it must be there."""
    value = body.get(name, default)
    if type(value) is not bool:
        raise BadMessage(f"{name} is not true or false")
    return value


def integer(body: Mapping[str, Any], name: str) -> int:
    """A number from 0 that every JSON reader keeps exactly."""
    value = body.get(name)
    if type(value) is not int or not 0 <= value <= INTEGER_MAX:
        raise BadMessage(f"{name} is not a whole number from 0 to 2**53-1")
    return value


def mapping(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object."""
    value = body.get(name)
    if type(value) is not dict:
        raise BadMessage(f"{name} is not an object")
    return value


def texts(body: Mapping[str, Any], name: str, count_max: int, chars_max: int) -> tuple[str, ...]:
    """A list of at most `count_max` texts."""
    values = body.get(name)
    if type(values) is not list or len(values) > count_max:
        raise BadMessage(f"{name} is not a list of at most {count_max}")
    if not all(type(value) is str and len(value) <= chars_max for value in values):
        raise BadMessage(f"{name} holds something else than texts of at most {chars_max} characters")
    return tuple(values)


def objects(body: Mapping[str, Any], name: str, count_max: int) -> list[dict[str, Any]]:
    """A list of at most `count_max` objects."""
    values = body.get(name)
    if type(values) is not list or len(values) > count_max:
        raise BadMessage(f"{name} is not a list of at most {count_max}")
    if not all(type(value) is dict for value in values):
        raise BadMessage(f"{name} holds something else than objects")
    return values


def did(body: Mapping[str, Any], name: str) -> str:
    """A DID."""
    try:
        return check_did(body.get(name))
    except BadDid as error:
        raise BadMessage(f"{name}: {error}") from error
