"""Reading DID documents."""

from __future__ import annotations

import pytest

from pico_didcomm.did.document import (
    METHODS_PER_DOCUMENT_MAX,
    canonical_did,
    canonical_kid,
    check_did,
    parse_document,
)
from pico_didcomm.errors import BadDid
from pico_didcomm.keys import PublicKey, key_pair
from tests.didcomm.helpers import vectors

DID = "did:example:x"
SIGNING = key_pair("Ed25519", b"s" * 32).public_key
AGREEMENT = key_pair("X25519", b"a" * 32).public_key
SHORT = PublicKey("Ed25519", b"short").multibase()


def method(name: str, key=SIGNING) -> dict[str, object]:
    return {"id": name, "type": "Multikey", "controller": DID, "publicKeyMultibase": key.multibase()}


@pytest.mark.parametrize(
    "did", ["did:key:z6Mk", "did:web:example.com%3A3000:user", "did:peer:4zQm:z2", "did:example:a.b-c_d"]
)
def test_dids_are_read(did: str) -> None:
    assert check_did(did) == did


@pytest.mark.parametrize(
    "did",
    [
        "",
        "did:",
        "did:key",
        "did:key:",
        "did:Key:a",
        "did:key:a#b",
        "did:key:a?b",
        "did:key:a/b",
        "did:key:a:",
        "did:key:a b",
        "did:key:%zz",
        "did:key:é",
        " did:key:a",
        "did:key:a\n",
        "did:key:" + "a" * 20_000,
        None,
        7,
    ],
)
def test_what_is_no_did_is_refused(did: object) -> None:
    with pytest.raises(BadDid):
        check_did(did)


def test_canonical_forms() -> None:
    assert canonical_did("did:peer:4zQmA:zB") == "did:peer:4zQmA"
    assert canonical_did("did:peer:4zQmA") == "did:peer:4zQmA"
    assert canonical_did("did:peer:2.Ez6LS") == "did:peer:2.Ez6LS"
    assert canonical_kid("did:peer:4zQmA:zB#key-1") == "did:peer:4zQmA#key-1"
    assert canonical_kid("did:key:z6#z7") == "did:key:z6#z7"


def test_keys_are_found_by_absolute_and_relative_ids() -> None:
    raw = {
        "id": DID,
        "verificationMethod": [method("#a"), method(f"{DID}#b", AGREEMENT)],
        "authentication": [f"{DID}#a"],
        "keyAgreement": ["#b"],
    }
    document = parse_document(DID, raw)
    assert document.authentication_key(f"{DID}#a") == SIGNING
    assert document.agreement_key(f"{DID}#b") == AGREEMENT
    assert document.agreement_keys() == [(f"{DID}#b", AGREEMENT)]


def test_a_key_serves_only_the_purposes_it_is_listed_for() -> None:
    raw = {"verificationMethod": [method("#a"), method("#b", AGREEMENT)], "keyAgreement": ["#b"]}
    document = parse_document(DID, raw)
    for kid in (f"{DID}#a", f"{DID}#b"):
        with pytest.raises(BadDid):
            document.authentication_key(kid)
    with pytest.raises(BadDid):
        document.agreement_key(f"{DID}#a")


def test_keys_of_other_dids_are_not_ours() -> None:
    raw = {
        "verificationMethod": [method("did:example:other#a")],
        "authentication": ["did:example:other#a"],
    }
    document = parse_document(DID, raw)
    for kid in (f"{DID}#a", "did:example:other#a"):
        with pytest.raises(BadDid):
            document.authentication_key(kid)


def test_a_document_answers_only_for_its_own_did() -> None:
    document = parse_document(
        DID, {"authentication": [method("#a")], "keyAgreement": [method("#b", AGREEMENT)]}
    )
    with pytest.raises(BadDid):
        document.authentication_key("did:example:other#a")
    with pytest.raises(BadDid):
        document.agreement_key("did:example:other#b")


def test_embedded_methods_serve_their_purpose() -> None:
    document = parse_document(DID, {"authentication": [method("#a")]})
    assert document.authentication_key(f"{DID}#a") == SIGNING


def test_keys_of_unknown_types_are_left_out() -> None:
    documents = vectors("didcomm_v2_spec_appendix")["did_docs"]
    bob = parse_document("did:example:bob", documents["bob"])
    assert [kid for kid, key in bob.agreement_keys() if key.curve == "X25519"] == [
        f"did:example:bob#key-x25519-{i}" for i in (1, 2, 3)
    ]
    raw = {"verificationMethod": [{"id": "#a", "type": "FutureKey"}], "authentication": ["#a"]}
    with pytest.raises(BadDid):
        parse_document(DID, raw).authentication_key(f"{DID}#a")


@pytest.mark.parametrize(
    "raw",
    [
        {"verificationMethod": {}},
        {"verificationMethod": [1]},
        {"verificationMethod": [{"type": "Multikey"}]},
        {"verificationMethod": [{"id": 7}]},
        {"verificationMethod": [{"id": "nofragment", "type": "Multikey"}]},
        {"verificationMethod": [{"id": "#a", "publicKeyMultibase": "z6MkOOO"}]},
        {"verificationMethod": [{"id": "#a", "publicKeyMultibase": SHORT}]},
        {"verificationMethod": [method("#a"), method("#a", AGREEMENT)]},
        {"verificationMethod": [method(f"#{i}") for i in range(METHODS_PER_DOCUMENT_MAX + 1)]},
        {"authentication": "#a"},
        {"authentication": [7]},
        {"authentication": ["#a"] * (METHODS_PER_DOCUMENT_MAX + 1)},
        {"service": [None]},
        {"service": "x"},
        {"verificationMethod": [{"id": "#a", "type": "Ed25519VerificationKey2018", "publicKeyBase58": "2"}]},
    ],
)
def test_broken_documents_are_refused(raw: dict[str, object]) -> None:
    with pytest.raises(BadDid):
        parse_document(DID, raw)


def test_services_by_type() -> None:
    services = [{"type": "A", "id": "#1"}, {"type": "B", "id": "#2"}, {"type": "A", "id": "#3"}]
    document = parse_document(DID, {"service": services})
    assert [service["id"] for service in document.services_of_type("A")] == ["#1", "#3"]


def test_a_document_of_another_did_is_refused() -> None:
    with pytest.raises(BadDid):
        parse_document(DID, {"id": "did:example:y"})
    with pytest.raises(BadDid):
        parse_document(DID, {"id": 7})
