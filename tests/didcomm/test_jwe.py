"""Content encryption and key derivation against published vectors; every header rule broken once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pico_didcomm.curves import CURVES
from pico_didcomm.encoding import b64url_decode, b64url_encode, json_bytes, strict_json
from pico_didcomm.errors import (
    BadEnvelope,
    BadKey,
    DecryptionFailed,
    DidcommError,
    LimitExceeded,
    Malformed,
    UnsupportedAlgorithm,
    UnsupportedDid,
)
from pico_didcomm.jwe import (
    ANONCRYPT,
    AUTHCRYPT,
    CONTENT_ENCRYPTIONS,
    apv_of,
    derive_kek,
    kdf_info,
    make_jwe,
    open_jwe,
    parse_jwe,
    unwrap_key,
    wrap_key,
)
from pico_didcomm.keys import NamedKey, agree, generate_key_pair, key_pair, key_pair_from_jwk, x25519
from tests.didcomm.helpers import DATA, seeded, vectors

PRIMITIVES = vectors("primitives")
RUST = vectors("didcomm_rust")
DECRYPT = RUST["src/jwe/decrypt.rs"]
KEYS = RUST["src/jwe/mod.rs"]

AGREEING = [name for name, curve in CURVES.items() if curve.agree]
SENDER = NamedKey("did:example:alice#a", key_pair("X25519", b"a" * 32))
BOB, PHONE = key_pair("X25519", b"b" * 32), key_pair("X25519", b"c" * 32)
RECIPIENTS = [("did:example:bob#b", BOB.public_key), ("did:example:bob#phone", PHONE.public_key)]


def test_aes_key_wrap() -> None:
    row = {
        name: bytes.fromhex(value)
        for name, value in PRIMITIVES["aes256kw_rfc3394_4_6"].items()
        if name != "checked"
    }
    assert wrap_key(row["kek"], row["key"]) == row["wrapped"]


def test_xchacha20_poly1305() -> None:
    row = PRIMITIVES["xchacha20poly1305_draft_A_3_1"]
    key, nonce, aad, text = (bytes.fromhex(row[name]) for name in ("key", "nonce", "aad", "plaintext"))
    enc = CONTENT_ENCRYPTIONS["XC20P"]
    ciphertext, tag = enc.encrypt(key, nonce, text, aad)
    assert (ciphertext.hex(), tag.hex()) == (row["ciphertext"], row["tag"])
    assert enc.decrypt(key, nonce, ciphertext, tag, aad) == text


def test_a256cbc_hs512() -> None:
    row = PRIMITIVES["a256cbc_hs512"]
    enc = CONTENT_ENCRYPTIONS["A256CBC-HS512"]
    cek, iv, aad = bytes.fromhex(row["cek"]), bytes.fromhex(row["iv"]), row["aad"].encode()
    ciphertext, tag = enc.encrypt(cek, iv, row["plaintext"].encode(), aad)
    assert (ciphertext.hex(), tag.hex()) == (row["ciphertext"], row["tag"])


def test_concat_kdf() -> None:
    row = PRIMITIVES["concat_kdf_es"]
    info = kdf_info(row["alg"], row["apu"].encode(), row["apv"].encode())
    assert derive_kek(bytes.fromhex(row["z"]), info).hex() == row["key"]


def test_1pu_key_with_its_counted_tag() -> None:
    row = PRIMITIVES["ecdh_1pu_x25519_kek"]
    sender, recipient, ephemeral = (
        key_pair("X25519", bytes.fromhex(row[name]))
        for name in ("sender_private", "recipient_private", "ephemeral_private")
    )
    shared = agree(recipient, ephemeral.public_key) + agree(recipient, sender.public_key)
    info = kdf_info(row["alg"], row["apu"].encode(), row["apv"].encode())
    assert derive_kek(shared, info, bytes.fromhex(row["cc_tag"])).hex() == row["kek"]


@pytest.mark.parametrize("name", CONTENT_ENCRYPTIONS)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 1000])
def test_every_change_is_noticed(name: str, size: int) -> None:
    enc = CONTENT_ENCRYPTIONS[name]
    key, iv, text = b"k" * enc.key_bytes, b"n" * enc.iv_bytes, b"t" * size
    ciphertext, tag = enc.encrypt(key, iv, text, b"aad")
    assert len(tag) == enc.tag_bytes
    assert enc.decrypt(key, iv, ciphertext, tag, b"aad") == text

    def changed(data: bytes) -> bytes:
        return data[:-1] + bytes([data[-1] ^ 1])

    tampered = [
        (changed(key), iv, ciphertext, tag, b"aad"),
        (key, changed(iv), ciphertext, tag, b"aad"),
        (key, iv, ciphertext + b"\0", tag, b"aad"),
        (key, iv, ciphertext, changed(tag), b"aad"),
        (key, iv, ciphertext, tag, b"aae"),
    ]
    # CBC's authenticated text covers the first half of its key apart from the second
    for arguments in (
        tampered
        if name != "A256CBC-HS512"
        else [*tampered[1:], (changed(key[:32]) + key[32:], *tampered[1][1:])]
    ):
        with pytest.raises(DecryptionFailed):
            enc.decrypt(*arguments)


def test_1pu_draft_appendix_b() -> None:
    """Both recipients of the draft's own example read it; its keys are used as they stand there."""
    raw = DECRYPT["MSG_ECDH_1PU_APP_B"]
    raw = strict_json(raw) if isinstance(raw, str) else raw
    header = strict_json(b64url_decode(raw["protected"]))
    enc = CONTENT_ENCRYPTIONS[header["enc"]]
    ephemeral_public = b64url_decode(header["epk"]["x"])
    info = kdf_info(header["alg"], b64url_decode(header["apu"]), b64url_decode(header["apv"]))
    info = info[:-4] + (128).to_bytes(4, "big")  # the draft wraps with A128KW
    alice = b64url_decode(DECRYPT["ALICE_KEY_ECDH_1PU_APP_B"]["x"])
    tag = b64url_decode(raw["tag"])
    for who, row in zip(("BOB", "CHARLIE"), raw["recipients"], strict=True):
        private = b64url_decode(DECRYPT[f"{who}_KEY_ECDH_1PU_APP_B"]["d"])
        kek = derive_kek(x25519(private, ephemeral_public) + x25519(private, alice), info, tag)[:16]
        cek = unwrap_key(kek, b64url_decode(row["encrypted_key"]), enc)
        parts = (b64url_decode(raw[name]) for name in ("iv", "ciphertext"))
        text = enc.decrypt(cek, *parts, tag, raw["protected"].encode())
        assert text.decode() == DECRYPT["PAYLOAD_ECDH_1PU_APP_B"]


