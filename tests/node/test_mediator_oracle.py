"""A client built on SICPA's Python library at a node that is a mediator: HTTP and WebSocket, a real process.

The library runs in its own environment (`make oracles`) and does all the packing and unpacking; here its
envelopes are only carried.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pico_didcomm.did.peer import make_peer_2, resolve_peer_2
from pico_didcomm.did.service import endpoints_of
from pico_didcomm.encoding import b64url_decode, b64url_encode
from pico_didcomm.keys import KeyPair, key_pair
from pico_didcomm.protocols.out_of_band import parse_invitation_url
from tests.didcomm.oracles.oracle import Oracle, missing
from tests.node.processes import RealNode

WHY_NOT = missing("sicpa")
pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(WHY_NOT is not None, reason=f"SICPA's library is not there: {WHY_NOT}"),
]

MEDIATE = "https://didcomm.org/coordinate-mediation/3.0/"
PICKUP_3 = "https://didcomm.org/messagepickup/3.0/"
PICKUP_4 = "https://didcomm.org/message-pickup/4.0/"
ENCRYPTED = "application/didcomm-encrypted+json"
NOTE = "https://example.org/note/1.0/note"


class Agent:
    """An agent whose messages SICPA's library packs; `world` must know its document and keys."""

    def __init__(self, seed: bytes) -> None:
        self.pairs = {"V": key_pair("Ed25519", seed * 32), "E": key_pair("X25519", bytes([seed[0] + 1]) * 32)}
        self.did = make_peer_2([(use, pair.public_key) for use, pair in self.pairs.items()])

    def secrets(self) -> dict[str, Any]:
        document = resolve_peer_2(self.did)
        by_key = {pair.public_key: pair for pair in self.pairs.values()}
        return {
            f"{self.did}#{name}": _jwk(by_key[key]) for name, key in document.keys.items() if "key-" in name
        }


def _jwk(pair: KeyPair) -> dict[str, str]:
    return pair.public_key.jwk() | {"d": b64url_encode(pair.private)}


def document(did: str) -> dict[str, Any]:
    """A document as SICPA's library reads it: absolute ids, keys as JWK."""
    raw, keys = resolve_peer_2(did).raw, resolve_peer_2(did).keys
    methods = [
        {
            "id": did + one["id"],
            "type": "JsonWebKey2020",
            "controller": did,
            "publicKeyJwk": keys[one["id"].removeprefix("#")].jwk(),
        }
        for one in raw["verificationMethod"]
    ]
    return {
        "id": did,
        "verificationMethod": methods,
        "authentication": [did + name for name in raw["authentication"]],
        "keyAgreement": [did + name for name in raw["keyAgreement"]],
    }


