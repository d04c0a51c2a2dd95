"""The messages that other libraries publish to be tested against, with what they say about each."""

from __future__ import annotations

from typing import Any

import pytest

from pico_didcomm.encoding import json_bytes, multibase_decode, strict_json, varint_decode
from pico_didcomm.errors import BadEncoding, BadEnvelope
from pico_didcomm.keys import KeyPair, key_pair, key_pair_from_jwk
from pico_didcomm.message import Message
from pico_didcomm.unpack import Unpacked, unpack
from tests.didcomm.helpers import VECTOR_NOW_MS, Wallet, example_resolver, vectors

DATA = vectors("didcomm_python_positive")


def private_key(secret: dict[str, Any]) -> KeyPair:
    """Most are JWKs; one is the multibase text of an X25519 key (multicodec x25519-priv)."""
    value = secret["value"]
    if isinstance(value, dict):
        return key_pair_from_jwk(value)
    codec, private = varint_decode(multibase_decode(value))
    assert codec == 0x1302
    return key_pair("X25519", private)


KEYS = {kid: private_key(secret) for who in ("alice", "bob") for kid, secret in DATA["secrets"][who].items()}
DOCUMENTS = {
    DATA["did_docs"][name]["id"]: DATA["did_docs"][name]
    for name in ("DID_DOC_ALICE_SPEC_TEST_VECTORS", "DID_DOC_BOB_SPEC_TEST_VECTORS")
}
FORBIDDEN = {"anonymous_sender": True, "authenticated": True, "non_repudiation": True}


def open_(data: dict[str, Any], kids: list[str] | None = None) -> Unpacked:
    wallet = Wallet(KEYS if kids is None else {kid: KEYS[kid] for kid in kids})
    return unpack(json_bytes(data), wallet, example_resolver(DOCUMENTS), VECTOR_NOW_MS)


@pytest.mark.parametrize("row", DATA["positive"], ids=lambda row: f"{row['set'][5:]}{row['i']}")
def test_what_sicpas_python_reads(row: dict[str, Any]) -> None:
    said = row["metadata"]
    if said.items() >= FORBIDDEN.items():
        # anoncrypt(authcrypt(signed)): "envelope combinations other than the ones above MUST NOT be used"
        with pytest.raises(BadEnvelope, match="not a legal combination"):
            open_(row["message"])
        return
    for kid in said.get("encrypted_to", [None]):
        unpacked = open_(row["message"], None if kid is None else [kid])
        assert unpacked.encrypted == said["encrypted"]
        assert unpacked.authenticated == said["authenticated"]
        assert unpacked.non_repudiable == said["non_repudiation"]
        assert unpacked.anonymous_sender == said["anonymous_sender"]
        assert (unpacked.sender_kid, unpacked.signed_by) == (
            said.get("encrypted_from"),
            said.get("sign_from"),
        )
        assert unpacked.recipient_kid == kid
        if "signed_message" in said:
            assert strict_json(unpacked.jws) == strict_json(said["signed_message"])


@pytest.mark.parametrize("name", DATA["rust_encrypted"])
def test_what_sicpas_rust_reads(name: str) -> None:
    if "WRONG_POINT" in name:
        # before its point is looked at: the text is padded
        with pytest.raises(BadEncoding):
            open_(DATA["rust_encrypted"][name])
        return
    unpacked = open_(DATA["rust_encrypted"][name])
    assert unpacked.message.body == {"messagespecificattribute": "and its value"}
    assert unpacked.authenticated == ("AUTH" in name)
    assert unpacked.signed == ("AUTH_P256" in name)  # both of them, whatever their names say


@pytest.mark.parametrize("name", DATA["rust_signed"])
def test_what_sicpas_rust_signs(name: str) -> None:
    unpacked = open_(DATA["rust_signed"][name])
    assert (unpacked.sender, unpacked.signed) == ("did:example:alice", True)
    assert unpacked.signed_by == f"did:example:alice#key-{name[-1]}"


@pytest.mark.parametrize("name", DATA["plaintext"])
def test_published_plaintext(name: str) -> None:
    """Every member that the message has is there again when it is written."""
    raw = DATA["plaintext"][name]
    written = Message.from_bytes(json_bytes(raw)).to_dict()
    for member, value in raw.items():
        assert written[member] == value, member


def test_they_are_all_there() -> None:
    assert (len(DATA["positive"]), len(DATA["plaintext"])) == (10, 10)
    assert sum(row["metadata"].items() >= FORBIDDEN.items() for row in DATA["positive"]) == 1
