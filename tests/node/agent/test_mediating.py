"""A node as a mediator, its client carried by hand."""

from __future__ import annotations

from typing import Any

import pytest

from pico_didcomm.did.resolver import Resolver
from pico_didcomm.identity import make_channel_identity
from pico_didcomm.mediator.client import Fetched, Granted, MediatorClient, Transmit, Waiting
from pico_didcomm.message import Message
from pico_didcomm.pack import pack_anoncrypt
from pico_didcomm.protocols.out_of_band import parse_invitation_url
from pico_didcomm.protocols.routing import wrap
from pico_engine.errors import BadRequest
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
        self.client = MediatorClient(
            self.identity, self.identity.long_did, self.did, Resolver(), seeded("client entropy")
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


def test_a_node_is_none_unless_it_is_wanted() -> None:
    world = World()
    world.node.agent.base_url = "http://127.0.0.1:4200"
    assert world.node.command("mediation_setup") == {"mediator": None, "mediated_by": None}
    with pytest.raises(BadRequest, match="no mediator"):
        world.node.agent.mediating.invitation()
