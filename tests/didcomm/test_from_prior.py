"""Change of DID: what a from_prior proves, and everything that it does not."""

from __future__ import annotations

from typing import Any

import pytest

from pico_didcomm.encoding import b64url_decode, b64url_encode, json_bytes, strict_json
from pico_didcomm.errors import (
    BadDid,
    BadEncoding,
    BadEnvelope,
    BadJson,
    BadRotation,
    BadSignature,
    DidcommError,
    SenderMismatch,
    UnsupportedAlgorithm,
)
from pico_didcomm.from_prior import Rotation, make_from_prior, read_from_prior
from pico_didcomm.jwe import make_jwe
from pico_didcomm.jws import make_compact, make_jws
from pico_didcomm.keys import NamedKey, key_pair_from_jwk
from pico_didcomm.pack import (
    pack_anoncrypt,
    pack_anoncrypt_authcrypt,
    pack_authcrypt,
    pack_signed,
    pack_signed_anoncrypt,
)
from pico_didcomm.pair import PairChannel
from pico_didcomm.unpack import Unpacked, unpack
from tests.didcomm.helpers import NOW_MS, CountingResolver, Pair, vectors

PAIR = Pair()
ALICE, BOB, MALLORY = PAIR.alice, PAIR.bob, PAIR.mallory
OLD = Pair("old").alice  # the DID by which Bob knows Alice
PAIR.resolver.learn(OLD.long_did)
OLD_KEY = OLD.signing_key(OLD.did)
RUST = vectors("didcomm_from_prior")


def jwt(key: NamedKey = OLD_KEY, typ: str = "JWT", drop: str = "", **changes: Any) -> str:
    claims = {"iss": OLD.did, "sub": ALICE.did, "iat": 1_600_000_000} | changes
    claims.pop(drop, None)
    return make_compact(json_bytes(claims), key, typ)


def sealed(plaintext: bytes, sender: Any = ALICE) -> bytes:
    key = None if sender is None else sender.agreement_key(sender.did)
    return make_jwe(plaintext, PAIR.document(BOB).agreement_keys(), PAIR.entropy, "A256CBC-HS512", key)


def open_as_bob(data: bytes) -> Unpacked:
    return unpack(data, BOB, PAIR.resolver, NOW_MS)


def opened(text: str, sender: Any = ALICE, **changes: Any) -> Unpacked:
    return open_as_bob(sealed(PAIR.message(from_prior=text, **changes).to_bytes(), sender))


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("pack", [pack_authcrypt, pack_anoncrypt_authcrypt, pack_signed_anoncrypt, None])
def test_a_change_of_did(pack: Any, long: bool) -> None:
    did = OLD.long_did if long else OLD.did
    message = PAIR.message(from_prior=make_from_prior(OLD.signing_key(did), ALICE.did, 1_600_000_000))
    if pack is None:
        data = pack_anoncrypt(message, PAIR.document(BOB), PAIR.entropy)
    else:
        data = pack(message, ALICE, PAIR.document(BOB), PAIR.entropy)
    unpacked = open_as_bob(data)
    assert unpacked.rotation == Rotation(OLD.did, ALICE.did, 1_600_000_000, f"{OLD.did}#key-1", did)
    assert unpacked.message == message
    assert unpacked.sender == (None if pack is None else ALICE.did)


def test_a_channel_between_two_sees_it_too() -> None:
    at_alice, at_bob = PairChannel(ALICE, BOB.long_did), PairChannel(BOB, ALICE.long_did)
    text = make_from_prior(OLD.signing_key(OLD.long_did), ALICE.did, 1)
    unpacked = at_bob.unpack(at_alice.pack(PAIR.message(from_prior=text), PAIR.entropy), NOW_MS)
    assert unpacked.rotation is not None
    assert unpacked.rotation.prior == OLD.did
    for text in (jwt(sub=MALLORY.did), jwt(key=MALLORY.signing_key(MALLORY.did))):
        with pytest.raises(BadRotation):
            at_bob.unpack(at_alice.pack(PAIR.message(from_prior=text), PAIR.entropy), NOW_MS)


