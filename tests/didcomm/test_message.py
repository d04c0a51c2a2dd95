"""Plaintext messages: strict reading, within limits."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pico_didcomm.did.document import DID_CHARS_MAX
from pico_didcomm.errors import BadMessage, DidcommError, LimitExceeded, Malformed
from pico_didcomm.message import (
    ACKS_MAX,
    ATTACHMENTS_MAX,
    FROM_PRIOR_CHARS_MAX,
    ID_CHARS_MAX,
    LANGUAGES_MAX,
    RECIPIENTS_MAX,
    TYPE_CHARS_MAX,
    Attachment,
    Message,
    MessageType,
    did_of_url,
    same_id,
    split_message_type,
)
from tests.didcomm.helpers import vectors

RUST = vectors("didcomm_rust")["src/test_vectors/plaintext.rs"]
PYTHON = [row for row in vectors("didcomm_python_negative")["negative"] if "PLAINTEXT" in row["set"]]
# v2.1 made body optional; from_prior is checked where it is used, not where it is read; an empty `data.json`
# is a JSON value like any other
NOT_BROKEN_FOR_US = {"INVALID_PLAINTEXT_MSG_NO_BODY"}
TYPE = "https://example.org/greeting/1.0/hello"


def raw(**changes: object) -> dict[str, object]:
    return {"id": "1", "type": TYPE, "body": {}} | changes


@pytest.mark.parametrize("name", [name for name in RUST if name.startswith("PLAINTEXT")])
def test_published_messages_are_read(name: str) -> None:
    message = Message.from_dict(RUST[name])
    assert message.id == RUST[name]["id"]
    assert Message.from_bytes(message.to_bytes()) == message
    written = message.to_dict()
    for member, value in RUST[name].items():
        if member != "attachments":
            assert written.get(member) == value


@pytest.mark.parametrize("name", sorted(name for name in RUST if name.startswith("INVALID")))
def test_published_broken_messages_are_refused(name: str) -> None:
    if name in NOT_BROKEN_FOR_US:
        assert Message.from_dict(RUST[name]).body == {}
        return
    with pytest.raises(Malformed):
        Message.from_dict(RUST[name])


@pytest.mark.parametrize("row", PYTHON, ids=lambda row: row["i"])
def test_more_published_broken_messages_are_refused(row: dict[str, str]) -> None:
    if row["raw"] and '"body"' not in row["raw"] and '"id"' in row["raw"] and '"type"' in row["raw"]:
        assert Message.from_bytes(row["raw"].encode()).body == {}
        return
    with pytest.raises(Malformed):
        Message.from_bytes(row["raw"].encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"typ": "application/json"},
        {"typ": None},
        {"id": None},
        {"id": ""},
        {"id": 7},
        {"id": "x" * (ID_CHARS_MAX + 1)},
        {"type": None},
        {"type": ""},
        {"type": 7},
        {"type": "x" * (TYPE_CHARS_MAX + 1)},
        {"id": "a b"},
        {"id": "a/b"},
        {"id": "ä"},
        {"thid": ""},
        {"thid": "a#b"},
        {"pthid": "a%20b"},
        {"please_ack": ["a b"]},
        {"please_ack": [None]},
        {"ack": [""]},
        {"ack": [None]},
        {"from_prior": 7},
        {"from_prior": ""},
        {"from_prior": "x" * (FROM_PRIOR_CHARS_MAX + 1)},
        {"lang": 7},
        {"lang": ""},
        {"lang": "not a language"},
        {"accept-lang": "de"},
        {"accept-lang": [7]},
        {"accept-lang": [None]},
        {"accept-lang": ["de"] * (LANGUAGES_MAX + 1)},
        {"body": None},
        {"body": []},
        {"body": "x"},
        {"from": 7},
        {"from": "alice"},
        {"from": "did:example:alice#key-1"},
        {"to": "did:example:bob"},
        {"to": [7]},
        {"to": ["bob"]},
        {"thid": 7},
        {"pthid": ["a"]},
        {"created_time": "1"},
        {"created_time": 1.5},
        {"created_time": True},
        {"created_time": -1},
        {"expires_time": 10**15},
        {"please_ack": "1"},
        {"ack": [1]},
        {"attachments": {}},
        {"attachments": [7]},
        {"attachments": [{}]},
        {"attachments": [{"data": {}}]},
        {"attachments": [{"data": {"base64": 7}}]},
        {"attachments": [{"data": {"links": ["x"]}}]},
        {"attachments": [{"data": {"links": "x", "hash": "y"}}]},
        {"attachments": [{"data": {"json": 1}, "id": 7}]},
        {"attachments": [{"data": {"json": 1}, "id": "a b"}]},
        {"attachments": [{"data": {"json": 1}, "id": "a"}, {"data": {"json": 2}, "id": "a"}]},
        {"attachments": [{"data": {"json": 1}, "byte_count": "7"}]},
    ],
    ids=str,
)
def test_every_member_has_its_type(changes: dict[str, object]) -> None:
    with pytest.raises(BadMessage):
        Message.from_dict(raw(**changes))


def test_lists_have_limits() -> None:
    many = [{"data": {"json": 1}}] * (ATTACHMENTS_MAX + 1)
    assert len(Message.from_dict(raw(attachments=many[1:])).attachments) == ATTACHMENTS_MAX
    with pytest.raises(LimitExceeded):
        Message.from_dict(raw(attachments=many))
    with pytest.raises(LimitExceeded):
        Message.from_dict(raw(ack=["a"] * (ACKS_MAX + 1)))
    dids = ["did:example:bob"] * (RECIPIENTS_MAX + 1)
    assert len(Message.from_dict(raw(to=dids[1:])).to) == RECIPIENTS_MAX
    with pytest.raises(LimitExceeded):
        Message.from_dict(raw(to=dids))


def test_extra_headers_are_kept_and_cannot_replace_known_ones() -> None:
    message = Message.from_dict(raw(sender_order=7, hops=1))
    assert message.extra == {"sender_order": 7, "hops": 1}
    assert message.to_dict()["hops"] == 1
    assert Message("1", TYPE, extra={"id": "2", "from": "x"}).to_dict()["id"] == "1"
    assert "from" not in Message("1", TYPE, extra={"from": "x"}).to_dict()


def test_languages() -> None:
    message = Message.from_dict(raw(**{"lang": "de", "accept-lang": ["de-CH", "en"]}))
    assert (message.lang, message.accept_lang, message.extra) == ("de", ("de-CH", "en"), {})
    assert Message.from_bytes(message.to_bytes()) == message


def test_from_and_to_may_be_did_urls() -> None:
    """With a path or query, without a fragment; who they name is the DID alone."""
    message = Message.from_dict(raw(**{"from": "did:example:a/b?c=d", "to": ["did:example:bob?x"]}))
    assert (message.from_, message.to) == ("did:example:a/b?c=d", ("did:example:bob?x",))
    assert did_of_url(message.from_) == "did:example:a"
    with pytest.raises(BadMessage):  # what is remembered of DIDs must not grow with them
        Message.from_dict(raw(**{"from": "did:example:a?" + "x" * DID_CHARS_MAX}))


def test_a_message_without_thread_begins_one() -> None:
    assert Message.from_dict(raw()).thread == "1"
    assert Message.from_dict(raw(thid="t")).thread == "t"
    assert same_id("ABC-1", "abc-1")
    assert not same_id("abc-1", "abc-2")


def test_an_empty_please_ack_means_the_message_itself() -> None:
    assert Message.from_dict(raw(please_ack=["", "a"])).please_ack == ("", "a")


@pytest.mark.parametrize(
    "type_", ["ping", "https://didcomm.org/ping", "https://didcomm.org/a/x/ping", TYPE + "#a", TYPE + "/"]
)
def test_a_type_is_a_message_type_uri(type_: str) -> None:
    with pytest.raises(BadMessage):
        Message.from_dict(raw(type=type_))


def test_attachments_are_kept() -> None:
    attachment = Attachment({"json": {"a": 1}}, id="a", media_type="application/json", byte_count=7)
    message = Message("1", TYPE, attachments=(attachment,))
    assert Message.from_bytes(message.to_bytes()) == message


def test_typ_may_lack_its_prefix() -> None:
    assert Message.from_dict(raw(typ="didcomm-plain+json")).id == "1"


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("https://didcomm.org/trust-ping/2.0/ping", ("https://didcomm.org/", "trust-ping", "2.0", "ping")),
        ("urn:picomesh:connection/1.0/request", ("urn:picomesh:", "connection", "1.0", "request")),
        ("https://a.example/b/c/1.0/d_e", ("https://a.example/b/", "c", "1.0", "d_e")),
    ],
)
def test_message_types_come_apart(uri: str, parts: tuple[str, ...]) -> None:
    assert split_message_type(uri) == MessageType(*parts)


@pytest.mark.parametrize("uri", ["", "ping", "https://didcomm.org/ping", "https://didcomm.org/a/x/ping"])
def test_other_message_types_do_not(uri: str) -> None:
    with pytest.raises(BadMessage):
        split_message_type(uri)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = st.sampled_from(
    [
        *raw(),
        "from",
        "to",
        "thid",
        "expires_time",
        "attachments",
        "ack",
        "typ",
        "lang",
        "accept-lang",
        "from_prior",
    ]
)


@settings(max_examples=300)
@given(st.dictionaries(MEMBERS, JSON))
def test_any_object_is_read_or_refused(changes: dict[str, object]) -> None:
    with suppress(DidcommError):
        message = Message.from_dict(raw(**changes))
        assert Message.from_bytes(message.to_bytes()) == message