def open_published(name: str) -> list[bytes]:
    """What each recipient reads."""
    raw = DECRYPT[name]
    jwe = parse_jwe(strict_json(raw) if isinstance(raw, str) else raw)
    jwks = {kid: KEYS[member.replace("KID", "KEY")] for member, kid in KEYS.items() if "_KID_" in member}
    pairs = {kid: key_pair_from_jwk(jwk) for kid, jwk in jwks.items() if "d" in jwk}
    sender = None if jwe.sender_kid is None else pairs[jwe.sender_kid].public_key
    return [open_jwe(jwe, key, pairs[kid], sender) for kid, key in jwe.recipients]


PUBLISHED = [name for name in DECRYPT if name.startswith("MSG_") and ("X25519" in name or "P256" in name)]
BROKEN = ("CHANGED", "UNDECODABLE", "DIFFERENT", "WRONG", "MULTIPLE")


@pytest.mark.parametrize("name", [name for name in PUBLISHED if not any(mark in name for mark in BROKEN)])
def test_published_envelopes_open(name: str) -> None:
    texts = open_published(name)
    assert len(texts) >= 2
    assert all(strict_json(text) == DECRYPT["PAYLOAD"] for text in texts)


@pytest.mark.parametrize("name", [name for name in PUBLISHED if any(mark in name for mark in BROKEN)])
def test_published_broken_envelopes_do_not(name: str) -> None:
    with pytest.raises(DidcommError):
        open_published(name)


def test_the_vectors_are_all_there() -> None:
    assert len(PUBLISHED) == 30
    assert DATA.is_dir()


# -- our own envelopes ----------------------------------------------------------------------------


@pytest.mark.parametrize("enc", ["XC20P", "A256GCM", "A256CBC-HS512"])
def test_anoncrypt_for_several_recipients(enc: str) -> None:
    jwe = parse_jwe(strict_json(make_jwe(b"text", RECIPIENTS, seeded(1), enc)))
    assert jwe.algorithm == ANONCRYPT
    for (_, key), pair in zip(jwe.recipients, (BOB, PHONE), strict=True):
        assert open_jwe(jwe, key, pair, None) == b"text"
    with pytest.raises(DecryptionFailed):
        open_jwe(jwe, jwe.recipients[0][1], PHONE, None)


