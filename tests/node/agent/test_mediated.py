"""A node behind a mediator, which is another machine here: by WebSocket and by polling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pico_didcomm.did.resolver import Resolver
from pico_didcomm.identity import make_channel_identity
from pico_didcomm.mediator.rows import MemoryRows
from pico_didcomm.mediator.server import Mediator, Transmit
from pico_didcomm.pack import pack_authcrypt
from pico_didcomm.protocols.basic_message import BasicMessage, make_basic_message
from pico_didcomm.protocols.out_of_band import invitation_url, make_invitation
from pico_didcomm.protocols.routing import routes_to, wrap
from pico_engine.errors import Busy
from pico_node.agent.errors import BadInvitation
from pico_node.agent.mediated import POLL_MS
from pico_node.agent.messages import (
    Command,
    ForeignMessage,
    LinkDown,
    LinkUp,
    OpenLink,
    PostMessage,
    SendLink,
)
from tests.didcomm.helpers import seeded
from tests.node.agent.test_foreign import Stranger, World

WS, POST = "wss://mediator.example", "https://mediator.example"


class Behind(World):
    """A node, its mediator, and what travels between them."""

    def __init__(self, uri: str) -> None:
        super().__init__()
        service = {"type": "DIDCommMessaging", "serviceEndpoint": {"uri": uri}}
        self.identity = make_channel_identity(seeded("mediator"), [service])
        self.rows = MemoryRows()
        did = self.identity.long_did
        self.mediator = Mediator(self.identity, did, Resolver(), self.rows, seeded("m"))
        self.mediator.opened(1)
        self.wanted = did
        self.sent = 0

    def start(self) -> list[Any]:
        self.node.agent.mediated.wanted = self.wanted
        self.node.agent.mediated.start()
        return self.travel()

    def travel(self) -> list[Any]:
        """Carry messages until nobody has any; other effects."""
        others = []
        while effects := self.effects():
            for effect in effects:
                if isinstance(effect, SendLink | PostMessage) and getattr(effect, "granted", True):
                    self.sent += 1
                    self.mediator.receive(effect.message, 1, self.net.clock.now)
                    self.answers()
                else:
                    others.append(effect)
        return others

    def answers(self) -> None:
        while (effect := self.mediator.next_effect()) is not None:
            if isinstance(effect, Transmit):
                self.node.agent.receive(ForeignMessage("", effect.envelope), self.net.clock.now)

    def link(self) -> None:
        self.node.agent.receive(LinkUp(), self.net.clock.now)
        self.travel()

    def say(self, stranger: Stranger, text: str) -> None:
        """A stranger writes to the pico, by the way that its DID names."""
        message = make_basic_message(text, stranger.did, stranger.theirs, BasicMessage(text))
        document = stranger.resolver.resolve(stranger.theirs)
        envelope = pack_authcrypt(
            replace(message, pthid=stranger.name), stranger.wallet, document, stranger.entropy
        )
        (route,) = routes_to(document, stranger.resolver)
        data = wrap(
            envelope, document.did, route.hops, stranger.resolver, stranger.entropy, lambda: "f" + text
        )
        self.mediator.receive(data, 2, self.net.clock.now)
        self.answers()
        self.travel()

    def do(self, name: str, /, **parameters: Any) -> Any:
        """A command, whose effects travel too."""
        self.node.agent.receive(Command(name, parameters, reply=name), self.net.clock.now)
        self.travel()
        return self.node.answer(name)

    def stranger(self) -> Stranger:
        made = self.do("invite", pico="a", audience="didcomm")
        stranger = Stranger(self.net, made["id"])
        stranger.theirs = made["eci"]
        return stranger

    def texts(self) -> list[str]:
        return [one["content"] for one in self.heard() if one["type"] == "basic_message"]

    def kept(self) -> int:
        return sum(1 for _ in self.rows.scan("m/", "m0"))


def test_live() -> None:
    world = Behind(WS)
    assert world.start() == [OpenLink(WS)]
    with pytest.raises(Busy, match="has not agreed"):
        world.invite(audience="didcomm")
    world.link()
    stranger = world.stranger()
    world.say(stranger, "one")
    world.say(stranger, "two")
    assert world.texts() == ["one", "two"]
    assert world.kept() == 0  # acknowledged
    told = world.node.command("mediation")["mediated_by"]
    assert (told["state"], told["live"]) == ("granted", True)


def test_what_came_while_the_link_was_down() -> None:
    world = Behind(WS)
    world.start()
    world.link()
    stranger = world.stranger()
    world.say(stranger, "one")
    world.node.agent.receive(LinkDown(), world.net.clock.now)
    world.mediator.closed(1)
    world.mediator.opened(1)
    for text in ("two", "three"):
        world.say(stranger, text)
    assert world.texts() == ["one"]
    world.link()
    assert world.texts() == ["one", "two", "three"]
    assert world.kept() == 0


def test_after_a_restart() -> None:
    world = Behind(WS)
    world.start()
    world.link()
    stranger = world.stranger()
    world.node.start()
    world.mediator.closed(1)
    world.mediator.opened(1)
    world.say(stranger, "one")
    assert world.start() == [OpenLink(WS)]
    world.link()
    assert world.texts() == ["one"]


def test_polling() -> None:
    world = Behind(POST)
    world.start()
    stranger = world.stranger()
    world.say(stranger, "one")
    assert world.texts() == []
    world.net.clock.seconds(POLL_MS // 1000 + 1)
    world.travel()
    assert world.texts() == ["one"]
    assert world.kept() == 0


def test_many_messages_are_fetched_in_turn() -> None:
    world = Behind(POST)
    world.start()
    stranger = world.stranger()
    for n in range(70):
        world.say(stranger, str(n))
    world.net.clock.seconds(POLL_MS // 1000 + 1)
    world.travel()
    assert world.texts() == [str(n) for n in range(70)]
    assert world.kept() == 0


def test_a_channel_that_goes_is_taken_back() -> None:
    world = Behind(WS)
    world.start()
    world.link()
    made = world.do("invite", pico="a", audience="didcomm")
    assert world.rows.get(f"d/{made['eci']}") is not None
    world.do("channel_delete", pico="a", eci=made["eci"])
    assert world.rows.get(f"d/{made['eci']}") is None


def test_a_mediator_that_does_not_answer_is_asked_again() -> None:
    world = Behind(WS)
    world.start()
    world.node.agent.receive(LinkUp(), world.net.clock.now)
    assert len(world.effects()) == 1  # lost
    world.net.clock.seconds(31)
    world.travel()
    world.net.clock.seconds(POLL_MS // 1000 + 1)
    world.travel()
    assert world.node.command("mediation")["mediated_by"]["state"] == "granted"


def test_named_by_an_invitation_or_badly() -> None:
    world = Behind(WS)
    message = make_invitation("i", world.identity.long_did)
    world.wanted = invitation_url(message, world.identity)
    assert world.start() == [OpenLink(WS)]
    other = Behind(WS)
    other.wanted = "https://mediator.example"
    with pytest.raises(BadInvitation, match="--mediated-by"):
        other.start()
