"""The resolver: methods, what it learned, and its bound."""

from __future__ import annotations

import pytest

from pico_didcomm.did.document import DidDocument, parse_document
from pico_didcomm.did.peer4 import make_peer_4
from pico_didcomm.did.peer_hashed import peer_1_of_genesis
from pico_didcomm.did.resolver import LIFETIME_MS_MAX, PICO_ENGINE_METHODS, Resolver
from pico_didcomm.errors import BadDid, NotFetched, UnknownDid, UnsupportedDid
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


WEB = "did:web:example.com"
WEB_BODY = b'{"id":"did:web:example.com"}'


def test_a_did_web_has_to_be_fetched_and_counts_for_its_lifetime() -> None:
    resolver = Resolver()
    for resolve in (resolver.resolve, resolver.at(0).resolve):
        with pytest.raises(NotFetched) as raised:
            resolve(WEB)
        assert raised.value.url == "https://example.com/.well-known/did.json"
    resolver.learn_document(WEB, WEB_BODY, now_ms=1_000, lifetime_ms=500)
    assert resolver.at(1_499).resolve(WEB).did == WEB
    with pytest.raises(NotFetched):
        resolver.at(1_500).resolve(WEB)
    with pytest.raises(NotFetched):  # without a time nothing fetched counts
        resolver.resolve(WEB)
    resolver.learn_document(WEB, WEB_BODY, now_ms=0, lifetime_ms=10 * LIFETIME_MS_MAX)
    with pytest.raises(NotFetched):
        resolver.at(LIFETIME_MS_MAX).resolve(WEB)
    resolver.forget(WEB)
    with pytest.raises(NotFetched):
        resolver.at(0).resolve(WEB)


def test_failures_are_remembered_too() -> None:
    resolver = Resolver()
    with pytest.raises(BadDid):
        resolver.learn_document(WEB, b"{}", now_ms=0, lifetime_ms=100)
    with pytest.raises(BadDid, match="another DID"):
        resolver.at(99).resolve(WEB)
    resolver.learn_failure(WEB, "not found (404)", now_ms=0, lifetime_ms=100)
    with pytest.raises(BadDid, match="404"):
        resolver.at(99).resolve(WEB)
    with pytest.raises(NotFetched):
        resolver.at(100).resolve(WEB)


def test_fetched_documents_are_kept_up_to_the_bound() -> None:
    resolver = Resolver(documents_cached_max=2)
    for name in "abc":
        did = f"did:web:{name}.example"
        resolver.learn_document(did, f'{{"id":"{did}"}}'.encode(), now_ms=0, lifetime_ms=100)
    with pytest.raises(NotFetched):
        resolver.at(0).resolve("did:web:a.example")
    assert resolver.at(0).resolve("did:web:c.example").did == "did:web:c.example"


def test_hashes_are_learned() -> None:
    resolver = Resolver()
    vector = vectors("did_peer")["numalgo2_to_3"][0]
    one = peer_1_of_genesis(b"{}")
    for did in (vector["did3"], one):
        with pytest.raises(UnknownDid):
            resolver.resolve(did)
    assert resolver.learn(vector["did2"]) == vector["did3"]
    resolver.learn_genesis(one, b"{}")
    assert resolver.resolve(vector["did3"]).did == vector["did3"]
    assert resolver.at(0).resolve(one).did == one
    with pytest.raises(BadDid):
        resolver.learn_genesis(one, b"[]")


def test_what_was_learned_is_bounded() -> None:
    resolver = Resolver(learned_max=2)
    shorts = [resolver.learn(make_peer_4({"n": n})[1]) for n in range(2)]
    resolver.resolve(shorts[0])
    resolver.learn(make_peer_4({"n": 2})[1])
    with pytest.raises(UnknownDid):
        resolver.resolve(shorts[0])
    assert resolver.resolve(shorts[1]).did == shorts[1]


def test_the_existing_pico_engines_key_ids() -> None:
    alice = vectors("pico_did_o")["alice"]
    document = Resolver(PICO_ENGINE_METHODS).resolve(alice["did"])
    assert [kid for kid, _ in document.agreement_keys()] == alice["doc"]["keyAgreement"]
