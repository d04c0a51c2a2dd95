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
from pico_didcomm.jws import detached_signature, make_jws, parse_detached, parse_jws
from pico_didcomm.keys import NamedKey, PublicKey, key_pair, public_key_from_jwk
from tests.didcomm.helpers import vectors

VERIFY = vectors("didcomm_rust")["src/jws/verify.rs"]
ALICE = public_key_from_jwk(VERIFY["ALICE_PKEY_ED25519"])
KEY = NamedKey("did:example:alice#key-1", key_pair("Ed25519", b"s" * 32))


def check(raw: Any, key: PublicKey = ALICE) -> None:
    jws = parse_jws(strict_json(raw) if isinstance(raw, str) else raw)
    for signature in jws.signatures:
        signature.check(key, jws.payload)


@pytest.mark.parametrize("name", ["ALICE_MSG_ED25519"])
def test_published_signatures_hold(name: str) -> None:
    check(VERIFY[name])


@pytest.mark.parametrize("name", ["ALICE_MSG_ED25519_CHANGED_PAYLOAD", "ALICE_MSG_ED25519_UNDECODABLE_SIG"])
def test_published_broken_signatures_do_not(name: str) -> None:
    with pytest.raises((BadSignature, Malformed)):
        check(VERIFY[name])


def test_another_key_does_not_verify() -> None:
    with pytest.raises(BadSignature):
        check(VERIFY["ALICE_MSG_ED25519"], KEY.pair.public_key)
    with pytest.raises(BadSignature):
        check(VERIFY["ALICE_MSG_ED25519"], key_pair("X25519", b"x" * 32).public_key)


@pytest.mark.parametrize("name", ["ALICE_MSG_P256", "ALICE_MSG_K256", "ALICE_MSG_ED25519_P256_K256"])
def test_algorithms_without_a_row_are_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedAlgorithm, match="ES256"):
        check(VERIFY[name])


def test_specification_example() -> None:
    appendix = vectors("didcomm_v2_spec_appendix")
    (jwk,) = [jwk for jwk in appendix["secrets"]["alice"] if jwk["crv"] == "Ed25519"]
    check(appendix["signed"][0]["msg"], public_key_from_jwk(jwk))


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
    ("typ", header_changed(lambda h: h.update(typ="JWT")), BadEnvelope),
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