def test_the_end_of_a_relationship() -> None:
    text = make_from_prior(OLD_KEY, None, 7)
    message = PAIR.message(from_=None, from_prior=text)
    unpacked = open_as_bob(pack_anoncrypt(message, PAIR.document(BOB), PAIR.entropy))
    assert unpacked.rotation == Rotation(OLD.did, None, 7, f"{OLD.did}#key-1", OLD.did)
    assert unpacked.sender is None
    # the safer way, which the specification neither allows nor forbids: encrypted by the prior DID
    unpacked = open_as_bob(sealed(message.to_bytes(), OLD))
    assert (unpacked.sender, unpacked.rotation.new) == (OLD.did, None)


def test_an_end_is_not_encrypted_by_somebody_else() -> None:
    text = make_from_prior(OLD_KEY, None, 7)
    for sender in (ALICE, MALLORY):
        with pytest.raises(SenderMismatch):
            opened(text, sender, from_=None)
    with pytest.raises(BadRotation):  # it names a from
        opened(text, None)
    with pytest.raises(BadRotation):
        opened(text)
    with pytest.raises(SenderMismatch):  # no from, and not an end
        opened(jwt(), from_=None)
    with pytest.raises(BadRotation):
        opened(jwt(), None, from_=None)


def test_outside_encryption_it_is_refused() -> None:
    message = PAIR.message(from_prior=jwt())
    for data in (message.to_bytes(), make_jws(message.to_bytes(), ALICE.signing_key(ALICE.did))):
        with pytest.raises(BadRotation, match="not encrypted"):
            open_as_bob(data)
    with pytest.raises(BadRotation):
        pack_signed(message, ALICE)


