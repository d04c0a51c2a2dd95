"""Keys of several DIDs and curves in one wallet."""

from __future__ import annotations

import pytest

from pico_didcomm.errors import BadKey
from pico_didcomm.identity import make_channel_identity
from pico_didcomm.keys import generate_key_pair
from pico_didcomm.wallet import Wallet
from tests.didcomm.helpers import Person, people, seeded


def test_keys_are_found_by_id_and_by_what_they_are_for() -> None:
    anna, bert = Person("anna"), Person("bert", ["P-384", "X25519"])
    wallet = Wallet()
    for person in (anna, bert):
        wallet.add(person.document, [key.pair for key in person.keys.values()])
    for key in (*anna.keys.values(), *bert.keys.values()):
        assert wallet.find(key.kid) == (key.pair if "keyAgreement" in key.kid else None)
    assert wallet.signing_key(anna.did) == anna.key("authentication", "Ed25519")
    assert [key.pair.curve for key in wallet.agreement_keys(bert.did)] == ["P-384", "X25519"]
    p256 = [key for key in wallet.agreement_keys(anna.did) if key.pair.curve == "P-256"]
    assert p256 == [anna.key("keyAgreement", "P-256")]
    with pytest.raises(BadKey):
        wallet.signing_key(bert.did)
    with pytest.raises(BadKey):
        wallet.agreement_keys("did:example:carol")
    assert wallet.find("did:example:carol#1") is None
    wallet.remove(anna.did)
    wallet.remove(anna.did)
    assert wallet.find(anna.key("keyAgreement", "P-256").kid) is None
    assert wallet.agreement_keys(bert.did)


def test_either_form_of_a_did_names_its_keys() -> None:
    identity = make_channel_identity(seeded(1))
    wallet = Wallet(
        signing=[identity.signing_key(identity.long_did)], agreement=[identity.agreement_key(identity.did)]
    )
    for did in (identity.did, identity.long_did):
        assert wallet.signing_key(did) == identity.signing_key(did)
        assert wallet.agreement_keys(did)[0] == identity.agreement_key(did)
        assert wallet.find(f"{did}#key-2") is not None


def test_keys_that_the_document_does_not_list_are_left_out() -> None:
    anna = Person("anna", ["X25519", "Ed25519"])
    wallet = Wallet()
    wallet.add(people(anna).resolve(anna.did), [generate_key_pair("X25519", seeded("other"))])
    with pytest.raises(BadKey):
        wallet.agreement_keys(anna.did)
