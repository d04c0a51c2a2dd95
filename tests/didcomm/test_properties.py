"""What holds for every envelope: it comes out as it went in, and not at all with one bit changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pico_didcomm.curves import CURVES
from pico_didcomm.errors import DidcommError
from pico_didcomm.jwe import CONTENT_ENCRYPTIONS
from pico_didcomm.message import Attachment, Message
from pico_didcomm.pack import (
    pack_anoncrypt,
    pack_anoncrypt_authcrypt,
    pack_authcrypt,
    pack_signed,
    pack_signed_anoncrypt,
)
from pico_didcomm.pair import PairChannel
from pico_didcomm.unpack import unpack
from tests.didcomm.helpers import NOW_MS, Pair, Person, people, seeded

AGREEING = [name for name, curve in CURVES.items() if curve.agree]
SIGNING = [name for name, curve in CURVES.items() if curve.sign]
KINDS = ["anoncrypt", "authcrypt", "anoncrypt_authcrypt", "signed_anoncrypt", "signed"]
ANNA = Person("anna")
BERTS = {devices: Person("bert", devices=devices) for devices in (1, 2, 3)}
PAIR = Pair()


def pack(kind: str, message: Message, to: Person, curve: str, enc: str, keys: list[str], seed: int) -> bytes:
    entropy, signers = seeded(seed), [ANNA.key("authentication", name) for name in keys]
    match kind:
        case "anoncrypt":
            return pack_anoncrypt(message, to.document, entropy, enc=enc, curve=curve)
        case "authcrypt":
            return pack_authcrypt(message, ANNA.wallet, to.document, entropy, curve=curve)
        case "anoncrypt_authcrypt":
            return pack_anoncrypt_authcrypt(message, ANNA.wallet, to.document, entropy, enc=enc, curve=curve)
        case "signed_anoncrypt":
            return pack_signed_anoncrypt(message, signers, to.document, entropy, enc=enc, curve=curve)
    return pack_signed(message, signers, flattened=len(signers) == 1)


IDS = st.text("abcXYZ019-._~", min_size=1, max_size=40)
TIMES = st.none() | st.integers(NOW_MS // 1000 + 1, 2**37)
LANGUAGES = st.sampled_from(["de", "pt-BR", "zh-Hant"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    # lone surrogates are not text in any encoding
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc$", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
MESSAGES = st.builds(
    Message,
    id=IDS,
    type=st.sampled_from(["https://didcomm.org/a/1.0/b", "urn:x:connection/1.1/request"]),
    body=st.dictionaries(st.text("abcä", max_size=4), JSON, max_size=4),
    from_=st.just(ANNA.did),
    to=st.just((BERTS[1].did,)) | st.just(("did:example:other", BERTS[1].did)),
    thid=st.none() | IDS,
    pthid=st.none() | IDS,
    created_time=TIMES,
    expires_time=TIMES,
    attachments=st.lists(st.builds(Attachment, st.fixed_dictionaries({"json": JSON})), max_size=2).map(tuple),
    please_ack=st.none() | st.lists(IDS | st.just(""), max_size=3).map(tuple),
    ack=st.none() | st.lists(IDS, max_size=3).map(tuple),
    lang=st.none() | LANGUAGES,
    accept_lang=st.none() | st.lists(LANGUAGES, max_size=2).map(tuple),
    extra=st.dictionaries(st.sampled_from(["trace", "return_route", "sender_order"]), JSON, max_size=2),
)


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    message=MESSAGES,
    devices=st.integers(1, 3),
    curve=st.sampled_from(AGREEING),
    enc=st.sampled_from(list(CONTENT_ENCRYPTIONS)),
    keys=st.lists(st.sampled_from(SIGNING), min_size=1, max_size=3, unique=True),
    seed=st.integers(0, 2**32),
)
def test_what_goes_in_comes_out(
    kind: str, message: Message, devices: int, curve: str, enc: str, keys: list[str], seed: int
) -> None:
    bert = BERTS[devices]
    unpacked = unpack(
        pack(kind, message, bert, curve, enc, keys, seed), bert.wallet, people(ANNA, bert), NOW_MS
    )
    assert unpacked.message == message
    assert unpacked.encrypted == (kind != "signed")
    assert unpacked.sender == (None if kind == "anoncrypt" else ANNA.did)
    assert unpacked.signed == ("signed" in kind)
    assert unpacked.anonymous_sender == ("anoncrypt" in kind)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit >> 3] ^= 1 << (bit & 7)
    return bytes(changed)


SMALL = Message("1", "x/1.0/y", {}, from_=ANNA.did, to=(BERTS[1].did,))


@pytest.mark.parametrize("kind", KINDS)
def test_every_single_bit_counts(kind: str) -> None:
    """All of them, one after the other."""
    data = pack(kind, SMALL, BERTS[1], "X25519", "XC20P", ["Ed25519"], 1)
    resolver = people(ANNA, BERTS[1])
    assert unpack(data, BERTS[1].wallet, resolver, NOW_MS).message == SMALL
    for bit in range(len(data) * 8):
        with pytest.raises(DidcommError):
            unpack(flipped(data, bit), BERTS[1].wallet, resolver, NOW_MS)


def test_every_single_bit_counts_on_a_channel() -> None:
    at_alice, at_bob = PairChannel(PAIR.alice, PAIR.bob.long_did), PairChannel(PAIR.bob, PAIR.alice.long_did)
    data = at_alice.pack({"id": "1", "type": "x/1.0/y"}, PAIR.entropy)
    assert at_bob.unpack(data, NOW_MS).sender == PAIR.alice.did
    for bit in range(len(data) * 8):
        with pytest.raises(DidcommError):
            at_bob.unpack(flipped(data, bit), NOW_MS)


@settings(max_examples=400, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    curve=st.sampled_from(AGREEING),
    enc=st.sampled_from(list(CONTENT_ENCRYPTIONS)),
    keys=st.lists(st.sampled_from(SIGNING), min_size=1, max_size=3, unique=True),
    data=st.data(),
)
def test_a_bit_counts_with_every_algorithm(
    kind: str, curve: str, enc: str, keys: list[str], data: Any
) -> None:
    envelope = pack(kind, SMALL, BERTS[1], curve, enc, keys, 2)
    bit = data.draw(st.integers(0, len(envelope) * 8 - 1))
    with pytest.raises(DidcommError):
        unpack(flipped(envelope, bit), BERTS[1].wallet, people(ANNA, BERTS[1]), NOW_MS)


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(KINDS), cut=st.integers(0, 3000))
def test_a_cut_envelope_is_none(kind: str, cut: int) -> None:
    data = pack(kind, SMALL, BERTS[1], "X25519", "A256GCM", ["Ed25519"], 3)
    with pytest.raises(DidcommError):
        unpack(data[: cut % len(data)], BERTS[1].wallet, people(ANNA, BERTS[1]), NOW_MS)
