"""Signed messages against published vectors; every header rule broken once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pico_didcomm.encoding import b64url_decode, b64url_encode, json_bytes, strict_json
from pico_didcomm.errors import (
    BadEnvelope,
    BadSignature,
    DidcommError,
    LimitExceeded,
    Malformed,
    UnsupportedAlgorithm,
)
from pico_didcomm.jws import ALGORITHMS, detached_signature, make_jws, parse_detached, parse_jws
from pico_didcomm.keys import NamedKey, PublicKey, generate_key_pair, key_pair, public_key_from_jwk
from tests.didcomm.helpers import seeded, vectors

VERIFY = vectors("didcomm_rust")["src/jws/verify.rs"]
ALICE = {
    VERIFY[f"ALICE_KID_{name}"]: public_key_from_jwk(VERIFY[f"ALICE_KEY_{name}"])
    for name in ("ED25519", "P256", "K256")
}
KEY = NamedKey("did:example:alice#key-1", key_pair("Ed25519", b"s" * 32))
KEYS = [
    KEY,
    *(NamedKey(f"did:example:alice#{c}", generate_key_pair(c, seeded(c))) for c in ("P-256", "secp256k1")),
]


def check(raw: Any, keys: PublicKey | dict[str, PublicKey] = ALICE) -> None:
    jws = parse_jws(strict_json(raw) if isinstance(raw, str) else raw)
    for signature in jws.signatures:
        signature.check(keys if isinstance(keys, PublicKey) else keys[signature.kid], jws.payload)


@pytest.mark.parametrize("name", ["ED25519", "P256", "K256", "ED25519_P256_K256"])
def test_published_signatures_hold(name: str) -> None:
    check(VERIFY[f"ALICE_MSG_{name}"])


@pytest.mark.parametrize("name", ["ED25519", "P256", "K256"])
@pytest.mark.parametrize("how", ["CHANGED_PAYLOAD", "UNDECODABLE_SIG"])
def test_published_broken_signatures_do_not(name: str, how: str) -> None:
    with pytest.raises((BadSignature, Malformed)):
        check(VERIFY[f"ALICE_MSG_{name}_{how}"])


@pytest.mark.parametrize("name", ["ED25519", "P256", "K256"])
def test_another_key_does_not_verify(name: str) -> None:
    for key in (*KEYS, NamedKey("x", key_pair("X25519", b"x" * 32))):
        with pytest.raises(BadSignature):
            check(VERIFY[f"ALICE_MSG_{name}"], key.pair.public_key)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.pair.curve)
def test_the_algorithm_is_that_of_the_key(key: NamedKey) -> None:
    """The header does not choose: an ES256K signature under a P-256 key is none, whatever it says."""
    raw = strict_json(make_jws(b"payload", key))
    check(raw, key.pair.public_key)
    algorithm = strict_json(b64url_decode(raw["signatures"][0]["protected"]))["alg"]
    assert ALGORITHMS[algorithm] == key.pair.curve
    for other in set(ALGORITHMS) - {algorithm}:
        header_changed(lambda header, other=other: header.update(alg=other))(raw)
        with pytest.raises(BadSignature):
            check(raw, key.pair.public_key)


def test_several_signatures() -> None:
    raw = strict_json(make_jws(b"payload", KEYS))
    assert len(parse_jws(raw).signatures) == 3
    check(raw, {key.kid: key.pair.public_key for key in KEYS})
    with pytest.raises(LimitExceeded):
        make_jws(b"payload", [])
    with pytest.raises(LimitExceeded):
        make_jws(b"payload", KEYS * 3)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.pair.curve)
def test_the_flattened_form_is_written(key: NamedKey) -> None:
    raw = strict_json(make_jws(b"payload", key, flattened=True))
    assert raw.keys() == {"payload", "protected", "signature", "header"}
    check(raw, key.pair.public_key)
    with pytest.raises(LimitExceeded):
        make_jws(b"payload", KEYS, flattened=True)


@pytest.mark.parametrize("index", range(3))
def test_specification_examples(index: int) -> None:
    appendix = vectors("didcomm_v2_spec_appendix")
    keys = {jwk["kid"]: public_key_from_jwk(jwk) for jwk in appendix["secrets"]["alice"]}
    check(appendix["signed"][index]["msg"], keys)


def signed() -> dict[str, Any]:
    return strict_json(make_jws(b"payload", KEY))


def test_the_kid_stands_in_both_headers() -> None:
    row = signed()["signatures"][0]
    assert row["header"] == {"kid": KEY.kid}
    assert strict_json(b64url_decode(row["protected"]))["kid"] == KEY.kid
    check(signed(), KEY.pair.public_key)


def test_the_flattened_form_is_read() -> None:
    raw = signed()
    flattened = {"payload": raw["payload"], **raw["signatures"][0]}
    check(flattened, KEY.pair.public_key)
    del flattened["header"]
    check(flattened, KEY.pair.public_key)


def header_changed(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    def apply(raw: dict[str, Any]) -> None:
        row = raw["signatures"][0]
        header = strict_json(b64url_decode(row["protected"]))
        change(header)
        row["protected"] = b64url_encode(json_bytes(header))

    return apply


RULES: list[tuple[str, Callable[[dict[str, Any]], object], type[DidcommError]]] = [
    ("crit", header_changed(lambda h: h.update(crit=["b64"])), UnsupportedAlgorithm),
    ("b64", header_changed(lambda h: h.update(b64=False)), UnsupportedAlgorithm),
    ("alg none", header_changed(lambda h: h.update(alg="none")), UnsupportedAlgorithm),
    ("alg HS256", header_changed(lambda h: h.update(alg="HS256")), UnsupportedAlgorithm),
    ("alg a list", header_changed(lambda h: h.update(alg=["EdDSA"])), UnsupportedAlgorithm),
    ("no alg", header_changed(lambda h: h.pop("alg")), UnsupportedAlgorithm),
    ("alg ES384", header_changed(lambda h: h.update(alg="ES384")), UnsupportedAlgorithm),
    ("typ", header_changed(lambda h: h.update(typ="JWT")), BadEnvelope),
    (
        "typ of plaintext",
        header_changed(lambda h: h.update(typ="application/didcomm-plain+json")),
        BadEnvelope,
    ),
    ("two kids", header_changed(lambda h: h.update(kid="did:example:eve#e")), BadEnvelope),
    ("kid a number", header_changed(lambda h: h.update(kid=7)), BadEnvelope),
    ("open kid null", lambda raw: raw["signatures"][0].update(header={"kid": None}), BadEnvelope),
    ("open alg", lambda raw: raw["signatures"][0]["header"].update(alg="none"), BadEnvelope),
    ("open header a list", lambda raw: raw["signatures"][0].update(header=[]), BadEnvelope),
    ("no protected", lambda raw: raw["signatures"][0].pop("protected"), BadEnvelope),
    ("no signature", lambda raw: raw["signatures"][0].pop("signature"), BadEnvelope),
    ("signature padded", lambda raw: raw["signatures"][0].update(signature="QQ=="), Malformed),
    ("payload padded", lambda raw: raw.update(payload=raw["payload"] + "="), Malformed),
    ("payload a number", lambda raw: raw.update(payload=7), BadEnvelope),
    ("no signatures", lambda raw: raw.update(signatures=[]), BadEnvelope),
    ("signatures an object", lambda raw: raw.update(signatures={}), BadEnvelope),
    ("signature no object", lambda raw: raw.update(signatures=[7]), BadEnvelope),
    ("a foreign member", lambda raw: raw.update(more=1), BadEnvelope),
    ("a foreign member of a row", lambda raw: raw["signatures"][0].update(more=1), BadEnvelope),
    ("both forms", lambda raw: raw.update(signature="AAAA"), BadEnvelope),
    ("nine signatures", lambda raw: raw.update(signatures=raw["signatures"] * 9), LimitExceeded),
]


@pytest.mark.parametrize(("change", "error"), [row[1:] for row in RULES], ids=[row[0] for row in RULES])
def test_rules(change: Callable[[dict[str, Any]], object], error: type[DidcommError]) -> None:
    raw = signed()
    change(raw)
    with pytest.raises(error):
        parse_jws(raw)


def test_a_signature_needs_a_kid() -> None:
    raw = signed()
    header_changed(lambda header: header.pop("kid"))(raw)
    raw["signatures"][0].pop("header")
    with pytest.raises(BadEnvelope):
        parse_jws(raw)


def test_only_signing_keys_sign() -> None:
    with pytest.raises(UnsupportedAlgorithm):
        make_jws(b"", NamedKey("did:example:a#x", key_pair("X25519", b"x" * 32)))


def test_a_detached_signature_covers_the_text_it_was_made_for() -> None:
    text = detached_signature("cGF5bG9hZA", KEY, "#key-1")
    signature = parse_detached(text)
    assert signature.kid == "#key-1"
    signature.check(KEY.pair.public_key, "cGF5bG9hZA")
    for payload in ("cGF5bG9hZB", "cGF5bG9hZA=", ""):
        with pytest.raises(BadSignature):
            signature.check(KEY.pair.public_key, payload)


@pytest.mark.parametrize(
    "text", ["", "..", "a.b.c", "e30..AAAA", b64url_encode(b'{"alg":"EdDSA"}') + "..AAAA"]
)
def test_broken_detached_signatures_are_refused(text: str) -> None:
    with pytest.raises(DidcommError):
        parse_detached(text)
