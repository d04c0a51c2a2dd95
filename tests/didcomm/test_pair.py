"""The fast way of a pair: the same envelopes and the same refusals as the general one."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pico_didcomm.did.document import DidDocument, parse_document
from pico_didcomm.did.resolver import Resolver
from pico_didcomm.encoding import b64url_decode, b64url_encode, json_bytes, strict_json
from pico_didcomm.errors import (
    BadDid,
    BadEncoding,
    BadJson,
    BadKey,
    DecryptionFailed,
    DidcommError,
    DidError,
    Expired,
    LimitExceeded,
    RecipientMismatch,
    SenderMismatch,
)
from pico_didcomm.identity import ChannelIdentity, make_pico_identity
from pico_didcomm.jwe import make_jwe
from pico_didcomm.jws import make_jws
from pico_didcomm.pack import pack_anoncrypt, pack_authcrypt, pack_signed, pack_signed_anoncrypt
from pico_didcomm.pair import PairChannel
from pico_didcomm.unpack import ENVELOPE_BYTES_MAX, unpack
from tests.didcomm.helpers import NOW_MS, Pair, seeded

PAIR = Pair()
ALICE, BOB, MALLORY = PAIR.alice, PAIR.bob, PAIR.mallory
AT_ALICE = PairChannel(ALICE, BOB.long_did)
AT_BOB = PairChannel(BOB, ALICE.long_did)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often the general way was taken."""
    calls: list[int] = []

    def counted(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        return unpack(*arguments, **options)

    monkeypatch.setattr("pico_didcomm.pair.unpack", counted)
    return calls


def sealed(plaintext: bytes, sender: ChannelIdentity) -> bytes:
    documents = PAIR.document(BOB).agreement_keys()
    return make_jwe(plaintext, documents, PAIR.entropy, "A256CBC-HS512", sender.agreement_key(sender.did))


@pytest.mark.parametrize("form", ["message", "dict", "bytes"])
def test_both_ways_understand_each_other(form: str, slow: list[int]) -> None:
    message = PAIR.message()
    given_: Any = {"message": message, "dict": message.to_dict(), "bytes": message.to_bytes()}[form]
    data = AT_ALICE.pack(given_, PAIR.entropy)
    general = unpack(data, BOB, PAIR.resolver, NOW_MS)
    fast = AT_BOB.unpack(data, NOW_MS)
    assert fast == general
    assert fast.message == message
    assert (fast.sender, fast.authenticated, fast.encrypted) == (ALICE.did, True, True)
    packed = pack_authcrypt(message, ALICE, PAIR.document(BOB), PAIR.entropy)
    assert AT_BOB.unpack(packed, NOW_MS) == fast
    assert slow == []


def test_its_envelopes_are_those_of_the_general_way() -> None:
    one = AT_ALICE.pack(PAIR.message(), seeded("x"))
    two = pack_authcrypt(PAIR.message(), ALICE, PAIR.document(BOB), seeded("x"))
    assert strict_json(one).keys() == strict_json(two).keys()
    assert len(one) == len(two)
    head = b64url_decode(strict_json(one)["protected"]).partition(b'"x":')[0]
    assert b64url_decode(strict_json(two)["protected"]).startswith(head)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=5), st.text(max_size=40), max_size=4), st.integers(0, 10**6))
def test_any_body_comes_through(body: dict[str, str], seed: int) -> None:
    try:
        data = AT_ALICE.pack(PAIR.message(body=body), seeded(seed))
    except BadJson:
        return  # unpaired surrogates
    assert AT_BOB.unpack(data, NOW_MS).message.body == body


def test_addresses_are_filled_in_and_checked() -> None:
    raw = {"id": "1", "type": "https://example.org/a/1.0/b", "body": {}}
    message = AT_BOB.unpack(AT_ALICE.pack(raw, PAIR.entropy), NOW_MS).message
    assert (message.from_, message.to) == (ALICE.did, (BOB.did,))
    assert raw.keys() == {"id", "type", "body"}
    with pytest.raises(SenderMismatch):
        AT_ALICE.pack(PAIR.message(from_=MALLORY.did), PAIR.entropy)
    with pytest.raises(RecipientMismatch):
        AT_ALICE.pack(PAIR.message(to=(MALLORY.did,)), PAIR.entropy)


def test_the_lies_that_unpack_refuses_are_refused() -> None:
    for message, error in (
        (PAIR.message(from_=MALLORY.did), SenderMismatch),
        (PAIR.message(from_=None), SenderMismatch),
        (PAIR.message(to=(MALLORY.did,)), RecipientMismatch),
        (PAIR.message(expires_time=1), Expired),
    ):
        with pytest.raises(error):
            AT_BOB.unpack(AT_ALICE.pack(message.to_bytes(), PAIR.entropy), NOW_MS)
    with pytest.raises(BadJson):
        AT_BOB.unpack(AT_ALICE.pack(b'{"id":"1",' + PAIR.message().to_bytes()[1:], PAIR.entropy), NOW_MS)


def test_only_the_other_side_is_heard() -> None:
    """Mallory's messages are in order, and have no business on this connection."""
    from_mallory = PAIR.message(from_=MALLORY.did)
    document = PAIR.document(BOB)
    for data in (
        pack_authcrypt(PAIR.message(from_=MALLORY.long_did), MALLORY, document, PAIR.entropy),
        pack_signed_anoncrypt(PAIR.message(from_=MALLORY.long_did), MALLORY, document, PAIR.entropy),
        pack_anoncrypt(PAIR.message(), document, PAIR.entropy),
        pack_signed(PAIR.message(), ALICE),
        PAIR.message().to_bytes(),
    ):
        with pytest.raises(SenderMismatch):
            AT_BOB.unpack(data, NOW_MS)
    with pytest.raises(DidError):
        AT_BOB.unpack(pack_authcrypt(from_mallory, MALLORY, document, PAIR.entropy), NOW_MS)


