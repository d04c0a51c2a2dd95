"""Attachments: their content, the hash that it must have, and who signed it."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from pico_didcomm.attachments import (
    LINK_CHARS_MAX,
    LINKS_MAX,
    Attachment,
    attach_bytes,
    attach_json,
    attach_links,
    attachment_signers,
    check_attachment_signature,
    multihash,
    read_attachments,
    sign_attachment,
)
from pico_didcomm.encoding import b58encode, b64url_encode, multibase_encode, strict_json
from pico_didcomm.errors import (
    BadDid,
    BadEncoding,
    BadEnvelope,
    BadJson,
    BadMessage,
    BadSignature,
    DidcommError,
    LimitExceeded,
    NotSigned,
    Untrusted,
)
from tests.didcomm.helpers import Pair, Person

CONTENT = b"Your hovercraft is full of eels."
ANNA, BERT = Person("anna"), Person("bert", ["Ed25519"])
KEY = ANNA.key("authentication", "Ed25519")
DIGEST = hashlib.sha256(CONTENT).digest()


def again(attachment: Attachment) -> Attachment:
    (read,) = read_attachments([attachment.to_dict()])
    assert read == attachment
    return read


def test_bytes() -> None:
    attachment = again(attach_bytes(CONTENT, id="1", media_type="text/plain", filename="a.txt"))
    assert attachment.content() == CONTENT
    assert (attachment.id, attachment.media_type, attachment.links) == ("1", "text/plain", ())
    with pytest.raises(BadMessage):
        attachment.json()


def test_the_specifications_example_is_padded() -> None:
    text = "WW91ciBob3ZlcmNyYWZ0IGlzIGZ1bGwgb2YgZWVscw=="
    assert Attachment({"base64": text}).content() == b"Your hovercraft is full of eels"


@pytest.mark.parametrize(
    "text", ["A", "AAAA=", "AA=", "AA===", "AB==", "A+==", "AA==AA==", "====", "AA= =", "ä"]
)
def test_other_text_is_no_base64url(text: str) -> None:
    with pytest.raises(BadEncoding):
        Attachment({"base64": text}).content()


def test_json() -> None:
    attachment = again(attach_json({"a": [1]}))
    assert attachment.json() == {"a": [1]}
    assert attachment.content() == b'{"a":[1]}'


def test_an_attached_message() -> None:
    pair = Pair()
    text = pair.message().to_bytes()
    assert attach_bytes(text).message() == text
    assert strict_json(attach_json(strict_json(text)).message()) == strict_json(text)
    for content in (b"text", b"[]", b'{"a":1,"a":2}'):
        with pytest.raises(BadJson):
            attach_bytes(content).message()


def test_links() -> None:
    attachment = again(attach_links(["https://a.example/1", "https://b.example/1"], CONTENT, id="x"))
    assert attachment.links == ("https://a.example/1", "https://b.example/1")
    assert attachment.byte_count == len(CONTENT)
    assert attachment.content(CONTENT) == CONTENT
    with pytest.raises(Untrusted):
        attachment.content(CONTENT + b" ")
    with pytest.raises(BadMessage, match="fetched"):
        attachment.content()


@pytest.mark.parametrize(
    "text",
    [
        multihash(CONTENT),
        (b"\x12\x20" + DIGEST).hex(),
        "f" + (b"\x12\x20" + DIGEST).hex(),
        multibase_encode(b"\x12\x20" + DIGEST),
        "u" + b64url_encode(b"\x12\x20" + DIGEST),
        b58encode(b"\x13\x40" + hashlib.sha512(CONTENT).digest()),
        b58encode(b"\x16\x20" + hashlib.sha3_256(CONTENT).digest()),
    ],
)
def test_hashes_in_every_spelling(text: str) -> None:
    attachment = Attachment({"links": ["https://a.example"], "hash": text})
    assert attachment.content(CONTENT) == CONTENT
    with pytest.raises(Untrusted):
        attachment.content(b"other")
    inline = Attachment({"base64": b64url_encode(b"other"), "hash": text})
    with pytest.raises(Untrusted):
        inline.content()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", BadEncoding),
        ("<multi-hash>", BadEncoding),
        (b58encode(b"\x11\x14" + hashlib.sha1(CONTENT).digest()), BadEncoding),  # SHA-1
        (b58encode(b"\x00\x20" + DIGEST), BadEncoding),  # the identity "hash"
        (b58encode(b"\x12\x08" + DIGEST[:8]), Untrusted),  # shortened
        (b58encode(b"\x12\x20" + DIGEST[:8]), Untrusted),
        (b58encode(b"\x12\x20" + DIGEST + b"\0"), Untrusted),
        (DIGEST.hex(), DidcommError),
        ("Q" * 1000, BadEncoding),
    ],
)
def test_hashes_that_prove_nothing(text: str, error: type[DidcommError]) -> None:
    with pytest.raises(error):
        Attachment({"links": ["https://a.example"], "hash": text}).content(CONTENT)


def test_links_have_limits() -> None:
    for links in (["x"] * (LINKS_MAX + 1), ["x" * (LINK_CHARS_MAX + 1)], [""], [7]):
        with pytest.raises((LimitExceeded, BadMessage)):
            read_attachments([{"data": {"links": links, "hash": "x"}}])
    with pytest.raises(LimitExceeded):
        attach_links(["x"] * (LINKS_MAX + 1), CONTENT)


# -- signatures -----------------------------------------------------------------------------------


def test_a_signed_attachment() -> None:
    attachment = again(sign_attachment(attach_bytes(CONTENT), KEY))
    assert "payload" not in attachment.data["jws"]
    assert attachment_signers(attachment) == (KEY.kid,)
    assert check_attachment_signature(attachment, ANNA.document) == CONTENT
    with pytest.raises(NotSigned):
        check_attachment_signature(attachment, BERT.document)


def test_several_signers() -> None:
    """Each is asked for by name; what others are said to have signed is not looked at."""
    theirs = BERT.key("authentication", "Ed25519")
    attachment = sign_attachment(attach_bytes(CONTENT), [KEY, theirs])
    assert attachment_signers(attachment) == (KEY.kid, theirs.kid)
    for person in (ANNA, BERT):
        assert check_attachment_signature(attachment, person.document) == CONTENT


def test_what_is_fetched_may_be_signed_too() -> None:
    signed = sign_attachment(attach_bytes(CONTENT), KEY)
    links = attach_links(["https://a.example"], CONTENT)
    attachment = Attachment({**links.data, "jws": signed.data["jws"]})
    assert check_attachment_signature(attachment, ANNA.document, CONTENT) == CONTENT
    with pytest.raises(Untrusted):
        check_attachment_signature(attachment, ANNA.document, b"other")


def test_a_signature_covers_the_content() -> None:
    signed = sign_attachment(attach_bytes(CONTENT), KEY)
    other = Attachment({"base64": b64url_encode(b"other"), "jws": signed.data["jws"]})
    with pytest.raises(BadSignature):
        check_attachment_signature(other, ANNA.document)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"jws": None}, NotSigned),
        ({"jws": {}}, BadEnvelope),
        ({"jws": {"payload": "AAAA"}}, BadMessage),
        ({"json": {}}, BadMessage),
    ],
    ids=str,
)
def test_signatures_that_are_none(data: dict[str, Any], error: type[DidcommError]) -> None:
    signed = sign_attachment(attach_bytes(CONTENT), KEY)
    with pytest.raises(error):
        check_attachment_signature(Attachment({**signed.data, **data}), ANNA.document)


def test_keys_to_agree_do_not_sign() -> None:
    signed = sign_attachment(attach_bytes(CONTENT), ANNA.key("keyAgreement", "P-256"))
    with pytest.raises(BadDid):
        check_attachment_signature(signed, ANNA.document)


@pytest.mark.parametrize("attachment", [attach_json({}), attach_links(["x"], b"")])
def test_only_bytes_are_signed(attachment: Attachment) -> None:
    with pytest.raises(BadMessage):
        sign_attachment(attachment, KEY)
