"""Opening envelopes: published ones, every legal combination, and every lie an envelope can tell."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pico_didcomm.did.resolver import Resolver
from pico_didcomm.encoding import b64url_encode, json_bytes, strict_json
from pico_didcomm.errors import (
    BadDid,
    BadEnvelope,
    BadJson,
    BadMessage,
    BadSignature,
    DidcommError,
    Expired,
    LimitExceeded,
    NoKeyForRecipient,
    RecipientMismatch,
    SenderMismatch,
    UnknownDid,
)
from pico_didcomm.identity import ChannelIdentity, make_pico_identity
from pico_didcomm.jwe import make_jwe, open_jwe, parse_jwe
from pico_didcomm.jws import make_jws, parse_jws
from pico_didcomm.keys import key_pair_from_jwk
from pico_didcomm.message import Message
from pico_didcomm.pack import (
    pack_anoncrypt,
    pack_anoncrypt_authcrypt,
    pack_authcrypt,
    pack_signed,
    pack_signed_anoncrypt,
)
from pico_didcomm.unpack import ENVELOPE_BYTES_MAX, LAYERS, Unpacked, recipients_of, unpack
from tests.didcomm.helpers import (
    NOW_MS,
    VECTOR_NOW_MS,
    CountingResolver,
    Pair,
    example_resolver,
    seeded,
    vectors,
    wallet_of_jwks,
)

APPENDIX = vectors("didcomm_v2_spec_appendix")
DID_O = vectors("pico_did_o")
NEGATIVE = [
    row
    for row in vectors("didcomm_python_negative")["negative"]
    if "CRYPT" in row["set"] or "SIGNED" in row["set"]
]
PAIR = Pair()
ALICE, BOB, MALLORY = PAIR.alice, PAIR.bob, PAIR.mallory


def open_as_bob(data: bytes, now_ms: int = NOW_MS, **options: Any) -> Unpacked:
    return unpack(data, BOB, PAIR.resolver, now_ms, **options)


def sealed(plaintext: bytes, sender: ChannelIdentity | None = None, enc: str = "A256CBC-HS512") -> bytes:
    """Any bytes in an envelope for Bob: what somebody who follows no rules can send."""
    key = None if sender is None else sender.agreement_key(sender.did)
    return make_jwe(plaintext, PAIR.document(BOB).agreement_keys(), PAIR.entropy, enc, key)


def jws(message: Message, signer: ChannelIdentity) -> bytes:
    return make_jws(message.to_bytes(), signer.signing_key(signer.did))


# -- published envelopes --------------------------------------------------------------------------


def spec_unpack(data: Any) -> Unpacked:
    wallet = wallet_of_jwks({jwk["kid"]: jwk for jwk in APPENDIX["secrets"]["bob"]})
    documents = {f"did:example:{name}": document for name, document in APPENDIX["did_docs"].items()}
    return unpack(json_bytes(data), wallet, example_resolver(documents), VECTOR_NOW_MS)


@pytest.mark.parametrize(("index", "kid"), [(0, "key-1"), (1, "key-2"), (2, "key-3")])
def test_specification_signed(index: int, kid: str) -> None:
    """EdDSA, ES256, ES256K."""
    unpacked = spec_unpack(APPENDIX["signed"][index]["msg"])
    assert unpacked.sender == "did:example:alice"
    assert unpacked.signed_by == f"did:example:alice#{kid}"
    assert (unpacked.encrypted, unpacked.authenticated, unpacked.signed) == (False, True, True)
    assert strict_json(unpacked.jws) == APPENDIX["signed"][index]["msg"]


def test_specification_anoncrypt() -> None:
    unpacked = spec_unpack(APPENDIX["encrypted"][0]["msg"])
    assert unpacked.message.body == {"messagespecificattribute": "and its value"}
    assert (unpacked.sender, unpacked.encrypted, unpacked.authenticated) == (None, True, False)
    assert unpacked.anonymous_sender


def test_specification_authcrypt() -> None:
    unpacked = spec_unpack(APPENDIX["encrypted"][3]["msg"])
    assert unpacked.sender == "did:example:alice"
    assert unpacked.sender_kid == "did:example:alice#key-x25519-1"
    assert unpacked.recipient_kid == "did:example:bob#key-x25519-1"
    assert (unpacked.authenticated, unpacked.signed, unpacked.anonymous_sender) == (True, False, False)


@pytest.mark.parametrize("index", [1, 2])
def test_specification_anoncrypt_on_other_curves(index: int) -> None:
    """P-384 with A256CBC-HS512, P-521 with A256GCM."""
    unpacked = spec_unpack(APPENDIX["encrypted"][index]["msg"])
    assert unpacked.message.body == {"messagespecificattribute": "and its value"}
    assert (unpacked.sender, unpacked.encrypted, unpacked.anonymous_sender) == (None, True, True)


def test_specification_signed_inside_authcrypt() -> None:
    """On P-256, whatever its caption says. Read, never written."""
    unpacked = spec_unpack(APPENDIX["encrypted"][4]["msg"])
    assert unpacked.sender_kid == "did:example:alice#key-p256-1"
    assert (unpacked.sender, unpacked.authenticated, unpacked.signed) == ("did:example:alice", True, True)


def test_specification_example_of_what_it_forbids() -> None:
    """Its last one is anoncrypt(authcrypt(signed)): each layer opens, together they may not."""
    data = json_bytes(APPENDIX["encrypted"][5]["msg"])
    with pytest.raises(BadEnvelope, match="signed inside hidden authcrypt"):
        spec_unpack(APPENDIX["encrypted"][5]["msg"])
    keys = {jwk["kid"]: key_pair_from_jwk(jwk) for who in APPENDIX["secrets"].values() for jwk in who}
    for curve in ("P-521", "P-521"):
        jwe = parse_jwe(strict_json(data))
        assert jwe.epk.curve == curve
        sender = None if jwe.sender_kid is None else keys[jwe.sender_kid].public_key
        texts = {open_jwe(jwe, key, keys[kid], sender) for kid, key in jwe.recipients}
        (data,) = texts
    jws = parse_jws(strict_json(data))
    jws.signatures[0].check(keys["did:example:alice#key-1"].public_key, jws.payload)
    assert Message.from_bytes(jws.payload_bytes).from_ == "did:example:alice"


@pytest.mark.parametrize("index", range(3))
def test_the_existing_pico_engines_messages(index: int) -> None:
    """authcrypt(signed) between legacy did:peer:2, kids by key text: accepted, never emitted."""
    sent = DID_O["messages"][index]
    secrets = {
        secret["id"]: secret["privateKeyJwk"] for who in ("alice", "bob") for secret in DID_O[who]["secrets"]
    }
    unpacked = unpack(json_bytes(sent["packed"]), wallet_of_jwks(secrets), Resolver(), NOW_MS)
    assert unpacked.message.body == sent["plaintext"]["body"]
    assert unpacked.sender == sent["plaintext"]["from"]
    assert (unpacked.encrypted, unpacked.authenticated, unpacked.signed) == (True, True, True)


@pytest.mark.parametrize("row", NEGATIVE, ids=lambda row: f"{row['set'][8:15]}{row['i']}")
def test_published_broken_envelopes_are_refused(row: dict[str, str]) -> None:
    source = vectors("didcomm_python_negative")
    wallet = wallet_of_jwks(
        {
            kid: secret["value"]
            for kid, secret in source["secrets"].items()
            if isinstance(secret["value"], dict)
        }
    )
    documents = {document["id"]: document for document in source["did_docs"].values()}
    with pytest.raises(DidcommError):
        unpack(row["raw"].encode(), wallet, example_resolver(documents), VECTOR_NOW_MS)


# -- combinations ---------------------------------------------------------------------------------


def test_plaintext_proves_nothing() -> None:
    unpacked = open_as_bob(PAIR.message().to_bytes())
    assert unpacked == Unpacked(PAIR.message())
    assert (unpacked.sender, unpacked.authenticated, unpacked.encrypted) == (None, False, False)


def test_signed() -> None:
    data = pack_signed(PAIR.message(), ALICE)
    unpacked = open_as_bob(data)
    assert (unpacked.sender, unpacked.signed_by) == (ALICE.did, f"{ALICE.did}#key-1")
    assert (unpacked.encrypted, unpacked.signed, unpacked.anonymous_sender) == (False, True, False)
    assert unpacked.jws == data


@pytest.mark.parametrize("enc", ["XC20P", "A256GCM", "A256CBC-HS512"])
def test_anoncrypt(enc: str) -> None:
    unpacked = open_as_bob(pack_anoncrypt(PAIR.message(), PAIR.document(BOB), PAIR.entropy, enc=enc))
    assert unpacked.message == PAIR.message()
    assert (unpacked.sender, unpacked.authenticated, unpacked.anonymous_sender) == (None, False, True)
    assert unpacked.recipient_kid == f"{BOB.did}#key-2"


def test_authcrypt() -> None:
    unpacked = open_as_bob(pack_authcrypt(PAIR.message(), ALICE, PAIR.document(BOB), PAIR.entropy))
    assert (unpacked.sender, unpacked.sender_kid) == (ALICE.did, f"{ALICE.did}#key-2")
    assert (unpacked.authenticated, unpacked.signed, unpacked.anonymous_sender) == (True, False, False)
    assert unpacked.jws is None


def test_signed_inside_anoncrypt() -> None:
    unpacked = open_as_bob(pack_signed_anoncrypt(PAIR.message(), ALICE, PAIR.document(BOB), PAIR.entropy))
    assert (unpacked.sender, unpacked.signed_by) == (ALICE.did, f"{ALICE.did}#key-1")
    assert (unpacked.encrypted, unpacked.signed, unpacked.anonymous_sender) == (True, True, True)
    # the record stands on its own
    assert unpack(unpacked.jws, MALLORY, PAIR.resolver, NOW_MS).sender == ALICE.did


def test_authcrypt_inside_anoncrypt() -> None:
    data = pack_anoncrypt_authcrypt(PAIR.message(), ALICE, PAIR.document(BOB), PAIR.entropy)
    unpacked = open_as_bob(data)
    assert (unpacked.sender, unpacked.authenticated, unpacked.anonymous_sender) == (ALICE.did, True, True)
    assert ALICE.did.encode() not in data


def test_signed_inside_authcrypt_is_read() -> None:
    unpacked = open_as_bob(sealed(jws(PAIR.message(), ALICE), ALICE))
    assert (unpacked.sender, unpacked.signed, unpacked.anonymous_sender) == (ALICE.did, True, False)


def illegal() -> dict[str, bytes]:
    message = PAIR.message()
    signed = jws(message, ALICE)
    return {
        "signed(signed)": make_jws(signed, ALICE.signing_key(ALICE.did)),
        "signed(anoncrypt)": make_jws(sealed(message.to_bytes()), ALICE.signing_key(ALICE.did)),
        "anoncrypt(anoncrypt)": sealed(sealed(message.to_bytes())),
        "authcrypt(anoncrypt)": sealed(sealed(message.to_bytes()), ALICE),
        "authcrypt(authcrypt)": sealed(sealed(message.to_bytes(), ALICE), ALICE),
        "anoncrypt(authcrypt(signed))": sealed(sealed(signed, ALICE)),
        "anoncrypt(signed(signed))": sealed(make_jws(signed, ALICE.signing_key(ALICE.did))),
    }


@pytest.mark.parametrize("name", illegal())
def test_other_combinations_are_refused(name: str) -> None:
    with pytest.raises(BadEnvelope, match="not a legal combination"):
        open_as_bob(illegal()[name])


def test_the_table_of_layers_ends() -> None:
    for row in LAYERS.values():
        assert all(state == "plain" or state in LAYERS for state in row.values())


def test_several_recipients() -> None:
    """The message names both; each has an envelope of their own."""
    message = PAIR.message(to=(BOB.did, MALLORY.did))
    for identity, other in ((BOB, MALLORY), (MALLORY, BOB)):
        data = pack_authcrypt(message, ALICE, PAIR.document(identity), PAIR.entropy)
        unpacked = unpack(data, identity, PAIR.resolver, NOW_MS)
        assert (unpacked.sender, unpacked.recipient_kid) == (ALICE.did, f"{identity.did}#key-2")
        assert unpacked.message == message
        assert recipients_of(data) == [f"{identity.did}#key-2"]
        with pytest.raises(NoKeyForRecipient):
            unpack(data, other, PAIR.resolver, NOW_MS)


@pytest.mark.parametrize("pack", [pack_signed_anoncrypt, pack_authcrypt, pack_anoncrypt_authcrypt])
def test_the_first_message_brings_its_senders_document(pack: Any) -> None:
    data = pack(PAIR.message(from_=ALICE.long_did), ALICE, PAIR.document(BOB), PAIR.entropy)
    unpacked = unpack(data, BOB, Resolver(), NOW_MS)
    assert unpacked.sender == ALICE.did
    assert unpacked.message.from_ == ALICE.long_did
    with pytest.raises(UnknownDid):
        unpack(pack(PAIR.message(), ALICE, PAIR.document(BOB), PAIR.entropy), BOB, Resolver(), NOW_MS)


def test_a_did_key_talks_too() -> None:
    pico = make_pico_identity(seeded("pico"))
    message = PAIR.message(from_=pico.did)
    data = pack_authcrypt(message, pico, PAIR.document(BOB), PAIR.entropy)
    assert open_as_bob(data).sender == pico.did
    back = PAIR.message(from_=BOB.did, to=(pico.did,))
    data = pack_signed_anoncrypt(back, BOB, PAIR.resolver.resolve(pico.did), PAIR.entropy)
    assert unpack(data, pico, PAIR.resolver, NOW_MS).sender == BOB.did


# -- lies -----------------------------------------------------------------------------------------


def test_from_must_be_whose_key_encrypted() -> None:
    with pytest.raises(SenderMismatch):
        open_as_bob(sealed(PAIR.message().to_bytes(), MALLORY))
    with pytest.raises(SenderMismatch):
        open_as_bob(sealed(PAIR.message(from_=None).to_bytes(), MALLORY))
    with pytest.raises(SenderMismatch):
        open_as_bob(sealed(sealed(PAIR.message().to_bytes(), MALLORY)))


def test_from_must_be_who_signed() -> None:
    for data in (jws(PAIR.message(), MALLORY), jws(PAIR.message(from_=None), MALLORY)):
        for envelope in (data, sealed(data), sealed(data, ALICE)):
            with pytest.raises(SenderMismatch):
                open_as_bob(envelope)


def test_signer_and_encrypter_must_be_one() -> None:
    """Mallory wraps what Alice signed for Bob as if the conversation were hers, or the other way round."""
    with pytest.raises(SenderMismatch):
        open_as_bob(sealed(jws(PAIR.message(), ALICE), MALLORY))
    with pytest.raises(SenderMismatch):
        open_as_bob(sealed(jws(PAIR.message(from_=MALLORY.did), MALLORY), ALICE))


def test_every_signature_must_be_the_senders() -> None:
    raw = strict_json(jws(PAIR.message(), ALICE))
    raw["signatures"] += strict_json(jws(PAIR.message(), MALLORY))["signatures"]
    with pytest.raises(SenderMismatch):
        open_as_bob(json_bytes(raw))


def test_every_signature_must_hold() -> None:
    raw = strict_json(jws(PAIR.message(), ALICE))
    raw["signatures"].append({**raw["signatures"][0], "signature": b64url_encode(bytes(64))})
    with pytest.raises(BadSignature):
        open_as_bob(json_bytes(raw))
    raw["signatures"].pop()
    raw["payload"] = b64url_encode(PAIR.message(body={"text": "changed"}).to_bytes())
    with pytest.raises(BadSignature):
        open_as_bob(json_bytes(raw))


def test_a_foreign_kid_is_never_looked_up() -> None:
    """The open header is not signed: whoever could make us resolve its kid could send us anywhere."""
    counting = CountingResolver(PAIR.resolver)
    raw = strict_json(jws(PAIR.message(), ALICE))
    raw["signatures"].append({**raw["signatures"][0], "header": {"kid": "did:web:attacker.example#k"}})
    raw["signatures"][1]["protected"] = b64url_encode(json_bytes({"alg": "EdDSA"}))
    with pytest.raises(SenderMismatch):
        unpack(json_bytes(raw), BOB, counting, NOW_MS)
    assert counting.asked == []


def test_an_envelope_for_others_looks_nobody_up() -> None:
    counting = CountingResolver(PAIR.resolver)
    with pytest.raises(NoKeyForRecipient):
        unpack(sealed(PAIR.message().to_bytes(), ALICE), MALLORY, counting, NOW_MS)
    assert counting.asked == []


def test_to_must_name_the_recipient() -> None:
    other = PAIR.message(to=(MALLORY.did,))
    for data in (
        sealed(other.to_bytes()),
        sealed(other.to_bytes(), ALICE),
        sealed(jws(other, ALICE)),
        sealed(sealed(other.to_bytes(), ALICE)),
    ):
        with pytest.raises(RecipientMismatch):
            open_as_bob(data)


def test_what_alice_signed_for_everybody_cannot_be_sealed_for_bob() -> None:
    with pytest.raises(RecipientMismatch):
        open_as_bob(sealed(jws(PAIR.message(to=()), ALICE)))
    # without a signature the key agreement itself says whom it is for
    assert open_as_bob(sealed(PAIR.message(to=()).to_bytes(), ALICE)).sender == ALICE.did


def test_long_forms_count_as_their_short_forms() -> None:
    message = PAIR.message(to=(BOB.long_did,))
    assert open_as_bob(sealed(message.to_bytes(), ALICE)).sender == ALICE.did


def test_a_from_or_to_with_a_path_names_its_did() -> None:
    message = PAIR.message(from_=f"{ALICE.did}/a?b=c", to=(f"{BOB.did}?service=x",))
    assert open_as_bob(sealed(message.to_bytes(), ALICE)).sender == ALICE.did
    with pytest.raises(SenderMismatch):
        open_as_bob(sealed(message.to_bytes(), MALLORY))
    for bad in (f"{ALICE.did}#key-2", f"{ALICE.did}%", f"{ALICE.did} ", ""):
        raw = PAIR.message().to_dict() | {"from": bad}
        with pytest.raises(BadMessage):
            open_as_bob(sealed(json_bytes(raw), ALICE))


def test_a_stolen_hash_does_not_make_a_sender() -> None:
    """The short form of Alice in front of Mallory's document."""
    forged = f"{ALICE.did}:{MALLORY.long_did.rpartition(':')[2]}"
    message = PAIR.message(from_=forged)
    key = MALLORY.signing_key(MALLORY.did)
    signed = make_jws(message.to_bytes(), type(key)(f"{forged}#key-1", key.pair))
    for data in (signed, sealed(signed)):
        with pytest.raises(BadDid):
            open_as_bob(data)
    agreement = MALLORY.agreement_key(MALLORY.did)
    named = type(agreement)(f"{forged}#key-2", agreement.pair)
    data = make_jwe(
        message.to_bytes(), PAIR.document(BOB).agreement_keys(), PAIR.entropy, "A256CBC-HS512", named
    )
    with pytest.raises(BadDid):
        open_as_bob(data)


