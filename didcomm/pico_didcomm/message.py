"""DIDComm plaintext messages: read strictly, written compactly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pico_didcomm.did.document import check_did
from pico_didcomm.encoding import JsonObject, json_bytes, strict_json_object
from pico_didcomm.errors import BadDid, BadMessage, LimitExceeded

PLAINTEXT_TYPES: Final = ("application/didcomm-plain+json", "didcomm-plain+json")

ATTACHMENTS_MAX: Final = 64
"""Attachments in one message; protocols use one to a handful."""

RECIPIENTS_MAX: Final = 8
"""Recipients of one envelope or message: every one costs its reader a row, and its sender an agreement."""

ID_CHARS_MAX: Final = 256
"""Of `id`, `thid`, `pthid`, attachment ids. The specification recommends UUIDs (36 characters)."""

TYPE_CHARS_MAX: Final = 512
"""Of a message type URI."""

TIME_SECONDS_MAX: Final = 253_402_300_799
"""The end of the year 9999, in seconds since 1970: what dates in other formats can still name."""

# DIDComm v2.1, "Message Type URI"
_TYPE: Final = re.compile(r"(.*?)([a-z0-9._-]+)/(\d[^/]*)/([a-z0-9._-]+)", re.DOTALL)


class MessageType(NamedTuple):
    """A message type URI taken apart: `https://didcomm.org/` `trust-ping` `2.0` `ping`."""

    doc_uri: str
    protocol: str
    version: str
    name: str


def split_message_type(type_uri: str) -> MessageType:
    """Takes a message type URI apart."""
    match = _TYPE.fullmatch(type_uri)
    if match is None:
        raise BadMessage("not a message type URI: " + ascii(type_uri[:64]))
    return MessageType(*match.groups())


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file or another message that travels in a message; `data` is the specification's `data` object."""

    data: Mapping[str, Any]
    id: str | None = None
    description: str | None = None
    filename: str | None = None
    media_type: str | None = None
    format: str | None = None
    lastmod_time: int | None = None
    byte_count: int | None = None

    def to_dict(self) -> JsonObject:
        """The JSON form."""
        members = ((name, getattr(self, name)) for name in _ATTACHMENT_MEMBERS)
        return {name: value for name, value in members if value is not None} | {"data": self.data}

    @classmethod
    def from_dict(cls, raw: object) -> Attachment:
        """Reads the JSON form; members that the specification does not know are left out."""
        if not isinstance(raw, dict):
            raise BadMessage("an attachment that is not an object")
        data: Any = raw.get("data")
        _check_data(data)
        for name, kind in _ATTACHMENT_MEMBERS.items():
            value = raw.get(name)
            if value is not None and type(value) is not kind:
                raise BadMessage(f"an attachment whose {name} is not {kind.__name__}")
        _check_id("attachment id", raw.get("id"))
        return cls(data, **{name: raw.get(name) for name in _ATTACHMENT_MEMBERS})


def _check_data(data: object) -> None:
    if not isinstance(data, dict) or data.keys().isdisjoint(("links", "base64", "json")):
        raise BadMessage("an attachment without data")
    for name, kind in (("base64", str), ("hash", str), ("links", list)):
        if name in data and type(data[name]) is not kind:
            raise BadMessage(f"an attachment whose {name} is not {kind.__name__}")
    # What a link gives can change; only its hash says what the sender meant.
    if "links" in data and "hash" not in data:
        raise BadMessage("an attachment with links and no hash")


_ATTACHMENT_MEMBERS: Final[Mapping[str, type]] = {
    "id": str,
    "description": str,
    "filename": str,
    "media_type": str,
    "format": str,
    "lastmod_time": int,
    "byte_count": int,
}


