"""Coordinate mediation in both versions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pico_didcomm.errors import DidcommError
from pico_didcomm.message import Message
from pico_didcomm.protocols.coordinate_mediation import (
    PAGE_MAX,
    UPDATES_MAX,
    V2,
    V3,
    VERSIONS,
    Page,
    Update,
    Updated,
    Version,
    make_deny,
    make_grant,
    make_list,
    make_mediate_request,
    make_query,
    make_update,
    make_update_response,
    parse_grant,
    parse_list,
    parse_query,
    parse_update,
    parse_update_response,
    version_of,
)

R, M = "did:example:recipient", "did:example:mediator"
DID = "did:peer:0z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"
each_version = pytest.mark.parametrize("version", VERSIONS, ids=["2.0", "3.0"])


def sent(message: Message) -> Message:
    return Message.from_bytes(message.to_bytes())


def test_the_types_are_those_of_the_protocols() -> None:
    def names(version: Version) -> list[str]:
        return [type_.removeprefix(version.protocol + "/") for type_ in version.types]

    first = ["mediate-request", "mediate-grant", "mediate-deny"]
    assert names(V2) == [*first, "keylist-update", "keylist-update-response", "keylist-query", "keylist"]
    assert names(V3) == [
        *first,
        "recipient-update",
        "recipient-update-response",
        "recipient-query",
        "recipient",
    ]
    assert version_of(V2.list_type) is V2
    assert version_of(V3.list_type) is V3
    assert version_of("https://didcomm.org/coordinate-mediation/3.0/keylist") is None
    assert version_of("https://didcomm.org/coordinate-mediation/4.0/recipient") is None


@each_version
def test_grant_and_deny(version: Version) -> None:
    request = sent(make_mediate_request("1", R, M, version))
    assert request.extra["return_route"] == "all"
    grant = sent(make_grant("2", M, request, M))
    assert (grant.type, grant.thid, grant.to) == (version.grant_type, "1", (R,))
    assert parse_grant(grant) == (M,)
    assert isinstance(grant.body["routing_did"], list) is version.routing_did_is_list
    for spelling in (M, [M]):
        assert parse_grant(replace(grant, body={"routing_did": spelling})) == (M,)
    assert make_deny("2", M, request).type == version.deny_type


@each_version
def test_updates(version: Version) -> None:
    updates = (Update(DID, "add"), Update(R, "remove"))
    request = sent(make_update("1", R, M, updates, version))
    assert parse_update(request) == updates
    updated = (Updated(DID, "add", "success"), Updated(R, "remove", "no_change"))
    answer = sent(make_update_response("2", M, request, updated))
    assert (answer.type, answer.thid) == (version.update_response_type, "1")
    assert parse_update_response(answer) == updated


@each_version
def test_queries(version: Version) -> None:
    request = sent(make_query("1", R, M, limit=30, offset=60, version=version))
    assert parse_query(request) == (30, 60)
    assert parse_query(make_query("1", R, M, version=version)) == (PAGE_MAX, 0)
    assert parse_query(make_query("1", R, M, limit=10**6, version=version)) == (PAGE_MAX, 0)
    page = Page((DID, R), 60, 100)
    answer = sent(make_list("2", M, request, page))
    assert answer.type == version.list_type
    assert parse_list(answer) == page
    del answer.body["pagination"]
    assert parse_list(answer) == Page((DID, R))


def broken(type_: str, *bodies: dict[str, Any]) -> list[Message]:
    return [Message("1", type_, body, from_=R, to=(M,)) for body in bodies]


@each_version
def test_broken_ones(version: Version) -> None:
    row = {"recipient_did": DID, "action": "add"}
    cases = {
        parse_update: broken(
            version.update_type,
            {},
            {"updates": []},
            {"updates": [{**row, "action": "keep"}]},
            {"updates": [{**row, "recipient_did": "z6Mk"}]},
            {"updates": [{"action": "add"}]},
            {"updates": [row] * (UPDATES_MAX + 1)},
        ),
        parse_query: broken(
            version.query_type,
            {"paginate": []},
            {"paginate": {"limit": 1}},
            {"paginate": {"offset": 1}},
            {"paginate": {"limit": -1, "offset": 0}},
        ),
        parse_grant: broken(
            version.grant_type, {}, {"routing_did": []}, {"routing_did": "x"}, {"routing_did": [M] * 9}
        ),
        parse_update_response: broken(
            version.update_response_type, {}, {"updated": [row]}, {"updated": [{**row, "result": "fine"}]}
        ),
        parse_list: broken(
            version.list_type,
            {},
            {version.list_member: [{}]},
            {version.list_member: [], "pagination": {"count": 1, "offset": 0, "remaining": 0}},
        ),
    }
    for parse, messages in cases.items():
        for message in messages:
            with pytest.raises(DidcommError):
                parse(message)
        with pytest.raises(DidcommError):  # a message of another type
            parse(Message("1", version.request_type, from_=R, to=(M,)))


def test_who_does_not_say_who_it_is_gets_no_answer() -> None:
    with pytest.raises(DidcommError):
        make_grant("2", M, Message("1", V3.request_type), M)
