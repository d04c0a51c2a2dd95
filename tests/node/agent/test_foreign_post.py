"""Ways to the other side, beside what test_foreign tells of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pico_didcomm.errors import NoRoute
from pico_didcomm.protocols.return_route import ALL
from pico_didcomm.protocols.trust_ping import PING_RESPONSE_TYPE, make_ping
from pico_node.agent.foreign_post import WAYS_MAX, ForeignPost, Origin
from pico_node.agent.messages import ForeignAnswer, ForeignMessage, PostMessage, SendForeign, SendSocket
from tests.node.agent.test_foreign import PEER, Stranger, World


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
        ForeignPost.ways_to(stranger.resolver.resolve(stranger.did), stranger.resolver)


def chain(effect: SendForeign | PostMessage | None) -> list[SendForeign | PostMessage]:
    """A message's ways, first to last."""
    found = []
    while effect is not None:
        found.append(effect)
        effect = effect.otherwise
    return found


def answered(world: World, endpoints: list[object]) -> tuple[Stranger, list[SendForeign | PostMessage]]:
    """The ways of the answer to a ping from an agent with these endpoints."""
    stranger = world.met(Stranger(world.net, endpoint=endpoints))
    (effect,) = world.give(stranger.seal(make_ping("p", stranger.did, stranger.theirs)))
    return stranger, chain(effect)


def test_every_endpoint_is_a_way_in_the_order_of_the_document(world: World) -> None:
    mediator = Stranger(world.net, "mediator", {"uri": "https://mediator.example"})
    stranger, ways = answered(
        world,
        [
            {"uri": "https://one.example"},
            {"uri": "wss://not-ours.example"},
            {"uri": f"libp2p-peerId:{PEER}", "multiAddrs": ["/ip4/127.0.0.1/tcp/4001"]},
            {"uri": mediator.did},
        ],
    )
    one, two, three = ways
    assert isinstance(one, PostMessage)
    assert isinstance(two, SendForeign)
    assert isinstance(three, PostMessage)
    assert (one.url, two.peer_id, three.url) == ("https://one.example", PEER, "https://mediator.example")
    assert one.message == two.message  # one envelope, so that whoever gets it twice sees that
    assert stranger.open(one.message).message.thid == "p"
    assert three.message != one.message  # wrapped for the mediator


def test_an_endpoint_that_cannot_be_read_is_passed_over(world: World) -> None:
    bad = {"uri": f"libp2p-peerId:{PEER}", "multiAddrs": "x"}
    _, ways = answered(world, [bad, {"uri": "https://two.example"}])
    assert [getattr(one, "url", None) for one in ways] == ["https://two.example"]


def test_ways_are_not_without_end(world: World) -> None:
    _, ways = answered(world, [{"uri": f"https://agent{n}.example"} for n in range(WAYS_MAX + 2)])
    assert len(ways) == WAYS_MAX
