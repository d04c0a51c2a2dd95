"""Handshake: who may answer an invitation, how often, until when, and what both sides come to know."""

from __future__ import annotations

from typing import Any

import pytest

from pico_didcomm import ChannelIdentity, Message, Resolver, pack_signed_anoncrypt
from pico_didcomm.pack import pack_anoncrypt
from pico_didcomm.protocols.connection import NodeHint, Request, Roles, make_request
from pico_didcomm.protocols.events import SENDER_ORDER
from pico_engine.errors import BadRequest, EngineError, LimitExceeded
from pico_engine.harness import SeededEntropy
from pico_node.agent import AgentLimits
from pico_node.agent.errors import BadInvitation
from pico_node.agent.frames import DATA
from pico_node.agent.identities import DidcommIdentities, channel_identity
from pico_node.agent.messages import PeerFrames
from tests.node.agent.net import Net, Node

ENTROPY = SeededEntropy("stranger")


def accept(net: Net, invitation: dict[str, Any], name: str = "b") -> dict[str, Any]:
    return net.nodes[name].command("accept", pico=name, url=invitation["url"])


def states(net: Net, name: str) -> list[str]:
    return [row["state"] for row in net.nodes[name].connections()]


def test_both_sides_know_each_other() -> None:
    net = Net()
    invitation = net.a.command("invite", pico="a", name="to b", my_role="sensor", their_role="watcher")
    assert net.a.connection()["state"] == "invited"
    asked = accept(net, invitation)
    assert asked["state"] == "requested"
    assert asked["id"] == invitation["id"]
    net.settle()
    a, b = net.a.connection(), net.b.connection()
    assert a["state"] == b["state"] == "established"
    assert (a["Rx"], a["Tx"]) == (b["Tx"], b["Rx"])
    assert (a["Rx_role"], a["Tx_role"]) == (b["Tx_role"], b["Rx_role"]) == ("sensor", "watcher")
    assert (a["name"], b["name"], a["label"], b["label"]) == ("to b", "a", "b", "a")
    assert (a["peer_id"], b["peer_id"]) == (net.b.peer_id, net.a.peer_id)
    assert (a["addresses"], b["addresses"]) == (["/b"], ["/a"])
    assert a["online"]
    assert a["unacknowledged"] == b["unacknowledged"] == 0
    assert net.a.all()["told"] == net.b.all()["told"] == ["established"]


def test_both_sides_keep_a_signed_record() -> None:
    net = Net()
    net.meet()
    for node in net.nodes.values():
        pico = node.agent.commands.find(node.name)
        (row,) = (row for eci, row in pico.connections.items() if not eci.endswith("#"))
        assert "signatures" in row["record"]


def test_the_other_side_may_come_online_later() -> None:
    net = Net()
    net.down()
    accept(net, net.a.command("invite", pico="a"))
    net.calm()
    assert net.b.connection()["state"] == "requested"
    net.crash(net.b)
    net.up()
    net.settle()
    assert net.b.connection()["state"] == net.a.connection()["state"] == "established"


@pytest.mark.parametrize("lost", range(8))
def test_any_frame_may_be_lost_and_nobody_asks_for_ever(lost: int) -> None:
    net = Net()
    accept(net, net.a.command("invite", pico="a"))

    def lose(node: Node, step: int) -> bool:
        if step == lost:
            node.mail.pop(0)
        return step == lost

    net.settle(lose)
    net.calm()
    for node in net.nodes.values():
        assert (node.connection()["state"], node.connection()["unacknowledged"]) == ("established", 0)


# -- an invitation is good for one ---------------------------------------------------------------------------


def test_accepting_twice_on_one_pico_is_one_connection() -> None:
    net = Net()
    invitation = net.a.command("invite", pico="a")
    first = accept(net, invitation)
    assert accept(net, invitation)["Rx"] == first["Rx"]
    net.settle()
    assert accept(net, invitation)["state"] == "established"
    assert len(net.b.connections()) == 1


def test_a_second_node_is_refused_and_told() -> None:
    net = Net("a", "b", "c")
    invitation = net.a.command("invite", pico="a")
    accept(net, invitation, "b")
    net.settle()
    accept(net, invitation, "c")
    net.settle()
    assert states(net, "a") == states(net, "b") == ["established"]
    assert states(net, "c") == ["refused"]
    assert net.c.all()["told"] == ["refused"]
    assert net.a.counters["connection_requests_refused"] == 1
    net.calm()
    assert net.c.connection()["unacknowledged"] == 0, "it does not ask any more"
    assert net.a.counters["connection_requests_refused"] == 1


