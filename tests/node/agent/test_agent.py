"""The agent as a whole: whatever the network and crashes do, exactly once, in order, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pico_node.agent import AgentLimits
from pico_node.agent.messages import Command, Connect, ForeignMessage, Forget, PeerFound, PeerUp
from tests.node.agent.net import Net, Node

# -- a fault at every step ----------------------------------------------------------------------------------


def story(fault: Callable[[Net, Node, int], bool] | None = None) -> tuple[Net, int]:
    """Two picos meet and talk in both directions; answers how many frames that took."""
    net = Net()
    count = 0

    def hook(node: Node, here: int) -> bool:
        return fault is not None and fault(net, node, count + here)

    invitation = net.a.command("invite", pico="a")
    net.b.command("accept", pico="b", url=invitation["url"])
    count += net.settle(hook)
    for n in (1, 2, 3):
        net.a.say(n)
        net.b.say(10 + n)
    count += net.settle(hook)
    return net, count


def lose(net: Net, node: Node, _: int) -> bool:
    node.mail.pop(0)
    return True


def repeat(net: Net, node: Node, _: int) -> bool:
    node.mail.insert(1, node.mail[0])
    return False


def repeat_late(net: Net, node: Node, _: int) -> bool:
    node.mail.append(node.mail[0])
    return False


def overtake(net: Net, node: Node, _: int) -> bool:
    if len(node.mail) > 1:
        node.mail[0], node.mail[1] = node.mail[1], node.mail[0]
    return False


def crash_sender(net: Net, node: Node, _: int) -> bool:
    net.crash(node)
    net.up()
    return True


def crash_receiver(net: Net, node: Node, _: int) -> bool:
    net.crash(net.by_peer(node.mail[0][0]))
    net.up()
    return True


def break_session(net: Net, node: Node, _: int) -> bool:
    net.down()
    net.up()
    return True


FAULTS = (lose, repeat, repeat_late, overtake, crash_sender, crash_receiver, break_session)
STEPS = story()[1]


def check(net: Net) -> None:
    net.calm()
    a, b = net.a.all(), net.b.all()
    assert a["told"] == b["told"] == ["established"]
    for one, other in ((a, b), (b, a)):
        assert one["heard"] == other["said"]
        assert one["returned"] == []
    for node in net.nodes.values():
        row = node.connection()
        assert (row["state"], row["unacknowledged"]) == ("established", 0)


def test_the_story_without_faults() -> None:
    net, count = story()
    assert count == STEPS > 10
    assert net.a.all()["said"] == [1, 2, 3]
    assert net.b.all()["said"] == [11, 12, 13]
    check(net)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_one_fault_at_any_step(fault: Any) -> None:
    for step in range(STEPS):

        def at(net: Net, node: Node, here: int, step: int = step) -> bool:
            return here == step and fault(net, node, here)

        net, _ = story(at)
        check(net)


# -- any faults, in any order -------------------------------------------------------------------------------


class Faults(RuleBasedStateMachine):
    """Two picos that make a connection and talk, with everything that may go wrong on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Net()
        invitation = self.net.a.command("invite", pico="a")
        self.net.b.command("accept", pico="b", url=invitation["url"])
        self.n = 0
        self.answered: dict[str, list[int]] = {"a": [], "b": []}

    def _some_mail(self) -> list[Node]:
        return [node for node in self.net.nodes.values() if node.mail]

    @rule(name=st.sampled_from("ab"), count=st.integers(1, 3))
    def say(self, name: str, count: int) -> None:
        node = self.net.nodes[name]
        for _ in range(count):
            self.n += 1
            before = len(node.all()["said"])
            node.say(self.n)
            if len(node.all()["said"]) > before:
                self.answered[name].append(self.n)

    @precondition(_some_mail)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        node = data.draw(st.sampled_from(self._some_mail()), "from")
        for _ in range(data.draw(st.integers(1, len(node.mail)), "frames")):
            if node.mail:
                self.net.deliver(node)

    @precondition(_some_mail)
    @rule(data=st.data(), what=st.sampled_from(["drop", "repeat", "reorder"]))
    def disturb(self, data: st.DataObject, what: str) -> None:
        node = data.draw(st.sampled_from(self._some_mail()), "from")
        index = data.draw(st.integers(0, len(node.mail) - 1), "frame")
        if what == "repeat":
            node.mail.append(node.mail[index])
        else:
            frame = node.mail.pop(index)
            if what == "reorder":
                node.mail.append(frame)

    @rule(name=st.sampled_from("ab"), unwritten=st.booleans())
    def crash(self, name: str, unwritten: bool) -> None:
        node = self.net.nodes[name]
        if unwritten:
            self.n += 1
            attrs = {"n": self.n}
            command = Command("event", {"target": name, "name": "chat:say", "attrs": attrs}, reply="lost")
            node.agent.receive(command, node.clock.now)
            node.agent.handle_timer(node.clock.now)
        self.net.crash(node)
        self.net.up()

    @rule(at_once=st.booleans())
    def break_session(self, at_once: bool) -> None:
        self.net.down()
        if at_once:
            self.net.up()

    @rule()
    def new_session(self) -> None:
        self.net.up()

    @rule(seconds=st.sampled_from([1, 3, 61]))
    def time_passes(self, seconds: int) -> None:
        self.net.clock.seconds(seconds)
        for node in self.net.nodes.values():
            node.run()

    @invariant()
    def once_and_in_order(self) -> None:
        a, b = self.net.a.all(), self.net.b.all()
        for one, other in ((a, b), (b, a)):
            assert one["heard"] == other["said"][: len(one["heard"])]
            assert one["told"] in ([], ["established"])
        for name, found in (("a", a), ("b", b)):
            assert found["said"] == self.answered[name], "what was answered is kept, what was not is not"

    def teardown(self) -> None:
        self.net.up()
        check(self.net)


