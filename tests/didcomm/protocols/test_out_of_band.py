"""Invitations: the specification's example, our signature, and every broken form."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pico_didcomm.encoding import b64url_decode, b64url_encode, json_bytes, strict_json
from pico_didcomm.errors import (
    BadDid,
    BadInvitation,
    BadSignature,
    DidcommError,
    Expired,
    LimitExceeded,
    NotSigned,
    SenderMismatch,
    UnknownDid,
)
from pico_didcomm.identity import locator_service, make_channel_identity, make_pico_identity
from pico_didcomm.jws import detached_signature
from pico_didcomm.message import Attachment, Message
from pico_didcomm.protocols.out_of_band import (
    INVITATION_URL_CHARS_MAX,
    Invitation,
    id_of_short_url,
    invitation_url,
    make_invitation,
    parse_invitation_url,
    short_answer,
    short_invitation_url,
    url_of_short_answer,
)
from tests.didcomm.helpers import NOW_MS, seeded, vectors

SPEC = vectors("oob_spec_example")
DID_O = vectors("pico_did_o")
PICO = make_pico_identity(seeded("pico"))
ALICE = make_channel_identity(seeded("alice"), [locator_service(PICO.did)])
MALLORY = make_channel_identity(seeded("mallory"))
INVITATION = make_invitation(
    "inv-1",
    ALICE.long_did,
    label="Alice's thermometer",
    goal_code="connect",
    expires_time=NOW_MS // 1000 + 60,
)
URL = invitation_url(INVITATION, ALICE)


def unsigned(raw: object, prefix: str = "https://example.org/?") -> str:
    return f"{prefix}_oob={b64url_encode(json_bytes(raw))}"


RAW = {"id": "1", "type": INVITATION.type, "from": ALICE.long_did, "body": {}}


def test_the_specifications_example() -> None:
    invitation = parse_invitation_url(SPEC["url"], NOW_MS, require_signature=False)
    assert invitation.message.to_dict() == SPEC["invitation"] | {"typ": "application/didcomm-plain+json"}
    assert (invitation.sender, invitation.signed) == ("did:example:alice", False)
    assert invitation_url(invitation.message, None, prefix="https://example.com/path") == SPEC["url"]


def test_a_signed_invitation() -> None:
    invitation = parse_invitation_url(URL, NOW_MS)
    assert invitation.message == INVITATION
    assert (invitation.sender, invitation.signed) == (ALICE.long_did, True)
    assert URL.startswith("didcomm://invite?_oob=")
    # a reader that knows nothing of signatures finds what the specification describes
    oob = URL.partition("_oob=")[2].partition("&")[0]
    raw = strict_json(b64url_decode(oob))
    assert (raw["type"], raw["from"], raw["body"]["label"]) == (
        "https://didcomm.org/out-of-band/2.0/invitation",
        ALICE.long_did,
        "Alice's thermometer",
    )


def test_a_picos_did_key_invites_too() -> None:
    url = invitation_url(make_invitation("1", PICO.did), PICO)
    assert parse_invitation_url(url, NOW_MS).sender == PICO.did


@pytest.mark.parametrize("prefix", ["https://example.org/i/1", "http://localhost:3000/", "web+picomesh:"])
def test_any_scheme_and_host(prefix: str) -> None:
    url = invitation_url(INVITATION, ALICE, prefix=prefix)
    assert parse_invitation_url(url, NOW_MS).signed
    assert parse_invitation_url(f"  {url.replace('?', '?utm=1&')}&x=y#top\n", NOW_MS).signed


def test_percent_encoding_does_not_matter() -> None:
    assert parse_invitation_url(URL.replace("..", "%2E%2e"), NOW_MS).signed


def test_the_existing_pico_engines_invitation() -> None:
    url = DID_O["invitation_url"]
    invitation = parse_invitation_url(url, NOW_MS, require_signature=False)
    assert invitation.message.body == DID_O["invitation"]["body"]
    assert invitation.sender == DID_O["alice"]["did"]
    with pytest.raises(NotSigned):
        parse_invitation_url(url, NOW_MS)


def test_standard_base64_only_when_unsigned_is_welcome() -> None:
    raw = RAW | {"body": {"label": "~~~???>>>"}}
    text = base64.b64encode(json_bytes(raw)).decode()
    assert "/" in text or "+" in text
    url = f"https://example.org/?_oob={text}"
    assert parse_invitation_url(url, NOW_MS, require_signature=False).message.body == raw["body"]
    signed = f"{url}&_sig={detached_signature(text, ALICE.signing_key(ALICE.long_did), '#key-1')}"
    with pytest.raises(BadInvitation):
        parse_invitation_url(signed, NOW_MS)


def test_a_missing_signature_is_not_a_signature() -> None:
    url = URL.partition("&_sig=")[0]
    with pytest.raises(NotSigned):
        parse_invitation_url(url, NOW_MS)
    assert not parse_invitation_url(url, NOW_MS, require_signature=False).signed


@pytest.mark.parametrize("require", [True, False])
def test_a_wrong_signature_is_refused_whether_required_or_not(require: bool) -> None:
    oob = URL.partition("_oob=")[2].partition("&")[0]
    other = b64url_encode(json_bytes(RAW | {"body": {"label": "other"}}))
    head, _, signature = URL.partition("&_sig=")
    key, theirs = ALICE.signing_key(ALICE.long_did), MALLORY.signing_key(MALLORY.long_did)
    for url in (
        f"{head}&_sig={signature[:-1]}",
        f"{head}&_sig=",
        f"{head}&_sig=x",
        f"{head}&_sig=..",
        f"{head}&_sig={signature.replace('..', '.')}",
        f"{head}&_sig={detached_signature(other, key, '#key-1')}",
        f"{head}&_sig={detached_signature(oob, theirs, '#key-1')}",
        f"{head}&_sig={detached_signature(oob, theirs, theirs.kid)}",
        f"{head}&_sig={detached_signature(oob, key, '#key-2')}",
        f"{head}&_sig={detached_signature(oob, key, '#key-3')}",
        f"{head}&_sig={detached_signature(oob, key, 'key-1')}",
        URL.replace(oob, other),
    ):
        with pytest.raises(BadSignature):
            parse_invitation_url(url, NOW_MS, require_signature=require)


def test_the_signer_is_who_invites() -> None:
    oob = URL.partition("_oob=")[2].partition("&")[0]
    key = MALLORY.signing_key(MALLORY.did)
    with pytest.raises(BadSignature, match="somebody else"):
        parse_invitation_url(f"x:?_oob={oob}&_sig={detached_signature(oob, key, key.kid)}", NOW_MS)


@pytest.mark.parametrize("name", ["_oob", "_sig"])
def test_a_parameter_that_stands_twice_is_refused(name: str) -> None:
    value = URL.partition(f"{name}=")[2].partition("&")[0]
    with pytest.raises(BadInvitation, match="two"):
        parse_invitation_url(f"{URL}&{name}={value}", NOW_MS)


def test_the_signers_document_must_fit_its_hash() -> None:
    stolen = f"{ALICE.did}:{MALLORY.long_did.rpartition(':')[2]}"
    oob = b64url_encode(json_bytes(RAW | {"from": stolen}))
    signature = detached_signature(oob, MALLORY.signing_key(MALLORY.did), "#key-1")
    with pytest.raises(BadSignature):
        parse_invitation_url(f"x:?_oob={oob}&_sig={signature}", NOW_MS)


def test_a_short_form_tells_a_stranger_nothing() -> None:
    url = invitation_url(make_invitation("1", ALICE.did), ALICE)
    with pytest.raises(UnknownDid):
        parse_invitation_url(url, NOW_MS)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("", BadInvitation),
        ("hello", BadInvitation),
        ("https://example.org/", BadInvitation),
        ("https://example.org/#_oob=e30", BadInvitation),
        ("https://example.org/?_oob=", BadInvitation),
        ("https://example.org/?_oob=!", BadInvitation),
        ("https://example.org/?_oob=é", BadInvitation),
        ("https://example.org/?_oobid=5f0e3ffb", BadInvitation),
        ("https://[bad/?_oob=e30", BadInvitation),
        (URL.partition("&")[0][:-7], BadInvitation),
        (URL.partition("&")[0] + "&_oob=e30", BadInvitation),
        (unsigned([]), BadInvitation),
        (unsigned({}), BadInvitation),
        (unsigned(RAW | {"type": "https://didcomm.org/trust-ping/2.0/ping"}), BadInvitation),
        (unsigned(RAW | {"type": "https://didcomm.org/out-of-band/1.1/invitation"}), BadInvitation),
        (unsigned(RAW | {"type": "https://evil.example/out-of-band/2.0/invitation"}), BadInvitation),
        (unsigned(RAW | {"type": "invitation"}), BadInvitation),
        (unsigned({name: value for name, value in RAW.items() if name != "from"}), BadInvitation),
        (unsigned(RAW | {"from": "alice"}), BadInvitation),
        (unsigned(RAW | {"expires_time": NOW_MS // 1000}), Expired),
        ("https://example.org/?_oob=" + "A" * INVITATION_URL_CHARS_MAX, LimitExceeded),
    ],
)
def test_broken_invitations_say_what_is_wrong(url: str, error: type[DidcommError]) -> None:
    with pytest.raises(error) as caught:
        parse_invitation_url(url, NOW_MS, require_signature=False)
    assert str(caught.value)
    assert caught.value.hint


def test_members_that_stand_twice_are_refused() -> None:
    text = json_bytes(RAW)
    doubled = b'{"from":"did:example:eve",' + text[1:]
    with pytest.raises(BadInvitation):
        parse_invitation_url(f"x:?_oob={b64url_encode(doubled)}", NOW_MS, require_signature=False)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(URL)), st.integers(0, 30), st.text(max_size=3))
def test_damaged_urls_give_our_errors_only(start: int, count: int, piece: str) -> None:
    damaged = URL[:start] + piece + URL[start + count :]
    with suppress(DidcommError):
        assert parse_invitation_url(damaged, NOW_MS).message == INVITATION


def test_what_is_not_made() -> None:
    with pytest.raises(BadDid):
        make_invitation("1", "alice")
    with pytest.raises(SenderMismatch):
        invitation_url(INVITATION, MALLORY)
    with pytest.raises(BadInvitation):
        invitation_url(Message("1", INVITATION.type), ALICE)
    with pytest.raises(LimitExceeded):
        invitation_url(make_invitation("1", ALICE.did, label="x" * INVITATION_URL_CHARS_MAX), ALICE)


# -- what an invitation says ------------------------------------------------------------------------------


def read(**members: Any) -> Invitation:
    message = make_invitation("i-1", ALICE.long_did, **members)
    return parse_invitation_url(invitation_url(message, ALICE), NOW_MS)


def test_goals_label_and_profiles() -> None:
    invitation = read(
        goal_code="connect", goal="To connect", label="Alice", accept=("didcomm/aip1", "didcomm/v2")
    )
    assert (invitation.thread, invitation.goal_code, invitation.goal) == ("i-1", "connect", "To connect")
    assert (invitation.label, invitation.takes_v2) == ("Alice", True)
    assert not read(accept=("didcomm/aip1",)).takes_v2
    silent = read(accept=())
    assert (silent.accept, silent.takes_v2, silent.goal) == ((), True, None)


def test_attached_messages_come_in_their_order() -> None:
    one, two = {"type": "https://example.org/a/1.0/b"}, {"type": "https://example.org/c/1.0/d"}
    invitation = read(
        attachments=(
            Attachment({"base64": "AAAA"}),
            Attachment({"json": one}),
            Attachment({"links": ["https://a.example"], "hash": "zQm"}),
            Attachment({"base64": b64url_encode(json_bytes(two))}),
        )
    )
    assert invitation.attached() == [one, two]
    assert invitation.first_of(two["type"]) == two
    assert invitation.first_of("https://example.org/e/1.0/f") is None


def test_what_a_sender_says_of_itself_has_limits() -> None:
    for broken in (read(label="x" * 2_000), read(body={"goal": 7}), read(body={"accept": "didcomm/v2"})):
        with pytest.raises(DidcommError):
            assert (broken.label, broken.goal, broken.accept) is None


# -- short links ------------------------------------------------------------------------------------------

LONG = "https://example.com/path?_oob=e30"


def test_a_short_link_leads_to_the_long_one() -> None:
    short = short_invitation_url("https://example.com/path", "5f0e3ffb-3f92")
    assert short == "https://example.com/path?_oobid=5f0e3ffb-3f92"
    assert id_of_short_url(short) == "5f0e3ffb-3f92"
    assert id_of_short_url(LONG) is None
    status, headers, body = short_answer(LONG)
    assert url_of_short_answer(status, headers["Location"], body) == LONG
    assert url_of_short_answer(200, None, body) == LONG


@pytest.mark.parametrize("form", ["url", "json", "base64url"])
def test_every_form_of_an_answer_in_use(form: str) -> None:
    message = make_invitation("i-1", ALICE.long_did)
    url = invitation_url(message, None)
    body = {"url": url, "json": message.to_bytes().decode(), "base64url": url.partition("_oob=")[2]}[form]
    found = parse_invitation_url(
        url_of_short_answer(200, None, body.encode() + b"\n"), NOW_MS, require_signature=False
    )
    assert found.message.id == "i-1"


@pytest.mark.parametrize(
    ("status", "location", "body"),
    [
        (302, None, b""),
        (302, "https://example.com/login", b""),
        (404, None, LONG.encode()),
        (200, None, b"\xff"),
        (200, None, b"a" * 20_000),
    ],
)
def test_what_is_no_answer(status: int, location: str | None, body: bytes) -> None:
    with pytest.raises(BadInvitation):
        url_of_short_answer(status, location, body)
