"""The rules of DIDComm v2.1, each broken by a sender who does everything else right, and refused by name.

Every envelope here is made with good keys and correct cryptography: what is wrong is only what the rule is
about. The second table holds what must be accepted, so that strictness does not become deafness.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pico_didcomm.encoding import b64url_decode, b64url_encode, json_bytes
from pico_didcomm.errors import (
    BadDid,
    BadEncoding,
    BadEnvelope,
    BadJson,
    BadKey,
    BadMessage,
    BadRotation,
    BadSignature,
    DecryptionFailed,
    DidcommError,
    Expired,
    LimitExceeded,
    NoKeyForRecipient,
    RecipientMismatch,
    SenderMismatch,
    UnsupportedAlgorithm,
    UnsupportedDid,
)
from pico_didcomm.from_prior import make_from_prior
from pico_didcomm.jwe import ANONCRYPT, AUTHCRYPT, CONTENT_ENCRYPTIONS, apv_of, derive_kek, kdf_info, wrap_key
from pico_didcomm.keys import KeyPair, NamedKey, PublicKey, agree, generate_key_pair, sign
from pico_didcomm.unpack import ENVELOPE_BYTES_MAX, Unpacked, unpack
from tests.didcomm.helpers import NOW_MS, Person, people, seeded

Change = Callable[[dict[str, Any]], object]
ALICE, BOB, MALLORY = Person("alice"), Person("bob", devices=2), Person("mallory")
RESOLVER = people(ALICE, BOB, MALLORY)
KEY = ALICE.key("authentication", "Ed25519")
LOW_ORDER = (1).to_bytes(32, "little")
ENTROPY = seeded("strictness")


def plain(**changes: Any) -> bytes:
    members = {
        "id": "1",
        "type": "https://example.org/a/1.0/b",
        "from": ALICE.did,
        "to": [BOB.did],
        "body": {},
    }
    members |= {name.rstrip("_"): value for name, value in changes.items()}
    return json_bytes({name: value for name, value in members.items() if value is not ...})


def nothing(_raw: dict[str, Any]) -> None:
    pass


def sealed(
    plaintext: bytes,
    *,
    header: Change = nothing,
    envelope: Change = nothing,
    sender: NamedKey | None = None,
    curve: str = "X25519",
    enc: str = "A256CBC-HS512",
    devices: int = 1,
    epk: PublicKey | None = None,
) -> bytes:
    """An envelope for Bob whose header is changed first, and then encrypted and bound as if it were right."""
    kids = [f"{BOB.did}#keyAgreement-{curve}-{i}" for i in range(devices)]
    ephemeral = generate_key_pair(curve, ENTROPY)
    raw: dict[str, Any] = {"typ": "application/didcomm-encrypted+json", "alg": ANONCRYPT, "enc": enc}
    if sender is not None:
        raw |= {"alg": AUTHCRYPT, "skid": sender.kid, "apu": b64url_encode(sender.kid.encode())}
    raw |= {"apv": b64url_encode(apv_of(kids)), "epk": (epk or ephemeral.public_key).jwk()}
    header(raw)
    protected = b64url_encode(json_bytes(raw))
    how = CONTENT_ENCRYPTIONS[enc]
    cek, iv = ENTROPY(how.key_bytes), ENTROPY(how.iv_bytes)
    ciphertext, tag = how.encrypt(cek, iv, plaintext, protected.encode())
    rows = []
    for kid in kids:
        public = BOB.keys[kid].pair.public_key
        shared = agree(ephemeral, public) + (b"" if sender is None else agree(sender.pair, public))
        info = kdf_info(str(raw.get("alg")), as_bytes(raw.get("apu")), as_bytes(raw.get("apv")))
        key = wrap_key(derive_kek(shared, info, b"" if sender is None else tag), cek)
        rows.append({"header": {"kid": kid}, "encrypted_key": b64url_encode(key)})
    made: dict[str, Any] = {"protected": protected, "recipients": rows, "iv": b64url_encode(iv)}
    made |= {"ciphertext": b64url_encode(ciphertext), "tag": b64url_encode(tag)}
    envelope(made)
    return json_bytes(made)


def as_bytes(text: object) -> bytes:
    try:
        return b64url_decode(text) if isinstance(text, str) else b""
    except DidcommError:
        return b""


def auth(plaintext: bytes | None = None, **options: Any) -> bytes:
    sender = options.pop("sender", ALICE.key("keyAgreement", options.get("curve", "X25519")))
    return sealed(plain() if plaintext is None else plaintext, sender=sender, **options)


def signed(
    payload: bytes | None = None, *, key: NamedKey = KEY, header: Change = nothing, envelope: Change = nothing
) -> bytes:
    """A signed message whose header is changed before it is signed."""
    algorithm = {"Ed25519": "EdDSA", "P-256": "ES256", "secp256k1": "ES256K"}[key.pair.curve]
    raw = {"typ": "application/didcomm-signed+json", "alg": algorithm, "kid": key.kid}
    header(raw)
    protected, text = b64url_encode(json_bytes(raw)), b64url_encode(plain() if payload is None else payload)
    signature = b64url_encode(sign(key.pair, f"{protected}.{text}".encode()))
    made = {"payload": text, "signatures": [{"protected": protected, "signature": signature}]}
    envelope(made)
    return json_bytes(made)


def twice(data: bytes, member: bytes) -> bytes:
    return b'{"' + member + b'":"x",' + data[1:]


def put(**members: Any) -> Change:
    return lambda raw: raw.update(members)


def drop(name: str) -> Change:
    return lambda raw: raw.pop(name)


def deep(path: str, value: Any) -> Change:
    """Sets `recipients.0.header.kid` and the like."""

    def change(raw: Any) -> None:
        *way, last = path.split(".")
        for step in way:
            raw = raw[int(step)] if step.isdigit() else raw[step]
        raw[last] = value

    return change


def named(kid: str, pair: KeyPair) -> NamedKey:
    return NamedKey(kid, pair)


def b64(text: str) -> str:
    return b64url_encode(text.encode())


OTHER = MALLORY.key("keyAgreement", "X25519")
MINE = ALICE.key("keyAgreement", "X25519")
P256 = ALICE.key("authentication", "P-256")
PRIOR = make_from_prior(MALLORY.key("authentication", "Ed25519"), ALICE.did, 1)
JSON = "application/json"

# section of the specification: what is broken; the envelope; how it is refused
REFUSED: list[tuple[str, bytes, type[DidcommError]]] = [
    # -- Message Layer Addressing Consistency
    ("addressing: from is not the DID of skid", auth(sender=OTHER), SenderMismatch),
    ("addressing: no from in an authcrypt", auth(plain(from_=...)), SenderMismatch),
    ("addressing: from is not the DID of skid, hidden", sealed(auth(sender=OTHER)), SenderMismatch),
    ("addressing: to is somebody else, anoncrypt", sealed(plain(to=[MALLORY.did])), RecipientMismatch),
    ("addressing: to is somebody else, authcrypt", auth(plain(to=[MALLORY.did])), RecipientMismatch),
    ("addressing: to is somebody else, signed", sealed(signed(plain(to=["did:a:b"]))), RecipientMismatch),
    ("addressing: to is empty, signed and encrypted", sealed(signed(plain(to=[]))), RecipientMismatch),
    ("addressing: from is not the signer", signed(plain(from_=MALLORY.did)), SenderMismatch),
    ("addressing: no from in a signed message", signed(plain(from_=...)), SenderMismatch),
    ("addressing: signer and encrypter differ", auth(signed(), sender=OTHER), SenderMismatch),
    (
        "addressing: signer and encrypter differ, from is the encrypter",
        auth(signed(plain(from_=MALLORY.did)), sender=OTHER),
        SenderMismatch,
    ),
    # -- IANA Media Types: combinations
    ("layers: signed(signed)", signed(signed()), BadEnvelope),
    ("layers: signed(encrypted)", signed(auth()), BadEnvelope),
    ("layers: anoncrypt(anoncrypt)", sealed(sealed(plain())), BadEnvelope),
    ("layers: authcrypt(authcrypt)", auth(auth()), BadEnvelope),
    ("layers: authcrypt(anoncrypt)", auth(sealed(plain())), BadEnvelope),
    ("layers: anoncrypt(authcrypt(signed))", sealed(auth(signed())), BadEnvelope),
    # -- IANA Media Types: typ
    ("typ: plaintext", auth(plain(typ=JSON)), BadMessage),
    ("typ: plaintext calls itself encrypted", auth(plain(typ="didcomm-encrypted+json")), BadMessage),
    ("typ: envelope", auth(header=put(typ=JSON)), BadEnvelope),
    ("typ: envelope calls itself signed", auth(header=put(typ="didcomm-signed+json")), BadEnvelope),
    ("typ: signature", signed(header=put(typ="JWT")), BadEnvelope),
    # -- Message Headers
    ("headers: no id", auth(plain(id=...)), BadMessage),
    ("headers: an id with reserved characters", auth(plain(id="a/b")), BadMessage),
    ("headers: a thid with reserved characters", auth(plain(thid="a b")), BadMessage),
    ("headers: a pthid that is no text", auth(plain(pthid=1)), BadMessage),
    ("headers: no type", auth(plain(type=...)), BadMessage),
    ("headers: a type that is no message type URI", auth(plain(type="hello")), BadMessage),
    ("headers: to is no list", auth(plain(to=BOB.did)), BadMessage),
    ("headers: to with a fragment", auth(plain(to=[BOB.did + "#1"])), BadMessage),
    ("headers: from is no DID", auth(plain(from_="alice")), BadMessage),
    ("headers: from with a fragment", auth(plain(from_=MINE.kid)), BadMessage),
    ("headers: body is no object", auth(plain(body=[])), BadMessage),
    ("headers: created_time is no integer", auth(plain(created_time="1")), BadMessage),
    ("headers: expires_time is no integer", auth(plain(expires_time=1.5)), BadMessage),
    ("headers: expired", auth(plain(expires_time=NOW_MS // 1000)), Expired),
    ("headers: attachments is no list", auth(plain(attachments={})), BadMessage),
    # -- Attachments
    ("attachments: no data", auth(plain(attachments=[{"id": "1"}])), BadMessage),
    ("attachments: empty data", auth(plain(attachments=[{"data": {}}])), BadMessage),
    ("attachments: links without hash", auth(plain(attachments=[{"data": {"links": ["x"]}}])), BadMessage),
    (
        "attachments: reserved characters",
        auth(plain(attachments=[{"id": "#", "data": {"json": 1}}])),
        BadMessage,
    ),
    # -- Message Encryption
    ("encryption: alg", auth(header=put(alg="ECDH-ES")), UnsupportedAlgorithm),
    ("encryption: alg dir", auth(header=put(alg="dir")), UnsupportedAlgorithm),
    ("encryption: A256GCM in an authcrypt", auth(enc="A256GCM"), UnsupportedAlgorithm),
    ("encryption: XC20P in an authcrypt", auth(enc="XC20P"), UnsupportedAlgorithm),
    ("encryption: enc", sealed(plain(), header=put(enc="A128GCM")), UnsupportedAlgorithm),
    ("encryption: unknown crit", auth(header=put(crit=["exp"], exp=1)), UnsupportedAlgorithm),
    ("encryption: zip", auth(header=put(zip="DEF")), UnsupportedAlgorithm),
    ("encryption: no apu", auth(header=drop("apu")), BadEnvelope),
    ("encryption: apu is not skid", auth(header=put(apu=b64(OTHER.kid))), BadEnvelope),
    ("encryption: apu padded", auth(header=put(apu=b64(MINE.kid) + "=")), BadEncoding),
    ("encryption: no apv", auth(header=drop("apv")), BadEnvelope),
    ("encryption: apv of other recipients", auth(header=put(apv=b64url_encode(apv_of(["x"])))), BadEnvelope),
    ("encryption: apv not hashed", auth(header=put(apv=b64("x"))), BadEnvelope),
    ("encryption: an anoncrypt with skid", sealed(plain(), header=put(skid=MINE.kid)), BadEnvelope),
    ("encryption: no epk", auth(header=drop("epk")), BadEnvelope),
    ("encryption: a private epk", auth(header=deep("epk.d", b64url_encode(bytes(32)))), BadEnvelope),
    ("encryption: epk of another curve", auth(epk=P256.pair.public_key), BadKey),
    ("encryption: epk of low order", auth(epk=PublicKey("X25519", LOW_ORDER)), BadKey),
    ("encryption: epk zero", auth(epk=PublicKey("X25519", bytes(32))), BadKey),
    (
        "encryption: epk off its curve",
        auth(curve="P-256", header=deep("epk.y", b64url_encode(bytes(32)))),
        BadKey,
    ),
    ("encryption: epk of an unknown curve", auth(header=deep("epk.crv", "X448")), UnsupportedDid),
    ("encryption: epk beside the recipient", auth(envelope=deep("recipients.0.header.epk", {})), BadEnvelope),
    (
        "encryption: alg beside the recipient",
        auth(envelope=deep("recipients.0.header.alg", "dir")),
        BadEnvelope,
    ),
    ("encryption: an unprotected header", auth(envelope=put(unprotected={})), BadEnvelope),
    ("encryption: the flattened form", auth(envelope=put(encrypted_key="AA", header={})), BadEnvelope),
    ("encryption: aad", auth(envelope=put(aad="AA")), BadEnvelope),
    ("encryption: no recipients", auth(envelope=put(recipients=[])), BadEnvelope),
    ("encryption: no tag", auth(envelope=drop("tag")), BadEnvelope),
    ("encryption: an empty tag", auth(envelope=put(tag="")), BadEnvelope),
    ("encryption: a short iv", auth(envelope=put(iv="AAAA")), BadEnvelope),
    (
        "encryption: keys of several DIDs",
        auth(devices=2, envelope=deep("recipients.1.header.kid", OTHER.kid)),
        BadEnvelope,
    ),
    (
        "encryption: for a key that is not ours",
        auth(envelope=deep("recipients.0.header.kid", f"{BOB.did}#x")),
        BadEnvelope,
    ),
    ("encryption: a key that does not agree", auth(sender=named(KEY.kid, MINE.pair)), BadDid),
    (
        "encryption: a key that is not in the document",
        auth(sender=named(f"{ALICE.did}#x", MINE.pair)),
        BadDid,
    ),
    ("encryption: another key under this kid", auth(sender=named(MINE.kid, OTHER.pair)), DecryptionFailed),
    (
        "encryption: a sender of an unknown method",
        auth(sender=named("did:nope:x#y", MINE.pair)),
        UnsupportedDid,
    ),
    ("encryption: a sender without fragment", auth(sender=named(ALICE.did, MINE.pair)), BadDid),
    # -- Message Signing
    ("signing: alg none", signed(header=put(alg="none")), UnsupportedAlgorithm),
    ("signing: alg HS256", signed(header=put(alg="HS256")), UnsupportedAlgorithm),
    ("signing: alg of another curve", signed(header=put(alg="ES256")), BadSignature),
    ("signing: alg ES256K with a P-256 key", signed(key=P256, header=put(alg="ES256K")), BadSignature),
    ("signing: no kid", signed(header=drop("kid")), BadEnvelope),
    ("signing: two kids", signed(envelope=deep("signatures.0.header", {"kid": OTHER.kid})), BadEnvelope),
    ("signing: a kid without fragment", signed(header=put(kid=ALICE.did)), BadDid),
    ("signing: a key that does not authenticate", signed(key=named(MINE.kid, KEY.pair)), BadDid),
    (
        "signing: another key under this kid",
        signed(key=named(KEY.kid, generate_key_pair("Ed25519", ENTROPY))),
        BadSignature,
    ),
    ("signing: unknown crit", signed(header=put(crit=["x"], x=1)), UnsupportedAlgorithm),
    ("signing: b64 false", signed(header=put(b64=False, crit=["b64"])), UnsupportedAlgorithm),
    (
        "signing: alg in the open header",
        signed(envelope=deep("signatures.0.header", {"alg": "EdDSA"})),
        BadEnvelope,
    ),
    ("signing: both forms", signed(envelope=put(signature="AA")), BadEnvelope),
    ("signing: no signatures", signed(envelope=put(signatures=[])), BadEnvelope),
    # -- DID Rotation
    ("rotation: not encrypted", plain(from_prior=PRIOR), BadRotation),
    ("rotation: only signed", signed(plain(from_prior=PRIOR)), BadRotation),
    ("rotation: sub is not from", sealed(plain(from_=BOB.did, from_prior=PRIOR)), BadRotation),
    ("rotation: no JWT", auth(plain(from_prior="x")), BadEnvelope),
    # -- JSON, base64url and sizes
    ("json: a member twice outside", twice(auth(), b"tag"), BadJson),
    ("json: a member twice inside", auth(twice(plain(), b"from")), BadJson),
    ("json: too deep", auth(plain(body={"a": eval("[" * 70 + "]" * 70)})), BadJson),
    ("json: an array", b"[" + auth() + b"]", BadJson),
    ("json: something after it", auth() + b"{}", BadJson),
    ("base64url: padded", auth(envelope=put(tag=b64url_encode(bytes(32)) + "=")), BadEncoding),
    ("base64url: stray bits", auth(envelope=put(tag="A" * 42 + "B")), BadEncoding),
    ("base64url: the other alphabet", auth(envelope=put(tag="+" + "A" * 42)), BadEncoding),
    ("base64url: white space", auth(envelope=put(tag="A" * 42 + "\n")), BadEncoding),
    ("sizes: too large", plain(body={"a": "x" * ENVELOPE_BYTES_MAX}), LimitExceeded),
    (
        "sizes: too many recipients",
        auth(envelope=lambda raw: raw.update(recipients=raw["recipients"] * 9)),
        LimitExceeded,
    ),
    (
        "sizes: too many signatures",
        signed(envelope=lambda raw: raw.update(signatures=raw["signatures"] * 9)),
        LimitExceeded,
    ),
]


def open_(data: bytes) -> Unpacked:
    return unpack(data, BOB.wallet, RESOLVER, NOW_MS)


@pytest.mark.parametrize(("data", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(data: bytes, error: type[DidcommError]) -> None:
    with pytest.raises(DidcommError) as raised:
        open_(data)
    assert type(raised.value) is error, raised.value


def test_not_ours() -> None:
    with pytest.raises(NoKeyForRecipient):
        unpack(auth(), ALICE.wallet, RESOLVER, NOW_MS)


ACCEPTED: list[tuple[str, bytes]] = [
    ("plaintext", plain()),
    ("authcrypt", auth()),
    ("anoncrypt", sealed(plain())),
    ("signed", signed()),
    ("anoncrypt(signed)", sealed(signed())),
    ("anoncrypt(authcrypt)", sealed(auth())),
    ("authcrypt(signed): may be accepted", auth(signed())),
    ("anoncrypt without from", sealed(plain(from_=...))),
    ("without to", auth(plain(to=...))),
    ("without body: v2.1", auth(plain(body=...))),
    ("headers that nobody knows", auth(plain(x_y={"z": 1}))),
    (
        "typ without application/",
        auth(plain(typ="didcomm-plain+json"), header=put(typ="didcomm-encrypted+json")),
    ),
    ("no typ", auth(header=drop("typ"))),
    ("skid left out: apu names the sender", auth(header=drop("skid"))),
    ("a null apu in an anoncrypt", sealed(plain(), header=put(apu=None))),
    ("members beside those of a JWE", auth(envelope=put(more=1))),
    ("recipients in any order", auth(devices=2, envelope=lambda raw: raw["recipients"].reverse())),
    (
        "a kid in the open header",
        signed(header=drop("kid"), envelope=deep("signatures.0.header", {"kid": KEY.kid})),
    ),
    ("the typ of the specification's example", signed(header=put(typ="JWM"))),
    ("an id longer than 32 characters", auth(plain(id="0f5a8c7e-5d1c-4f0e-9d0f-2f6a0d1c7b11"))),
    ("an unexpired message", auth(plain(expires_time=NOW_MS // 1000 + 1))),
    ("white space", auth(b" " + plain().replace(b'":', b'" :\n') + b" ")),
    ("a change of DID", auth(plain(from_prior=PRIOR))),
    *((f"authcrypt on {curve}", auth(curve=curve)) for curve in ("P-256", "P-384", "P-521")),
]


@pytest.mark.parametrize("data", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_accepted(data: bytes) -> None:
    assert open_(data).message.type == "https://example.org/a/1.0/b"


def test_there_are_enough_rules() -> None:
    assert len(REFUSED) >= 100
    assert len({name for name, *_ in REFUSED}) == len(REFUSED)
