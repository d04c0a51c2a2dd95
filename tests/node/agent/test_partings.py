"""Our side ends a connection with another agent, and says so as DIDComm has it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pico_didcomm.did.resolver import Resolver
from pico_didcomm.keys import key_pair
from pico_didcomm.unpack import Unpacked, unpack
from pico_node.agent.messages import (
    Command,
    DocumentFetched,
    FetchDocument,
    ForeignMessage,
    PostMessage,
)
from tests.node.agent.test_foreign import Stranger, World, say

HOME = {"uri": "https://stranger.example"}


def web_mediator(did: str, url: str) -> bytes:
    """The document of a mediator."""
    key = key_pair("X25519", b"m" * 32).public_key.multibase()
    method = {"id": "#k", "type": "Multikey", "controller": did, "publicKeyMultibase": key}
    service = {"id": "#s", "type": "DIDCommMessaging", "serviceEndpoint": [{"uri": url}]}
    return json.dumps({"id": did, "keyAgreement": [method], "service": [service]}).encode()


@pytest.fixture
def world() -> World:
    return World()


def end(world: World, how: str = "connection_end", node: str = "a") -> list[Any]:
    connection = world.node.connection()
    more = {
        "connection_end": {"pico": node, "id": connection["id"]},
        "channel_delete": {"pico": node, "eci": connection["Rx"]},
        "pico_delete": {"pico": node},
    }[how]
    world.node.agent.receive(Command(how, more, reply="end"), world.net.clock.now)
    return world.effects()


def opened(stranger: Stranger, envelope: bytes) -> Unpacked:
    """What an agent reads that has heard of our DID only in our invitation."""
    return unpack(envelope, stranger.wallet, Resolver(), stranger.net.clock.now)


@pytest.mark.parametrize("how", ["connection_end", "channel_delete", "pico_delete"])
@pytest.mark.parametrize("audience", ["didcomm", "picomesh"])
def test_the_other_side_hears_of_it(world: World, how: str, audience: str) -> None:
    stranger = Stranger(world.net, endpoint=HOME)
    world.node.agent.base_url = "https://node.example"
    thread = stranger.read(world.invite(audience=audience)["url"])
    world.give(stranger.greeting(thread))
    (effect,) = end(world, how)
    assert isinstance(effect, PostMessage)
    assert effect.url == HOME["uri"]
    unpacked = opened(stranger, effect.message)
    assert (unpacked.sender, unpacked.message.from_, unpacked.encrypted) == (None, None, True)
    assert unpacked.rotation is not None
    assert (unpacked.rotation.new, unpacked.rotation.prior_did) == (None, stranger.theirs)
    assert unpacked.rotation.rotated_at == world.net.clock.now // 1000
    assert list(world.node.agent.node.partings.scan()) == []
    assert world.effects() == []


def test_what_was_said_before_comes_first(world: World) -> None:
    stranger = world.met(Stranger(world.net, endpoint=HOME))
    (said,) = say(world, stranger, "sensor:reading", {})
    (ended,) = end(world)
    assert stranger.open(said.message).message.body
    assert opened(stranger, ended.message).rotation is not None


def test_killed_before_it_is_said_it_is_said_in_the_next_life(world: World) -> None:
    stranger = world.met(Stranger(world.net, endpoint=HOME))
    command = Command("connection_end", {"pico": "a", "id": world.node.connection()["id"]}, reply="end")
    agent = world.node.agent
    agent.partings.flush = lambda: None  # type: ignore[method-assign]  # killed between commit and saying
    agent.receive(command, world.net.clock.now)
    world.effects()
    assert [key for key, _ in agent.node.partings.scan()]
    world.node.lives += 1
    fresh = type(agent)(world.node.store, world.node.registry, agent.entropy, world.node.key)
    world.node.agent = fresh
    fresh.start(world.net.clock.now)
    (effect,) = world.effects()
    assert opened(stranger, effect.message).rotation is not None
    assert list(fresh.node.partings.scan()) == []


def test_without_a_way_it_is_counted(world: World) -> None:
    world.met(Stranger(world.net))
    assert end(world) == []
    assert world.node.counters["foreign_unsent"] == 1
    assert list(world.node.agent.node.partings.scan()) == []


@pytest.mark.parametrize("found", [True, False])
def test_a_document_of_a_mediator_is_fetched_first(world: World, found: bool) -> None:
    stranger = world.met(Stranger(world.net, endpoint={"uri": "did:web:mediator.example"}))
    (effect,) = end(world)
    assert isinstance(effect, FetchDocument)
    assert world.node.connections() == []
    assert [key for key, _ in world.node.agent.node.partings.scan()]
    body = web_mediator("did:web:mediator.example", "https://mediator.example") if found else None
    fetched = DocumentFetched("did:web:mediator.example", body, "no answer", 60_000)
    world.node.agent.receive(fetched, world.net.clock.now)
    sent = world.effects()
    assert [one.url for one in sent] == (["https://mediator.example"] if found else [])
    assert world.node.counters["foreign_unsent"] == (0 if found else 1)
    assert list(world.node.agent.node.partings.scan()) == []
    del stranger


def test_nobody_is_told_of_an_invitation_that_nobody_took(world: World) -> None:
    world.invite()
    assert end(world) == []
    assert world.node.counters["foreign_unsent"] == 0


def test_a_node_of_ours_hears_it_as_an_end(world: World) -> None:
    """The other side may be a pico that accepted an invitation for any agent."""
    other = World()
    other.net.clock = world.net.clock
    for one, url in ((world, "https://a.example"), (other, "https://b.example")):
        one.node.agent.base_url = url
    made = world.invite(audience="didcomm")
    other.node.agent.receive(Command("accept", {"pico": "a", "url": made["url"]}, "x"), world.net.clock.now)

    def carry(sender: World, receiver: World) -> bool:
        posts = [one for one in sender.effects() if isinstance(one, PostMessage)]
        for post in posts:
            receiver.node.agent.receive(ForeignMessage("", post.message), world.net.clock.now)
        return bool(posts)

    while carry(world, other) or carry(other, world):
        pass
    assert (world.node.connection()["state"], other.node.connection()["state"]) == ("established",) * 2
    posts = end(world)
    other.node.agent.receive(ForeignMessage("", posts[0].message), world.net.clock.now)
    other.effects()
    assert other.node.connections() == []
    assert other.heard()[-1]["type"] == "connection:ended"