WRONG: list[tuple[str, str, type[DidcommError]]] = [
    ("for another from", jwt(sub=MALLORY.did), BadRotation),
    ("for a DID URL", jwt(sub=f"{ALICE.did}#key-1"), BadRotation),
    ("sub no DID", jwt(sub="alice"), BadRotation),
    ("sub null", jwt(sub=None), BadRotation),
    ("iss no DID", jwt(iss="alice"), BadRotation),
    ("no iss", jwt(drop="iss"), BadRotation),
    ("to itself", jwt(iss=ALICE.did, key=ALICE.signing_key(ALICE.did)), BadRotation),
    ("to its long form", jwt(iss=ALICE.long_did, key=ALICE.signing_key(ALICE.did)), BadRotation),
    ("no iat", jwt(drop="iat"), BadRotation),
    ("iat text", jwt(iat="1"), BadRotation),
    ("iat a fraction", jwt(iat=1.5), BadRotation),
    ("iat true", jwt(iat=True), BadRotation),
    ("expired", jwt(exp=NOW_MS // 1000), BadRotation),
    ("exp text", jwt(exp="1"), BadRotation),
    ("not yet", jwt(nbf=NOW_MS // 1000 + 1), BadRotation),
    ("for another audience", jwt(aud=MALLORY.did), BadRotation),
    ("audience a number", jwt(aud=[7]), BadRotation),
    ("signed by another", jwt(key=MALLORY.signing_key(MALLORY.did)), BadRotation),
    ("signed by the new DID", jwt(key=ALICE.signing_key(ALICE.did)), BadRotation),
    ("key of another", jwt(key=NamedKey(OLD_KEY.kid, MALLORY.signing_key(MALLORY.did).pair)), BadSignature),
    ("key to agree", jwt(key=NamedKey(f"{OLD.did}#key-2", OLD_KEY.pair)), BadDid),
    ("key unknown", jwt(key=NamedKey(f"{OLD.did}#key-9", OLD_KEY.pair)), BadDid),
    ("a signed message", jwt(typ="application/didcomm-signed+json"), BadEnvelope),
    ("two parts", jwt().rpartition(".")[0], BadEnvelope),
    ("four parts", jwt() + ".AAAA", BadEnvelope),
    ("not base64url", jwt() + "=", DidcommError),
    ("nothing", ".", BadEnvelope),
]


@pytest.mark.parametrize(("text", "error"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_proves_nothing(text: str, error: type[DidcommError]) -> None:
    opened(jwt())
    with pytest.raises(error):
        opened(text)


def header_changed(**changes: Any) -> str:
    protected, payload, signature = jwt().split(".")
    header = strict_json(b64url_decode(protected)) | changes
    return ".".join((b64url_encode(json_bytes(header)), payload, signature))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"alg": "none"}, UnsupportedAlgorithm),
        ({"alg": "ES256"}, BadSignature),
        ({"crit": ["exp"]}, UnsupportedAlgorithm),
        ({"b64": False}, UnsupportedAlgorithm),
        ({"kid": 7}, BadEnvelope),
        ({"kid": OLD.did}, BadDid),
        ({"typ": "JOSE"}, BadEnvelope),
        ({"new": "header"}, BadSignature),
    ],
    ids=str,
)
def test_wrong_headers(changes: dict[str, Any], error: type[DidcommError]) -> None:
    with pytest.raises(error):
        opened(header_changed(**changes))


def test_members_twice_are_refused() -> None:
    text = make_compact(b'{"iss":"%s","iat":1,"iss":"did:example:x"}' % OLD.did.encode(), OLD_KEY, "JWT")
    with pytest.raises(BadJson):
        opened(text)


def test_times_and_audience_that_fit() -> None:
    text = jwt(exp=NOW_MS // 1000 + 1, nbf=NOW_MS // 1000, aud=["x", BOB.long_did])
    assert opened(text).rotation is not None
    assert opened(jwt(aud=BOB.did)).rotation is not None


def test_every_changed_character_is_noticed() -> None:
    text = jwt()
    for i in range(0, len(text), 3):
        changed = text[:i] + ("B" if text[i] != "B" else "C") + text[i + 1 :]
        with pytest.raises(DidcommError):
            opened(changed)


def test_nobody_is_looked_up_for_a_claim_that_cannot_be_true() -> None:
    counting = CountingResolver(PAIR.resolver)
    message = PAIR.message(from_prior=jwt(sub=MALLORY.did))
    with pytest.raises(BadRotation):
        unpack(sealed(message.to_bytes(), None), BOB, counting, NOW_MS)
    assert counting.asked == []


def test_senders_cannot_pack_lies() -> None:
    document = PAIR.document(BOB)
    for pack in (pack_authcrypt, pack_signed_anoncrypt, pack_anoncrypt_authcrypt):
        with pytest.raises(BadRotation):
            pack(PAIR.message(from_prior=jwt(sub=MALLORY.did)), ALICE, document, PAIR.entropy)
        with pytest.raises(BadRotation):
            pack(PAIR.message(from_prior=make_from_prior(OLD_KEY, None, 1)), ALICE, document, PAIR.entropy)
    with pytest.raises(BadRotation):
        pack_anoncrypt(PAIR.message(from_=None, from_prior=jwt()), document, PAIR.entropy)
    for new in (OLD.did, OLD.long_did, "nobody"):
        with pytest.raises(BadRotation):
            make_from_prior(OLD_KEY, new, 1)


def test_a_published_jwt() -> None:
    """Its times and audience are made up; its signature holds."""
    key = key_pair_from_jwk(RUST["charlie_key"]).public_key
    claim = read_from_prior(RUST["FROM_PRIOR_JWT_FULL"])
    assert (claim.iss, claim.sub, claim.iat) == ("did:example:charlie", "did:example:alice", 123456)
    assert claim.kid == "did:example:charlie#key-1"
    claim.jws.signatures[0].check(key, claim.jws.payload)
    with pytest.raises(BadRotation):
        claim.check_times(NOW_MS)
    with pytest.raises(BadEncoding):  # differs in bits that a lax reader of base64url does not see
        read_from_prior(RUST["FROM_PRIOR_JWT_INVALID_SIGNATURE"])
