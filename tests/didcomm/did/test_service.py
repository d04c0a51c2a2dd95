"""Service endpoints in every form."""

from __future__ import annotations

from typing import Any

import pytest

from pico_didcomm.did.document import parse_document
from pico_didcomm.did.peer import make_peer_2, resolve_peer_2
from pico_didcomm.did.service import ENDPOINTS_MAX, ROUTING_KEYS_MAX, Endpoint, endpoints_of
from pico_didcomm.errors import BadDid
from pico_didcomm.keys import key_pair

DID = "did:example:x"


def endpoints(*services: Any) -> tuple[Endpoint, ...]:
    return endpoints_of(parse_document(DID, {"service": list(services)}))


def service(endpoint: Any, **more: Any) -> dict[str, Any]:
    return {"id": "#s", "type": "DIDCommMessaging", "serviceEndpoint": endpoint, **more}


def test_an_object() -> None:
    raw = {"uri": "https://a.example", "accept": ["didcomm/v2"], "routingKeys": ["did:key:z#z"]}
    assert endpoints(service(raw)) == (Endpoint("https://a.example", ("didcomm/v2",), ("did:key:z#z",)),)


def test_a_list_keeps_its_order_and_other_services_are_left_alone() -> None:
    found = endpoints(
        {"id": "#x", "type": "LinkedDomains", "serviceEndpoint": 7},
        service([{"uri": "wss://a.example"}, {"uri": "https://a.example"}]),
        service({"uri": "did:example:mediator"}),
    )
    assert [one.scheme for one in found] == ["wss", "https", "did"]


def test_text_with_members_beside_it() -> None:
    found = endpoints(service("https://a.example", accept=["didcomm/v2"], routingKeys=["did:key:z#z"]))
    assert found == (Endpoint("https://a.example", ("didcomm/v2",), ("did:key:z#z",)),)


def test_members_of_transports_are_kept() -> None:
    (found,) = endpoints(service({"uri": "libp2p-peerId:12D3", "multiAddrs": ["/ip4/127.0.0.1/tcp/1"]}))
    assert found.scheme == "libp2p-peerid"
    assert found.extra == {"multiAddrs": ["/ip4/127.0.0.1/tcp/1"]}


def test_profiles() -> None:
    assert Endpoint("https://a.example").takes_v2
    assert Endpoint("https://a.example", ("didcomm/aip2;env=rfc587", "didcomm/v2")).takes_v2
    assert not Endpoint("https://a.example", ("didcomm/aip1",)).takes_v2


def test_both_forms_of_a_numalgo_2_mean_the_same() -> None:
    keys = [("E", key_pair("X25519", b"k" * 32).public_key)]
    raw = service({"uri": "https://a.example", "accept": ["didcomm/v2"], "routingKeys": ["did:key:z#z"]})
    new, old = make_peer_2(keys, [raw]), make_peer_2(keys, [raw], legacy_service=True)
    assert endpoints_of(resolve_peer_2(new)) == endpoints_of(resolve_peer_2(old)) != ()


@pytest.mark.parametrize(
    "raw",
    [
        service(None),
        service(7),
        service([7]),
        service({}),
        service({"uri": ""}),
        service({"uri": "no colon"}),
        service({"uri": "https:" + "a" * 9000}),
        service({"uri": "https://a", "accept": "didcomm/v2"}),
        service({"uri": "https://a", "routingKeys": [1]}),
        service({"uri": "https://a", "routingKeys": ["k"] * (ROUTING_KEYS_MAX + 1)}),
        service([{"uri": "https://a"}] * (ENDPOINTS_MAX + 1)),
    ],
)
def test_broken_services_are_refused(raw: Any) -> None:
    with pytest.raises(BadDid):
        endpoints(raw)