def test_authcrypt_for_several_recipients() -> None:
    jwe = parse_jwe(strict_json(make_jwe(b"text", RECIPIENTS, seeded(1), "A256CBC-HS512", SENDER)))
    assert jwe.sender_kid == SENDER.kid
    for (_, key), pair in zip(jwe.recipients, (BOB, PHONE), strict=True):
        assert open_jwe(jwe, key, pair, SENDER.pair.public_key) == b"text"
    with pytest.raises(DecryptionFailed):
        open_jwe(jwe, jwe.recipients[0][1], BOB, PHONE.public_key)


def test_a_recipient_cannot_forge_for_another_recipient() -> None:
    """1PU binds the tag into the wrapped key: Bob knows the content key, and cannot change the text."""
    raw = strict_json(make_jwe(b"text", RECIPIENTS, seeded(1), "A256CBC-HS512", SENDER))
    jwe = parse_jwe(raw)
    kek = derive_kek(agree(BOB, jwe.epk) + agree(BOB, SENDER.pair.public_key), jwe.info, jwe.tag)
    cek = unwrap_key(kek, b64url_decode(jwe.recipients[0][1]), jwe.enc)
    ciphertext, tag = jwe.enc.encrypt(cek, jwe.iv, b"forged", jwe.protected.encode())
    raw |= {"ciphertext": b64url_encode(ciphertext), "tag": b64url_encode(tag)}
    forged = parse_jwe(raw)
    with pytest.raises(DecryptionFailed):
        open_jwe(forged, forged.recipients[1][1], PHONE, SENDER.pair.public_key)


def test_nothing_fresh_is_used_twice() -> None:
    entropy = seeded(1)
    envelopes = [strict_json(make_jwe(b"text", RECIPIENTS, entropy, "XC20P")) for _ in range(20)]
    for member in ("protected", "iv", "ciphertext", "tag"):
        assert len({envelope[member] for envelope in envelopes}) == 20


def test_apv_does_not_depend_on_the_order_of_recipients() -> None:
    kids = [kid for kid, _ in RECIPIENTS]
    assert apv_of(kids) == apv_of(kids[::-1]) != apv_of(kids[:1])


def test_what_is_not_made() -> None:
    with pytest.raises(UnsupportedAlgorithm):
        make_jwe(b"", RECIPIENTS, seeded(1), "XC20P", SENDER)
    with pytest.raises(UnsupportedAlgorithm):
        make_jwe(b"", RECIPIENTS, seeded(1), "A128GCM")
    with pytest.raises(LimitExceeded):
        make_jwe(b"", [], seeded(1), "XC20P")
    with pytest.raises(LimitExceeded):
        make_jwe(b"", [(f"did:example:bob#{i}", BOB.public_key) for i in range(9)], seeded(1), "XC20P")
    with pytest.raises(BadKey):
        make_jwe(
            b"",
            [*RECIPIENTS, ("did:example:bob#x", key_pair("Ed25519", b"x" * 32).public_key)],
            seeded(1),
            "XC20P",
        )


@pytest.mark.parametrize("curve", AGREEING)
@pytest.mark.parametrize("sender", [False, True], ids=["anoncrypt", "authcrypt"])
def test_every_curve(curve: str, sender: bool) -> None:
    pairs = {f"did:example:bob#{i}": generate_key_pair(curve, seeded(f"bob {i}")) for i in range(3)}
    alice = NamedKey(SENDER.kid, generate_key_pair(curve, seeded("alice"))) if sender else None
    recipients = [(kid, pair.public_key) for kid, pair in pairs.items()]
    raw = strict_json(make_jwe(b"text", recipients, seeded(2), "A256CBC-HS512", alice))
    jwe = parse_jwe(raw)
    assert strict_json(b64url_decode(raw["protected"]))["epk"]["crv"] == jwe.epk.curve == curve
    public = None if alice is None else alice.pair.public_key
    for kid, key in jwe.recipients:
        assert open_jwe(jwe, key, pairs[kid], public) == b"text"
    # the same entropy gives the same envelope: nothing is drawn behind our back
    assert strict_json(make_jwe(b"text", recipients, seeded(2), "A256CBC-HS512", alice)) == raw


@pytest.mark.parametrize("ours", AGREEING)
@pytest.mark.parametrize("theirs", AGREEING)
def test_curves_are_not_mixed(ours: str, theirs: str) -> None:
    if ours == theirs:
        return
    mine, other = (NamedKey(SENDER.kid, generate_key_pair(curve, seeded(3))) for curve in (ours, theirs))
    recipients = [("did:example:bob#b", generate_key_pair(ours, seeded(4)).public_key)]
    with pytest.raises(BadKey):
        make_jwe(b"text", recipients, seeded(5), "A256CBC-HS512", other)
    with pytest.raises(BadKey):
        make_jwe(b"", [*recipients, ("did:example:bob#c", other.pair.public_key)], seeded(5), "XC20P")
    jwe = parse_jwe(strict_json(make_jwe(b"text", recipients, seeded(5), "A256CBC-HS512", mine)))
    with pytest.raises(BadKey):
        open_jwe(jwe, jwe.recipients[0][1], other.pair, mine.pair.public_key)
    with pytest.raises(BadKey):
        open_jwe(jwe, jwe.recipients[0][1], generate_key_pair(ours, seeded(4)), other.pair.public_key)


