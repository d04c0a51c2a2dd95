"""Ways to the other side, beside what test_foreign tells of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pico_didcomm.errors import NoRoute
from pico_didcomm.protocols.return_route import ALL
from pico_didcomm.protocols.trust_ping import PING_RESPONSE_TYPE, make_ping
from pico_node.agent.foreign_post import ForeignPost, Origin
from pico_node.agent.messages import ForeignAnswer, ForeignMessage, SendForeign, SendSocket
from tests.node.agent.test_foreign import Stranger, World


@pytest.fixture
def world() -> World:
    return World()


def test_back_by_the_way_that_it_came(world: World) -> None:
    post: ForeignPost = world.node.agent.foreign_post
    for origin, effect in (
        (Origin("", "http"), ForeignAnswer("http", b"e")),
        (Origin("peer"), SendForeign("peer", (), b"e")),
        (Origin("", "http", socket=3), SendSocket(3, b"e")),
    ):
        assert post.back(origin, b"e")
        assert world.effects() == [effect]
    assert not post.back(Origin(""), b"e")


def test_who_waits_is_answered_once(world: World) -> None:
    post, origin = world.node.agent.foreign_post, Origin("", "http")
    post.settle(origin, b"e")
    post.settle(origin, None)
    assert world.effects() == [ForeignAnswer("http", b"e")]


def test_an_answer_on_a_web_socket(world: World) -> None:
    stranger = world.met(Stranger(world.net))
    ping = replace(make_ping("p", stranger.did, stranger.theirs), extra=ALL.headers())
    world.node.agent.receive(ForeignMessage("", stranger.seal(ping), "f", socket=9), world.net.clock.now)
    sent, done = world.effects()
    assert (sent.socket, done) == (9, ForeignAnswer("f", None))
    assert stranger.open(sent.message).message.type == PING_RESPONSE_TYPE


def test_an_endpoint_that_this_node_cannot_use(world: World) -> None:
    stranger = Stranger(world.net, endpoint={"uri": "wss://stranger.example"})
    with pytest.raises(NoRoute):
        ForeignPost.route_to(stranger.resolver.resolve(stranger.did), stranger.resolver)