TestFaults = Faults.TestCase
TestFaults.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


# -- other nodes --------------------------------------------------------------------------------------------


def test_a_stranger_leaves_nothing_behind() -> None:
    """Hello from a node that we have nothing to do with is no reason to call it for ever."""
    net = Net("a", "b", "c")
    net.settle()
    for node in net.nodes.values():
        assert list(node.agent.node.peers.scan()) == []
        assert node.effects == []


def test_a_found_node_is_called_only_if_we_know_it() -> None:
    net = Net()
    net.a.give(PeerFound("12D3KooWstranger", ["/x"]))
    assert net.a.effects == []
    net.meet()
    net.down()
    net.a.effects.clear()
    net.a.give(PeerFound(net.b.peer_id, ["/b/again"]))
    assert Connect(net.b.peer_id, ("/b/again",)) in net.a.effects


def test_known_nodes_are_called_at_the_start_and_forgotten_with_the_last_connection() -> None:
    net = Net()
    identity = net.meet()
    net.crash(net.a)
    assert Connect(net.b.peer_id, ("/b",)) in net.a.effects
    net.up()
    net.a.command("connection_end", pico="a", id=identity)
    assert Forget(net.b.peer_id) not in net.a.effects, "it must hear the farewell first"
    net.settle()
    assert Forget(net.b.peer_id) in net.a.effects
    assert Forget(net.a.peer_id) in net.b.effects
    net.crash(net.a)
    assert not [one for one in net.a.effects if isinstance(one, Connect)]


def test_frames_of_another_session_are_ignored() -> None:
    net = Net()
    net.meet()
    net.a.say(1)
    frames = list(net.a.mail)
    net.a.mail.clear()
    net.session -= 1
    net.a.mail += frames
    net.settle()
    assert net.b.all()["heard"] == []


def test_a_foreign_message_that_is_garbage_is_counted() -> None:
    net = Net()
    before = sum(net.a.counters.values())
    for data in (b"", b"{}", b"\xff" * 100, b'{"protected": 1}', b"[" * 1_000):
        net.a.give(ForeignMessage("12D3KooWstranger", data))
    assert sum(net.a.counters.values()) >= before + 5
    net.meet()
    check(net)


# -- outboxes -----------------------------------------------------------------------------------------------


def test_the_outbox_has_a_limit_and_what_is_beyond_comes_back() -> None:
    net = Net(limits=AgentLimits(outbox_max_messages=3))
    net.meet()
    net.down()
    for n in range(5):
        net.a.say(n)
    assert net.a.all()["returned"] == [{"n": 3, "code": "busy"}, {"n": 4, "code": "busy"}]
    net.up()
    net.calm()
    assert net.b.all()["heard"] == [0, 1, 2]
    net.a.say(5)
    net.settle()
    assert net.b.all()["heard"] == [0, 1, 2, 5]


def test_a_new_session_hears_hello_first() -> None:
    net = Net()
    net.a.mail.clear()
    net.a.give(PeerUp(net.b.peer_id, 7))
    assert [data[:1] for _, data in net.a.mail] == [b"H"]
