"""Packing: senders are kept from emitting what readers must refuse."""

from __future__ import annotations

import pytest

from pico_didcomm.curves import CURVES
from pico_didcomm.did.document import parse_document
from pico_didcomm.encoding import strict_json
from pico_didcomm.errors import (
    BadDid,
    BadMessage,
    DidError,
    LimitExceeded,
    RecipientMismatch,
    SenderMismatch,
    UnsupportedAlgorithm,
)
from pico_didcomm.jwe import CONTENT_ENCRYPTIONS, make_jwe
from pico_didcomm.keys import key_pair
from pico_didcomm.message import Message
from pico_didcomm.pack import (
    pack_anoncrypt,
    pack_anoncrypt_authcrypt,
    pack_authcrypt,
    pack_signed,
    pack_signed_anoncrypt,
)
from pico_didcomm.unpack import recipients_of, unpack
from tests.didcomm.helpers import NOW_MS, Pair, Person, Wallet, people

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
    crowd = Person("crowd", ["X25519"], devices=9)
    with pytest.raises(LimitExceeded):
        pack_anoncrypt(PAIR.message(to=()), crowd.document, PAIR.entropy)


# -- every curve, every combination ---------------------------------------------------------------

AGREEING = [name for name, curve in CURVES.items() if curve.agree]
SIGNING = [name for name, curve in CURVES.items() if curve.sign]
ENCS = list(CONTENT_ENCRYPTIONS)
PEOPLE = {
    curve: (Person(f"a-{curve}", [curve]), Person(f"b-{curve}", [curve], devices=2)) for curve in CURVES
}
FULL = (Person("anna"), Person("bert", devices=2))


def message(a: Person, b: Person) -> Message:
    return PAIR.message(from_=a.did, to=(b.did,))


@pytest.mark.parametrize("curve", AGREEING)
@pytest.mark.parametrize("enc", ENCS)
def test_anoncrypt_on_every_curve(curve: str, enc: str) -> None:
    a, b = PEOPLE[curve]
    data = pack_anoncrypt(message(a, b), b.document, PAIR.entropy, enc=enc)
    for i in range(2):
        wallet = Wallet({(kid := f"{b.did}#keyAgreement-{curve}-{i}"): b.keys[kid].pair})
        unpacked = unpack(data, wallet, people(a, b), NOW_MS)
        assert (unpacked.message, unpacked.recipient_kid, unpacked.sender) == (message(a, b), kid, None)


@pytest.mark.parametrize("curve", AGREEING)
@pytest.mark.parametrize("enc", [None, *ENCS])
def test_authcrypt_on_every_curve_and_inside_anoncrypt(curve: str, enc: str | None) -> None:
    a, b = PEOPLE[curve]
    if enc is None:
        data = pack_authcrypt(message(a, b), a.wallet, b.document, PAIR.entropy)
    else:
        data = pack_anoncrypt_authcrypt(message(a, b), a.wallet, b.document, PAIR.entropy, enc=enc)
    unpacked = unpack(data, b.wallet, people(a, b), NOW_MS)
    assert (unpacked.message, unpacked.sender) == (message(a, b), a.did)
    assert (unpacked.authenticated, unpacked.signed, unpacked.anonymous_sender) == (
        True,
        False,
        enc is not None,
    )


@pytest.mark.parametrize("algorithm", SIGNING)
@pytest.mark.parametrize("curve", [None, *AGREEING])
@pytest.mark.parametrize("flattened", [False, True])
def test_signed_by_every_algorithm_and_inside_anoncrypt(
    algorithm: str, curve: str | None, flattened: bool
) -> None:
    a, b = FULL
    key = a.key("authentication", algorithm)
    if curve is None:
        data = pack_signed(message(a, b), [key], flattened=flattened)
    else:
        data = pack_signed_anoncrypt(message(a, b), [key], b.document, PAIR.entropy, curve=curve)
    unpacked = unpack(data, b.wallet, people(a, b), NOW_MS)
    assert (unpacked.message, unpacked.sender, unpacked.signed_by) == (message(a, b), a.did, key.kid)
    assert unpacked.signed
    if curve is not None:
        assert unpacked.recipient_kid == f"{b.did}#keyAgreement-{curve}-0"


