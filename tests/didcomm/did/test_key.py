"""did:key against the vectors of its specification."""

from __future__ import annotations

import pytest

from pico_didcomm.did.document import parse_document
from pico_didcomm.did.key import key_of_did_key, make_did_key, peer_id_of_did_key, resolve_did_key
from pico_didcomm.errors import BadDid, DidError, UnsupportedDid
from pico_didcomm.keys import PublicKey, peer_id_from_ed25519
from tests.didcomm.helpers import vectors

VECTORS = vectors("did_key_w3c_ccg")
ED25519 = list(VECTORS["ed25519-x25519"].items())
X25519 = list(VECTORS["x25519"]["didDocument"].items())
CURVES = [(did, vector) for name in ("nist-curves", "secp256k1") for did, vector in VECTORS[name].items()]
UNSUPPORTED = [did for name in ("bls12381", "rsa") for did in VECTORS[name]]


def compared(did: str, theirs: dict[str, object]) -> None:
    """Our document has the keys of theirs, under the same names, for the same purposes."""
    ours = resolve_did_key(did)
    expected = parse_document(did, theirs)
    assert ours.raw["id"] == theirs["id"]
    assert ours.keys == expected.keys
    assert ours.keys
    assert ours.authentication == expected.authentication
    assert ours.key_agreement == expected.key_agreement
    for purpose in ("assertionMethod", "capabilityInvocation", "capabilityDelegation"):
        assert ours.raw.get(purpose) == theirs.get(purpose)


@pytest.mark.parametrize(
    ("did", "vector"), ED25519, ids=lambda value: value[-6:] if isinstance(value, str) else ""
)
def test_ed25519_vectors(did: str, vector: dict[str, object]) -> None:
    compared(did, vector["didDocument"])
    assert make_did_key(key_of_did_key(did)) == did


@pytest.mark.parametrize(
    ("did", "document"), X25519, ids=lambda value: value[-6:] if isinstance(value, str) else ""
)
def test_x25519_vectors(did: str, document: dict[str, object]) -> None:
    compared(did, document)
    assert make_did_key(key_of_did_key(did)) == did


@pytest.mark.parametrize(
    ("did", "vector"), CURVES, ids=lambda value: value[-6:] if isinstance(value, str) else ""
)
def test_vectors_of_other_curves(did: str, vector: dict[str, object]) -> None:
    ours, theirs = resolve_did_key(did), vector["didDocument"]
    expected = parse_document(did, theirs)
    assert make_did_key(key_of_did_key(did)) == did
    for purpose in ("authentication", "keyAgreement", "assertionMethod", "capabilityInvocation"):
        assert ours.raw[purpose] == theirs[purpose]
    (kid,) = theirs["authentication"]
    if expected.keys:  # some vectors spell the key in a form that few read
        assert ours.authentication_key(kid) == expected.authentication_key(kid)
        assert ours.agreement_key(kid) == expected.agreement_key(kid)


def test_the_vectors_are_all_there() -> None:
    assert len(CURVES) == 13
    assert len(ED25519) == 5
    assert len(X25519) >= 1


def test_a_did_key_spells_a_peer_id() -> None:
    key = PublicKey("Ed25519", b"k" * 32)
    assert peer_id_of_did_key(make_did_key(key)) == peer_id_from_ed25519(key.data)
    with pytest.raises(BadDid):
        peer_id_of_did_key(make_did_key(PublicKey("X25519", b"k" * 32)))


@pytest.mark.parametrize(
    "did",
    [
        "did:key:",
        "did:key:z",
        "did:key:z6Mk",
        "did:key:uAAAA",
        "did:key:zOOO",
        "did:peer:0z6Mk",
        "did:key:x6Mk",
        make_did_key(PublicKey("Ed25519", (2).to_bytes(32, "little"))),
    ],
)
def test_broken_ones_are_refused(did: str) -> None:
    with pytest.raises(DidError):
        resolve_did_key(did)


@pytest.mark.parametrize("did", UNSUPPORTED, ids=lambda did: did[-6:])
def test_other_key_types_are_named_unsupported(did: str) -> None:
    with pytest.raises(UnsupportedDid):
        resolve_did_key(did)
