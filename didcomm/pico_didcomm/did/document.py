"""DID documents: the keys and services that an envelope needs, read from the JSON of DID core."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pico_didcomm.encoding import JsonObject, b58decode
from pico_didcomm.errors import BadDid, BadKey, Malformed, UnsupportedDid
from pico_didcomm.keys import PublicKey, public_key_from_jwk, public_key_from_multibase

DID_CHARS_MAX: Final = 8_192
"""A did:peer:4 long form with several services stays below 4,000 characters."""

METHODS_PER_DOCUMENT_MAX: Final = 64
"""Verification methods in one document; readers look them up for every message."""

_DID: Final = re.compile(r"did:[a-z0-9]+:(?:[A-Za-z0-9._:-]|%[0-9A-Fa-f]{2})*[A-Za-z0-9._-]")
_BASE58_CURVES: Final = {"Ed25519VerificationKey2018": "Ed25519", "X25519KeyAgreementKey2019": "X25519"}


def check_did(did: object) -> str:
    """`did` if it has the form of a DID (DID core 3.1)."""
    if not isinstance(did, str) or len(did) > DID_CHARS_MAX or _DID.fullmatch(did) is None:
        raise BadDid("not a DID: " + (ascii(did[:32]) if isinstance(did, str) else type(did).__name__))
    return did


def canonical_did(did: str) -> str:
    """The form in which DIDs are compared and stored: the short form of a did:peer:4, others unchanged.

    This only cuts text. That a long form's document fits its hash is checked where it is resolved.
    """
    return _cut(did) if len(did) > DID_CHARS_MAX else _known(did)


def _cut(did: str) -> str:
    if did.startswith("did:peer:4"):
        end = did.find(":", 10)
        return did if end < 0 else did[:end]
    return did


_known: Final = lru_cache(maxsize=256)(_cut)  # busy peers; a pure function of the text, of which none is long


def did_of(kid: str) -> str:
    """The DID part of a DID URL."""
    return kid.partition("#")[0]


def owner_of(kid: str) -> str:
    """The DID part of a DID URL, in the canonical form."""
    return _cut(kid.partition("#")[0]) if len(kid) > DID_CHARS_MAX else _known_owner(kid)


@lru_cache(maxsize=256)
def _known_owner(kid: str) -> str:
    return _cut(kid.partition("#")[0])


def canonical_kid(kid: str) -> str:
    """A key id under the canonical form of its DID."""
    did, mark, fragment = kid.partition("#")
    return canonical_did(did) + mark + fragment


@dataclass(frozen=True, slots=True)
class DidDocument:
    """A resolved DID. `did` is the form that was resolved; `raw` is the document's JSON.

    Keys are found by fragment; `keys` also holds other names under which a method lets a key be called.
    """

    did: str
    raw: Mapping[str, Any]
    keys: Mapping[str, PublicKey]
    authentication: tuple[str, ...]
    key_agreement: tuple[str, ...]
    services: tuple[Mapping[str, Any], ...]

    def authentication_key(self, kid: str) -> PublicKey:
        """The key `kid` (a DID URL of this document), if the document lets it sign."""
        return self._key(kid, self.authentication, "authentication")

    def agreement_key(self, kid: str) -> PublicKey:
        """The key `kid`, if the document lets it agree on secrets."""
        return self._key(kid, self.key_agreement, "keyAgreement")

    def agreement_keys(self) -> list[tuple[str, PublicKey]]:
        """Every usable key to encrypt for, in the document's order, with its full id."""
        return [(f"{self.did}#{name}", self.keys[name]) for name in self.key_agreement if name in self.keys]

    def services_of_type(self, type_: str) -> list[Mapping[str, Any]]:
        """Services of a type, in the document's order, which is the order of preference."""
        return [service for service in self.services if service.get("type") == type_]

    def _key(self, kid: str, allowed: tuple[str, ...], purpose: str) -> PublicKey:
        if owner_of(kid) != canonical_did(self.did):
            raise BadDid("a key id of another DID")
        fragment = kid.partition("#")[2]
        key = self.keys.get(fragment)
        if key is None:
            raise BadDid(f"the DID document has no usable key {fragment[:64]!a}")
        if fragment not in allowed and not any(self.keys.get(name) == key for name in allowed):
            raise BadDid(f"the DID document does not list {fragment[:64]!a} under {purpose}")
        return key


