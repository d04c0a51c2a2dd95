"""The client's side: its states, what it believes, what it gives up."""

from __future__ import annotations

import pytest

from pico_didcomm.errors import DidcommError, SenderMismatch, UnexpectedMessage
from pico_didcomm.identity import make_channel_identity
from pico_didcomm.mediator.client import Failed, Fetched, mediated_service
from pico_didcomm.pack import pack_authcrypt
from pico_didcomm.protocols import pickup
from pico_didcomm.protocols.pickup import Delivered, make_delivery
from pico_didcomm.protocols.trust_ping import make_ping
from tests.didcomm.helpers import seeded
from tests.didcomm.mediator.helpers import Client, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Client:
    return world.client("phone")


def test_a_service_that_names_the_mediator() -> None:
    assert mediated_service("did:example:m") == {
        "type": "DIDCommMessaging",
        "serviceEndpoint": {"uri": "did:example:m", "accept": ["didcomm/v2"]},
    }


def test_nothing_is_registered_before_the_grant(client: Client) -> None:
    for ask in (
        lambda: client.machine.update(0, add=["did:example:x"]),
        lambda: client.machine.registered(0),
    ):
        with pytest.raises(UnexpectedMessage):
            ask()
    assert client.machine.state == "unregistered"
    client.registered()
    assert client.machine.state == "granted"


def test_silence(client: Client, world: World) -> None:
    client.machine.register(world.now)
    assert client.machine.state == "requesting"
    deadline = client.machine.next_timer()
    assert deadline == world.now + 30_000
    client.machine.next_effect()
    client.machine.handle_timer(deadline)
    (failed,) = client.run()
    assert isinstance(failed, Failed)
    assert failed.problem is None
    assert client.machine.state == "unregistered"
    client.registered()
    assert client.machine.state == "granted"


def test_silence_about_live_mode(client: Client, world: World) -> None:
    client.registered()
    client.machine.live(world.now, True)
    assert client.machine.mode == "starting"
    client.machine.next_effect()
    client.machine.handle_timer(world.now + 30_000)
    client.run()
    assert client.machine.mode == "polling"


def test_only_the_mediator_is_believed(client: Client, world: World) -> None:
    client.registered()
    other = make_channel_identity(seeded("other"))
    client.resolver.learn(other.long_did)
    client.resolver.learn(client.identity.long_did)
    document = client.resolver.resolve(client.identity.did)
    delivery = make_delivery("d", other.did, client.identity.did, [Delivered("a", b"{}")])
    with pytest.raises(SenderMismatch):
        client.machine.receive(pack_authcrypt(delivery, other, document, world.entropy), world.now)
    with pytest.raises(DidcommError):
        client.machine.receive(b"{}", world.now)
    mine = make_delivery("d", world.identity.did, client.identity.did, [Delivered("a", b"{}")])
    client.machine.receive(pack_authcrypt(mine, world.identity, document, world.entropy), world.now)
    assert client.run() == [Fetched((Delivered("a", b"{}"),))]
    ping = make_ping("p", world.identity.did, client.identity.did)
    with pytest.raises(UnexpectedMessage):
        client.machine.receive(pack_authcrypt(ping, world.identity, document, world.entropy), world.now)


def test_the_words_are_those_of_its_version(world: World) -> None:
    old = world.client("old", pickup_version=pickup.V3).registered()
    old.resolver.learn(old.identity.long_did)
    document = old.resolver.resolve(old.identity.did)
    delivery = make_delivery("d", world.identity.did, old.identity.did, [Delivered("a", b"{}")], pickup.V4)
    with pytest.raises(UnexpectedMessage):
        old.machine.receive(pack_authcrypt(delivery, world.identity, document, world.entropy), world.now)