@dataclass(frozen=True, slots=True)
class Message:
    """A plaintext message. Times are seconds since 1970, as the specification has them.

    `extra` holds headers without a field of their own, by name (`lang`, `return_route`, `sender_order`).
    """

    id: str
    type: str
    body: Mapping[str, Any] = field(default_factory=dict)
    from_: str | None = None
    to: tuple[str, ...] = ()
    thid: str | None = None
    pthid: str | None = None
    created_time: int | None = None
    expires_time: int | None = None
    attachments: tuple[Attachment, ...] = ()
    please_ack: tuple[str, ...] | None = None
    ack: tuple[str, ...] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> JsonObject:
        """The JSON form, with the media type that names it as a plaintext message."""
        raw: JsonObject = {"id": self.id, "typ": PLAINTEXT_TYPES[0], "type": self.type}
        if self.from_ is not None:
            raw["from"] = self.from_
        if self.to:
            raw["to"] = list(self.to)
        for name in ("thid", "pthid", "created_time", "expires_time"):
            if (value := getattr(self, name)) is not None:
                raw[name] = value
        for name in ("please_ack", "ack"):
            if (value := getattr(self, name)) is not None:
                raw[name] = list(value)
        if self.extra:
            raw.update((name, value) for name, value in self.extra.items() if name not in _KNOWN)
        raw["body"] = self.body
        if self.attachments:
            raw["attachments"] = [attachment.to_dict() for attachment in self.attachments]
        return raw

    def to_bytes(self) -> bytes:
        """Compact JSON."""
        return json_bytes(self.to_dict())

    @classmethod
    def from_bytes(cls, data: bytes) -> Message:
        """Reads JSON text strictly."""
        return cls.from_dict(strict_json_object(data, "a message"))

    @classmethod
    def from_dict(cls, raw: JsonObject) -> Message:
        """Reads the JSON form strictly: what is there must have its type, and be within limits."""
        get = raw.get
        if "typ" in raw and raw["typ"] not in PLAINTEXT_TYPES:
            raise BadMessage("a message whose typ is not that of a DIDComm plaintext message")
        type_ = get("type")
        if type(type_) is not str or not 0 < len(type_) <= TYPE_CHARS_MAX:
            raise BadMessage(f"a message without type, or with one longer than {TYPE_CHARS_MAX} characters")
        if get("id") is None:
            raise BadMessage("a message without id")
        for name in ("id", "thid", "pthid"):
            _check_id(name, get(name))
        for name in ("created_time", "expires_time"):
            _check_time(name, get(name))
        body = get("body", {})
        if type(body) is not dict:
            raise BadMessage("a message whose body is not an object")
        if (from_ := get("from")) is not None:
            _check_message_did("from", from_)
        return cls(
            id=raw["id"],
            type=type_,
            body=body,
            from_=from_,
            to=_read_to(get("to")),
            thid=get("thid"),
            pthid=get("pthid"),
            created_time=get("created_time"),
            expires_time=get("expires_time"),
            attachments=_read_attachments(get("attachments")),
            please_ack=_texts("please_ack", get("please_ack")),
            ack=_texts("ack", get("ack")),
            extra={name: value for name, value in raw.items() if name not in _KNOWN},
        )


_KNOWN: Final = frozenset(
    (
        *("id", "typ", "type", "body", "from", "to", "thid", "pthid"),
        *("created_time", "expires_time", "attachments", "please_ack", "ack"),
    )
)


def _check_id(name: str, value: object) -> None:
    if value is not None and (type(value) is not str or not 0 < len(value) <= ID_CHARS_MAX):
        raise BadMessage(f"{name} is not text of 1 to {ID_CHARS_MAX} characters")


def _check_time(name: str, value: object) -> None:
    if value is not None and (type(value) is not int or not 0 <= value <= TIME_SECONDS_MAX):
        raise BadMessage(f"{name} is not a time in whole seconds since 1970")


def _check_message_did(name: str, value: object) -> None:
    """`from` and `to` are DIDs, or DID URLs without fragment."""
    try:
        if type(value) is not str:
            raise BadDid("not text")
        _check_did_url(value)
    except BadDid as error:
        raise BadMessage(f"{name}: {error}") from error


@lru_cache(maxsize=256)  # busy peers; a pure function of the text, so nothing can go stale
def _check_did_url(value: str) -> None:
    check_did(value.partition("?")[0].partition("/")[0])


def _read_to(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if type(value) is not list:
        raise BadMessage("to is not a list")
    if len(value) > RECIPIENTS_MAX:
        raise LimitExceeded(f"more than {RECIPIENTS_MAX} recipients in one message")
    for did in value:
        _check_message_did("to", did)
    return tuple(value)


def _read_attachments(value: object) -> tuple[Attachment, ...]:
    if value is None:
        return ()
    if type(value) is not list:
        raise BadMessage("attachments is not a list")
    if len(value) > ATTACHMENTS_MAX:
        raise LimitExceeded(f"more than {ATTACHMENTS_MAX} attachments in one message")
    return tuple(Attachment.from_dict(item) for item in value)


def _texts(name: str, value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if type(value) is not list or not all(type(item) is str for item in value):
        raise BadMessage(f"{name} is not a list of texts")
    return tuple(value)
