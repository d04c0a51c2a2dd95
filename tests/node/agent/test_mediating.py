"""A node as a mediator, its client carried by hand."""

from __future__ import annotations

from typing import Any

import pytest

from pico_didcomm.did.resolver import Resolver
from pico_didcomm.identity import make_channel_identity
from pico_didcomm.mediator.client import Denied, Fetched, Granted, MediatorClient, Transmit, Waiting
from pico_didcomm.mediator.mailboxes import MediatorLimits
from pico_didcomm.message import Message
from pico_didcomm.pack import pack_anoncrypt
from pico_didcomm.protocols.out_of_band import parse_invitation_url
from pico_didcomm.protocols.routing import wrap
from pico_engine.errors import BadRequest
from pico_node.agent.mediating import mediator_limits
from pico_node.agent.messages import (
    ForeignAnswer,
    ForeignMessage,
    SendForeign,
    SendSocket,
    SocketDown,
    SocketUp,
)
from tests.didcomm.helpers import seeded
from tests.node.agent.test_foreign import PEER, World


class MediatorWorld(World):
    def __init__(self) -> None:
        super().__init__()
        self.begin()
        invitation = self.node.command("mediation_setup")["mediator"]["invitation"]
        self.did = parse_invitation_url(invitation, self.net.clock.now).sender
        self.identity = make_channel_identity(seeded("client"))
        self.invitation: str | None = parse_invitation_url(invitation, self.net.clock.now).message.id
        self.client = self.new_client(self.invitation)

    def new_client(self, invitation: str | None) -> MediatorClient:
        identity, entropy = self.identity, seeded("client entropy")
        return MediatorClient(
            identity, identity.long_did, self.did, Resolver(), entropy, invitation=invitation
        )

    def begin(self) -> None:
        self.node.agent.base_url = "http://127.0.0.1:4200"
        self.node.agent.mediating.wanted = True
        self.node.agent.mediating.start()

    def carry(self, socket: int = 0, peer_id: str = "") -> list[Any]:
        """Carry what the client sends; what it tells."""
        told = []
        while (effect := self.client.next_effect()) is not None:
            if not isinstance(effect, Transmit):
                told.append(effect)
                continue
            message = ForeignMessage(peer_id, effect.envelope, None if peer_id else "f", socket)
            self.node.agent.receive(message, self.net.clock.now)
            self.hear(self.effects())
        return told

    def hear(self, effects: list[Any]) -> None:
        for effect in effects:
            if isinstance(effect, SendSocket | SendForeign | ForeignAnswer) and effect.message is not None:
                self.client.receive(effect.message, self.net.clock.now)

    def forward(self, text: str) -> list[Any]:
        document = Resolver().resolve(self.identity.long_did)
        envelope = pack_anoncrypt(Message(text, "https://a.example/a/1.0/b"), document, seeded(text))
        data = wrap(envelope, self.identity.did, [self.did], Resolver(), seeded(text), lambda: "f-" + text)
        return self.give(data)

    def registered(self, **how: Any) -> None:
        now = self.net.clock.now
        self.client.register(now)
        (granted,) = self.carry(**how)
        assert granted == Granted((self.did,))
        self.client.update(now, add=[self.identity.did])
        self.carry(**how)


@pytest.fixture
def world() -> MediatorWorld:
    return MediatorWorld()


@pytest.mark.parametrize("how", [{}, {"peer_id": PEER}, {"socket": 4}])
def test_by_every_transport(world: MediatorWorld, how: Any) -> None:
    if "socket" in how:
        world.node.give(SocketUp(4))
    world.registered(**how)
    assert world.forward("one") == []
    world.client.fetch(world.net.clock.now, 5)
    (fetched,) = world.carry(**how)
    assert isinstance(fetched, Fetched)
    world.client.received([one.id for one in fetched.messages])
    world.carry(**how)
    world.client.fetch(world.net.clock.now, 5)
    assert world.carry(**how) == [Fetched(())]