def test_keys_serve_only_their_purpose() -> None:
    """A signature under the agreement key's id is none."""
    key = ALICE.signing_key(ALICE.did)
    signed = make_jws(PAIR.message().to_bytes(), type(key)(f"{ALICE.did}#key-2", key.pair))
    with pytest.raises(BadDid):
        open_as_bob(signed)


def test_expired_messages_are_refused() -> None:
    data = pack_authcrypt(PAIR.message(expires_time=1000), ALICE, PAIR.document(BOB), PAIR.entropy)
    assert open_as_bob(data, now_ms=999_999).message.expires_time == 1000
    with pytest.raises(Expired):
        open_as_bob(data, now_ms=1_000_000)
    with pytest.raises(Expired):
        open_as_bob(PAIR.message(expires_time=1000).to_bytes(), now_ms=1_000_001)


def test_the_media_type_must_be_that_of_the_message() -> None:
    """A transport that says "encrypted" of plaintext would have it treated as if it were."""
    document = PAIR.document(BOB)
    forms = {
        "plain": PAIR.message().to_bytes(),
        "signed": pack_signed(PAIR.message(), ALICE),
        "encrypted": pack_authcrypt(PAIR.message(), ALICE, document, PAIR.entropy),
    }
    for form, data in forms.items():
        for said in forms:
            for media_type in (f"application/didcomm-{said}+json", f"didcomm-{said}+json; charset=utf-8"):
                if said == form:
                    assert open_as_bob(data, media_type=media_type).message == PAIR.message()
                else:
                    with pytest.raises(BadEnvelope):
                        open_as_bob(data, media_type=media_type)
    with pytest.raises(BadEnvelope):
        open_as_bob(forms["encrypted"], media_type="application/json")
    hidden = pack_signed_anoncrypt(PAIR.message(), ALICE, document, PAIR.entropy)
    assert open_as_bob(hidden, media_type="application/didcomm-encrypted+json").signed