def test_several_keys_sign() -> None:
    a, b = FULL
    keys = [a.key("authentication", curve) for curve in SIGNING]
    data = pack_signed(message(a, b), keys)
    assert unpack(data, b.wallet, people(a, b), NOW_MS).signed_by == keys[0].kid
    with pytest.raises(SenderMismatch):
        pack_signed(message(a, b), [*keys, b.key("authentication", "Ed25519")])


def test_a_key_that_the_document_does_not_list_for_this_is_refused() -> None:
    """On P-256 the same bytes could sign and agree; the document says what each key is for."""
    a, b = FULL
    key = a.key("keyAgreement", "P-256")
    with pytest.raises(BadDid, match="authentication"):
        unpack(pack_signed(message(a, b), [key]), b.wallet, people(a, b), NOW_MS)
    signing = a.key("authentication", "P-256")
    recipients = [(kid, k) for kid, k in b.document.agreement_keys() if k.curve == "P-256"]
    data = make_jwe(message(a, b).to_bytes(), recipients, PAIR.entropy, "A256CBC-HS512", signing)
    with pytest.raises(BadDid, match="keyAgreement"):
        unpack(data, b.wallet, people(a, b), NOW_MS)


def test_the_curve_is_one_that_both_sides_have() -> None:
    a, b = Person("x", ["P-384", "X25519"]), Person("y", ["P-256", "X25519", "P-384"])

    def curve_of(data: bytes) -> str:
        return recipients_of(data)[0].split("#keyAgreement-")[1].removesuffix("-0")

    def auth(sender: Person, to: Person, curve: str | None = None) -> str:
        return curve_of(
            pack_authcrypt(message(sender, to), sender.wallet, to.document, PAIR.entropy, curve=curve)
        )

    assert auth(a, b) == "P-384"
    assert auth(b, a) == "X25519"
    assert auth(a, b, "X25519") == "X25519"
    assert curve_of(pack_anoncrypt(message(a, b), b.document, PAIR.entropy)) == "P-256"
    assert curve_of(pack_anoncrypt(message(a, b), b.document, PAIR.entropy, curve="P-384")) == "P-384"
    for sender, to, curve in (
        (a, PEOPLE["P-256"][1], None),
        (a, b, "P-256"),
        (a, b, "P-521"),
        (a, b, "nonsense"),
    ):
        with pytest.raises(DidError):
            auth(sender, to, curve)
    for curve in ("P-521", "Ed25519", "nonsense"):
        with pytest.raises(DidError):
            pack_anoncrypt(message(a, b), b.document, PAIR.entropy, curve=curve)


def test_keys_of_curves_that_do_not_agree_are_passed_over() -> None:
    person = Person("z", ["secp256k1", "X25519"])
    raw = person.raw | {"keyAgreement": list(person.keys)}
    document = parse_document(person.did, raw)
    data = pack_anoncrypt(PAIR.message(to=()), document, PAIR.entropy)
    assert recipients_of(data) == [f"{person.did}#keyAgreement-X25519-0"]


def test_the_same_entropy_packs_the_same_envelope() -> None:
    one, two = Pair(1), Pair(1)
    packed = [pack_authcrypt(p.message(), p.alice, p.document(p.bob), p.entropy) for p in (one, two)]
    assert packed[0] == packed[1]
    again = pack_authcrypt(one.message(), one.alice, one.document(one.bob), one.entropy)
    for member in ("protected", "iv", "ciphertext", "tag"):
        assert strict_json(again)[member] != strict_json(packed[0])[member]