def parse_document(did: str, raw: JsonObject, aliases: Mapping[str, PublicKey] | None = None) -> DidDocument:
    """Reads a document of `did`; one that names another DID as its `id` is refused.

    Keys of unknown types are left out: a document may hold them beside usable ones.
    """
    named = raw.get("id", did)
    if not isinstance(named, str) or canonical_did(named) != canonical_did(did):
        raise BadDid("a DID document whose id is another DID")
    keys: dict[str, PublicKey] = dict(aliases or {})
    methods = _objects(raw, "verificationMethod")
    for method in methods:
        _add_key(keys, did, method)
    authentication = _relationship(raw, "authentication", did, keys)
    key_agreement = _relationship(raw, "keyAgreement", did, keys)
    services = tuple(_objects(raw, "service"))
    return DidDocument(did, raw, keys, authentication, key_agreement, services)


def _objects(raw: JsonObject, member: str) -> list[JsonObject]:
    values = raw.get(member, [])
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise BadDid(f"the DID document's {member} is not a list of objects")
    if len(values) > METHODS_PER_DOCUMENT_MAX:
        raise BadDid(f"the DID document has more than {METHODS_PER_DOCUMENT_MAX} entries under {member}")
    return values


def _fragment(did: str, url: object) -> str | None:
    """The fragment of a key id of this document, None for a key of another DID."""
    if not isinstance(url, str):
        raise BadDid("a key id that is not text")
    owner, mark, fragment = url.partition("#")
    if not mark or not fragment:
        raise BadDid("a key id without fragment")
    return fragment if owner == "" or canonical_did(owner) == canonical_did(did) else None


def _add_key(keys: dict[str, PublicKey], did: str, method: JsonObject) -> str | None:
    fragment = _fragment(did, method.get("id"))
    if fragment is None:
        return None
    try:
        key = _method_key(method)
    except UnsupportedDid:
        return fragment
    except (Malformed, BadKey) as error:
        raise BadDid(f"key {fragment[:64]!a} of the DID document: {error}") from error
    if keys.setdefault(fragment, key) != key:
        raise BadDid(f"the DID document has two keys {fragment[:64]!a}")
    return fragment


def _method_key(method: JsonObject) -> PublicKey:
    if isinstance(jwk := method.get("publicKeyJwk"), dict):
        return public_key_from_jwk(jwk)
    if isinstance(multibase := method.get("publicKeyMultibase"), str):
        return public_key_from_multibase(multibase)
    curve = _BASE58_CURVES.get(str(method.get("type")))
    if curve is None or not isinstance(base58 := method.get("publicKeyBase58"), str):
        raise UnsupportedDid("a verification method of a type that is not understood")
    data = b58decode(base58)
    if len(data) != 32:
        raise BadKey(f"{len(data)} bytes are no {curve} key")
    return PublicKey(curve, data)


def _relationship(raw: JsonObject, member: str, did: str, keys: dict[str, PublicKey]) -> tuple[str, ...]:
    values = raw.get(member, [])
    if not isinstance(values, list) or len(values) > METHODS_PER_DOCUMENT_MAX:
        raise BadDid(f"the DID document's {member} is not a list of at most {METHODS_PER_DOCUMENT_MAX} keys")
    names = []
    for value in values:
        name = _add_key(keys, did, value) if isinstance(value, dict) else _fragment(did, value)
        if name is not None:
            names.append(name)
    return tuple(names)
