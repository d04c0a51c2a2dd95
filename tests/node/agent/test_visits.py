"""Invitations of agents of other makes, accepted; invitations for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pico_didcomm.from_prior import make_from_prior
from pico_didcomm.identity import make_channel_identity
from pico_didcomm.message import Message
from pico_didcomm.pack import pack_authcrypt
from pico_didcomm.protocols.events import Event, parse_event
from pico_didcomm.protocols.out_of_band import invitation_url, make_invitation, parse_invitation_url
from pico_didcomm.protocols.problem_report import ProblemReport, make_problem_report
from pico_didcomm.protocols.return_route import return_route_of
from pico_didcomm.protocols.trust_ping import PING_TYPE, make_ping, make_ping_response
from pico_engine.errors import BadRequest
from pico_node.agent.errors import BadInvitation
from pico_node.agent.messages import Command, ForeignMessage, PostMessage, SendForeign
from pico_node.agent.visits import KNOCKS_MAX
from tests.didcomm.helpers import seeded
from tests.node.agent.net import Net
from tests.node.agent.test_foreign import PEER, Stranger, World, returning, say

URL = "https://stranger.example/didcomm"


@pytest.fixture
def world() -> World:
    return World()


def accept(world: World, url: str) -> list[Any]:
    command = Command("accept", {"pico": "a", "url": url}, reply="accept")
    world.node.agent.receive(command, world.net.clock.now)
    return world.effects()


def invited(stranger: Stranger, *, signed: bool = False, **more: Any) -> str:
    message = make_invitation("invitation-1", stranger.did, label="Stranger", **more)
    return invitation_url(message, stranger.wallet if signed else None)


def knocked(world: World, stranger: Stranger, **more: Any) -> Message:
    """Accept a stranger's invitation; the ping that comes."""
    (effect,) = accept(world, invited(stranger, **more))
    assert isinstance(effect, PostMessage | SendForeign)
    ping = stranger.open(effect.message).message
    stranger.theirs = ping.from_ or ""
    return ping


@pytest.mark.parametrize("signed", [True, False])
def test_an_invitation_is_answered_by_a_ping_in_its_thread(world: World, signed: bool) -> None:
    stranger = Stranger(world.net, endpoint={"uri": URL})
    ping = knocked(world, stranger, signed=signed)
    assert (ping.type, ping.pthid, ping.to) == (PING_TYPE, "invitation-1", (stranger.did,))
    assert (ping.from_ or "").startswith("did:peer:2.")  # as the stranger's own
    assert return_route_of(ping).mode == "all"
    connection = world.node.connection()
    assert (connection["state"], connection["Tx"], connection["label"]) == (
        "requested",
        stranger.did,
        "Stranger",
    )
    response = make_ping_response("r", ping, stranger.did, stranger.theirs)
    world.give(stranger.seal(response), peer_id="")
    assert world.node.connection()["state"] == "established"
    assert [one["type"] for one in world.heard()] == ["connection:established"]
    # and it is a connection as others
    (effect,) = say(world, stranger, "sensor:reading", {"celsius": 21})
    assert parse_event(stranger.open(effect.message).message) == Event("sensor", "reading", {"celsius": 21})
    again = returning(make_ping("p", stranger.did, stranger.theirs))
    (effect,) = world.give(stranger.seal(again))
    assert stranger.open(effect.message).message.thid == "p"


def test_an_agent_with_a_did_peer_4_meets_one(world: World) -> None:
    stranger = Stranger(world.net)
    service = {"type": "DIDCommMessaging", "serviceEndpoint": {"uri": URL}}
    identity = make_channel_identity(seeded("four"), [service])
    stranger.did, stranger.wallet = identity.long_did, identity  # type: ignore[assignment]  # keys are keys
    ping = knocked(world, stranger)
    assert (ping.from_ or "").startswith("did:peer:4")
    stranger.resolver.learn(ping.from_ or "")
    world.give(stranger.seal(make_ping_response("r", ping, stranger.did, stranger.theirs)))
    assert world.node.connection()["Tx"] == identity.did


