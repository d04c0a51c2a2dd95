"""did:peer:4: a hash (the short form) and, in the long form, the document that it is the hash of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from pico_didcomm.did.document import DidDocument, check_did, parse_document
from pico_didcomm.encoding import (
    JsonObject,
    b58decode,
    b58encode,
    json_bytes,
    strict_json_object,
)
from pico_didcomm.errors import BadDid, Malformed

PEER_4: Final = "did:peer:4"

_SHA256: Final = b"\x12\x20"  # multihash: sha2-256, 32 bytes
_JSON: Final = b"\x80\x04"  # multicodec 0x0200, json


def make_peer_4(document: Mapping[str, Any]) -> tuple[str, str]:
    """The (short form, long form) of a document without `id`, its keys named relatively (`#key-1`)."""
    return peer_4_of_json(json_bytes(document))


def peer_4_of_json(document: bytes) -> tuple[str, str]:
    """The (short form, long form) of a document that is JSON already."""
    encoded = "z" + b58encode(_JSON + document)
    short = _short_form(encoded)
    return short, f"{short}:{encoded}"


def _short_form(encoded: str) -> str:
    return PEER_4 + "z" + b58encode(_SHA256 + hashlib.sha256(encoded.encode("ascii")).digest())


def is_long_form(did: str) -> bool:
    """Whether `did` carries its document."""
    return did.startswith(PEER_4) and ":" in did[len(PEER_4) :]


def short_form_of(long_did: str) -> str:
    """The short form of a long form whose document fits its hash."""
    check_did(long_did)
    short, mark, encoded = long_did[len(PEER_4) :].partition(":")
    if not long_did.startswith(PEER_4) or not mark:
        raise BadDid("not the long form of a did:peer:4")
    if _short_form(encoded) != PEER_4 + short:
        raise BadDid("a did:peer:4 whose document does not fit its hash")
    return PEER_4 + short


def resolve_peer_4(long_did: str) -> DidDocument:
    """The document of a long form, under the long form's name."""
    short = short_form_of(long_did)
    return _document(long_did, short, _read(long_did))


def resolve_peer_4_short(long_did: str) -> DidDocument:
    """The document of a long form, under the short form's name."""
    short = short_form_of(long_did)
    return _document(short, long_did, _read(long_did))


def _read(long_did: str) -> JsonObject:
    encoded = long_did.rpartition(":")[2]
    try:
        if encoded[:1] != "z":
            raise BadDid("a did:peer:4 document that is not base58")
        data = b58decode(encoded[1:])
        if data[:2] != _JSON:
            raise BadDid("a did:peer:4 document that is not JSON")
        return strict_json_object(data[2:], "a did:peer:4 document")
    except Malformed as error:
        raise BadDid(f"a did:peer:4 document: {error}") from error


def _document(did: str, other: str, document: JsonObject) -> DidDocument:
    if "id" in document:
        raise BadDid("the document inside a did:peer:4 must not have an id")
    for member in ("verificationMethod", "authentication", "keyAgreement", "assertionMethod"):
        for method in document.get(member) or () if isinstance(document.get(member), list) else ():
            if isinstance(method, dict):
                method.setdefault("controller", did)
    also = document.get("alsoKnownAs", [])
    if not isinstance(also, list):
        raise BadDid("a DID document whose alsoKnownAs is not a list")
    return parse_document(did, {**document, "id": did, "alsoKnownAs": [*also, other]})
