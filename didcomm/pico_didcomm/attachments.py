"""Attachments: data inside a message or behind links, and the hash and signatures that vouch for it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pico_didcomm.did.document import DidDocument, canonical_did, canonical_kid, owner_of
from pico_didcomm.encoding import (
    JsonObject,
    b58decode,
    b58encode,
    b64url_decode,
    b64url_encode,
    json_bytes,
    multibase_decode,
    strict_json_object,
    varint_decode,
    varint_encode,
)
from pico_didcomm.errors import BadEncoding, BadMessage, LimitExceeded, NotSigned, Untrusted
from pico_didcomm.jws import Jws, make_jws, parse_jws
from pico_didcomm.keys import NamedKey

ATTACHMENTS_MAX: Final = 64
"""Attachments in one message; protocols use one to a handful."""

LINKS_MAX: Final = 16
"""Places where one attachment may be fetched: mirrors of the same bytes."""

LINK_CHARS_MAX: Final = 2048
"""Of one link: what browsers and servers take for sure."""

ATTACHMENT_ID_CHARS_MAX: Final = 256
"""As long as a message's id may be."""

_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]+")
_HASHES: Final[Mapping[int, Callable[[bytes], bytes]]] = {
    0x12: lambda data: hashlib.sha256(data).digest(),
    0x13: lambda data: hashlib.sha512(data).digest(),
    0x14: lambda data: hashlib.sha3_512(data).digest(),
    0x16: lambda data: hashlib.sha3_256(data).digest(),
    0x20: lambda data: hashlib.sha384(data).digest(),
}
"""Multihash code -> hash. Shortened digests are not taken: who chooses the length chooses the security."""


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
        members = ((name, getattr(self, name)) for name in _MEMBERS)
        return {name: value for name, value in members if value is not None} | {"data": self.data}

    @classmethod
    def from_dict(cls, raw: object) -> Attachment:
        """Reads the JSON form; members that the specification does not know are left out."""
        if not isinstance(raw, dict):
            raise BadMessage("an attachment that is not an object")
        data: Any = raw.get("data")
        _check_data(data)
        for name, kind in _MEMBERS.items():
            value = raw.get(name)
            if value is not None and type(value) is not kind:
                raise BadMessage(f"an attachment whose {name} is not {kind.__name__}")
        _check_attachment_id(raw.get("id"))
        return cls(data, **{name: raw.get(name) for name in _MEMBERS})

    @property
    def links(self) -> tuple[str, ...]:
        """Where the content may be fetched; what comes from there goes through `content(fetched)`."""
        return tuple(self.data.get("links", ()))

    def content(self, fetched: bytes | None = None) -> bytes:
        """The attached bytes: those in the message, its JSON written compactly, or those that were fetched.

        Bytes that have a `hash` beside them must fit it, Untrusted otherwise; fetched ones must have one.
        NotSigned is not raised here: see `attachment_signers`. BadMessage when the content is behind links
        and nothing was fetched.
        """
        data = self.data
        if "base64" in data:
            return _checked(_inline_bytes(data["base64"]), data.get("hash"))
        if "json" in data:
            return json_bytes(data["json"])
        if fetched is None:
            raise BadMessage("an attachment whose content has to be fetched", "fetch one of its `links`")
        return _checked(fetched, data["hash"])

    def json(self) -> Any:
        """The value of an attachment that holds JSON."""
        if "json" not in self.data:
            raise BadMessage("an attachment without JSON in it")
        return self.data["json"]

    def message(self) -> bytes:
        """The attached DIDComm message or envelope, to be unpacked for itself."""
        content = self.content()
        strict_json_object(content, "an attached message")
        return content


_MEMBERS: Final[Mapping[str, type]] = {
    "id": str,
    "description": str,
    "filename": str,
    "media_type": str,
    "format": str,
    "lastmod_time": int,
    "byte_count": int,
}
_DATA_MEMBERS: Final[Mapping[str, type]] = {"base64": str, "hash": str, "links": list, "jws": dict}


def read_attachments(value: object) -> tuple[Attachment, ...]:
    """The `attachments` header; no two of them may go by one id."""
    if value is None:
        return ()
    if type(value) is not list:
        raise BadMessage("attachments is not a list")
    if len(value) > ATTACHMENTS_MAX:
        raise LimitExceeded(f"more than {ATTACHMENTS_MAX} attachments in one message")
    attachments = tuple(Attachment.from_dict(item) for item in value)
    ids = [attachment.id for attachment in attachments if attachment.id is not None]
    if len(set(ids)) != len(ids):
        raise BadMessage("two attachments of one id")
    return attachments


def _check_attachment_id(value: str | None) -> None:
    if value is None:
        return
    if len(value) > ATTACHMENT_ID_CHARS_MAX or _UNRESERVED.fullmatch(value) is None:
        raise BadMessage("an attachment id that is not letters, digits and -._~, or is too long")