def test_an_envelope_is_for_one_did() -> None:
    """A message to several DIDs is encrypted for each of them apart."""
    with pytest.raises(BadEnvelope, match="several DIDs"):
        make_jwe(b"", [*RECIPIENTS, ("did:example:carol#c", PHONE.public_key)], seeded(1), "XC20P")
    raw = authcrypt()
    raw["recipients"][1]["header"]["kid"] = "did:example:carol#phone"
    with pytest.raises(BadEnvelope, match="several DIDs"):
        parse_jwe(raw)


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_an_ephemeral_key_off_its_curve_is_refused(curve: str) -> None:
    """Agreement with points of another curve would give away the private key, a few bits each time."""
    pair = generate_key_pair(curve, seeded(1))
    raw = strict_json(make_jwe(b"text", [("did:example:bob#b", pair.public_key)], seeded(2), "XC20P"))
    header = strict_json(b64url_decode(raw["protected"]))
    parse_jwe(raw)
    x, y = header["epk"]["x"], header["epk"]["y"]
    zero = b64url_encode(bytes(len(b64url_decode(x))))
    for epk in (
        {"x": y, "y": x},
        {"x": x, "y": x},
        {"x": zero, "y": zero},
        {"x": x, "y": ""},
        {"x": x},
        {"y": y},
    ):
        changed = {**header, "epk": {"kty": "EC", "crv": curve, **epk}}
        with pytest.raises(BadKey):
            parse_jwe(raw | {"protected": b64url_encode(json_bytes(changed))})


def authcrypt() -> dict[str, Any]:
    return strict_json(make_jwe(b"text", RECIPIENTS, seeded(1), "A256CBC-HS512", SENDER))


