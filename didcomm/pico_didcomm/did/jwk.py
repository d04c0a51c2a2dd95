"""did:jwk: a public JWK written into the DID (did:jwk specification)."""

from __future__ import annotations

from typing import Final

from pico_didcomm.did.document import DidDocument, check_did, parse_document
from pico_didcomm.encoding import JsonObject, b64url_decode, b64url_encode, json_bytes, strict_json_object
from pico_didcomm.errors import BadDid, BadKey, Malformed
from pico_didcomm.keys import PublicKey, public_key_from_jwk

PREFIX: Final = "did:jwk:"
_CONTEXT: Final = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"]
_SIGNING: Final = ("assertionMethod", "authentication", "capabilityInvocation", "capabilityDelegation")
_SIGN_ONLY: Final = ("Ed25519", "secp256k1")
_PRIVATE: Final = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))


def make_did_jwk(key: PublicKey) -> str:
    """The DID that spells `key`, its JWK's members in sorted order."""
    return PREFIX + b64url_encode(json_bytes(dict(sorted(key.jwk().items()))))


def resolve_did_jwk(did: str) -> DidDocument:
    """The document that a did:jwk implies: one key, `#0`, for what its `use` and its curve allow."""
    check_did(did)
    if not did.startswith(PREFIX):
        raise BadDid("not a did:jwk")
    try:
        jwk = strict_json_object(b64url_decode(did[len(PREFIX) :]), "a did:jwk")
        key = public_key_from_jwk(jwk)
    except (Malformed, BadKey) as error:
        raise BadDid(f"not a did:jwk: {error}") from error
    if not _PRIVATE.isdisjoint(jwk):
        raise BadDid(
            "a did:jwk that shows a private key", "its owner must give the key up and make a new one"
        )
    use = jwk.get("use")
    if use not in (None, "sig", "enc"):
        raise BadDid("a did:jwk whose use is neither sig nor enc")
    method: JsonObject = {"id": f"{did}#0", "type": "JsonWebKey2020", "controller": did, "publicKeyJwk": jwk}
    raw: JsonObject = {"@context": _CONTEXT, "id": did, "verificationMethod": [method]}
    if use != "enc" and key.curve != "X25519":
        raw |= {purpose: [f"{did}#0"] for purpose in _SIGNING}
    if use != "sig" and key.curve not in _SIGN_ONLY:
        raw["keyAgreement"] = [f"{did}#0"]
    return parse_document(did, raw)
