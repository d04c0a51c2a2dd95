"""Both directions against other implementations: SICPA's Python and Rust (didcomm-node), and joserfc."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pico_didcomm.curves import CURVES
from pico_didcomm.encoding import b64url_decode, b64url_encode, json_bytes, strict_json
from pico_didcomm.errors import DidcommError
from pico_didcomm.from_prior import make_from_prior
from pico_didcomm.jwe import ANONCRYPT, AUTHCRYPT, CONTENT_ENCRYPTIONS, apv_of, make_jwe
from pico_didcomm.jws import ALGORITHMS, make_jws, parse_jws
from pico_didcomm.keys import KeyPair
from pico_didcomm.message import Attachment, Message
from pico_didcomm.pack import (
    pack_anoncrypt,
    pack_anoncrypt_authcrypt,
    pack_authcrypt,
    pack_signed,
    pack_signed_anoncrypt,
)
from pico_didcomm.unpack import Unpacked, unpack
from tests.didcomm.helpers import NOW_MS, Person, people, seeded
from tests.didcomm.oracles.oracle import Oracle, OracleError, missing

ENCS = list(CONTENT_ENCRYPTIONS)
ALL = [name for name, curve in CURVES.items() if curve.agree]
CURVES_OF = {"sicpa": ALL, "didcomm-node": ["X25519", "P-256"], "joserfc": ALL}
SIGNING = list(ALGORITHMS.values())
KINDS = ["anoncrypt", "authcrypt", "anoncrypt_authcrypt", "signed_anoncrypt", "signed"]
LIBRARIES = ["sicpa", "didcomm-node"]
ANNA, BERT = Person("anna"), Person("bert", devices=2)
OLD = Person("older", ["Ed25519", "X25519"])
RESOLVER = people(ANNA, BERT, OLD)


@pytest.fixture(scope="module")
def oracles() -> Iterator[dict[str, Oracle]]:
    """The libraries that are there, each started once, by name."""
    running: dict[str, Oracle] = {}
    yield running
    for oracle in running.values():
        oracle.close()


@pytest.fixture
def ask(oracles: dict[str, Oracle], request: pytest.FixtureRequest) -> Oracle:
    """The oracle that the test's parameter `library` names."""
    name = request.getfixturevalue("library")
    reason = missing(name)
    if reason is not None:
        pytest.skip(reason)
    if name not in oracles:
        oracles[name] = Oracle(name)
        if name != "joserfc":
            world(oracles[name])
    return oracles[name]


def jwk(pair: KeyPair) -> dict[str, str]:
    return pair.public_key.jwk() | {"d": b64url_encode(pair.private)}


def world(oracle: Oracle, only: tuple[str, ...] = tuple(CURVES)) -> None:
    """Gives a library everybody's documents and secrets, for the curves that it may use."""
    documents = []
    for person in (ANNA, BERT, OLD):
        documents.append(
            person.raw
            | {
                purpose: [kid for kid in person.raw[purpose] if person.keys[kid].pair.curve in only]
                for purpose in ("authentication", "keyAgreement")
            }
            | {
                "verificationMethod": [
                    {**method, "controller": person.did}
                    for method in person.raw["verificationMethod"]
                    if method["publicKeyJwk"]["crv"] in only
                ]
            }
        )
    secrets = {
        key.kid: jwk(key.pair)
        for person in (ANNA, BERT, OLD)
        for key in person.keys.values()
        if key.pair.curve in only
    }
    oracle.ask("world", documents=documents, secrets=secrets)


def message(**changes: Any) -> Message:
    members: dict[str, Any] = {
        "id": "1234567890",
        "type": "https://example.org/lets_do_lunch/1.0/proposal",
        "body": {"text": "schön"},
        "from_": ANNA.did,
        "to": (BERT.did,),
        "thid": "t-1",
        "created_time": NOW_MS // 1000,
        "expires_time": NOW_MS // 1000 + 60,
    }
    return Message(**(members | changes))


def packed(kind: str, curve: str, enc: str, signing: str, what: Message | None = None) -> bytes:
    what, document, entropy = what or message(), BERT.document, seeded(f"{kind}{curve}{enc}")
    signer = [ANNA.key("authentication", signing)]
    match kind:
        case "anoncrypt":
            return pack_anoncrypt(what, document, entropy, enc=enc, curve=curve)
        case "authcrypt":
            return pack_authcrypt(what, ANNA.wallet, document, entropy, curve=curve)
        case "anoncrypt_authcrypt":
            return pack_anoncrypt_authcrypt(what, ANNA.wallet, document, entropy, enc=enc, curve=curve)
        case "signed_anoncrypt":
            return pack_signed_anoncrypt(what, signer, document, entropy, enc=enc, curve=curve)
    return pack_signed(what, signer)