def with_header(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    raw = authcrypt()
    header = strict_json(b64url_decode(raw["protected"]))
    change(header)
    return raw | {"protected": b64url_encode(json_bytes(header))}


HEADER_RULES: list[tuple[str, Callable[[dict[str, Any]], object], type[DidcommError]]] = [
    ("crit", lambda h: h.update(crit=["exp"]), UnsupportedAlgorithm),
    ("zip", lambda h: h.update(zip="DEF"), UnsupportedAlgorithm),
    ("alg none", lambda h: h.update(alg="none"), UnsupportedAlgorithm),
    ("alg dir", lambda h: h.update(alg="dir"), UnsupportedAlgorithm),
    ("alg a list", lambda h: h.update(alg=[AUTHCRYPT]), UnsupportedAlgorithm),
    ("no alg", lambda h: h.pop("alg"), UnsupportedAlgorithm),
    ("enc of anoncrypt", lambda h: h.update(enc="XC20P"), UnsupportedAlgorithm),
    ("enc unknown", lambda h: h.update(enc="A128CBC-HS256"), UnsupportedAlgorithm),
    ("enc a number", lambda h: h.update(enc=7), UnsupportedAlgorithm),
    ("no enc", lambda h: h.pop("enc"), UnsupportedAlgorithm),
    ("typ", lambda h: h.update(typ="JWT"), BadEnvelope),
    ("no apu", lambda h: h.pop("apu"), BadEnvelope),
    ("apu of another", lambda h: h.update(apu=b64url_encode(b"did:example:eve#e")), BadEnvelope),
    ("apu not text", lambda h: (h.pop("skid"), h.update(apu=b64url_encode(b"\xff"))), BadEnvelope),
    ("apu not base64url", lambda h: h.update(apu="="), Malformed),
    ("skid of another", lambda h: h.update(skid="did:example:eve#e"), BadEnvelope),
    ("skid null", lambda h: h.update(skid=None), BadEnvelope),
    ("no apv", lambda h: h.pop("apv"), BadEnvelope),
    ("apv of others", lambda h: h.update(apv=b64url_encode(apv_of(["x"]))), BadEnvelope),
    ("no epk", lambda h: h.pop("epk"), BadEnvelope),
    ("private epk", lambda h: h["epk"].update(d="AAAA"), BadEnvelope),
    ("epk of another type", lambda h: h["epk"].update(crv="P-256"), UnsupportedDid),
    ("epk of an unknown curve", lambda h: h["epk"].update(crv="X448"), UnsupportedDid),
    ("epk too short", lambda h: h["epk"].update(x="AAAA"), BadKey),
    ("anoncrypt with skid", lambda h: h.update(alg=ANONCRYPT), BadEnvelope),
]


@pytest.mark.parametrize(
    ("change", "error"), [row[1:] for row in HEADER_RULES], ids=[row[0] for row in HEADER_RULES]
)
def test_header_rules(change: Callable[[dict[str, Any]], object], error: type[DidcommError]) -> None:
    parse_jwe(authcrypt())
    with pytest.raises(error):
        parse_jwe(with_header(change))


def test_a_sender_may_leave_out_skid_but_not_apu() -> None:
    assert parse_jwe(with_header(lambda header: header.pop("skid"))).sender_kid == SENDER.kid


MEMBER_RULES: list[tuple[str, Callable[[dict[str, Any]], object], type[DidcommError]]] = [
    ("unprotected", lambda raw: raw.update(unprotected={}), BadEnvelope),
    ("aad", lambda raw: raw.update(aad="AA"), BadEnvelope),
    ("flattened", lambda raw: raw.update(encrypted_key="AA"), BadEnvelope),
    ("no protected", lambda raw: raw.pop("protected"), BadEnvelope),
    ("protected not base64url", lambda raw: raw.update(protected=raw["protected"] + "=="), Malformed),
    (
        "protected twice alg",
        lambda raw: raw.update(protected=b64url_encode(b'{"alg":"a","alg":"b"}')),
        Malformed,
    ),
    ("protected a list", lambda raw: raw.update(protected=b64url_encode(b"[]")), Malformed),
    ("no recipients", lambda raw: raw.update(recipients=[]), BadEnvelope),
    ("recipients no list", lambda raw: raw.update(recipients={}), BadEnvelope),
    ("recipient no object", lambda raw: raw["recipients"].append(7), BadEnvelope),
    ("recipient without header", lambda raw: raw["recipients"][0].pop("header"), BadEnvelope),
    ("recipient with alg", lambda raw: raw["recipients"][0]["header"].update(alg="dir"), BadEnvelope),
    ("recipient with epk", lambda raw: raw["recipients"][0]["header"].update(epk={}), BadEnvelope),
    ("recipient kid no text", lambda raw: raw["recipients"][0]["header"].update(kid=7), BadEnvelope),
    ("recipient without key", lambda raw: raw["recipients"][0].pop("encrypted_key"), BadEnvelope),
    (
        "recipient of another DID",
        lambda raw: raw["recipients"][0]["header"].update(kid="did:x:y#b"),
        BadEnvelope,
    ),
    ("recipient twice", lambda raw: raw["recipients"].append(raw["recipients"][0]), BadEnvelope),
    ("nine recipients", lambda raw: raw.update(recipients=raw["recipients"] * 5), LimitExceeded),
    ("no iv", lambda raw: raw.pop("iv"), BadEnvelope),
    ("short iv", lambda raw: raw.update(iv="AAAA"), BadEnvelope),
    ("short tag", lambda raw: raw.update(tag=raw["tag"][:-4]), Malformed),
    ("tag not base64url", lambda raw: raw.update(tag=raw["tag"] + "="), Malformed),
    ("no tag", lambda raw: raw.pop("tag"), BadEnvelope),
    ("ciphertext no text", lambda raw: raw.update(ciphertext=7), BadEnvelope),
]


@pytest.mark.parametrize(
    ("change", "error"), [row[1:] for row in MEMBER_RULES], ids=[row[0] for row in MEMBER_RULES]
)
def test_member_rules(change: Callable[[dict[str, Any]], object], error: type[DidcommError]) -> None:
    raw = authcrypt()
    change(raw)
    with pytest.raises(error):
        parse_jwe(raw)


@pytest.mark.parametrize("point", [bytes(32), (1).to_bytes(32, "little")])
def test_an_ephemeral_key_of_low_order_is_refused(point: bytes) -> None:
    jwe = parse_jwe(with_header(lambda header: header["epk"].update(x=b64url_encode(point))))
    with pytest.raises(BadKey):
        open_jwe(jwe, jwe.recipients[0][1], BOB, SENDER.pair.public_key)


@pytest.mark.parametrize("key", ["", "AAAA", b64url_encode(bytes(72)), b64url_encode(bytes(40))])
def test_a_wrong_encrypted_key_is_refused(key: str) -> None:
    jwe = parse_jwe(authcrypt())
    with pytest.raises(DecryptionFailed):
        open_jwe(jwe, key, BOB, SENDER.pair.public_key)
