"""Profiles: changes, pictures, and that nobody asks back for ever."""

from __future__ import annotations

import pytest

from pico_didcomm.errors import DidcommError
from pico_didcomm.message import Attachment, Message
from pico_didcomm.protocols.user_profile import (
    FIELDS,
    PROFILE_TYPE,
    REQUEST_PROFILE_TYPE,
    Profile,
    make_profile,
    make_request_profile,
    parse_profile,
    parse_request_profile,
)

A, B = "did:example:a", "did:example:b"
PICTURE = Attachment({"base64": "AAAA"}, id="item1", media_type="image/png")


def test_round_trip() -> None:
    profile = Profile(
        {"displayName": "Jo", "displayPicture": "#item1", "description": None}, True, (PICTURE,)
    )
    message = Message.from_bytes(make_profile("1", A, B, profile).to_bytes())
    assert parse_profile(message) == profile


def test_changes() -> None:
    profile = Profile({"displayName": "Jo", "description": None})
    assert profile.applied_to({"description": "x", "displayPicture": "#p"}) == {
        "displayName": "Jo",
        "displayPicture": "#p",
    }
    message = Message("1", PROFILE_TYPE, {"profile": {"description": "", "shoeSize": 46}})
    assert parse_profile(message).changes == {"description": None}


def test_an_answer_does_not_ask_back() -> None:
    with pytest.raises(DidcommError):
        make_profile("1", A, B, Profile({}, True), pthid="0")
    body = {"profile": {}, "send_back_yours": True}
    assert parse_profile(Message("1", PROFILE_TYPE, body)).send_back_yours
    assert not parse_profile(Message("1", PROFILE_TYPE, body, pthid="0")).send_back_yours


def test_requests() -> None:
    assert parse_request_profile(make_request_profile("1", A, B)) == FIELDS
    assert parse_request_profile(make_request_profile("1", A, B, ("description", "age"))) == ("description",)
    with pytest.raises(DidcommError):
        parse_request_profile(Message("1", REQUEST_PROFILE_TYPE, {"query": "all"}))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"profile": []},
        {"profile": {"displayName": 7}},
        {"profile": {"displayName": "a" * 5_000}},
        {"profile": {"displayPicture": "#item1"}},
        {"profile": {}, "send_back_yours": "yes"},
    ],
)
def test_broken_ones(body: dict[str, object]) -> None:
    with pytest.raises(DidcommError):
        parse_profile(Message("1", PROFILE_TYPE, body))