class World:
    """The mediator, a client and a sender."""

    def __init__(self, node: RealNode) -> None:
        link = next(line.split()[-1] for line in node.said if line.startswith("mediator"))
        invitation = parse_invitation_url(link, 0)
        self.mediator, self.invitation = invitation.sender, invitation.message.id
        ends = {one.scheme: one.uri for one in endpoints_of(resolve_peer_2(self.mediator))}
        self.post_url, self.socket_url = ends["http"], ends["ws"]
        self.client, self.sender = Agent(b"c"), Agent(b"s")
        self.oracle = Oracle("sicpa")
        dids = [self.mediator, self.client.did, self.sender.did]
        self.oracle.ask(
            "world",
            documents=[document(did) for did in dids],
            secrets=self.client.secrets() | self.sender.secrets(),
        )
        self.ids = 0

    def request(self, type_: str, body: Any, **more: Any) -> bytes:
        """What the client sends."""
        self.ids += 1
        message = {
            "id": f"c-{self.ids}",
            "type": type_,
            "body": body,
            "from": self.client.did,
            "to": [self.mediator],
            "return_route": "all",
            **more,
        }
        return self.pack("authcrypt", message, to=self.mediator, sender=self.client.did)

    def pack(self, kind: str, message: Any, **how: Any) -> bytes:
        packed: str = self.oracle.ask("pack", kind=kind, message=message, **how)
        return packed.encode()

    def forward(self, text: str) -> bytes:
        """A message of the sender's for the client, wrapped for the mediator."""
        note = {"id": text, "type": NOTE, "body": {"text": text}}
        note |= {"from": self.sender.did, "to": [self.client.did]}
        inner = self.pack("authcrypt", note, to=self.client.did, sender=self.sender.did)
        forward = {
            "id": f"f-{text}",
            "type": "https://didcomm.org/routing/2.0/forward",
            "body": {"next": self.client.did},
            "to": [self.mediator],
            "attachments": [{"id": "1", "data": {"base64": b64url_encode(inner)}}],
        }
        return self.pack("anoncrypt", forward, to=self.mediator)

    def open(self, envelope: bytes) -> Any:
        found = self.oracle.ask("unpack", packed=envelope.decode())
        assert found["authenticated"]
        return found["message"]

    def notes(self, delivery: Any) -> list[str]:
        """The texts inside a delivery."""
        assert "attachments" in delivery, delivery
        inner = [b64url_decode(one["data"]["base64"]) for one in delivery["attachments"]]
        return [self.open(envelope)["body"]["text"] for envelope in inner]

    def post(self, envelope: bytes) -> Any:
        """The message in the answer to a POST, None for 202."""
        request = urllib.request.Request(self.post_url, envelope, {"Content-Type": ENCRYPTED})
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.status in (200, 202)
            if answer.status == 202:
                return None
            assert answer.headers["Content-Type"] == ENCRYPTED
            return self.open(answer.read())

    def register(self) -> None:
        grant = self.post(self.request(MEDIATE + "mediate-request", {}, pthid=self.invitation))
        assert (grant["type"], grant["body"]) == (
            MEDIATE + "mediate-grant",
            {"routing_did": [self.mediator]},
        )
        updates = {"updates": [{"recipient_did": self.client.did, "action": "add"}]}
        answer = self.post(self.request(MEDIATE + "recipient-update", updates))
        assert answer["body"]["updated"][0]["result"] == "success"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    node = RealNode(tmp_path / "mediator").up("--mediator")
    world = World(node)
    yield world
    world.oracle.close()
    node.close()


@pytest.mark.parametrize(("pickup", "limit"), [(PICKUP_3, "limit"), (PICKUP_4, "message_count_limit")])
def test_by_http(world: World, pickup: str, limit: str) -> None:
    world.register()
    assert world.post(world.forward("one")) is None
    assert world.post(world.forward("two")) is None
    status = world.post(world.request(pickup + "status-request", {}))
    assert status["body"]["message_count"] == 2
    delivery = world.post(world.request(pickup + "delivery-request", {limit: 5}))
    assert world.notes(delivery) == ["one", "two"]
    ids = [one["id"] for one in delivery["attachments"]]
    world.post(world.request(pickup + "messages-received", {"message_id_list": ids[:1]}))
    left = world.post(world.request(pickup + "delivery-request", {limit: 5}))
    assert world.notes(left) == ["two"]


async def test_live_by_web_socket(world: World) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(world.socket_url) as socket:

        async def ask(type_: str, body: Any, **more: Any) -> Any:
            await socket.send_bytes(world.request(type_, body, **more))
            return world.open(await socket.receive_bytes(timeout=20))

        await ask(MEDIATE + "mediate-request", {}, pthid=world.invitation)
        await ask(
            MEDIATE + "recipient-update",
            {"updates": [{"recipient_did": world.client.did, "action": "add"}]},
        )
        status = await ask(PICKUP_4 + "live-delivery-change", {"live_delivery": True})
        assert status["body"]["live_delivery"] is True
        assert world.post(world.forward("live")) is None
        delivery = world.open(await socket.receive_bytes(timeout=20))
        assert world.notes(delivery) == ["live"]
        ids = [one["id"] for one in delivery["attachments"]]
        await socket.send_bytes(world.request(PICKUP_4 + "messages-received", {"message_id_list": ids}))
        status = await ask(PICKUP_4 + "status-request", {})
        assert status["body"]["message_count"] == 0


def test_who_was_not_invited_is_not_served(world: World) -> None:
    for more in ({}, {"pthid": "x"}):
        assert world.post(world.request(MEDIATE + "mediate-request", {}, **more))["type"].endswith("deny")


def test_who_is_not_registered_gets_nothing(world: World) -> None:
    report = world.post(world.request(PICKUP_3 + "delivery-request", {"limit": 5}))
    assert report["type"] == "https://didcomm.org/report-problem/2.0/problem-report"
    assert json.dumps(report)
