"""Identities: names made of keys, and read back from what was stored."""

from __future__ import annotations

from pico_didcomm import Resolver, canonical_did
from pico_engine.harness import SeededEntropy
from pico_engine.values import decode, encode
from pico_node.agent.identities import DidcommIdentities, channel_identity

MAKE = DidcommIdentities()


def test_picos_and_their_channels_are_did_key() -> None:
    for make in (MAKE.new_pico, MAKE.new_channel):
        did, secret = make(SeededEntropy(1))
        assert did.startswith("did:key:z6Mk")
        assert set(secret) == {"seed"}


def test_connection_channels_are_did_peer_4_and_can_be_stored() -> None:
    pico, _ = MAKE.new_pico(SeededEntropy(1))
    did, secret = MAKE.new_connection_channel(SeededEntropy(2), pico)
    identity = channel_identity(decode(encode(secret)))
    assert did == identity.did == canonical_did(identity.long_did)
    assert did.startswith("did:peer:4")
    assert len(did) < len(identity.long_did)
    document = Resolver().resolve(identity.long_did)
    assert document.agreement_keys()
    assert pico in str(document.services), "the locator says whose channel it is"


def test_they_follow_from_the_entropy_alone() -> None:
    assert MAKE.new_pico(SeededEntropy(1)) == MAKE.new_pico(SeededEntropy(1))
    assert MAKE.new_pico(SeededEntropy(1)) != MAKE.new_pico(SeededEntropy(2))