# -- form -----------------------------------------------------------------------------------------


def test_size_is_checked_before_anything_is_parsed() -> None:
    with pytest.raises(LimitExceeded):
        open_as_bob(b"{" * (ENVELOPE_BYTES_MAX + 1))
    with pytest.raises(LimitExceeded):
        recipients_of(b"{" * (ENVELOPE_BYTES_MAX + 1))
    data = PAIR.message().to_bytes()
    with pytest.raises(LimitExceeded):
        open_as_bob(data, envelope_bytes_max=len(data) - 1)
    open_as_bob(data, envelope_bytes_max=len(data))


@pytest.mark.parametrize("inside", [False, True], ids=["outside", "inside"])
def test_members_that_stand_twice_are_refused(inside: bool) -> None:
    text = PAIR.message().to_bytes()
    doubled = b'{"from":"' + MALLORY.did.encode() + b'",' + text[1:]
    data = sealed(doubled, ALICE) if inside else doubled
    with pytest.raises(BadJson):
        open_as_bob(data)
    envelope = sealed(text, ALICE)
    with pytest.raises(BadJson):
        open_as_bob(b'{"tag":"AAAA",' + envelope[1:])


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"null", b"7", b'"x"', b"{}", b'{"ciphertext":7}', b'{"payload":7}']
)
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(DidcommError):
        open_as_bob(data)


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b"7", b'{"ciphertext":"","recipients":[7]}', b'{"ciphertext":""}']
)
def test_recipients_of_broken_envelopes(data: bytes) -> None:
    with pytest.raises(DidcommError):
        recipients_of(data)


