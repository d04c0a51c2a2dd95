"""The connection protocol: its messages, its proof, its states."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_didcomm.errors import DidcommError, NotSigned, SenderMismatch, UnexpectedMessage
from pico_didcomm.identity import make_pico_identity
from pico_didcomm.keys import key_pair, peer_id_from_ed25519
from pico_didcomm.message import Message
from pico_didcomm.pack import pack_anoncrypt, pack_authcrypt, pack_signed, pack_signed_anoncrypt
from pico_didcomm.protocols.connection import (
    END_TYPE,
    INITIAL,
    REQUEST_TYPE,
    TRANSITIONS,
    End,
    NodeHint,
    Request,
    Response,
    Roles,
    make_end,
    make_request,
    make_response,
    next_state,
    parse_end,
    parse_request,
    parse_response,
    table_text,
)
from pico_didcomm.unpack import Unpacked, unpack
from tests.didcomm.helpers import DATA, NOW_MS, Pair, seeded

PAIR = Pair()
ALICE, BOB = PAIR.alice, PAIR.bob
PEER_ID = peer_id_from_ed25519(key_pair("Ed25519", b"n" * 32).public)
NODE = NodeHint(PEER_ID, ("/ip4/127.0.0.1/tcp/4001",))
REQUEST = Request("inv-1", "Alice", Roles("friend", "friend"), NODE, 3, make_pico_identity(seeded(1)).did)
RESPONSE = Response("Bob", NODE, 0, accepted=True)


def signed(message: Message) -> Unpacked:
    data = pack_signed_anoncrypt(message, ALICE, PAIR.document(BOB), PAIR.entropy)
    return unpack(data, BOB, PAIR.resolver, NOW_MS)


@pytest.mark.parametrize("request_", [REQUEST, replace(REQUEST, pico=None, roles=Roles(), label="")])
def test_a_request_comes_back_with_its_record(request_: Request) -> None:
    unpacked = signed(make_request("r-1", ALICE.long_did, BOB.did, request_, created_time=5))
    assert parse_request(unpacked) == request_
    assert (unpacked.sender, unpacked.message.pthid, unpacked.message.created_time) == (ALICE.did, "inv-1", 5)
    assert unpacked.jws is not None


@pytest.mark.parametrize("response", [RESPONSE, Response("", NODE, 9, accepted=False, problem="not you")])
def test_a_response_comes_back_with_its_record(response: Response) -> None:
    unpacked = signed(make_response("r-2", ALICE.long_did, BOB.did, "r-1", response, created_time=5))
    assert parse_response(unpacked) == response
    assert unpacked.message.thid == "r-1"


def test_an_end_comes_back() -> None:
    message = make_end("e-1", ALICE.did, BOB.did, End("moved on"))
    data = pack_authcrypt(message, ALICE, PAIR.document(BOB), PAIR.entropy)
    assert parse_end(unpack(data, BOB, PAIR.resolver, NOW_MS)) == End("moved on")
    assert parse_end(signed(message)) == End("moved on")
    assert parse_end(signed(Message("e", END_TYPE, {}, from_=ALICE.did, to=(BOB.did,)))) == End("")


def test_requests_and_responses_must_be_signed_and_encrypted() -> None:
    document = PAIR.document(BOB)
    request = make_request("r-1", ALICE.did, BOB.did, REQUEST)
    response = make_response("r-2", ALICE.did, BOB.did, "r-1", RESPONSE)
    for message, parse in ((request, parse_request), (response, parse_response)):
        for data in (
            pack_authcrypt(message, ALICE, document, PAIR.entropy),
            pack_anoncrypt(message, document, PAIR.entropy),
            pack_signed(message, ALICE),
            message.to_bytes(),
        ):
            with pytest.raises(NotSigned):
                parse(unpack(data, BOB, PAIR.resolver, NOW_MS))


def test_an_end_must_prove_its_sender() -> None:
    message = make_end("e-1", ALICE.did, BOB.did, End())
    for data in (
        pack_anoncrypt(message, PAIR.document(BOB), PAIR.entropy),
        pack_signed(message, ALICE),
        message.to_bytes(),
    ):
        with pytest.raises(SenderMismatch):
            parse_end(unpack(data, BOB, PAIR.resolver, NOW_MS))


BODY = make_request("r-1", ALICE.did, BOB.did, REQUEST).body


@pytest.mark.parametrize(
    "changes",
    [
        {"invitation": ""},
        {"invitation": 7},
        {"label": None},
        {"label": "x" * 300},
        {"roles": []},
        {"roles": {"inviter": "a"}},
        {"roles": {"inviter": "a", "invitee": 7}},
        {"node": None},
        {"node": {"addresses": []}},
        {"node": {"peer_id": "12D3", "addresses": []}},
        {"node": {"peer_id": PEER_ID}},
        {"node": {"peer_id": PEER_ID, "addresses": ["x"] * 17}},
        {"node": {"peer_id": PEER_ID, "addresses": ["x" * 600]}},
        {"epoch": -1},
        {"epoch": "1"},
        {"pico": 7},
        {"pico": "did:peer:0z6Mk"},
        {"pico": "did:key:z6Mk"},
    ],
    ids=str,
)
def test_broken_requests_are_refused(changes: dict[str, Any]) -> None:
    message = make_request("r-1", ALICE.did, BOB.did, REQUEST)
    with pytest.raises(DidcommError):
        parse_request(signed(replace(message, body={**BODY, **changes})))


@pytest.mark.parametrize(
    "changes", [{"accepted": 1}, {"accepted": None}, {"epoch": None}, {"problem": []}], ids=str
)
def test_broken_responses_are_refused(changes: dict[str, Any]) -> None:
    message = make_response("r-2", ALICE.did, BOB.did, "r-1", RESPONSE)
    with pytest.raises(DidcommError):
        parse_response(signed(replace(message, body={**message.body, **changes})))


def test_types_are_checked() -> None:
    unpacked = signed(PAIR.message())
    for parse in (parse_request, parse_response, parse_end):
        with pytest.raises(DidcommError):
            parse(unpacked)
    assert REQUEST_TYPE == "urn:picomesh:connection/1.0/request"


# -- states ---------------------------------------------------------------------------------------

HAPPENINGS = {
    role: sorted({name for row in rows.values() for name in row}) for role, rows in TRANSITIONS.items()
}
ROWS = [
    (role, state, name) for role, rows in TRANSITIONS.items() for state, row in rows.items() for name in row
]


@pytest.mark.parametrize(("role", "state", "happening"), ROWS)
def test_what_is_repeated_changes_nothing(role: Any, state: str, happening: str) -> None:
    once = next_state(role, state, happening)
    assert once in TRANSITIONS[role]
    assert next_state(role, once, happening) == once


@given(st.sampled_from(sorted(TRANSITIONS)), st.data())
def test_no_walk_leaves_the_table(role: Any, data: st.DataObject) -> None:
    state = INITIAL[role]
    for happening in data.draw(st.lists(st.sampled_from(HAPPENINGS[role]), max_size=8)):
        try:
            state = next_state(role, state, happening)
        except UnexpectedMessage as error:
            assert state in str(error)  # noqa: PT017
        assert state in TRANSITIONS[role]


def test_every_state_can_be_reached_and_the_last_ones_are_final() -> None:
    for role, rows in TRANSITIONS.items():
        reached, new = set(), {INITIAL[role]}
        while new:
            reached |= new
            new = {after for state in new for after in rows[state].values()} - reached
        assert reached == set(rows)
        for final in {"ended", "cancelled", "refused"} & set(rows):
            assert set(rows[final].values()) == {final}


def test_what_must_not_happen() -> None:
    for role, state, happening in (
        ("inviter", "cancelled", "request accepted"),
        ("inviter", "ended", "request accepted"),
        ("inviter", "established", "cancel"),
        ("invitee", "refused", "response accepted"),
        ("invitee", "established", "response refused"),
        ("invitee", "requested", "request accepted"),
    ):
        with pytest.raises(UnexpectedMessage):
            next_state(role, state, happening)  # type: ignore[arg-type]


def test_the_table_in_the_documentation_is_the_table_in_the_code() -> None:
    """After a change: write `table_text()` to the file, and read the difference."""
    assert table_text() == (DATA / "connection_states.md").read_text()