def opened(data: str) -> Unpacked:
    return unpack(data.encode(), BERT.wallet, RESOLVER, NOW_MS)


def theirs(kind: str, curve: str, enc: str, signing: str) -> dict[str, Any]:
    """What the library is asked to make: recipients are chosen by the key that they go by."""
    made: dict[str, Any] = {"kind": kind, "message": message().to_dict(), "enc": enc}
    if kind != "signed":
        made["to"] = BERT.key("keyAgreement", curve).kid
    if "authcrypt" in kind:
        made["sender"] = ANNA.key("keyAgreement", curve).kid
    if "signed" in kind:
        made["signer"] = ANNA.key("authentication", signing).kid
    return made


CASES = [
    (library, kind, curve, enc, signing)
    for library in LIBRARIES
    for kind in KINDS
    for curve in (CURVES_OF[library] if kind != "signed" else ["X25519"])
    for enc in (ENCS if kind not in ("signed", "authcrypt") else ENCS[-1:])
    for signing in (SIGNING if "signed" in kind else SIGNING[:1])
]


@pytest.mark.parametrize(("library", "kind", "curve", "enc", "signing"), CASES)
def test_they_read_what_we_write(
    ask: Oracle, library: str, kind: str, curve: str, enc: str, signing: str
) -> None:
    found = ask.ask("unpack", packed=packed(kind, curve, enc, signing).decode())
    assert {
        name: value for name, value in found["message"].items() if value is not None
    } == message().to_dict()
    assert found["encrypted"] == (kind != "signed")
    assert found["authenticated"] == (kind != "anoncrypt")
    assert found["signed"] == ("signed" in kind)
    assert found["anonymous_sender"] == ("anoncrypt" in kind)


@pytest.mark.parametrize(("library", "kind", "curve", "enc", "signing"), CASES)
def test_we_read_what_they_write(
    ask: Oracle, library: str, kind: str, curve: str, enc: str, signing: str
) -> None:
    unpacked = opened(ask.ask("pack", **theirs(kind, curve, enc, signing)))
    assert unpacked.message == message()
    assert unpacked.encrypted == (kind != "signed")
    assert unpacked.sender == (None if kind == "anoncrypt" else ANNA.did)
    assert unpacked.signed == ("signed" in kind)
    assert unpacked.anonymous_sender == ("anoncrypt" in kind)
    if "signed" in kind:
        assert unpacked.signed_by == ANNA.key("authentication", signing).kid


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_key_of_a_did(ask: Oracle, library: str) -> None:
    """Packed for the DID, not for one key: every device reads it."""
    world(ask, ("Ed25519", "X25519"))
    data = ask.ask("pack", kind="authcrypt", message=message().to_dict(), to=BERT.did, sender=ANNA.did)
    assert len(strict_json(data)["recipients"]) == 2
    assert opened(data).sender == ANNA.did
    world(ask)


@pytest.mark.parametrize("library", LIBRARIES)
def test_attachments(ask: Oracle, library: str) -> None:
    attachments = (
        Attachment(
            {"base64": "SGVsbG8"}, id="1", description="bytes", filename="a.txt", media_type="text/plain"
        ),
        Attachment({"json": {"a": [1, None]}}, id="2", format="x", lastmod_time=1, byte_count=17),
        Attachment({"links": ["https://a.example"], "hash": "QmHash"}, id="3"),
    )
    what = message(attachments=attachments)
    data = packed("authcrypt", "X25519", "", "Ed25519", what).decode()
    found = ask.ask("unpack", packed=data)["message"]
    again = ask.ask("pack", kind="authcrypt", message=found, to=BERT.did, sender=ANNA.did)
    assert opened(again).message.attachments == attachments


PRIOR = {"iss": OLD.did, "sub": ANNA.did, "iat": 1_600_000_000}


@pytest.mark.parametrize("library", LIBRARIES)
def test_change_of_did(ask: Oracle, library: str) -> None:
    raw = message().to_dict() | {"from_prior": PRIOR}
    data = ask.ask("pack", kind="authcrypt", message=raw, to=BERT.did, sender=ANNA.did)
    rotation = opened(data).rotation
    assert rotation is not None
    assert (rotation.prior, rotation.new, rotation.rotated_at) == (OLD.did, ANNA.did, PRIOR["iat"])
    text = make_from_prior(OLD.key("authentication", "Ed25519"), ANNA.did, 1_600_000_000)
    data = packed("authcrypt", "X25519", "", "Ed25519", message(from_prior=text)).decode()
    ask.ask("unpack", packed=data)


