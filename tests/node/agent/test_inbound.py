"""Inbound: numbered messages that have no effect keep their place among those that have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pico_engine import Ruleset, ent, integer, query, rule, when
from pico_engine.api import PicoView
from pico_engine.errors import LimitExceeded
from pico_engine.limits import EngineLimits
from pico_engine.messages import OperationMessage
from pico_engine.registry import Registry
from pico_node.agent.frames import DATA
from pico_node.agent.messages import PeerFrames
from pico_rulesets.subscription import Subscription
from pico_rulesets.wrangler import Wrangler
from tests.node.agent.net import Chatter, Net
from tests.node.agent.pair import Node, Pair


def send_rows(pair: Pair, *kinds: str) -> None:
    """Put rows of these kinds into the teller's outbox in one turn: events 1, 2, … and voids."""
    agent = pair.a.agent
    eci = pair.command(pair.a, "connections")[0]["Rx"]

    def run(pico):
        for n, kind in enumerate(kinds, start=1):
            row = {"kind": kind}
            if kind == "event":
                row |= {"domain": "tell", "type": "n", "attrs": {"n": n}, "hops": 0}
            agent.handshake.add_to_outbox(pico, eci, row)

    pair.a.give(OperationMessage(agent.commands.find("teller").did, "test", run))


def deny(node: Node, kind: str) -> None:
    """The listener's connection refuses events of this type from now on."""
    pico = node.agent.commands.find("listener")
    policy = {"allow": [{"domain": "*", "name": "*"}], "deny": [{"domain": "tell", "name": kind}]}

    def run(one):
        eci = next(eci for eci in one.connections.rows if not eci.endswith("#"))
        PicoView(one).put_channel(eci, event_policy=policy)

    node.give(OperationMessage(pico.did, "test", run))


@pytest.mark.parametrize(
    "kinds", [("void", "event"), ("event", "void", "event"), ("event", "void", "void", "event", "void")]
)
def test_a_message_without_effect_does_not_stop_those_behind_it(kinds) -> None:
    pair = Pair()
    pair.meet()
    send_rows(pair, *kinds)
    pair.settle()
    assert pair.heard == [0, *(n for n, kind in enumerate(kinds, start=1) if kind == "event")]
    assert pair.unacknowledged == 0
    pair.tell(99)
    pair.settle()
    assert pair.heard[-1] == 99


def test_a_denied_event_behind_a_waiting_turn_does_not_acknowledge_that_turn() -> None:
    pair = Pair()
    pair.meet()
    deny(pair.b, "no")
    pair.tell(1, "tell:ask")
    pair.tell(2, "tell:no")
    pair.carry(pair.a, pair.b)
    pair.carry(pair.b, pair.a)
    pair.crash_b()
    pair.tell(3)
    pair.settle()
    assert pair.heard == [0, 1, 3]
    assert pair.unacknowledged == 0


def test_a_denied_event_between_others_is_passed() -> None:
    pair = Pair()
    pair.meet()
    deny(pair.b, "no")
    for n, name in ((1, "tell:n"), (2, "tell:no"), (3, "tell:n")):
        pair.tell(n, name)
    pair.settle()
    pair.clock.milliseconds(pair.a.agent.limits.retry_first_ms)
    pair.a.run()
    pair.settle()
    assert pair.heard == [0, 1, 3]
    assert pair.unacknowledged == 0


# -- who is admitted ----------------------------------------------------------------------------------------


def channel_policy(net: Net, name: str, *denied: str) -> None:
    """The connection of this node's pico refuses chat events of these types."""
    node = net.nodes[name]
    eci = node.connection()["Rx"]
    deny_rules = [{"domain": "chat", "name": one} for one in denied]
    policy = {"allow": [{"domain": "*", "name": "*"}], "deny": deny_rules}
    pico = node.agent.commands.find(name)
    node.give(
        OperationMessage(pico.did, "test", lambda one: PicoView(one).put_channel(eci, event_policy=policy))
    )


def test_messages_from_a_node_that_is_not_the_sender_s_home_are_refused() -> None:
    """The envelope proves who wrote it; the session must be with the node that it lives at."""
    net = Net("a", "b", "c")
    net.meet()
    for one, other in ((net.a, net.b), (net.b, net.a)):
        one.say(1)
        frames = [data for _, data in one.mail]
        one.mail.clear()
        other.give(PeerFrames(net.c.peer_id, net.session, frames))
        assert other.all()["heard"] == []
        assert sum(v for k, v in other.counters.items() if k.startswith("inbound_refused")) >= 1
        assert any("refused" in line or "does not live" in line for line in other.log)
    net.calm()
    assert net.a.all()["heard"] == net.b.all()["heard"] == [1]


