"""did:web: which URL a DID names, and which documents count."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_didcomm.did.web import DOCUMENT_BYTES_MAX, did_web_url, read_did_web
from pico_didcomm.errors import BadDid, DidError, LimitExceeded
from pico_didcomm.keys import key_pair

DID = "did:web:example.com"
KEY = key_pair("X25519", b"k" * 32).public_key


def body(**changes: object) -> bytes:
    method = {"id": f"{DID}#a", "type": "Multikey", "controller": DID, "publicKeyMultibase": KEY.multibase()}
    return json.dumps({"id": DID, "verificationMethod": [method], "keyAgreement": ["#a"], **changes}).encode()


@pytest.mark.parametrize(
    ("did", "url"),
    [
        ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
        ("did:web:w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"),
        ("did:web:example.com%3A3000", "https://example.com:3000/.well-known/did.json"),
        ("did:web:example.com%3a3000:u", "https://example.com:3000/u/did.json"),
        ("did:web:Example.COM", "https://example.com/.well-known/did.json"),
        ("did:web:localhost%3A8443", "https://localhost:8443/.well-known/did.json"),
    ],
)
def test_the_url_of_a_did(did: str, url: str) -> None:
    assert did_web_url(did) == url


@pytest.mark.parametrize(
    "did",
    [
        "did:web:127.0.0.1",
        "did:web:2130706433",
        "did:web:0x7f.1",
        "did:web:example.com%2Fadmin",
        "did:web:user%40example.com",
        "did:web:example.com%3A0",
        "did:web:example.com%3A99999",
        "did:web:example.com%3A80%3A80",
        "did:web:example.com:..:secret",
        "did:web:example.com:.:secret",
        "did:web:example.com:a%2Fb",
        "did:web:example.com::a",
        "did:web:-example.com",
        "did:web:.example.com",
        "did:web:%5B::1%5D",
        "did:web:" + "a" * 64 + ".com",
        "did:web:",
        "did:key:z6Mk",
    ],
)
def test_what_names_no_page_of_a_domain_is_refused(did: str) -> None:
    with pytest.raises(BadDid):
        did_web_url(did)


@given(st.text(max_size=100))
def test_a_url_never_leaves_the_host_that_the_did_names(text: str) -> None:
    try:
        url = did_web_url("did:web:" + text)
    except DidError:
        return
    authority = url.removeprefix("https://").partition("/")[0]
    assert "@" not in url
    assert "?" not in url
    assert "#" not in url
    assert text.lower().replace("%3a", ":").startswith(authority)


def test_a_document_is_read() -> None:
    assert read_did_web(DID, body()).agreement_keys() == [(f"{DID}#a", KEY)]


@pytest.mark.parametrize(
    "found",
    [
        body(id="did:web:example.org"),
        body(id=None),
        b"",
        b"<html>",
        b"[]",
        b'{"id":"did:web:example.com","id":"did:web:example.com"}',
        body(verificationMethod=7),
    ],
)
def test_documents_that_are_not_this_dids_are_refused(found: bytes) -> None:
    with pytest.raises(BadDid):
        read_did_web(DID, found)


def test_long_documents_are_not_read() -> None:
    with pytest.raises(LimitExceeded):
        read_did_web(DID, b" " * (DOCUMENT_BYTES_MAX + 1))
