"""did:jwk: what it says, what it may be used for, what is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_didcomm.did.jwk import make_did_jwk, resolve_did_jwk
from pico_didcomm.encoding import b64url_encode, json_bytes
from pico_didcomm.errors import BadDid, DidError, UnsupportedDid
from pico_didcomm.keys import key_pair

ED25519, X25519 = (key_pair(curve, b"k" * 32).public_key for curve in ("Ed25519", "X25519"))


def did_of_jwk(jwk: object) -> str:
    return "did:jwk:" + b64url_encode(json_bytes(jwk))


def test_a_signing_key() -> None:
    did = make_did_jwk(ED25519)
    document = resolve_did_jwk(did)
    assert document.authentication_key(f"{did}#0") == ED25519
    assert document.key_agreement == ()


def test_an_agreement_key() -> None:
    did = make_did_jwk(X25519)
    document = resolve_did_jwk(did)
    assert document.agreement_keys() == [(f"{did}#0", X25519)]
    assert document.authentication == ()


def test_the_example_of_the_method_specification() -> None:
    """An X25519 key that says `use: enc`."""
    did = (
        "did:jwk:eyJrdHkiOiJPS1AiLCJjcnYiOiJYMjU1MTkiLCJ1c2UiOiJlbmMiLCJ4IjoiM3A3YmZYdDl3YlRUVzJIQzdPUTFOei1EUThoYmVHZE"
        "5yZngtRkctSUswOCJ9"
    )
    assert [kid for kid, _ in resolve_did_jwk(did).agreement_keys()] == [f"{did}#0"]


def test_use_narrows_what_a_key_is_for() -> None:
    jwk = ED25519.jwk()
    assert resolve_did_jwk(did_of_jwk({**jwk, "use": "sig"})).authentication == ("0",)
    with pytest.raises(BadDid):
        resolve_did_jwk(did_of_jwk({**jwk, "use": "both"}))
    assert resolve_did_jwk(did_of_jwk({**X25519.jwk(), "use": "sig"})).key_agreement == ()


@pytest.mark.parametrize(
    "did",
    [
        "did:jwk:",
        "did:jwk:e30",
        "did:jwk:!!!",
        "did:key:z6Mk",
        did_of_jwk([]),
        did_of_jwk({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}),
        did_of_jwk({**ED25519.jwk(), "d": "AAAA"}),
        did_of_jwk({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
    ],
)
def test_broken_ones_are_refused(did: str) -> None:
    with pytest.raises(DidError):
        resolve_did_jwk(did)


def test_a_private_key_is_not_taken_for_a_did() -> None:
    with pytest.raises(BadDid, match="private"):
        resolve_did_jwk(did_of_jwk({**ED25519.jwk(), "d": b64url_encode(b"k" * 32)}))
    with pytest.raises(UnsupportedDid):
        resolve_did_jwk(did_of_jwk({"kty": "oct", "k": "AAAA"}))


@given(st.text(max_size=200))
def test_no_text_does_anything_else_than_resolve_or_fail(text: str) -> None:
    with suppress(DidError):
        resolve_did_jwk("did:jwk:" + text)