def test_a_denied_event_is_consumed_and_reported_and_later_ones_go_on() -> None:
    net = Net()
    net.meet()
    channel_policy(net, "b", "no")
    net.a.say(1)
    net.a.say(2, **{"as": "chat:no"})
    net.a.say(3)
    net.settle()
    assert net.b.all()["heard"] == [1, 3]
    assert net.a.connection()["unacknowledged"] == 0
    assert net.b.counters["refused_denied-by-policy"] == 1
    assert any("e.m.denied-by-policy" in line for line in net.a.log)


def test_an_unnamed_event_is_consumed_and_reported() -> None:
    """A name that this engine takes and the other's reader does not."""
    net = Net()
    net.meet()
    net.a.say(1, **{"as": "chat:" + "x" * 1_000})
    net.a.say(2)
    net.calm()
    assert net.b.all()["heard"] == [2]
    assert net.a.connection()["unacknowledged"] == 0


def test_what_a_busy_pico_does_not_take_comes_again() -> None:
    net = Net(engine=EngineLimits(queue_max_messages=2))
    net.meet()
    net.a.engine_limits = net.b.engine_limits
    for n in range(6):
        net.a.say(n)
    frames = [data for _, data in net.a.mail]
    net.a.mail.clear()
    net.b.agent.receive(PeerFrames(net.a.peer_id, net.session, frames), net.clock.now)  # all in one tick
    net.b.run()
    assert net.b.counters["refused_busy"] >= 1
    assert net.b.all()["heard"] == [0, 1]
    net.calm()
    assert net.b.all()["heard"] == [0, 1, 2, 3, 4, 5]


def test_what_waits_for_a_ruleset_is_delivered_when_it_is_there() -> None:
    net = Net()
    net.meet()
    net.b.registry = Registry([Wrangler, Subscription])
    net.crash(net.b)
    net.up()
    net.a.say(1)
    net.a.say(2)
    net.calm()
    assert net.a.connection()["unacknowledged"] == 2
    net.b.registry.add(Chatter)
    net.b.agent.engine.registry_changed(net.clock.now)
    net.calm()
    assert net.b.all()["heard"] == [1, 2]
    assert net.a.connection()["unacknowledged"] == 0


@pytest.mark.parametrize("levels", [10, 50, 57, 58, 59, 60, 61, 62, 63, 64])
def test_deep_attributes_arrive_or_come_back_and_never_stop_the_lane(levels: int) -> None:
    net = Net()
    net.meet()
    more: Any = "bottom"
    for _ in range(levels - 1):
        more = [more]
    try:
        net.a.say(1, more=more)
    except LimitExceeded:
        assert levels > 60
    net.a.say(2)
    net.calm()
    heard, returned = net.b.all()["heard"], net.a.all()["returned"]
    assert heard in ([1, 2], [2])
    if heard == [2] and 1 in net.a.all()["said"]:
        assert returned == [{"n": 1, "code": "limit-exceeded"}]
    assert heard == [1, 2] or levels >= 60
    assert net.a.connection()["unacknowledged"] == 0


@pytest.mark.parametrize("text", ["x", "é", "\x00", '"', "\U0001f331"])
def test_the_largest_attributes_arrive(text: str) -> None:
    net = Net()
    net.meet()
    size = len(json.dumps(text, ensure_ascii=False).encode()) - 2
    count = (EngineLimits().attributes_max_bytes - 200) // (6 if text == "\x00" else size)
    net.a.say(1, more=text * count)
    net.a.say(2)
    net.calm()
    assert net.b.all()["heard"] == [1, 2]


def test_oversized_attributes_are_a_clear_error() -> None:
    net = Net()
    net.meet()
    with pytest.raises(LimitExceeded, match="attributes_max_bytes") as caught:
        net.a.say(1, more="x" * 600_000)
    assert caught.value.hint
    assert net.a.all()["said"] == []