def test_a_second_pico_of_the_same_node_is_refused() -> None:
    net = Net()
    net.b.command("pico_new", name="b2", rulesets=["test.chatter"])
    invitation = net.a.command("invite", pico="a")
    accept(net, invitation)
    net.b.command("accept", pico="b2", url=invitation["url"])
    net.settle()
    assert states(net, "b") == ["established"]
    assert [row["state"] for row in net.b.command("connections", pico="b2")] == ["refused"]


@pytest.mark.parametrize("lost", range(4))
def test_a_refusal_that_is_lost_is_said_again(lost: int) -> None:
    net = Net("a", "b", "c")
    invitation = net.a.command("invite", pico="a")
    accept(net, invitation, "b")
    net.settle()
    accept(net, invitation, "c")

    def lose(node: Node, step: int) -> bool:
        if step == lost:
            node.mail.pop(0)
        return step == lost

    net.settle(lose)
    net.calm()
    assert states(net, "c") == ["refused"]
    assert net.c.all()["told"] == ["refused"]


def test_a_refused_connection_can_be_removed_and_a_new_invitation_works() -> None:
    net = Net("a", "b", "c")
    invitation = net.a.command("invite", pico="a")
    accept(net, invitation, "b")
    net.settle()
    accept(net, invitation, "c")
    net.settle()
    net.c.command("connection_end", pico="c", id=invitation["id"])
    assert net.c.connections() == []
    net.meet("a", "c")
    assert states(net, "c") == ["established"]


# -- until when ----------------------------------------------------------------------------------------------


def test_an_expired_invitation_is_refused_by_the_reader_and_by_its_maker() -> None:
    net = Net()
    invitation = net.a.command("invite", pico="a", expires_s=60)
    late = net.a.command("invite", pico="a", expires_s=60)
    net.down()
    accept(net, invitation)
    net.clock.seconds(61)
    with pytest.raises(BadInvitation, match="expired"):
        accept(net, late)
    net.up()
    net.settle()
    assert states(net, "b") == ["refused"]
    assert states(net, "a") == ["invited", "invited"]


def test_a_withdrawn_invitation_is_refused() -> None:
    net = Net()
    invitation = net.a.command("invite", pico="a")
    assert net.a.command("connection_end", pico="a", id=invitation["id"]) == {"ended": invitation["id"]}
    assert net.a.connections() == []
    accept(net, invitation)
    net.settle()
    assert states(net, "b") == ["refused"]
    assert net.b.all()["told"] == ["refused"]


@pytest.mark.parametrize("seconds", [0, 366 * 86_400 + 1, (1 << 53) - 1])
def test_an_invitation_lasts_at_most_a_year(seconds: int) -> None:
    with pytest.raises(BadRequest, match="at most a year"):
        Net().a.command("invite", pico="a", expires_s=seconds)


def test_open_invitations_have_a_limit() -> None:
    net = Net(limits=AgentLimits(invitations_max=2))
    first = net.a.command("invite", pico="a")
    net.a.command("invite", pico="a")
    with pytest.raises(LimitExceeded, match="invitations_max"):
        net.a.command("invite", pico="a")
    net.a.command("connection_end", pico="a", id=first["id"])
    net.a.command("invite", pico="a")


def test_long_names_are_refused() -> None:
    net = Net()
    for parameter in ("name", "my_role", "their_role", "label"):
        with pytest.raises(EngineError) as caught:
            net.a.command("invite", pico="a", **{parameter: "x" * 129})
        assert caught.value.status in (400, 413)


# -- who -----------------------------------------------------------------------------------------------------