def test_the_inviting_did_may_change_at_once(world: World) -> None:
    """A reusable invitation is answered from a DID of its own, which the invitation's DID vouches for."""
    stranger = Stranger(world.net, endpoint={"uri": URL})
    ping = knocked(world, stranger)
    new = Stranger(world.net, "new", {"uri": URL})
    new.theirs = stranger.theirs
    response = make_ping_response("r", ping, new.did, new.theirs)
    assert world.give(new.seal(response)) == []  # anybody could say so
    assert world.node.connection()["state"] == "requested"
    prior = make_from_prior(stranger.wallet.signing_key(stranger.did), new.did, 1)
    world.give(new.seal(replace(response, from_prior=prior)))
    connection = world.node.connection()
    assert (connection["state"], connection["Tx"]) == ("established", new.did)


def test_a_refusal(world: World) -> None:
    stranger = Stranger(world.net, endpoint={"uri": URL})
    ping = knocked(world, stranger)
    report = ProblemReport("e.p.req", ping.id)
    world.give(stranger.seal(make_problem_report("r", report, stranger.did, stranger.theirs)))
    assert world.node.connection()["state"] == "refused"
    assert world.heard()[-1]["type"] != "connection:established"


def test_events_wait_until_somebody_opens(world: World) -> None:
    stranger = Stranger(world.net, endpoint={"uri": URL})
    ping = knocked(world, stranger)
    assert say(world, stranger, "sensor:reading", {"celsius": 1}) == []
    assert world.node.connection()["unacknowledged"] == 1
    found = world.give(stranger.seal(make_ping_response("r", ping, stranger.did, stranger.theirs)))
    assert [parse_event(stranger.open(one.message).message).attrs for one in found] == [{"celsius": 1}]


def test_the_ping_is_repeated_and_after_a_restart_too(world: World) -> None:
    stranger = Stranger(world.net, endpoint={"uri": URL})
    first = knocked(world, stranger)
    pings = 1
    for _ in range(20):
        world.net.clock.seconds(61)
        found = world.effects()
        pings += len(found)
        assert all(stranger.open(one.message).message.pthid == first.pthid for one in found)
    assert pings == KNOCKS_MAX
    world.node.start()
    world.net.clock.seconds(3)
    (effect,) = world.effects()
    again = stranger.open(effect.message).message
    assert again.pthid == first.pthid
    assert again.id != first.id  # or its answer would be thought of as given
    world.give(stranger.seal(make_ping_response("r", first, stranger.did, stranger.theirs)))
    world.net.clock.seconds(600)
    assert world.effects() == []


def test_by_libp2p_and_by_a_mediator(world: World) -> None:
    where = {"uri": f"libp2p-peerId:{PEER}", "multiAddrs": ["/ip4/127.0.0.1/tcp/4001"]}
    stranger = Stranger(world.net, endpoint=where)
    (effect,) = accept(world, invited(stranger))
    assert (effect.peer_id, effect.addresses) == (PEER, ("/ip4/127.0.0.1/tcp/4001",))
    mediator = Stranger(world.net, "mediator", {"uri": "https://mediator.example"})
    hidden = Stranger(world.net, "hidden", {"uri": mediator.did})
    (effect,) = accept(world, invited(hidden))
    assert effect.url == "https://mediator.example"


def test_accepting_twice_is_once(world: World) -> None:
    stranger = Stranger(world.net, endpoint={"uri": URL})
    url = invited(stranger)
    assert len(accept(world, url)) == 1
    first = world.node.answer("accept")
    assert accept(world, url) == []
    assert world.node.answer("accept")["Rx"] == first["Rx"]


@pytest.mark.parametrize(
    ("endpoint", "more"),
    [
        (None, {}),  # no way to it
        ({"uri": "ftp://stranger.example"}, {}),
        ({"uri": URL}, {"accept": ["didcomm/aip1"]}),
        ({"uri": URL}, {"expires_time": 1}),
    ],
)
def test_invitations_of_no_use(world: World, endpoint: Any, more: Any) -> None:
    stranger = Stranger(world.net, endpoint=endpoint)
    assert accept(world, invited(stranger, **more)) == []
    with pytest.raises(BadInvitation):
        world.node.answer("accept")


