"""The resolver: methods, what it learned, and its bound."""

from __future__ import annotations

import pytest

from pico_didcomm.did.document import DidDocument, parse_document
from pico_didcomm.did.peer4 import make_peer_4
from pico_didcomm.did.resolver import Resolver
from pico_didcomm.errors import BadDid, UnknownDid, UnsupportedDid
from pico_didcomm.identity import make_channel_identity, make_pico_identity
from tests.didcomm.helpers import seeded, vectors


def test_it_finds_the_method() -> None:
    resolver = Resolver()
    pico, channel = make_pico_identity(seeded(1)), make_channel_identity(seeded(2))
    peer_2 = vectors("did_peer")["numalgo2_generate"][0]["did"]
    peer_0 = "did:peer:0" + pico.did.removeprefix("did:key:")
    for did in (pico.did, channel.long_did, peer_2, peer_0):
        assert resolver.resolve(did).did == did


def test_short_forms_must_have_been_learned() -> None:
    resolver, channel = Resolver(), make_channel_identity(seeded(1))
    with pytest.raises(UnknownDid):
        resolver.resolve(channel.did)
    resolver.resolve(channel.long_did)
    with pytest.raises(UnknownDid):
        resolver.resolve(channel.did)
    assert resolver.learn(channel.long_did) == channel.did
    assert resolver.resolve(channel.did).did == channel.did
    resolver.forget(channel.did)
    with pytest.raises(UnknownDid):
        resolver.resolve(channel.did)


def test_what_does_not_fit_its_hash_is_not_learned() -> None:
    resolver, channel = Resolver(), make_channel_identity(seeded(1))
    with pytest.raises(BadDid):
        resolver.learn(channel.did + ":" + make_channel_identity(seeded(2)).long_did.rpartition(":")[2])
    with pytest.raises(BadDid):
        resolver.learn(channel.did)


def test_a_store_of_long_forms_is_asked() -> None:
    a, b = make_channel_identity(seeded(1)), make_channel_identity(seeded(2))
    resolver = Resolver(find_long_form={a.did: a.long_did, b.did: a.long_did}.get)
    assert resolver.resolve(a.did).did == a.did
    with pytest.raises(BadDid):
        resolver.resolve(b.did)


def test_unknown_methods_are_named() -> None:
    with pytest.raises(UnsupportedDid):
        Resolver().resolve("did:example:alice")
    with pytest.raises(UnsupportedDid):
        Resolver().resolve("did:peer:9z6Mk")
    with pytest.raises(BadDid):
        Resolver().resolve("did:key:z6Mk#fragment")


def test_documents_are_kept_up_to_the_bound() -> None:
    calls: list[str] = []

    def method(did: str) -> DidDocument:
        calls.append(did)
        return parse_document(did, {})

    resolver = Resolver({"did:example:": method}, documents_cached_max=2)
    for name in ("a", "b", "a", "c", "a", "b"):
        resolver.resolve(f"did:example:{name}")
    # c pushed out b, which was used least recently
    assert [did[-1] for did in calls] == ["a", "b", "c", "b"]


def test_the_longest_prefix_wins() -> None:
    resolver = Resolver(
        {
            "did:example:": lambda did: parse_document(did, {"which": "general"}),
            "did:example:x": lambda did: parse_document(did, {"which": "special"}),
        }
    )
    assert resolver.resolve("did:example:xy").raw["which"] == "special"
    assert resolver.resolve("did:example:y").raw["which"] == "general"


def test_forgetting_drops_the_document_too() -> None:
    short, long_did = make_peer_4({"a": "b"})
    resolver = Resolver()
    resolver.learn(long_did)
    resolver.resolve(short)
    resolver.forget(short)
    with pytest.raises(UnknownDid):
        resolver.resolve(short)
