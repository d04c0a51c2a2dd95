"""did:peer:4 against the vectors of its specification."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_didcomm.did.peer4 import (
    is_long_form,
    make_peer_4,
    peer_4_of_json,
    resolve_peer_4,
    resolve_peer_4_short,
    short_form_of,
)
from pico_didcomm.encoding import b58encode, strict_json
from pico_didcomm.errors import BadDid, DidError
from tests.didcomm.helpers import vectors

VECTORS = vectors("did_peer")["numalgo4"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["short"][-6:])
def test_vectors(vector: dict[str, object]) -> None:
    assert make_peer_4(vector["input"]) == (vector["short"], vector["long"])
    assert short_form_of(vector["long"]) == vector["short"]
    assert resolve_peer_4(vector["long"]).raw == vector["document"]
    assert resolve_peer_4_short(vector["long"]).raw == vector["short_document"]


def test_the_vectors_are_all_there() -> None:
    assert len(VECTORS) == 15


@given(st.dictionaries(st.text("abcxyz", min_size=1), st.text(max_size=20), max_size=6))
def test_short_forms_are_57_characters_long(document: dict[str, str]) -> None:
    short, long_did = make_peer_4(document)
    assert len(short) == 57
    assert not is_long_form(short)
    assert is_long_form(long_did)
    assert short_form_of(long_did) == short


def test_a_changed_document_does_not_fit_its_hash() -> None:
    short, long_did = make_peer_4({"a": "b"})
    _, other = make_peer_4({"a": "c"})
    stolen = f"{short}:{other.rpartition(':')[2]}"
    for did in (stolen, long_did[:-1], long_did + "2"):
        with pytest.raises(BadDid):
            resolve_peer_4(did)
        with pytest.raises(BadDid):
            short_form_of(did)


def crafted(document: bytes) -> str:
    return peer_4_of_json(document)[1]


@pytest.mark.parametrize(
    "did",
    [
        "did:peer:4",
        "did:peer:4zQm",
        "did:peer:4zQm:",
        "did:key:z6Mk:z",
        crafted(b"[]"),
        crafted(b"not json"),
        crafted(b'{"id":"did:example:x"}'),
        crafted(b'{"a":1,"a":2}'),
        crafted(b'{"alsoKnownAs":"x"}'),
        crafted(b'{"verificationMethod":7}'),
        crafted(b'{"verificationMethod":[7]}'),
        crafted(b'{"authentication":[{"id":"#a","controller":7}, 7]}'),
    ],
)
def test_broken_ones_are_refused(did: str) -> None:
    with pytest.raises(DidError):
        resolve_peer_4(did)


def test_reading_a_document_does_not_change_it() -> None:
    text = b'{"verificationMethod":[]}'
    assert resolve_peer_4(crafted(text)).raw["verificationMethod"] == []
    assert strict_json(text) == {"verificationMethod": []}
    assert b58encode(b"") == ""
