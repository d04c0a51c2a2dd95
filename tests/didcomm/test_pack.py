"""Packing: senders are kept from emitting what readers must refuse."""

from __future__ import annotations

import pytest

from pico_didcomm.did.document import parse_document
from pico_didcomm.encoding import strict_json
from pico_didcomm.errors import (
    BadMessage,
    DidError,
    LimitExceeded,
    RecipientMismatch,
    SenderMismatch,
    UnsupportedAlgorithm,
)
from pico_didcomm.keys import key_pair
from pico_didcomm.pack import pack_anoncrypt, pack_authcrypt, pack_signed, pack_signed_anoncrypt
from pico_didcomm.unpack import unpack
from tests.didcomm.helpers import NOW_MS, Pair, Wallet

PAIR = Pair()
ALICE, BOB, MALLORY = PAIR.alice, PAIR.bob, PAIR.mallory


def test_senders_cannot_pack_lies() -> None:
    document = PAIR.document(BOB)
    with pytest.raises(SenderMismatch):
        pack_authcrypt(PAIR.message(), MALLORY, document, PAIR.entropy)
    with pytest.raises(SenderMismatch):
        pack_signed(PAIR.message(), MALLORY)
    with pytest.raises(BadMessage):
        pack_signed(PAIR.message(from_=None), ALICE)
    for pack in (pack_authcrypt, pack_signed_anoncrypt):
        with pytest.raises(RecipientMismatch):
            pack(PAIR.message(to=(MALLORY.did,)), ALICE, document, PAIR.entropy)
    with pytest.raises(RecipientMismatch):
        pack_anoncrypt(PAIR.message(to=(MALLORY.did,)), document, PAIR.entropy)
    with pytest.raises(BadMessage):
        pack_signed_anoncrypt(PAIR.message(to=()), ALICE, document, PAIR.entropy)
    with pytest.raises(UnsupportedAlgorithm):
        pack_anoncrypt(PAIR.message(), document, PAIR.entropy, enc="A128GCM")


def test_a_document_without_keys_cannot_be_written_to() -> None:
    with pytest.raises(DidError):
        pack_anoncrypt(PAIR.message(to=()), parse_document("did:example:x", {}), PAIR.entropy)


def test_every_key_of_a_recipient_gets_a_row() -> None:
    """Several devices of one DID: each reads with its own key."""
    pairs = [key_pair("X25519", bytes([i]) * 32) for i in range(3)]
    did = "did:example:devices"
    methods = [
        {"id": f"#{i}", "publicKeyMultibase": pair.public_key.multibase()} for i, pair in enumerate(pairs)
    ]
    document = parse_document(did, {"verificationMethod": methods, "keyAgreement": ["#0", "#1", "#2"]})
    data = pack_authcrypt(PAIR.message(to=(did,)), ALICE, document, PAIR.entropy)
    for i, pair in enumerate(pairs):
        assert unpack(data, Wallet({f"{did}#{i}": pair}), PAIR.resolver, NOW_MS).recipient_kid == f"{did}#{i}"


def test_recipients_have_a_limit() -> None:
    documents = [PAIR.document(BOB)] * 9
    with pytest.raises(LimitExceeded):
        pack_anoncrypt(PAIR.message(), documents, PAIR.entropy)
    with pytest.raises(LimitExceeded):
        pack_anoncrypt(PAIR.message(to=()), [], PAIR.entropy)


def test_the_same_entropy_packs_the_same_envelope() -> None:
    one, two = Pair(1), Pair(1)
    packed = [pack_authcrypt(p.message(), p.alice, p.document(p.bob), p.entropy) for p in (one, two)]
    assert packed[0] == packed[1]
    again = pack_authcrypt(one.message(), one.alice, one.document(one.bob), one.entropy)
    for member in ("protected", "iv", "ciphertext", "tag"):
        assert strict_json(again)[member] != strict_json(packed[0])[member]