def test_only_encrypted_messages_have_recipients() -> None:
    assert recipients_of(PAIR.message().to_bytes()) == []
    assert recipients_of(pack_signed(PAIR.message(), ALICE)) == []


def test_recipients_are_canonical() -> None:
    document = PAIR.resolver.resolve(BOB.long_did)
    data = pack_anoncrypt(PAIR.message(), document, PAIR.entropy)
    assert recipients_of(data) == [f"{BOB.did}#key-2"]
    assert open_as_bob(data).recipient_kid == f"{BOB.did}#key-2"


SAMPLES = [
    PAIR.message().to_bytes(),
    pack_signed(PAIR.message(), ALICE),
    pack_authcrypt(PAIR.message(), ALICE, PAIR.document(BOB), PAIR.entropy),
    pack_signed_anoncrypt(PAIR.message(), ALICE, PAIR.document(BOB), PAIR.entropy),
]
PIECES = [b"", b"null", b"[]", b"{}", b"7", b'""', b"\xff", b"A", b"=", b'"crit":[],', b"1e999", b"\\u0000"]


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(SAMPLES),
    st.integers(0, 2000),
    st.integers(0, 40),
    st.sampled_from(PIECES) | st.binary(max_size=3),
)
def test_damaged_envelopes_give_our_errors_only(sample: bytes, start: int, count: int, piece: bytes) -> None:
    data = sample[:start] + piece + sample[start + count :]
    with suppress(DidcommError):
        unpacked = open_as_bob(data)
        if sample is not SAMPLES[0]:  # whatever came through is what Alice wrote
            assert unpacked.message == PAIR.message()
    with suppress(DidcommError):
        recipients_of(data)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.sampled_from(["", "AA", "EdDSA", "did:key:z6Mk#a", "e30"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["kid", "header", "encrypted_key", "protected", "alg"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)
ENVELOPE_MEMBERS = [
    "protected",
    "recipients",
    "iv",
    "ciphertext",
    "tag",
    "payload",
    "signatures",
    "signature",
]


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(st.sampled_from([*ENVELOPE_MEMBERS, "id", "type", "body"]), JSON))
def test_envelopes_of_any_shape_give_our_errors_only(raw: dict[str, Any]) -> None:
    with suppress(DidcommError):
        unpack(json_bytes(raw), BOB, PAIR.resolver, NOW_MS)


HEADER = st.dictionaries(
    st.sampled_from(["alg", "enc", "apu", "apv", "skid", "epk", "typ", "crit"]),
    st.sampled_from(["ECDH-1PU+A256KW", "ECDH-ES+A256KW", "XC20P", "A256CBC-HS512", "QQ", "", 7, None])
    | st.dictionaries(st.sampled_from(["kty", "crv", "x"]), st.sampled_from(["OKP", "X25519", "AA", 7])),
)


@settings(max_examples=300, deadline=None)
@given(HEADER)
def test_headers_of_any_shape_give_our_errors_only(header: dict[str, Any]) -> None:
    raw = strict_json(SAMPLES[2]) | {"protected": b64url_encode(json_bytes(header))}
    with pytest.raises(DidcommError):
        open_as_bob(json_bytes(raw))
