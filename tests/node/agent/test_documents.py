"""Documents of did:web: fetched once, by the edge, while messages wait."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pico_didcomm.protocols.out_of_band import invitation_url, make_invitation
from pico_didcomm.protocols.trust_ping import PING_RESPONSE_TYPE, make_ping, make_ping_response
from pico_didcomm.wallet import Wallet
from pico_node.agent.documents import WAITING_MAX
from pico_node.agent.errors import BadInvitation
from pico_node.agent.messages import Command, DocumentFetched, FetchDocument, PostMessage, SendForeign
from tests.node.agent.test_foreign import Stranger, World, returning

DID = "did:web:agents.example:bob"
URL = "https://agents.example/bob/did.json"


class Webber(Stranger):
    """An agent whose DID is a did:web."""

    def __init__(self, world: World, did: str = DID) -> None:
        super().__init__(world.net, endpoint={"uri": "https://agents.example/didcomm"})
        raw = self.resolver.resolve(self.did).raw
        self.body = json.dumps(raw).replace(self.did, did).encode()
        document = self.resolver.learn_document(did, self.body, world.net.clock.now, 86_400_000)
        peer, self.did = self.did, did
        pairs = [self.wallet.signing_key(peer).pair, self.wallet.agreement_keys(peer)[0].pair]
        self.wallet = Wallet()
        self.wallet.add(document, pairs)


@pytest.fixture
def world() -> World:
    return World()


def fetched(world: World, body: bytes | None, why: str = "", lifetime_ms: int = 60_000) -> list[Any]:
    message = DocumentFetched(DID, body, why, lifetime_ms)
    world.node.agent.receive(message, world.net.clock.now)
    return world.effects()


def greeting(world: World, agent: Webber) -> bytes:
    thread = agent.read(world.invite()["url"])
    return agent.seal(returning(replace(make_ping("p", agent.did, agent.theirs), pthid=thread)))


def test_a_greeting_waits_for_its_senders_document(world: World) -> None:
    agent = Webber(world)
    data = greeting(world, agent)
    assert world.give(data, reply="http") == [FetchDocument(DID, URL)]
    (effect,) = fetched(world, agent.body)
    assert effect.reply == "http"
    assert effect.message is not None
    assert world.node.connection()["Tx"] == DID
    # what is known is not fetched again, until it is too old
    ping = agent.seal(returning(make_ping("q", agent.did, agent.theirs)))
    (effect,) = world.give(ping)
    assert isinstance(effect, SendForeign)
    world.net.clock.seconds(61)
    assert world.give(agent.seal(make_ping("r", agent.did, agent.theirs))) == [FetchDocument(DID, URL)]


def test_two_messages_one_fetch(world: World) -> None:
    agent = Webber(world)
    data = greeting(world, agent)
    assert len(world.give(data, reply="first")) == 1
    assert world.give(data, reply="second") == []
    assert {effect.reply for effect in fetched(world, agent.body)} == {"first", "second"}


@pytest.mark.parametrize("body", [None, b"no document", b'{"id":"did:web:other.example"}'])
def test_a_document_of_no_use(world: World, body: bytes | None) -> None:
    agent = Webber(world)
    data = greeting(world, agent)
    world.give(data, reply="http")
    (effect,) = fetched(world, body, "not found")
    assert (effect.reply, effect.message) == ("http", None)
    assert world.node.connection()["state"] == "invited"
    (effect,) = world.give(data, reply="again")  # for as long as the failure counts
    assert effect.message is None
    world.net.clock.seconds(61)
    assert world.give(data, reply="later") == [FetchDocument(DID, URL)]


def test_not_too_many_wait(world: World) -> None:
    agent = Webber(world)
    data = greeting(world, agent)
    for n in range(WAITING_MAX):
        world.give(data, reply=f"r{n}")
    (effect,) = world.give(data, reply="one more")
    assert effect.message is None
    assert world.node.counters["inbound_refused_busy"] == 1


def test_an_invitation_of_a_did_web(world: World) -> None:
    agent = Webber(world)
    message = make_invitation("i", agent.did, label="Webber")
    command = Command("accept", {"pico": "a", "url": invitation_url(message, agent.wallet)}, reply="accept")
    world.node.agent.receive(command, world.net.clock.now)
    assert world.effects() == [FetchDocument(DID, URL)]
    (effect,) = fetched(world, agent.body)
    assert isinstance(effect, PostMessage)
    ping = agent.open(effect.message).message
    agent.theirs = ping.from_ or ""
    world.give(agent.seal(make_ping_response("r", ping, agent.did, agent.theirs)))
    assert world.node.connection()["state"] == "established"
    world.net.clock.seconds(61)  # an answer needs the document again
    found = world.give(agent.seal(make_ping("p", agent.did, agent.theirs)))
    assert found == [FetchDocument(DID, URL)]
    (effect,) = fetched(world, agent.body)
    assert agent.open(effect.message).message.type == PING_RESPONSE_TYPE


def test_an_invitation_whose_document_cannot_be_had(world: World) -> None:
    agent = Webber(world)
    url = invitation_url(make_invitation("i", agent.did), None)
    world.node.agent.receive(Command("accept", {"pico": "a", "url": url}, "accept"), world.net.clock.now)
    world.effects()
    fetched(world, None, "404")
    with pytest.raises(BadInvitation, match="404"):
        world.node.answer("accept")
