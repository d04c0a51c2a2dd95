"""did:peer methods 1 and 3: hashes, which say nothing to who has not seen what they are the hash of."""

from __future__ import annotations

import hashlib
from typing import Final

from pico_didcomm.did.document import DidDocument, check_did, parse_document
from pico_didcomm.did.peer import peer_3_of_peer_2, resolve_peer_2
from pico_didcomm.encoding import JsonObject, multibase_encode, strict_json_object
from pico_didcomm.errors import BadDid, LimitExceeded, Malformed

PEER_1: Final = "did:peer:1"
PEER_3: Final = "did:peer:3"

GENESIS_BYTES_MAX: Final = 16_384
"""Of a did:peer:1's document; others travel in DIDs, which are shorter."""

_SHA256: Final = b"\x12\x20"  # multihash: sha2-256, 32 bytes


def peer_1_of_genesis(genesis: bytes) -> str:
    """The did:peer:1 of a genesis document: the hash of exactly these bytes."""
    return PEER_1 + multibase_encode(_SHA256 + hashlib.sha256(genesis).digest())


def resolve_peer_1(did: str, genesis: bytes) -> DidDocument:
    """The document of a did:peer:1, from the stored variant of its genesis, which must fit the hash."""
    check_did(did)
    if len(genesis) > GENESIS_BYTES_MAX:
        raise LimitExceeded(
            f"a genesis document of {len(genesis)} bytes; at most {GENESIS_BYTES_MAX} are read"
        )
    if peer_1_of_genesis(genesis) != did:
        raise BadDid("a did:peer:1 whose genesis document does not fit its hash")
    try:
        document = strict_json_object(genesis, "a genesis document")
    except Malformed as error:
        raise BadDid(f"the genesis document of a did:peer:1: {error}") from error
    if "id" in document:
        raise BadDid("the genesis document of a did:peer:1 must not have an id")
    methods = document.get("verificationMethod")
    for method in methods if isinstance(methods, list) else ():
        # In the stored variant whatever would be the DID is relative.
        if isinstance(method, dict) and method.get("controller") in (None, "#id", ""):
            method["controller"] = did
    return parse_document(did, {**document, "id": did})


def resolve_peer_3(did: str, peer_2: str) -> DidDocument:
    """The document of a did:peer:3, from the did:peer:2 that it is the hash of."""
    check_did(did)
    if not did.startswith(PEER_3) or peer_3_of_peer_2(peer_2) != did:
        raise BadDid("a did:peer:3 that does not fit this did:peer:2")
    theirs = resolve_peer_2(peer_2)
    raw: JsonObject = {**theirs.raw, "id": did, "alsoKnownAs": [peer_2]}
    raw["verificationMethod"] = [{**one, "controller": did} for one in theirs.raw["verificationMethod"]]
    return parse_document(did, raw, theirs.keys)