def test_an_endless_ping_pong_between_nodes_ends() -> None:
    net = Net()
    net.meet()

    class Echo(Ruleset, rid="test.echo"):
        """Sends back whatever it hears."""

        count: int = ent(default=0)

        @query
        def counted(self):
            return self.count

        @rule(when("chat:said", n=integer()))
        def back(self, event, n):
            self.count += 1
            self.send(event.sender, "chat:said", n=n + 1)

    for name, node in net.nodes.items():
        node.registry.add(Echo)
        node.command("ruleset_install", pico=name, rid="test.echo")
    net.a.say(1)
    net.settle()
    counts = [
        node.command("query", target=name, rid="test.echo", name="counted")["result"]
        for name, node in net.nodes.items()
    ]
    assert 20 < sum(counts) <= EngineLimits().hops_max + 1


# -- whatever comes in --------------------------------------------------------------------------------------

LETTERS = st.sampled_from([b"H", b"D", b"O", b"A", b"U", b"F", b"", b"\x00", b"X"])
CONTENT = st.one_of(
    st.binary(max_size=80),
    st.sampled_from(
        [
            b"{}",
            b"[]",
            b'{"addresses":5}',
            b'{"addresses":["' + b"x" * 600 + b'",7,null]}',
            b'["did:a","did:b",1,2]',
            b'["did:a","did:b",-1,2]',
            b'["did:a","did:b",1e400,2]',
            b'[["did:a",9007199254740991]]',
            b'[["did:a",9007199254740992]]',
            b'[["did:a",1,"x"],["did:a/b",0]]',
            b'[["did:\\ud800",1]]',
            b'["did:a","did:b"]',
            b'["did:\xf0\x9f\x8c\xb1","did:b"]',
            b'{"protected":"e30","recipients":[]}',
            b'{"protected":"' + b"A" * 300 + b'","ciphertext":"","tag":"","iv":""}',
            b"[" * 3_000,
        ]
    ),
)


@pytest.fixture(scope="module")
def talking() -> Net:
    net = Net()
    net.meet()
    return net


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=st.lists(st.tuples(LETTERS, CONTENT), min_size=1, max_size=4), from_peer=st.booleans())
def test_garbage_raises_nothing_and_changes_nothing(talking: Net, frames: Any, from_peer: bool) -> None:
    peer = talking.b.peer_id if from_peer else "12D3KooWstranger"
    if not from_peer:
        talking.a.agent.sessions[peer] = talking.session
    talking.a.give(PeerFrames(peer, talking.session, [letter + content for letter, content in frames]))
    talking.a.mail.clear()
    assert talking.a.connection()["state"] == "established"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_real_frames_lose_nothing(talking: Net, data: st.DataObject) -> None:
    """A byte of a real frame is changed; the real one comes later, in a new session."""
    said = talking.a.all()["said"]
    talking.a.say(len(said))
    frames = [frame for _, frame in talking.a.mail]
    talking.a.mail.clear()
    damaged = []
    for frame in frames:
        index = data.draw(st.integers(0, len(frame) - 1))
        damaged.append(frame[:index] + bytes([data.draw(st.integers(0, 255))]) + frame[index + 1 :])
    talking.b.give(PeerFrames(talking.a.peer_id, talking.session, damaged))
    talking.up()
    talking.settle()
    assert talking.b.all()["heard"] == talking.a.all()["said"]


def test_every_refusal_is_counted_and_said() -> None:
    net = Net()
    net.meet()
    for bad in (b"", b"Q", b"H7", b"A[[1,2]]", b"D[]", b"D" + b"\xff" * 40, b"O[]"):
        counted, lines = sum(net.a.counters.values()), len(net.a.log)
        net.a.give(PeerFrames(net.b.peer_id, net.session, [bad]))
        assert sum(net.a.counters.values()) == counted + 1, bad
        assert len(net.a.log) == lines + 1, bad


def test_a_ping_is_answered_and_an_unknown_message_reported() -> None:
    net = Net()
    net.meet()
    lane = net.a.agent.lanes.find(net.a.connection()["Rx"])
    assert lane is not None
    for kind, found in (
        ("https://didcomm.org/trust-ping/2.0/ping", None),
        ("https://example.org/unheard/1.0/of", "e.p.msg.unsupported"),
    ):
        message = {
            "id": "m" + str(len(kind)),
            "typ": "application/didcomm-plain+json",
            "type": kind,
            "from": lane.eci,
            "to": [lane.their_did],
            "body": {"response_requested": True},
        }
        frame = DATA + lane.pair.pack(message, net.a.agent.entropy)
        net.b.give(PeerFrames(net.a.peer_id, net.session, [frame]))
        assert len(net.b.mail) == 1
        net.settle()
        if found:
            assert any(found in line for line in net.a.log)