@pytest.mark.parametrize("library", LIBRARIES)
def test_they_refuse_what_was_changed(ask: Oracle, library: str) -> None:
    """The oracle is asked, not only started: it says no to a broken envelope."""
    raw = strict_json(packed("authcrypt", "X25519", "", "Ed25519"))
    raw["ciphertext"] = b64url_encode(bytes(len(b64url_decode(raw["ciphertext"]))))
    with pytest.raises(OracleError):
        ask.ask("unpack", packed=json_bytes(raw).decode())


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_lie_that_they_believe(ask: Oracle, library: str) -> None:
    """`from` names somebody else than the key that encrypted: they call it authenticated, we refuse it."""
    lie = message(from_=OLD.did).to_bytes()
    key = ANNA.key("keyAgreement", "X25519")
    recipients = [(kid, k) for kid, k in BERT.document.agreement_keys() if k.curve == "X25519"]
    data = make_jwe(lie, recipients, seeded(1), "A256CBC-HS512", key).decode()
    found = ask.ask("unpack", packed=data)
    assert (found["authenticated"], found["message"]["from"]) == (True, OLD.did)
    with pytest.raises(DidcommError):
        opened(data)


# -- joserfc: envelopes without DIDComm -----------------------------------------------------------

JOSE = [(curve, enc) for curve in ALL for enc in ENCS]


def alice_and_bobs(curve: str) -> tuple[Any, dict[str, Any]]:
    bobs = {f"{BERT.did}#keyAgreement-{curve}-{i}" for i in range(2)}
    return ANNA.key("keyAgreement", curve), {kid: BERT.keys[kid].pair for kid in sorted(bobs)}


@pytest.mark.parametrize("library", ["joserfc"])
@pytest.mark.parametrize(("curve", "enc"), JOSE)
def test_joserfc_anoncrypt(ask: Oracle, library: str, curve: str, enc: str) -> None:
    _, bobs = alice_and_bobs(curve)
    data = make_jwe(b"text", [(kid, pair.public_key) for kid, pair in bobs.items()], seeded(1), enc)
    found = ask.ask(
        "decrypt", envelope=strict_json(data), keys={kid: jwk(pair) for kid, pair in bobs.items()}
    )
    assert found == dict.fromkeys(bobs, "text")
    header = {"typ": "application/didcomm-encrypted+json", "alg": ANONCRYPT, "enc": enc}
    (kid, pair), *_ = bobs.items()
    header["apv"] = b64url_encode(apv_of([kid]))
    plaintext = message().to_bytes().decode()
    made = ask.ask("encrypt", protected=header, plaintext=plaintext, kid=kid, recipient=pair.public_key.jwk())
    assert opened(json_bytes(made).decode()).message == message()


@pytest.mark.parametrize("library", ["joserfc"])
@pytest.mark.parametrize("curve", ALL)
def test_joserfc_authcrypt(ask: Oracle, library: str, curve: str) -> None:
    anna, bobs = alice_and_bobs(curve)
    recipients = [(kid, pair.public_key) for kid, pair in bobs.items()]
    data = make_jwe(b"text", recipients, seeded(1), "A256CBC-HS512", anna)
    found = ask.ask(
        "decrypt",
        envelope=strict_json(data),
        keys={kid: jwk(pair) for kid, pair in bobs.items()},
        sender=anna.pair.public_key.jwk(),
    )
    assert found == dict.fromkeys(bobs, "text")
    (kid, pair), *_ = bobs.items()
    header = {
        "typ": "application/didcomm-encrypted+json",
        "alg": AUTHCRYPT,
        "enc": "A256CBC-HS512",
        "skid": anna.kid,
        "apu": b64url_encode(anna.kid.encode()),
        "apv": b64url_encode(apv_of([kid])),
    }
    plaintext = message().to_bytes().decode()
    made = ask.ask(
        "encrypt",
        protected=header,
        plaintext=plaintext,
        kid=kid,
        recipient=pair.public_key.jwk(),
        sender=jwk(anna.pair),
    )
    unpacked = opened(json_bytes(made).decode())
    assert (unpacked.message, unpacked.sender) == (message(), ANNA.did)


@pytest.mark.parametrize("library", ["joserfc"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("flattened", [False, True])
def test_joserfc_signatures(ask: Oracle, library: str, algorithm: str, flattened: bool) -> None:
    key = ANNA.key("authentication", ALGORITHMS[algorithm])
    data = make_jws(b"text", key, flattened=flattened)
    assert ask.ask("verify", envelope=strict_json(data), jwk=key.pair.public_key.jwk()) == "text"
    made = ask.ask(
        "sign",
        protected={"typ": "application/didcomm-signed+json", "alg": algorithm},
        header={"kid": key.kid},
        payload=message().to_bytes().decode(),
        jwk=jwk(key.pair),
        flattened=flattened,
    )
    assert len(parse_jws(made).signatures) == 1
    assert opened(json_bytes(made).decode()).sender == ANNA.did
