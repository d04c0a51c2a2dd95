"""Identities: fresh, deterministic, and only in their own name."""

from __future__ import annotations

import pytest

from pico_didcomm.did.resolver import Resolver
from pico_didcomm.errors import BadDid, SenderMismatch
from pico_didcomm.identity import (
    ChannelIdentity,
    locator_service,
    make_channel_identity,
    make_pico_identity,
    pico_identity_from_seed,
)
from pico_didcomm.keys import agree, sign, verify
from tests.didcomm.helpers import seeded


def test_a_channel_identity_names_its_pico() -> None:
    pico = make_pico_identity(seeded(1))
    channel = make_channel_identity(
        seeded(2), [locator_service(pico.did), {"id": "#x", "type": "X"}, {"type": "Y"}]
    )
    assert len(channel.did) == 57
    document = Resolver().resolve(channel.long_did)
    (locator,) = document.services_of_type("PicoLocator")
    assert locator == {"id": "#service", "type": "PicoLocator", "serviceEndpoint": {"uri": pico.did}}
    assert [service["id"] for service in document.services] == ["#service", "#x", "#service-2"]


def test_identities_follow_from_entropy_alone() -> None:
    assert make_channel_identity(seeded(1)) == make_channel_identity(seeded(1))
    assert make_channel_identity(seeded(1)) != make_channel_identity(seeded(2))
    assert make_pico_identity(seeded(1)) == make_pico_identity(seeded(1))


def test_its_secrets_belong_to_its_document() -> None:
    channel = make_channel_identity(seeded(1))
    other = make_channel_identity(seeded(2)).agreement_key
    resolver = Resolver()
    resolver.learn(channel.long_did)
    for did in (channel.did, channel.long_did):
        document = resolver.resolve(did)
        key = channel.signing_key(did)
        verify(document.authentication_key(key.kid), sign(key.pair, b"x"), b"x")
        key = channel.agreement_key(did)
        pair = other(make_channel_identity(seeded(2)).did).pair
        assert agree(key.pair, pair.public_key) == agree(pair, document.agreement_key(key.kid))
        assert channel.find(key.kid) == key.pair
    assert channel.find(f"{channel.did}#key-1") is None
    assert channel.find("did:peer:4zQm#key-2") is None


def test_a_pico_signs_and_agrees_under_its_did_key() -> None:
    pico = make_pico_identity(seeded(1))
    document = Resolver().resolve(pico.did)
    key = pico.signing_key(pico.did)
    verify(document.authentication_key(key.kid), sign(key.pair, b"x"), b"x")
    agreement = pico.agreement_key(pico.did)
    assert document.agreement_key(agreement.kid) == agreement.pair.public_key
    assert pico.find(agreement.kid) == agreement.pair
    assert pico.find(key.kid) is None
    assert pico.find("did:key:z6Mk#x") is None
    assert pico_identity_from_seed(pico.seed) == pico


def test_stored_seeds_give_the_identity_back() -> None:
    channel = make_channel_identity(seeded(1))
    again = ChannelIdentity.from_seeds(channel.signing_seed, channel.agreement_seed, channel.long_did)
    assert again == channel
    for arguments in (
        (b"", channel.agreement_seed, channel.long_did),
        (channel.signing_seed, b"", channel.long_did),
        (channel.signing_seed, channel.agreement_seed, channel.did),
    ):
        with pytest.raises(BadDid):
            ChannelIdentity.from_seeds(*arguments)


def test_nobody_signs_in_another_name() -> None:
    channel, pico = make_channel_identity(seeded(1)), make_pico_identity(seeded(2))
    for call in (channel.signing_key, channel.agreement_key):
        with pytest.raises(SenderMismatch):
            call(pico.did)
    for call in (pico.signing_key, pico.agreement_key):
        with pytest.raises(SenderMismatch):
            call(channel.did)


def test_secrets_are_not_shown() -> None:
    channel, pico = make_channel_identity(seeded(1)), make_pico_identity(seeded(2))
    assert str(channel.signing_seed) not in repr(channel)
    assert str(channel.agreement_seed) not in repr(channel)
    assert str(pico.seed) not in repr(pico)
