"""DIDComm plaintext messages: read strictly, written compactly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pico_didcomm.attachments import ATTACHMENTS_MAX, Attachment, read_attachments
from pico_didcomm.did.document import DID_CHARS_MAX, canonical_did, check_did
from pico_didcomm.encoding import JsonObject, json_bytes, strict_json_object
from pico_didcomm.errors import BadDid, BadMessage, LimitExceeded

__all__ = [
    "ATTACHMENTS_MAX",
    "ID_CHARS_MAX",
    "RECIPIENTS_MAX",
    "TYPE_CHARS_MAX",
    "Attachment",
    "Message",
    "MessageType",
    "did_of_url",
    "same_id",
    "split_message_type",
]

PLAINTEXT_TYPES: Final = ("application/didcomm-plain+json", "didcomm-plain+json")

RECIPIENTS_MAX: Final = 8
"""Recipients of one envelope or message: every one costs its reader a row, and its sender an agreement."""

ID_CHARS_MAX: Final = 256
"""Of `id`, `thid`, `pthid`. The specification says 32 bytes, and recommends UUIDs (36 characters)."""

ACKS_MAX: Final = 64
"""Ids in one `please_ack` or `ack`: every one may make its receiver send something again."""

LANGUAGES_MAX: Final = 32
LANGUAGE_CHARS_MAX: Final = 35
"""Of a language tag: RFC 5646, 4.4.1, allows this much for every registered combination."""

FROM_PRIOR_CHARS_MAX: Final = 32_768
"""Of a JWT that may hold two long forms of did:peer:4, each encoded once more."""

TYPE_CHARS_MAX: Final = 512
"""Of a message type URI."""

TIME_SECONDS_MAX: Final = 253_402_300_799
"""The end of the year 9999, in seconds since 1970: what dates in other formats can still name."""

# DIDComm v2.1, "Message Type URI"
_TYPE: Final = re.compile(r"(.*?)([a-z0-9._-]+)/(\d[^/]*)/([a-z0-9._-]+)", re.DOTALL)

# RFC 3986, 2.3, "unreserved": an id can stand in a URI as it is (DIDComm v2.1, "Message IDs")
_ID: Final = re.compile(rf"[A-Za-z0-9._~-]{{1,{ID_CHARS_MAX}}}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")


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


def same_id(a: str, b: str) -> bool:
    """Whether two ids of messages or threads are the same: case does not count ("Message IDs")."""
    return a.lower() == b.lower()


@dataclass(
    frozen=True
)  # without slots: what a message does not have is a default of the class, and costs nothing
class Message:
    """A plaintext message. Times are seconds since 1970, as the specification has them.

    `extra` holds headers without a field of their own, by name (`return_route`, `sender_order`, `trace`).
    `from_prior` is a JWT that says which DID the sender went by before (`from_prior`); `lang` the language of
    texts in the body, `accept_lang` the languages that the sender would like to read, best first.
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
    from_prior: str | None = None
    lang: str | None = None
    accept_lang: tuple[str, ...] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def thread(self) -> str:
        """The thread that the message belongs to; one without `thid` begins a thread of its own."""
        return self.id if self.thid is None else self.thid

    def to_dict(self) -> JsonObject:
        """The JSON form, with the media type that names it as a plaintext message."""
        raw: JsonObject = {"id": self.id, "typ": PLAINTEXT_TYPES[0], "type": self.type}
        if self.from_ is not None:
            raw["from"] = self.from_
        if self.to:
            raw["to"] = list(self.to)
        if self.thid is not None:
            raw["thid"] = self.thid
        if self.pthid is not None:
            raw["pthid"] = self.pthid
        if self.created_time is not None:
            raw["created_time"] = self.created_time
        if self.expires_time is not None:
            raw["expires_time"] = self.expires_time
        if self.from_prior is not None:
            raw["from_prior"] = self.from_prior
        if self.lang is not None:
            raw["lang"] = self.lang
        if self.please_ack is not None:
            raw["please_ack"] = list(self.please_ack)
        if self.ack is not None:
            raw["ack"] = list(self.ack)
        if self.accept_lang is not None:
            raw["accept-lang"] = list(self.accept_lang)
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
        _check_type(type_)
        if (id_ := get("id")) is None:
            raise BadMessage("a message without id")
        _check_id("id", id_)
        body = raw.get("body", {})
        if type(body) is not dict:
            raise BadMessage("a message whose body is not an object")
        if (from_ := get("from")) is not None:
            _check_message_did("from", from_)
        message = cls.__new__(cls)  # `__init__` of a frozen class takes longer than all the checks above
        to = () if "to" not in raw else _read_to(raw["to"])
        message.__dict__.update(id=id_, type=type_, body=body, from_=from_, to=to, extra={})
        return message if raw.keys() <= _ALWAYS else _with_headers(message, raw)