def _check_data(data: object) -> None:
    if not isinstance(data, dict) or data.keys().isdisjoint(("links", "base64", "json")):
        raise BadMessage("an attachment without data")
    for name, kind in _DATA_MEMBERS.items():
        if name in data and type(data[name]) is not kind:
            raise BadMessage(f"an attachment whose {name} is not {kind.__name__}")
    if "links" not in data:
        return
    # What a link gives can change; only its hash says what the sender meant.
    if "hash" not in data:
        raise BadMessage("an attachment with links and no hash")
    if len(data["links"]) > LINKS_MAX:
        raise LimitExceeded(f"an attachment with more than {LINKS_MAX} links")
    if not all(type(link) is str and 0 < len(link) <= LINK_CHARS_MAX for link in data["links"]):
        raise BadMessage(f"an attachment with a link that is not text of 1 to {LINK_CHARS_MAX} characters")


def _inline_bytes(text: str) -> bytes:
    """Base64url; padding is let pass, because the specification's own example has it."""
    unpadded = text.rstrip("=")
    if len(text) != len(unpadded) and (len(text) % 4 or len(text) - len(unpadded) > 2):
        raise BadEncoding("an attachment with wrong padding")
    return b64url_decode(unpadded)


# -- making them ----------------------------------------------------------------------------------


def attach_bytes(content: bytes, **members: Any) -> Attachment:
    """An attachment with bytes in it; `members` are fields of `Attachment`, such as `id` and `media_type`."""
    return Attachment({"base64": b64url_encode(content)}, **members)


def attach_json(value: object, **members: Any) -> Attachment:
    """An attachment with a JSON value in it: also a DIDComm envelope, taken apart."""
    return Attachment({"json": value}, **members)


def attach_links(links: Sequence[str], content: bytes, **members: Any) -> Attachment:
    """An attachment whose content can be fetched at each of `links`, with the hash by which it is known."""
    data = {"links": list(links), "hash": multihash(content)}
    _check_data(data)
    return Attachment(data, **({"byte_count": len(content)} | members))


# -- hashes ---------------------------------------------------------------------------------------


def multihash(content: bytes) -> str:
    """The SHA-256 multihash of `content` in base58, `Qm...`: its usual spelling."""
    return b58encode(varint_encode(0x12) + bytes((32,)) + hashlib.sha256(content).digest())


def _checked(content: bytes, text: str | None) -> bytes:
    if text is None:
        return content
    code, rest = varint_decode(_multihash_bytes(text))
    hasher = _HASHES.get(code)
    if hasher is None:
        raise BadEncoding(f"an attachment with a hash of the unknown kind {code:#x}")
    size, digest = varint_decode(rest)
    if size != len(digest) or digest != hasher(content):
        raise Untrusted("an attachment whose content does not fit its hash", "fetch it from somewhere else")
    return content


def _multihash_bytes(text: str) -> bytes:
    """The specification does not say how a multihash becomes text: base58, hexadecimal, or multibase."""
    if len(text) > 2 * 70:  # two characters a byte for code, length and 64 bytes of digest
        raise BadEncoding("a hash that is too long")
    if text[:1] in ("z", "u"):
        return multibase_decode(text)
    if text[:1] == "f" or "0" in text:  # base58 has no zero; a digest without one in hexadecimal is rare
        try:
            return bytes.fromhex(text.removeprefix("f"))
        except ValueError as error:
            raise BadEncoding("not the hash of an attachment") from error
    return b58decode(text)


# -- signatures -----------------------------------------------------------------------------------


def sign_attachment(attachment: Attachment, keys: NamedKey | Sequence[NamedKey]) -> Attachment:
    """The attachment with a detached JWS over its bytes; one with links is signed by way of `content`.

    JSON is not signed: two readers may not agree on its bytes. Attach it as bytes instead.
    """
    if "base64" not in attachment.data:
        raise BadMessage("only an attachment with bytes in it can be signed", "use attach_bytes")
    raw = strict_json_object(make_jws(attachment.content(), keys), "a JWS")
    del raw["payload"]
    return replace(attachment, data={**attachment.data, "jws": raw})


def attachment_signers(attachment: Attachment) -> tuple[str, ...]:
    """The key ids that are said to have signed it; nothing is verified, and nothing is to be looked up."""
    return tuple(signature.kid for signature in _jws(attachment, b"").signatures)


def check_attachment_signature(
    attachment: Attachment, signer: DidDocument, fetched: bytes | None = None
) -> bytes:
    """The content of an attachment, signed by `signer`; every signature in its name must hold.

    The signer need not be the message's sender, so the caller says whose signature counts; key ids of others
    are not looked up. NotSigned when there is none in that name, BadSignature when one does not hold.
    """
    content = attachment.content(fetched)
    jws = _jws(attachment, content)
    mine = [one for one in jws.signatures if owner_of(one.kid) == canonical_did(signer.did)]
    if not mine:
        raise NotSigned("an attachment that is not signed by whom it should be", "ask who signed it")
    for signature in mine:
        signature.check(signer.authentication_key(canonical_kid(signature.kid)), jws.payload)
    return content


def _jws(attachment: Attachment, content: bytes) -> Jws:
    raw = attachment.data.get("jws")
    if raw is None:
        raise NotSigned("an attachment that is not signed", "ask its sender to sign it")
    if "json" in attachment.data or "payload" in raw:
        raise BadMessage("a signature of an attachment that does not leave its bytes to the attachment")
    return parse_jws({**raw, "payload": b64url_encode(content)})
