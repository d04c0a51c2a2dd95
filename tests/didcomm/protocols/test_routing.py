"""Forward messages: read, written, wrapped along routes, unwrapped by each mediator in turn."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import orjson
import pytest

from pico_didcomm.did.peer import make_peer_2
from pico_didcomm.did.resolver import Resolver
from pico_didcomm.did.service import Endpoint
from pico_didcomm.encoding import b64url_encode
from pico_didcomm.errors import DidcommError, LimitExceeded, NoRoute
from pico_didcomm.identity import ChannelIdentity, make_channel_identity, make_pico_identity
from pico_didcomm.keys import key_pair
from pico_didcomm.message import Attachment, Message
from pico_didcomm.pack import pack_anoncrypt
from pico_didcomm.protocols.routing import (
    FORWARD_TYPE,
    PAYLOADS_MAX,
    Forward,
    Route,
    make_forward,
    parse_forward,
    rewrap,
    routes_to,
    wrap,
)
from pico_didcomm.unpack import unpack
from tests.didcomm.helpers import NOW_MS, Pair, seeded

PAIR = Pair("routing")
ENVELOPE = pack_anoncrypt(PAIR.message(), PAIR.document(PAIR.bob), PAIR.entropy)


def service(endpoint: Any) -> dict[str, Any]:
    return {"type": "DIDCommMessaging", "serviceEndpoint": endpoint}


def identity(name: str, *endpoints: Any) -> ChannelIdentity:
    made = make_channel_identity(seeded(name), [service(one) for one in endpoints])
    PAIR.resolver.learn(made.long_did)
    return made


def new_ids() -> Any:
    ids = count()
    return lambda: f"f-{next(ids)}"


def test_round_trip() -> None:
    forward = Forward(PAIR.bob.did, (ENVELOPE,), 7, -500)
    message = Message.from_bytes(make_forward("1", "did:example:m", forward).to_bytes())
    assert parse_forward(message) == forward
    assert message.please_ack is None
    assert message.from_ is None


def test_a_payload_as_json() -> None:

    attachment = Attachment({"json": orjson.loads(ENVELOPE)})
    message = Message("1", FORWARD_TYPE, {"next": PAIR.bob.did}, attachments=(attachment,))
    (payload,) = parse_forward(message).payloads
    assert orjson.loads(payload) == orjson.loads(ENVELOPE)


def attached(*data: dict[str, Any]) -> tuple[Attachment, ...]:
    return tuple(Attachment(one) for one in data)


@pytest.mark.parametrize(
    "changes",
    [
        {"attachments": ()},
        {"attachments": attached({"base64": b64url_encode(b"{}")})},
        {"attachments": attached({"base64": b64url_encode(PAIR.message().to_bytes())})},
        {"attachments": attached({"base64": "!"})},
        {"attachments": attached({"links": ["https://a.example"], "hash": "x"})},
        {"attachments": attached(*[{"base64": b64url_encode(ENVELOPE)}] * (PAYLOADS_MAX + 1))},
        {"body": {}},
        {"body": {"next": "nobody"}},
        {"body": {"next": ["did:example:b"]}},
        {"extra": {"delay_milli": "1"}},
        {"extra": {"delay_milli": 10**12}},
        {"type": "https://didcomm.org/routing/2.0/backward"},
    ],
)
def test_broken_ones(changes: dict[str, Any]) -> None:
    message = make_forward("1", "did:example:m", Forward(PAIR.bob.did, (ENVELOPE,)))
    with pytest.raises(DidcommError):
        parse_forward(replace(message, **changes))


def test_no_mediator() -> None:
    bob = identity("plain", {"uri": "https://bob.example"})
    assert routes_to(PAIR.resolver.resolve(bob.did), PAIR.resolver) == [
        Route(Endpoint("https://bob.example"))
    ]
    assert wrap(ENVELOPE, bob.did, (), PAIR.resolver, PAIR.entropy, new_ids()) == ENVELOPE


def test_other_profiles_and_lost_mediators_are_no_way() -> None:
    document = PAIR.resolver.resolve(
        identity(
            "old", {"uri": "https://x.example", "accept": ["didcomm/aip1"]}, {"uri": "did:example:gone"}
        ).did
    )
    with pytest.raises(NoRoute):
        routes_to(document, PAIR.resolver)
    with pytest.raises(NoRoute):
        routes_to(PAIR.document(PAIR.bob), PAIR.resolver)


def test_mediators_behind_each_other() -> None:
    """The specification's second example: an endpoint that is a DID, and a routing key."""
    outer = identity("outer", {"uri": "https://outer.example"})
    inner = make_pico_identity(seeded("inner"))
    inner_key = inner.agreement_key(inner.did).kid
    bob = identity("bob", {"uri": outer.long_did, "routingKeys": [inner_key]})
    resolver = PAIR.resolver
    (route,) = routes_to(resolver.resolve(bob.did), resolver)
    assert route == Route(Endpoint("https://outer.example"), (outer.long_did, inner_key))
    envelope = pack_anoncrypt(
        Message("m", "https://example.org/a/1.0/b"), resolver.resolve(bob.did), PAIR.entropy
    )
    wrapped = wrap(envelope, bob.long_did, route.hops, resolver, PAIR.entropy, new_ids(), expires_time=2**33)

    first = parse_forward(unpack(wrapped, outer, resolver, NOW_MS).message)
    assert (first.next, first.expires_time) == (inner_key, 2**33)
    second = parse_forward(unpack(first.payloads[0], inner, resolver, NOW_MS).message)
    assert second.next == bob.did  # the short form: mediators know recipients by it
    assert second.payloads == (envelope,)
    assert unpack(second.payloads[0], bob, resolver, NOW_MS).message.id == "m"
    for stranger in (inner, bob):
        with pytest.raises(DidcommError):
            unpack(wrapped, stranger, resolver, NOW_MS)


