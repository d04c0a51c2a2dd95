"""Keys against published vectors, and keys that must not be used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_didcomm.encoding import b64url_encode, multibase_encode, varint_encode
from pico_didcomm.errors import BadEncoding, BadKey, BadSignature, UnsupportedDid
from pico_didcomm.keys import (
    CURVES,
    KeyPair,
    PublicKey,
    agree,
    ed25519_from_peer_id,
    generate_key_pair,
    key_pair,
    key_pair_from_jwk,
    peer_id_from_ed25519,
    public_key_from_jwk,
    public_key_from_multibase,
    sign,
    verify,
    x25519,
    x25519_from_ed25519,
    x25519_public_from_ed25519,
)
from tests.didcomm.helpers import seeded, vectors

PRIMITIVES = vectors("primitives")
LOW_ORDER = [
    bytes(32),
    (1).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    (2**255 - 20).to_bytes(32, "little"),
    (2**255 - 19).to_bytes(32, "little"),
    (2**255 - 18).to_bytes(32, "little"),
]


@pytest.mark.parametrize("row", PRIMITIVES["ed25519_to_x25519"], ids=lambda row: row["did"][-6:])
def test_ed25519_converts_to_x25519(row: dict[str, str]) -> None:
    public = bytes.fromhex(row["ed25519_public"])
    assert x25519_public_from_ed25519(public).hex() == row["x25519_public"]
    assert PublicKey("X25519", bytes.fromhex(row["x25519_public"])).multibase() == row["x25519_multibase"]
    pair = key_pair("Ed25519", bytes.fromhex(row["seed"]))
    assert pair.public == public
    assert x25519_from_ed25519(pair).private.hex() == row["x25519_private"]
    assert key_pair("X25519", x25519_from_ed25519(pair).private).public.hex() == row["x25519_public"]


def test_signature_vector() -> None:
    row = PRIMITIVES["eddsa"]
    pair = key_pair("Ed25519", bytes.fromhex(row["seed"]))
    text = row["message"].encode()
    assert pair.public.hex() == row["public"]
    assert sign(pair, text).hex() == row["signature"]
    verify(pair.public_key, bytes.fromhex(row["signature"]), text)


def test_a_changed_signature_text_or_key_is_refused() -> None:
    pair, other = key_pair("Ed25519", b"a" * 32), key_pair("Ed25519", b"b" * 32)
    signature = sign(pair, b"text")
    for key, changed, text in (
        (pair, signature, b"texT"),
        (pair, signature[:-1] + bytes([signature[-1] ^ 1]), b"text"),
        (pair, signature[:-1], b"text"),
        (pair, b"", b"text"),
        (other, signature, b"text"),
    ):
        with pytest.raises(BadSignature):
            verify(key.public_key, changed, text)


def test_agreement_is_mutual() -> None:
    a, b = generate_key_pair("X25519", seeded(1)), generate_key_pair("X25519", seeded(2))
    assert agree(a, b.public_key) == agree(b, a.public_key)


@pytest.mark.parametrize("point", LOW_ORDER, ids=lambda point: point.hex()[:8])
def test_low_order_points_are_refused(point: bytes) -> None:
    with pytest.raises(BadKey):
        x25519(b"k" * 32, point)


def test_keys_do_only_what_their_curve_does() -> None:
    signing, agreement = key_pair("Ed25519", b"a" * 32), key_pair("X25519", b"a" * 32)
    with pytest.raises(BadKey):
        sign(agreement, b"")
    with pytest.raises(BadKey):
        verify(agreement.public_key, bytes(64), b"")
    with pytest.raises(BadKey):
        agree(signing, agreement.public_key)
    with pytest.raises(BadKey):
        agree(agreement, signing.public_key)
    with pytest.raises(BadKey):
        x25519_from_ed25519(agreement)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_wrong_sizes_are_refused(size: int) -> None:
    data = b"x" * size
    with pytest.raises(BadKey):
        key_pair("Ed25519", data)
    with pytest.raises(BadKey):
        x25519(data, b"x" * 32)
    with pytest.raises(BadKey):
        x25519(b"x" * 32, data)
    with pytest.raises(BadKey):
        peer_id_from_ed25519(data)
    with pytest.raises(BadKey):
        x25519_public_from_ed25519(data)
    with pytest.raises(BadKey):
        public_key_from_multibase(PublicKey("Ed25519", data).multibase())


def test_a_key_pair_does_not_show_its_secret() -> None:
    assert b"s" * 32 not in repr(KeyPair("X25519", b"p" * 32, b"s" * 32)).encode()
    assert "sss" not in repr(KeyPair("X25519", b"p" * 32, b"s" * 32))


@given(st.binary(min_size=32, max_size=32))
def test_peer_ids_spell_keys(public: bytes) -> None:
    peer_id = peer_id_from_ed25519(public)
    assert peer_id.startswith("12D3Koo")
    assert len(peer_id) == 52
    assert ed25519_from_peer_id(peer_id) == public


def test_a_peer_id_is_what_libp2p_makes_of_the_key() -> None:
    crypto = pytest.importorskip("libp2p.crypto.ed25519")
    peer = pytest.importorskip("libp2p.peer.id")
    pair = key_pair("Ed25519", b"n" * 32)
    theirs = crypto.create_new_key_pair(b"n" * 32)
    assert str(peer.ID.from_pubkey(theirs.public_key)) == peer_id_from_ed25519(pair.public)


@pytest.mark.parametrize("text", ["", "12D3", "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N", "12D3Koo!"])
def test_other_peer_ids_are_refused(text: str) -> None:
    with pytest.raises(BadEncoding):
        ed25519_from_peer_id(text)


@pytest.mark.parametrize("curve", CURVES)
def test_public_keys_as_text(curve: str) -> None:
    key = generate_key_pair(curve, seeded(curve)).public_key
    assert public_key_from_multibase(key.multibase()) == key
    assert public_key_from_jwk(key.jwk()) == key


@pytest.mark.parametrize(
    ("jwk", "error"),
    [
        ({}, UnsupportedDid),
        ({"kty": "OKP", "crv": "X448", "x": "AA"}, UnsupportedDid),
        ({"kty": "EC", "crv": "X25519", "x": "AA"}, UnsupportedDid),
        ({"kty": "OKP", "crv": ["X25519"], "x": "AA"}, UnsupportedDid),
        ({"kty": "OKP", "crv": "X25519"}, BadKey),
        ({"kty": "OKP", "crv": "X25519", "x": 7}, BadKey),
        ({"kty": "OKP", "crv": "X25519", "x": "AA"}, BadKey),
        ({"kty": "OKP", "crv": "X25519", "x": "A" * 44}, BadKey),
        ({"kty": "OKP", "crv": "X25519", "x": "A" * 42 + "B"}, BadEncoding),
    ],
)
def test_bad_jwks_are_refused(jwk: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        public_key_from_jwk(jwk)


def test_unknown_multicodecs_are_refused() -> None:
    with pytest.raises(UnsupportedDid):  # an RSA key
        public_key_from_multibase(multibase_encode(varint_encode(0x1205) + bytes(270)))


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521", "secp256k1"])
def test_points_that_are_none_are_refused_however_they_are_written(curve: str) -> None:
    key = generate_key_pair(curve, seeded(curve)).public_key
    jwk = key.jwk()
    for changes in ({"y": jwk["x"]}, {"y": ""}, {"y": None}, {"x": "AAAA" + jwk["x"]}):
        with pytest.raises(BadKey):
            public_key_from_jwk(jwk | changes)
    off = [b"\2" + i.to_bytes(CURVES[curve].private_bytes, "big") for i in range(20)]
    with pytest.raises(BadKey):
        for data in off:
            public_key_from_multibase(PublicKey(curve, data).multibase())
    with pytest.raises(BadKey):
        PublicKey(curve, b"\4" + key.data[1:]).jwk()


@pytest.mark.parametrize("curve", CURVES)
def test_private_jwks(curve: str) -> None:
    pair = generate_key_pair(curve, seeded(curve))
    jwk = pair.public_key.jwk() | {"d": b64url_encode(pair.private)}
    assert key_pair_from_jwk(jwk) == pair
    other = generate_key_pair(curve, seeded("other"))
    for changes in ({"d": b64url_encode(other.private)}, {"d": "AA"}, {"d": 7}, {"d": ""}):
        with pytest.raises(BadKey):
            key_pair_from_jwk(jwk | changes)
    with pytest.raises(BadKey):
        key_pair_from_jwk(pair.public_key.jwk())


@pytest.mark.parametrize(("index", "multicodec"), [(0, "z6Mk"), (1, "zDn")])
def test_multibase_shows_the_curve(index: int, multicodec: str) -> None:
    pair = generate_key_pair(["Ed25519", "P-256"][index], seeded(1))
    assert pair.public_key.multibase().startswith(multicodec)