def _with_headers(message: Message, raw: JsonObject) -> Message:
    """The message with the headers that are seldom there."""
    get = raw.get
    for name in ("thid", "pthid"):
        _check_id(name, get(name))
    for name in ("created_time", "expires_time"):
        _check_time(name, get(name))
    return replace(
        message,
        thid=get("thid"),
        pthid=get("pthid"),
        created_time=get("created_time"),
        expires_time=get("expires_time"),
        attachments=read_attachments(get("attachments")),
        please_ack=_read_acks("please_ack", get("please_ack")),
        ack=_read_acks("ack", get("ack")),
        from_prior=_read_from_prior(get("from_prior")),
        lang=_check_language(get("lang")),
        accept_lang=_read_languages(get("accept-lang")),
        extra={name: value for name, value in raw.items() if name not in _KNOWN},
    )


_ALWAYS: Final = frozenset(("id", "typ", "type", "body", "from", "to"))
_KNOWN: Final = frozenset(
    (
        *_ALWAYS,
        *("thid", "pthid", "created_time", "expires_time", "attachments", "please_ack", "ack"),
        *("from_prior", "lang", "accept-lang"),
    )
)


def _check_id(name: str, value: object) -> None:
    if value is not None and (type(value) is not str or _ID.fullmatch(value) is None):
        raise BadMessage(f"{name} is not 1 to {ID_CHARS_MAX} letters, digits and -._~")


@lru_cache(maxsize=256)  # a pure function of the text
def _check_type(value: str) -> None:
    split_message_type(value)


def _check_time(name: str, value: object) -> None:
    if value is not None and (type(value) is not int or not 0 <= value <= TIME_SECONDS_MAX):
        raise BadMessage(f"{name} is not a time in whole seconds since 1970")


def _check_message_did(name: str, value: object) -> None:
    """`from` and `to` are DIDs, or DID URLs without fragment."""
    if type(value) is not str or len(value) > DID_CHARS_MAX:
        raise BadMessage(f"{name}: not text of at most {DID_CHARS_MAX} characters")
    try:
        _check_did_url(value)
    except BadDid as error:
        raise BadMessage(f"{name}: {error}") from error


@lru_cache(maxsize=256)  # busy peers; a pure function of the text, so nothing can go stale
def _check_did_url(value: str) -> None:
    check_did(value.partition("?")[0].partition("/")[0])


@lru_cache(maxsize=256)
def did_of_url(value: str) -> str:
    """The DID, in canonical form, that a `from` or an entry of `to` names: both may have a path or query."""
    return canonical_did(value.partition("?")[0].partition("/")[0])


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


def _read_acks(name: str, value: object) -> tuple[str, ...] | None:
    """Ids; in `please_ack` the empty text stands for the message itself."""
    if value is None:
        return None
    if type(value) is not list:
        raise BadMessage(f"{name} is not a list of ids")
    if len(value) > ACKS_MAX:
        raise LimitExceeded(f"more than {ACKS_MAX} ids in {name}")
    for item in value:
        if item != "" or name == "ack":
            _check_id(f"an id in {name}", item if item is not None else "")
    return tuple(value)


def _read_from_prior(value: object) -> str | None:
    if value is not None and (type(value) is not str or not 0 < len(value) <= FROM_PRIOR_CHARS_MAX):
        raise BadMessage(f"from_prior is not text of 1 to {FROM_PRIOR_CHARS_MAX} characters")
    return value


def _check_language(value: object) -> str | None:
    if value is None:
        return None
    if type(value) is not str or len(value) > LANGUAGE_CHARS_MAX or _LANGUAGE.fullmatch(value) is None:
        raise BadMessage("a language that is not a tag such as `en` or `pt-BR`")
    return value


def _read_languages(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if type(value) is not list or len(value) > LANGUAGES_MAX:
        raise BadMessage(f"accept-lang is not a list of at most {LANGUAGES_MAX} languages")
    return tuple([_check_language(item if item is not None else "") or "" for item in value])