class Stranger:
    """Speaks for itself, from the node `b`, to the channel of an invitation of `a`."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.invitation = net.a.command("invite", pico="a")
        self.identity = self.new_identity()
        self.their_long = self.long_form(self.invitation["eci"])

    def new_identity(self) -> Any:
        _, secret = DidcommIdentities().new_connection_channel(ENTROPY, "did:key:z6MkStranger")
        return channel_identity(secret)

    def long_form(self, eci: str) -> str:
        pico = self.net.a.agent.commands.find("a")
        return pico.channels.rows[eci].secret["long"]

    def request(self, *, invitation: str = "", peer_id: str = "", number: int | None = 1) -> Message:
        request = Request(
            invitation or self.invitation["id"],
            "stranger",
            Roles(),
            NodeHint(peer_id or self.net.b.peer_id, ("/b",)),
            1,
        )
        message = make_request(ENTROPY(16).hex(), self.identity.long_did, self.their_long, request)
        extra = {} if number is None else {SENDER_ORDER: number}
        return Message(**{**{f: getattr(message, f) for f in message.__dataclass_fields__}, "extra": extra})

    def send(self, message: Message, *, signer: Any = None, signed: bool = True) -> None:
        to = Resolver().resolve(self.their_long)
        if signed:
            data = pack_signed_anoncrypt(message, signer or self.identity, to, ENTROPY)
        else:
            data = pack_anoncrypt(message, to, ENTROPY)
        self.net.b.mail.clear()
        self.net.a.give(PeerFrames(self.net.b.peer_id, self.net.session, [DATA + data]))

    @property
    def state(self) -> str:
        return self.net.a.connection()["state"]


def test_a_stranger_with_the_invitation_is_let_in() -> None:
    stranger = Stranger(Net())
    stranger.send(stranger.request())
    assert stranger.state == "established"


def test_a_request_for_another_invitation_is_refused() -> None:
    stranger = Stranger(Net())
    stranger.send(stranger.request(invitation="0" * 32))
    assert stranger.state == "invited"
    assert stranger.net.a.counters["connection_requests_refused"] == 1


def test_a_request_that_names_another_node_is_refused() -> None:
    stranger = Stranger(Net())
    stranger.send(stranger.request(peer_id=stranger.net.a.peer_id))
    assert stranger.state == "invited"
    assert stranger.net.a.counters["inbound_refused_bad-invitation"] == 1


@pytest.mark.parametrize("number", [None, 0, 2])
def test_a_request_that_is_not_the_first_message_is_refused(number: int | None) -> None:
    stranger = Stranger(Net())
    stranger.send(stranger.request(number=number))
    assert stranger.state == "invited"


def test_an_unsigned_request_is_refused() -> None:
    stranger = Stranger(Net())
    before = sum(stranger.net.a.counters.values())
    stranger.send(stranger.request(), signed=False)
    assert stranger.state == "invited"
    assert sum(stranger.net.a.counters.values()) > before


def test_a_request_signed_by_somebody_else_is_refused() -> None:
    """The name of one identity, the keys of another."""
    stranger = Stranger(Net())
    other = stranger.new_identity()
    forger = ChannelIdentity.from_seeds(other.signing_seed, other.agreement_seed, stranger.identity.long_did)
    before = sum(stranger.net.a.counters.values())
    stranger.send(stranger.request(), signer=forger)
    assert stranger.state == "invited"
    assert sum(stranger.net.a.counters.values()) > before
    stranger.send(stranger.request())
    assert stranger.state == "established"


def test_garbage_for_an_open_invitation_leaves_it_open() -> None:
    net = Net()
    invitation = net.a.command("invite", pico="a")
    accept(net, invitation)
    (frame,) = (data for _, data in net.b.mail if data[:1] == DATA)
    net.b.mail.clear()
    for damaged in (frame[:-30] + b'"}', frame[:200], frame.replace(b"A", b"B", 40)):
        net.a.give(PeerFrames(net.b.peer_id, net.session, [damaged]))
    assert net.a.connection()["state"] == "invited"
    net.a.give(PeerFrames(net.b.peer_id, net.session, [frame]))
    net.settle()
    assert net.a.connection()["state"] == "established"


# -- reading an invitation -----------------------------------------------------------------------------------


def mutations(url: str) -> list[str]:
    base, _, token = url.partition("?_oob=")
    middle = len(token) // 2
    other = "A" if token[middle] != "A" else "B"
    return [
        "",
        " ",
        "hello",
        "https://example.org/",
        base,
        base + "?_oob=",
        base + "?_oob=%%%",
        base + "?_oob=e30",
        base + "?_oob=" + token[:-40],
        base + "?_oob=" + token[: len(token) // 3],
        base + "?_oob=" + token[:middle] + other + token[middle + 1 :],
        base + "?_oob=" + token[::-1],
        "x" * 200_000,
        "\0",
        "did:peer:4zQm",
        base + "?_oob=" + "W" * 60_000,
        base + "?_oob=" + "\ud800",
    ]


@pytest.mark.parametrize("index", range(17))
def test_a_broken_invitation_is_a_clear_error(index: int) -> None:
    net = Net()
    invitation = net.a.command("invite", pico="a")
    found = mutations(invitation["url"])
    assert len(found) == 17
    with pytest.raises(BadInvitation) as caught:
        accept(net, {"url": found[index]})
    error = caught.value
    assert error.code == "bad-invitation"
    assert error.what
    assert error.hint
    assert net.b.counters["refused_bad-invitation"] == 1
    assert net.b.connections() == []
    accept(net, invitation)
    net.settle()
    assert net.b.connection()["state"] == "established"