def test_live_on_a_web_socket_only(world: MediatorWorld) -> None:
    world.node.give(SocketUp(4))
    world.registered(socket=4)
    world.client.live(world.net.clock.now, True)
    (status,) = world.carry(socket=4)
    assert isinstance(status, Waiting)
    assert status.status.live_delivery
    (sent,) = world.forward("live")
    assert (type(sent), sent.socket) == (SendSocket, 4)
    world.node.give(SocketDown(4))
    assert world.forward("later") == []


def test_what_was_taken_survives_the_process(world: MediatorWorld) -> None:
    world.registered()
    world.forward("one")
    world.node.start()
    world.begin()
    assert world.node.agent.mediating.did == world.did
    world.client.fetch(world.net.clock.now, 5)
    (fetched,) = world.carry()
    assert len(fetched.messages) == 1


def test_what_nobody_fetches_expires(world: MediatorWorld) -> None:
    world.registered()
    world.forward("one")
    agent = world.node.agent
    assert agent.mediating.next_timer() == world.net.clock.now + agent.mediating.limits.message_age_max_ms
    world.net.clock.seconds(agent.mediating.limits.message_age_max_ms // 1000 + 1)
    world.node.run()
    world.client.fetch(world.net.clock.now, 5)
    assert world.carry() == [Fetched(())]


def test_a_message_for_nobody_is_refused_in_silence(world: MediatorWorld) -> None:
    assert world.forward("one") == []
    assert world.node.counters["mediator_refused"] == 1


@pytest.mark.parametrize("shown", [None, "i", "0" * 32])
def test_who_was_not_invited_is_not_served_unless_anyone_is(world: MediatorWorld, shown: str | None) -> None:
    world.client = world.new_client(shown)
    world.client.register(world.net.clock.now)
    assert world.carry() == [Denied()]
    world.node.start()  # with the owner's other choice
    world.node.agent.mediating.admits = "anyone"
    world.begin()
    world.client = world.new_client(shown)
    world.registered()


def test_the_invitation_stays_the_same(world: MediatorWorld) -> None:
    again = world.node.agent.mediating.invitation()["invitation"]
    assert parse_invitation_url(again, world.net.clock.now).message.id == world.invitation
    world.node.start()
    world.node.agent.public_url = "https://elsewhere.example"
    world.begin()
    told = world.node.command("mediation_setup")["mediator"]
    assert told["did"] != world.did  # it names the URL
    assert parse_invitation_url(told["invitation"], world.net.clock.now).message.id == world.invitation


def test_limits_are_settings() -> None:
    assert mediator_limits([]) == MediatorLimits()
    found = mediator_limits(["clients_max=7", " message_bytes_max = 1000 "])
    assert found == MediatorLimits(clients_max=7, message_bytes_max=1_000)
    most = MediatorLimits().delivery_bytes_max
    assert mediator_limits([f"delivery_bytes_max={most}"]) == MediatorLimits()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("clients_min=7", "clients_max, dids_per"),
        ("clients_max", "no number"),
        ("clients_max=0", "no number"),
        ("clients_max=-1", "no number"),
        ("clients_max=1e3", "no number"),
        (f"clients_max={10**15}", "no number"),
        ("message_bytes_max=524289", "524,288 at most"),
    ],
)
def test_limits_that_are_none(text: str, told: str) -> None:
    with pytest.raises(BadRequest) as caught:
        mediator_limits([text])
    assert told in f"{caught.value.what} {caught.value.hint}"


def test_the_limits_hold(world: MediatorWorld) -> None:
    world.node.start()
    world.node.agent.mediating.limits = mediator_limits(["messages_per_client_max=1"])
    world.begin()
    world.registered()
    for text in ("one", "two"):
        world.forward(text)
    assert world.node.counters["mediator_refused"] == 1


def test_a_node_is_none_unless_it_is_wanted() -> None:
    world = World()
    world.node.agent.base_url = "http://127.0.0.1:4200"
    assert world.node.command("mediation_setup") == {"mediator": None, "mediated_by": None}
    with pytest.raises(BadRequest, match="no mediator"):
        world.node.agent.mediating.invitation()