def test_an_invitation_of_a_pico_must_be_signed_as_before() -> None:
    net = Net("a", "b")
    url = net.a.command("invite", pico="a")["url"]
    with pytest.raises(BadInvitation, match="not signed"):
        net.b.command("accept", pico="b", url=url.partition("&_sig=")[0])


# -- invitations for others ---------------------------------------------------------------------------------


def test_an_invitation_for_any_agent(world: World) -> None:
    world.node.agent.base_url = "http://127.0.0.1:4200"
    made = world.invite(audience="didcomm", name="friend")
    assert made["eci"].startswith("did:peer:2.")
    stranger = Stranger(world.net, endpoint={"uri": URL})
    thread = parse_invitation_url(made["url"], 0).thread
    stranger.theirs = made["eci"]
    uris = [one["serviceEndpoint"]["uri"] for one in stranger.resolver.resolve(made["eci"]).raw["service"]]
    assert uris == ["http://127.0.0.1:4200/didcomm", f"libp2p-peerId:{world.node.peer_id}"]
    ping = replace(make_ping("p", stranger.did, stranger.theirs), pthid=thread)
    (effect,) = world.give(stranger.seal(returning(ping)))
    assert stranger.open(effect.message).message.thid == "p"
    assert world.node.connection()["state"] == "established"


def test_a_public_url_is_the_one_that_is_told(world: World) -> None:
    world.node.agent.base_url = "http://127.0.0.1:4200"
    world.node.agent.public_url = "https://picos.example"
    document = Stranger(world.net).resolver.resolve(world.invite(audience="didcomm")["eci"])
    assert document.raw["service"][0]["serviceEndpoint"]["uri"] == "https://picos.example/didcomm"


def test_for_nobody_known(world: World) -> None:
    with pytest.raises(BadRequest, match="picomesh or didcomm or pico-engine"):
        world.invite(audience="everybody")
    with pytest.raises(BadRequest, match="no URL"):
        world.invite(audience="pico-engine")


def test_two_nodes_may_meet_so(world: World) -> None:
    """A picomesh node takes such an invitation as any agent does; both sides then talk plain DIDComm."""
    net = Net("a", "b")
    for name in ("a", "b"):
        net.nodes[name].agent.base_url = f"http://{name}.example"
    url = net.a.command("invite", pico="a", audience="didcomm")["url"]
    letters: list[PostMessage] = []
    for node in net.nodes.values():
        _watch(node, letters)
    net.b.command("accept", pico="b", url=url)
    for _ in range(6):
        for letter in [letters.pop() for _ in range(len(letters))]:
            name = letter.url.removeprefix("http://")[0]
            net.nodes[name].give(ForeignMessage("", letter.message))
    assert [node.connection()["state"] for node in net.nodes.values()] == ["established"] * 2
    net.a.say(3)
    (letter,) = letters
    net.b.give(ForeignMessage("", letter.message))
    assert net.b.all()["heard"] == [3]


def _watch(node: Any, letters: list[PostMessage]) -> None:
    take = node.agent.next_effect

    def keep() -> Any:
        effect = take()
        if isinstance(effect, PostMessage):
            letters.append(effect)
        return effect

    node.agent.next_effect = keep


def test_a_message_from_elsewhere_does_not_open(world: World) -> None:
    stranger, other = Stranger(world.net, endpoint={"uri": URL}), Stranger(world.net, "other")
    ping = knocked(world, stranger)
    other.theirs = stranger.theirs
    data = pack_authcrypt(
        make_ping_response("r", ping, other.did, other.theirs),
        other.wallet,
        other.resolver.resolve(other.theirs),
        other.entropy,
    )
    assert world.give(data) == []
    assert world.node.connection()["state"] == "requested"