def test_other_forms_of_envelopes_take_the_general_way(slow: list[int]) -> None:
    document, message = PAIR.document(BOB), PAIR.message()
    raw = strict_json(AT_ALICE.pack(message, PAIR.entropy))
    signed = make_jws(message.to_bytes(), ALICE.signing_key(ALICE.did))
    forms = [
        pack_signed_anoncrypt(message, ALICE, document, PAIR.entropy),
        pack_authcrypt(PAIR.message(from_=ALICE.long_did), ALICE, document, PAIR.entropy),
        json_bytes(dict(reversed(raw.items()))),
        b" " + json_bytes(raw),
        sealed(signed, ALICE),
    ]
    for i, data in enumerate(forms, 1):
        unpacked = AT_BOB.unpack(data, NOW_MS)
        assert (unpacked.sender, unpacked.message.body) == (ALICE.did, message.body)
        assert len(slow) == i


def test_every_changed_character_is_refused() -> None:
    data = AT_ALICE.pack(PAIR.message(), PAIR.entropy)
    for i in range(0, len(data), 3):
        for replacement in (b"A", b"_", b'"'):
            if data[i : i + 1] == replacement:
                continue
            with pytest.raises(DidcommError):
                AT_BOB.unpack(data[:i] + replacement + data[i + 1 :], NOW_MS)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1500), st.integers(0, 60), st.binary(max_size=4))
def test_damage_gives_our_errors_only(start: int, count: int, piece: bytes) -> None:
    data = AT_ALICE.pack(PAIR.message(), seeded(1))
    damaged = data[:start] + piece + data[start + count :]
    with suppress(DidcommError):
        assert AT_BOB.unpack(damaged, NOW_MS).message == PAIR.message()


def changed_epk(x: str) -> bytes:
    raw = strict_json(AT_ALICE.pack(PAIR.message(), PAIR.entropy))
    head = b64url_decode(raw["protected"])[:-46]
    raw["protected"] = b64url_encode(head + x.encode() + b'"}}')
    return json_bytes(raw)


def test_the_ephemeral_key_is_checked(slow: list[int]) -> None:
    with pytest.raises(BadKey):
        AT_BOB.unpack(changed_epk("A" * 43), NOW_MS)
    with pytest.raises(BadEncoding):
        AT_BOB.unpack(changed_epk("A" * 42 + "B"), NOW_MS)
    with pytest.raises(BadEncoding):
        AT_BOB.unpack(changed_epk("A" * 40 + '","'), NOW_MS)
    with pytest.raises(DecryptionFailed):
        AT_BOB.unpack(changed_epk("C" + "A" * 42), NOW_MS)
    assert slow == []


def test_a_header_that_only_begins_like_ours_is_read_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alice herself encrypts under a header that is no JSON: its tag is right, its text is not."""
    with monkeypatch.context() as patch:
        patch.setattr("pico_didcomm.pair._HEADER_TAIL", b'"}]')
        data = AT_ALICE.pack(PAIR.message(), PAIR.entropy)
    with pytest.raises(BadJson):
        AT_BOB.unpack(data, NOW_MS)


def test_nothing_fresh_is_used_twice() -> None:
    entropy = seeded("fresh")
    envelopes = [strict_json(AT_ALICE.pack(PAIR.message(), entropy)) for _ in range(30)]
    for member in ("protected", "iv", "ciphertext", "tag"):
        assert len({envelope[member] for envelope in envelopes}) == 30
    keys = {envelope["recipients"][0]["encrypted_key"] for envelope in envelopes}
    assert len(keys) == 30


def test_size_is_checked_first() -> None:
    with pytest.raises(LimitExceeded):
        AT_BOB.unpack(b"{" * (ENVELOPE_BYTES_MAX + 1), NOW_MS)


def test_it_is_not_fooled_about_whose_document_it_has() -> None:
    stolen = f"{BOB.did}:{MALLORY.long_did.rpartition(':')[2]}"
    with pytest.raises(BadDid):
        PairChannel(ALICE, stolen)


def test_other_methods_and_documents() -> None:
    pico = make_pico_identity(seeded("pico"))
    channel = PairChannel(BOB, Resolver().resolve(pico.did))
    message = PAIR.message(from_=pico.did)
    packed = pack_authcrypt(message, pico, PAIR.document(BOB), PAIR.entropy)
    assert channel.unpack(packed, NOW_MS).sender == pico.did
    back = channel.pack(PAIR.message(from_=BOB.did, to=(pico.did,)), PAIR.entropy)
    assert unpack(back, pico, PAIR.resolver, NOW_MS).sender == BOB.did


@pytest.mark.parametrize("count", [0, 2])
def test_it_needs_exactly_one_key_on_the_other_side(count: int) -> None:
    keys = [{"id": f"#{i}", "publicKeyMultibase": key} for i, key in enumerate(_multibases()[:count])]
    document: DidDocument = parse_document("did:example:x", {"keyAgreement": keys})
    with pytest.raises(DidError):
        PairChannel(ALICE, document)


def _multibases() -> list[str]:
    return [identity.agreement_key(identity.did).pair.public_key.multibase() for identity in (BOB, MALLORY)]
