"""did:key for every curve of the table of keys; Ed25519 comes with the X25519 key derived from it."""

from __future__ import annotations

from pico_didcomm.did.document import DidDocument, check_did, did_of, parse_document
from pico_didcomm.encoding import JsonObject
from pico_didcomm.errors import BadDid, BadKey, Malformed
from pico_didcomm.keys import (
    PublicKey,
    peer_id_from_ed25519,
    public_key_from_multibase,
    x25519_public_from_ed25519,
)

PREFIX = "did:key:"
_CONTEXT = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]
_SIGNING = ("authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation")


def make_did_key(key: PublicKey) -> str:
    """The DID that spells `key`."""
    return PREFIX + key.multibase()


def key_of_did_key(did: str) -> PublicKey:
    """The key that a did:key spells."""
    check_did(did)
    if not did.startswith(PREFIX + "z"):
        raise BadDid("not a did:key in base58")
    try:
        return public_key_from_multibase(did[len(PREFIX) :])
    except (Malformed, BadKey) as error:
        raise BadDid(f"not a did:key: {error}") from error


def peer_id_of_did_key(did: str) -> str:
    """The libp2p peer id that spells the same Ed25519 key."""
    key = key_of_did_key(did_of(did))
    if key.curve != "Ed25519":
        raise BadDid("only an Ed25519 did:key spells a libp2p peer id")
    return peer_id_from_ed25519(key.data)


def resolve_did_key(did: str) -> DidDocument:
    """The document that a did:key implies."""
    key = key_of_did_key(did)
    if key.curve == "X25519":
        return _document(did, None, key)
    if key.curve != "Ed25519":
        return _document(did, key, key)  # a point that both signs and agrees
    try:
        return _document(did, key, PublicKey("X25519", x25519_public_from_ed25519(key.data)))
    except BadKey as error:
        raise BadDid(f"not a did:key: {error}") from error


def _document(did: str, signing: PublicKey | None, agreement: PublicKey) -> DidDocument:
    def method(key: PublicKey) -> JsonObject:
        text = key.multibase()
        return {"id": f"{did}#{text}", "type": "Multikey", "controller": did, "publicKeyMultibase": text}

    methods = [method(key) for key in dict.fromkeys((signing, agreement)) if key is not None]
    raw: JsonObject = {"@context": _CONTEXT, "id": did, "verificationMethod": methods}
    if signing is not None:
        raw |= {purpose: [methods[0]["id"]] for purpose in _SIGNING}
    raw["keyAgreement"] = [methods[-1]["id"]]
    return parse_document(did, raw)