def test_a_mediator_whose_endpoint_is_a_mediator_is_not_followed() -> None:
    far = identity("far", {"uri": "https://far.example"})
    near = identity("near", {"uri": far.long_did})
    document = PAIR.resolver.resolve(identity("behind", {"uri": near.long_did}).did)
    with pytest.raises(NoRoute):
        routes_to(document, PAIR.resolver)


def test_a_routing_key_is_the_only_one_that_opens_it() -> None:
    keys = [key_pair("X25519", bytes([n]) * 32) for n in (1, 2)]
    did = make_peer_2([("E", key.public_key) for key in keys])
    resolver = Resolver()

    def opens(envelope: bytes, n: int) -> bool:
        class Only:
            def find(self, kid: str) -> Any:
                return keys[n] if kid == f"{did}#key-{n + 1}" else None

        try:
            unpack(envelope, Only(), resolver, NOW_MS)
        except DidcommError:
            return False
        return True

    by_key = wrap(ENVELOPE, PAIR.bob.did, (f"{did}#key-2",), resolver, PAIR.entropy, new_ids())
    by_did = wrap(ENVELOPE, PAIR.bob.did, (did,), resolver, PAIR.entropy, new_ids())
    assert [opens(by_key, 0), opens(by_key, 1)] == [False, True]
    assert [opens(by_did, 0), opens(by_did, 1)] == [True, True]
    with pytest.raises(DidcommError):
        wrap(ENVELOPE, PAIR.bob.did, (f"{did}#key-3",), resolver, PAIR.entropy, new_ids())


def test_routes_have_an_end() -> None:
    with pytest.raises(LimitExceeded):
        wrap(ENVELOPE, PAIR.bob.did, (PAIR.alice.did,) * 9, PAIR.resolver, PAIR.entropy, new_ids())


def test_rewrapping() -> None:
    forward = Forward(PAIR.bob.did, (ENVELOPE, ENVELOPE), 2**33, 100)
    again = rewrap(forward, PAIR.document(PAIR.bob), PAIR.entropy, new_ids())
    assert len(again) == 2
    inside = parse_forward(unpack(again[0], PAIR.bob, PAIR.resolver, NOW_MS).message)
    assert inside == Forward(PAIR.bob.did, (ENVELOPE,), 2**33)
