"""Message pickup in both versions, and what differs between them."""

from __future__ import annotations

from typing import Any

import pytest

from pico_didcomm.encoding import b64url_encode
from pico_didcomm.errors import DidcommError
from pico_didcomm.message import Attachment, Message
from pico_didcomm.protocols.pickup import (
    DELIVERY_MESSAGES_MAX,
    RECEIVED_IDS_MAX,
    V3,
    V4,
    VERSIONS,
    Delivered,
    DeliveryRequest,
    Status,
    Version,
    make_delivery,
    make_delivery_request,
    make_live_delivery_change,
    make_messages_received,
    make_status,
    make_status_request,
    parse_delivery,
    parse_delivery_request,
    parse_live_delivery_change,
    parse_messages_received,
    parse_status,
    parse_status_request,
    version_of,
)

R, M = "did:example:recipient", "did:example:mediator"
each_version = pytest.mark.parametrize("version", VERSIONS, ids=["3.0", "4.0"])


def sent(message: Message) -> Message:
    return Message.from_bytes(message.to_bytes())


def test_types() -> None:
    assert version_of("https://didcomm.org/messagepickup/3.0/status") == (V3, "status")
    assert version_of("https://didcomm.org/message-pickup/4.0/delivery") == (V4, "delivery")
    assert version_of("https://didcomm.org/messagepickup/4.0/delivery") is None
    assert version_of("https://didcomm.org/message-pickup/4.0/parcel") is None


@each_version
def test_status(version: Version) -> None:
    for did in (None, R):
        request = sent(make_status_request("1", R, M, did, version))
        assert parse_status_request(request) == did
        assert request.extra["return_route"] == "all"
        status = Status(3, did, 1_700_000_000_000, 1_700_000_009_000, 8096, False)
        answer = sent(make_status("2", M, request, status, 1_700_000_010_000))
        assert answer.thid == "1"
        assert parse_status(answer) == status
        assert ("longest_waited_seconds" in answer.body) is (version is V3)
    assert parse_status(make_status("2", M, request, Status(0), 0)) == Status(0)


def test_units() -> None:
    status = Status(1, None, 1_700_000_000_123, 1_700_000_000_123)
    three, four = (
        make_status("2", M, make_status_request("1", R, M, None, version), status, 1_700_000_003_000).body
        for version in VERSIONS
    )
    assert three["oldest_received_time"] == 1_700_000_000
    assert three["longest_waited_seconds"] == 2
    assert four["oldest_received_time"] == 1_700_000_000_123


@each_version
def test_delivery(version: Version) -> None:
    request = sent(make_delivery_request("1", R, M, DeliveryRequest(5, R), version))
    assert parse_delivery_request(request) == DeliveryRequest(5, R)
    assert version.limit_member in request.body
    messages = (Delivered("a", b"{1}"), Delivered("b", b"{2}"))
    answer = sent(make_delivery("2", M, R, messages, version, request=request, recipient_did=R))
    assert (answer.thid, answer.body) == ("1", {"recipient_did": R})
    assert parse_delivery(answer) == messages
    live = make_delivery("2", M, R, messages, version)
    assert (live.thid, live.body) == (None, {})


def test_an_empty_delivery_is_for_4_0() -> None:
    assert parse_delivery(make_delivery("2", M, R, (), V4)) == ()
    with pytest.raises(DidcommError):
        parse_delivery(make_delivery("2", M, R, (), V3))


@each_version
def test_limits_of_a_request_are_cut(version: Version) -> None:
    request = make_delivery_request("1", R, M, DeliveryRequest(10**9), version)
    assert parse_delivery_request(request).limit == DELIVERY_MESSAGES_MAX


@each_version
def test_received_and_live(version: Version) -> None:
    message = make_messages_received("1", R, M, ["a", "b"], version)
    assert parse_messages_received(message) == ("a", "b")
    assert ("return_route" in message.extra) is (version is V3)
    for live in (True, False):
        assert parse_live_delivery_change(make_live_delivery_change("1", R, M, live, version)) is live


@each_version
def test_broken_ones(version: Version) -> None:
    def messages(name: str, *bodies: dict[str, Any]) -> list[Message]:
        return [Message("1", version.type_of(name), body, from_=R, to=(M,)) for body in bodies]

    limit = version.limit_member
    cases = {
        parse_status_request: messages("status-request", {"recipient_did": "x"}, {"recipient_did": 7}),
        parse_status: messages("status", {}, {"message_count": -1}, {"message_count": 1, "live_delivery": 1}),
        parse_delivery_request: messages(
            "delivery-request", {}, {limit: 0}, {limit: "5"}, {limit: 1, "recipient_did": "x"}
        ),
        parse_messages_received: messages(
            "messages-received",
            {},
            {"message_id_list": [7]},
            {"message_id_list": ["a"] * (RECEIVED_IDS_MAX + 1)},
        ),
        parse_live_delivery_change: messages("live-delivery-change", {}, {"live_delivery": "yes"}),
    }
    for parse, broken in cases.items():
        for message in broken:
            with pytest.raises(DidcommError):
                parse(message)
        with pytest.raises(DidcommError):
            parse(Message("1", version.type_of("delivery"), from_=R, to=(M,)))


@each_version
def test_broken_deliveries(version: Version) -> None:
    data = {"base64": b64url_encode(b"{}")}
    for attachments in (
        (Attachment(data),),
        (Attachment(data, id="a"), Attachment(data, id="a")),
        (Attachment({"base64": "!"}, id="a"),),
    ):
        with pytest.raises(DidcommError):
            parse_delivery(Message("1", version.type_of("delivery"), attachments=attachments))
    with pytest.raises(DidcommError):
        parse_delivery(Message("1", version.type_of("status")))
