"""did:peer 0 and 2 against the vectors of the specification and of software in use."""

from __future__ import annotations

import pytest

from pico_didcomm.did.document import parse_document
from pico_didcomm.did.peer import (
    make_peer_0,
    make_peer_2,
    peer_3_of_peer_2,
    resolve_peer_0,
    resolve_peer_2,
)
from pico_didcomm.encoding import b64url_encode
from pico_didcomm.errors import BadDid, DidError
from pico_didcomm.keys import key_pair, public_key_from_multibase
from tests.didcomm.helpers import vectors

VECTORS = vectors("did_peer")
LEGACY = VECTORS["sicpa_peerdid_legacy"]
DID_O = vectors("pico_did_o")
SIGNING, AGREEMENT = key_pair("Ed25519", b"s" * 32).public_key, key_pair("X25519", b"a" * 32).public_key


@pytest.mark.parametrize("vector", VECTORS["numalgo2_generate"])
def test_numalgo_2_is_made_and_read(vector: dict[str, object]) -> None:
    keys = [(purpose, public_key_from_multibase(text)) for purpose, text in vector["keys"]]
    assert make_peer_2(keys, vector["services"]) == vector["did"]
    assert resolve_peer_2(vector["did"]).raw == vector["document"]


@pytest.mark.parametrize("vector", VECTORS["numalgo2_to_3"])
def test_numalgo_2_stands_behind_a_numalgo_3(vector: dict[str, str]) -> None:
    assert peer_3_of_peer_2(vector["did2"]) == vector["did3"]
    assert resolve_peer_2(vector["did2"]).raw["alsoKnownAs"] == [vector["did3"]]


@pytest.mark.parametrize("form", ["O_BASE58", "O_MULTIBASE", "O_JWK"])
def test_numalgo_0_has_the_keys_of_older_documents(form: str) -> None:
    did = LEGACY["PEER_DID_NUMALGO_0"]
    ours, theirs = resolve_peer_0(did), parse_document(did, LEGACY[f"DID_DOC_NUMALGO_{form}"])
    for name in theirs.authentication:
        assert ours.authentication_key(f"{did}#{name}") == theirs.keys[name]
    assert make_peer_0(ours.authentication_key(f"{did}#{theirs.authentication[0]}")) == did


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("PEER_DID_NUMALGO_2", "DID_DOC_NUMALGO_2_BASE58"),
        ("PEER_DID_NUMALGO_2", "DID_DOC_NUMALGO_2_MULTIBASE"),
        ("PEER_DID_NUMALGO_2", "DID_DOC_NUMALGO_2_JWK"),
        ("PEER_DID_NUMALGO_2_2_SERVICES", "DID_DOC_NUMALGO_2_MULTIBASE_2_SERVICES"),
        ("PEER_DID_NUMALGO_2_NO_SERVICES", "DID_DOC_NUMALGO_2_MULTIBASE_NO_SERVICES"),
        ("PEER_DID_NUMALGO_2_MINIMAL_SERVICES", "DID_DOC_NUMALGO_2_MULTIBASE_MINIMAL_SERVICES"),
    ],
)
def test_numalgo_2_as_older_software_reads_it(name: str, document: str) -> None:
    did = LEGACY[name]
    theirs = parse_document(did, LEGACY[document])
    ours = resolve_peer_2(did, key_ids="cut")
    assert ours.authentication == theirs.authentication
    assert ours.key_agreement == theirs.key_agreement
    # whichever names the document shows, a kid in either style is found
    for document_ in (ours, resolve_peer_2(did)):
        for fragment in theirs.authentication:
            assert document_.authentication_key(f"{did}#{fragment}") == theirs.keys[fragment]
        for fragment in theirs.key_agreement:
            assert document_.agreement_key(f"{did}#{fragment}") == theirs.keys[fragment]
    assert [service["id"] for service in ours.services] == [service["id"] for service in theirs.services]
    for our, their in zip(ours.services, theirs.services, strict=True):
        assert our["type"] == their["type"]
        endpoint = our["serviceEndpoint"]
        text = endpoint["uri"] if isinstance(endpoint, dict) else endpoint
        assert text == their["serviceEndpoint"]


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_what_the_existing_pico_engine_makes(who: str) -> None:
    did, theirs = DID_O[who]["did"], parse_document(DID_O[who]["did"], DID_O[who]["doc"])
    ours = resolve_peer_2(did)
    for kid in DID_O[who]["doc"]["authentication"]:
        assert ours.authentication_key(kid) == theirs.authentication_key(kid)
    for kid in DID_O[who]["doc"]["keyAgreement"]:
        assert ours.agreement_key(kid) == theirs.agreement_key(kid)
    assert ours.services[0]["serviceEndpoint"] == theirs.services[0]["serviceEndpoint"]
    named_as_theirs = resolve_peer_2(did, key_ids="whole")
    assert [kid for kid, _ in named_as_theirs.agreement_keys()] == DID_O[who]["doc"]["keyAgreement"]
    keys = [("E", ours.agreement_keys()[0][1]), ("V", ours.keys["key-2"])]
    assert make_peer_2(keys, DID_O[who]["doc"]["service"], legacy_service=True) == did


def test_both_service_forms_say_the_same() -> None:
    service = {
        "type": "DIDCommMessaging",
        "serviceEndpoint": {
            "uri": "https://example.org",
            "accept": ["didcomm/v2"],
            "routingKeys": ["did:key:z#z"],
        },
    }
    keys = [("V", SIGNING), ("E", AGREEMENT)]
    new, old = make_peer_2(keys, [service]), make_peer_2(keys, [service], legacy_service=True)
    assert new != old
    assert resolve_peer_2(new).services == resolve_peer_2(old).services == ({**service, "id": "#service"},)


def test_key_ids_count_keys_not_services() -> None:
    did = (
        make_peer_2([("V", SIGNING)], [{"type": "X", "serviceEndpoint": "y"}]) + ".E" + AGREEMENT.multibase()
    )
    assert resolve_peer_2(did).agreement_key(f"{did}#key-2") == AGREEMENT


@pytest.mark.parametrize(
    "did",
    [
        "did:peer:2",
        "did:peer:2.",
        "did:peer:2.X" + SIGNING.multibase(),
        "did:peer:2.V",
        "did:peer:2.Vz6MkOOO",
        "did:peer:2.S",
        "did:peer:2.Snotjson",
        "did:peer:2.S" + b64url_encode(b"[1]"),
        "did:peer:2.S" + b64url_encode(b'{"t":"a","t":"b"}'),
        "did:peer:2" + (".V" + SIGNING.multibase()) * 33,
        "did:peer:4zQm",
    ],
)
def test_broken_ones_are_refused(did: str) -> None:
    with pytest.raises(DidError):
        resolve_peer_2(did)


@pytest.mark.parametrize("did", ["did:peer:0", "did:peer:0z6Mk", "did:peer:0" + "z" * 40])
def test_broken_numalgo_0_is_refused(did: str) -> None:
    with pytest.raises(DidError):
        resolve_peer_0(did)


def test_unknown_purposes_are_not_made() -> None:
    with pytest.raises(BadDid):
        make_peer_2([("Q", SIGNING)])
