"""did:peer 1 and 3: they resolve to exactly what they are the hash of."""

from __future__ import annotations

import json

import pytest

from pico_didcomm.did.peer_hashed import (
    GENESIS_BYTES_MAX,
    peer_1_of_genesis,
    resolve_peer_1,
    resolve_peer_3,
)
from pico_didcomm.errors import BadDid, DidError, LimitExceeded
from pico_didcomm.keys import key_pair
from tests.didcomm.helpers import vectors

KEY = key_pair("X25519", b"k" * 32).public_key
METHOD = {"id": "#a", "type": "Multikey", "controller": "#id", "publicKeyMultibase": KEY.multibase()}
GENESIS = json.dumps({"verificationMethod": [METHOD], "keyAgreement": ["#a"]}).encode()


def test_numalgo_1_is_the_hash_of_its_genesis() -> None:
    did = peer_1_of_genesis(GENESIS)
    assert did.startswith("did:peer:1zQm")
    document = resolve_peer_1(did, GENESIS)
    assert document.agreement_keys() == [(f"{did}#a", KEY)]
    assert document.raw["verificationMethod"][0]["controller"] == did
    with pytest.raises(BadDid):
        resolve_peer_1(did, GENESIS + b" ")
    with pytest.raises(LimitExceeded):
        resolve_peer_1(did, b" " * (GENESIS_BYTES_MAX + 1))


@pytest.mark.parametrize("genesis", [b"", b"[]", b'{"id":"did:peer:1z"}', b'{"a":1,"a":2}', b"{"])
def test_broken_genesis_documents_are_refused(genesis: bytes) -> None:
    with pytest.raises(DidError):
        resolve_peer_1(peer_1_of_genesis(genesis), genesis)


@pytest.mark.parametrize("vector", vectors("did_peer")["numalgo2_to_3"])
def test_numalgo_3_is_the_hash_of_a_numalgo_2(vector: dict[str, str]) -> None:
    document = resolve_peer_3(vector["did3"], vector["did2"])
    assert document.did == document.raw["id"] == vector["did3"]
    assert document.raw["alsoKnownAs"] == [vector["did2"]]
    assert {kid.partition("#")[0] for kid, _ in document.agreement_keys()} == {vector["did3"]}
    other = vectors("did_peer")["sicpa_peerdid_legacy"]["PEER_DID_NUMALGO_2_NO_SERVICES"]
    with pytest.raises(BadDid):
        resolve_peer_3(vector["did3"], other)
