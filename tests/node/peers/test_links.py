"""Who keeps which session: two nodes in memory, with every timing of dials, under a clock that jumps."""

from __future__ import annotations

import random

import pytest
import trio
import trio.testing

from pico_node.peers.counters import Counters
from pico_node.peers.errors import Unreachable
from pico_node.peers.frames import INSTANCE_BYTES, Hello
from pico_node.peers.limits import PeerLimits
from pico_node.peers.links import Carrier, Links
from tests.node.peers.helpers import Pipe, Recorder, pipe

LIMITS = PeerLimits()


class World:
    """Nodes that dial each other through pipes with a latency of their own."""

    def __init__(self, nursery: trio.Nursery, seed: int = 0) -> None:
        self.nursery = nursery
        self.chance = random.Random(seed)
        self.nodes: dict[str, Node] = {}
        self.pipes: list[tuple[Pipe, Pipe]] = []
        self.reachable = True
        self.latency_s = 0.05


class Node:
    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.recorder = Recorder()
        self.counters = Counters()
        self.scope = trio.CancelScope()
        hello = Hello(world.chance.randbytes(INSTANCE_BYTES), LIMITS.frame_bytes_max)
        self.links = Links(name, hello, LIMITS, self.counters, self.recorder, self.dial)
        world.nodes[name] = self
        world.nursery.start_soon(self.run)

    async def run(self) -> None:
        with self.scope:
            await self.links.run()

    def crash(self) -> None:
        """Vanish without a word; what was connected stays open until somebody notices."""
        self.scope.cancel()
        del self.world.nodes[self.name]

    async def dial(self, peer: str, addresses) -> Carrier:
        world = self.world
        await trio.sleep(world.chance.uniform(0, world.latency_s))
        if not world.reachable or peer not in world.nodes:
            raise Unreachable("nobody there")
        ours, theirs = pipe()
        ours.latency_s, theirs.latency_s = (world.chance.uniform(0, world.latency_s) for _ in range(2))
        world.pipes.append((ours, theirs))

        async def serve(node: Node) -> None:
            await node.links.serve(self.name, Carrier(theirs, closer(theirs)))

        world.nursery.start_soon(serve, world.nodes[peer])
        return Carrier(ours, closer(ours))


def closer(end: Pipe):
    async def close() -> None:
        end.close()

    return close


def run(main, *args) -> None:
    async def whole() -> None:
        async with trio.open_nursery() as nursery:
            await main(nursery, *args)
            nursery.cancel_scope.cancel()

    trio.run(whole, clock=trio.testing.MockClock(autojump_threshold=0))


def assert_joined(a: Node, b: Node) -> None:
    """Both have one session, and it is the same one: a frame each way proves it."""
    assert list(a.recorder.sessions) == [b.name]
    assert list(b.recorder.sessions) == [a.name]
    for sender, receiver in ((a, b), (b, a)):
        session = sender.links.session(receiver.name, sender.recorder.sessions[receiver.name])
        assert session is not None
        assert session.queue([sender.name.encode()])


def test_simultaneous_dials_leave_one_session():
    declined = 0

    async def main(nursery, seed):
        nonlocal declined
        world = World(nursery, seed)
        world.latency_s = world.chance.choice([0.001, 0.05, 0.4])
        a, b = Node(world, "a"), Node(world, "b")
        a.links.connect("b", ["x"])
        await trio.sleep(world.chance.choice([0, world.chance.uniform(0, 2 * world.latency_s)]))
        b.links.connect("a", ["x"])
        await trio.sleep(10)
        assert_joined(a, b)
        await trio.sleep(1)
        assert a.recorder.received == [b"b"]
        assert b.recorder.received == [b"a"]
        assert a.counters.sessions == b.counters.sessions == 1
        assert len(a.recorder.log) == len(b.recorder.log) == 1, "no noise: up, and nothing else"
        assert sum(not (one.closed or two.closed) for one, two in world.pipes) == 1
        declined += a.counters.duplicates_declined + b.counters.duplicates_declined

    for seed in range(100):
        run(main, seed)
    assert declined > 10, "the seeds must make the two meet on the way"


@pytest.mark.parametrize("slow", ["a", "b"])
def test_a_slow_dial_does_not_disturb_the_session_that_was_faster(slow):
    async def main(nursery):
        world = World(nursery)
        a, b = Node(world, "a"), Node(world, "b")
        quick = world.nodes[slow].dial

        async def dial(peer, addresses):
            await trio.sleep(2 * LIMITS.duplicate_window_s)
            return await quick(peer, addresses)

        world.nodes[slow].links._dial = dial
        a.links.connect("b", ["x"])
        b.links.connect("a", ["x"])
        await trio.sleep(60)
        assert_joined(a, b)
        assert len(a.recorder.log) == len(b.recorder.log) == 1
        assert len(world.pipes) == 1

    run(main)


def test_a_restarted_peer_replaces_its_old_session_at_once():
    async def main(nursery, restarted):
        world = World(nursery)
        nodes = {name: Node(world, name) for name in "ab"}
        nodes["a"].links.connect("b", ["x"])
        nodes["b"].links.connect("a", ["x"])
        await trio.sleep(1)
        other = nodes["b" if restarted == "a" else "a"]
        nodes[restarted].crash()
        again = nodes[restarted] = Node(world, restarted)
        again.links.connect(other.name, ["x"])
        await trio.sleep(1)
        assert_joined(again, other)
        assert [entry[0] for entry in other.recorder.log] == ["up", "down", "up"]

    for restarted in "ab":
        run(main, restarted)


@pytest.mark.parametrize("lost_by", ["a", "b"])
def test_a_session_that_one_side_lost_is_replaced(lost_by):
    async def main(nursery):
        world = World(nursery)
        a, b = Node(world, "a"), Node(world, "b")
        a.links.connect("b", ["x"])
        b.links.connect("a", ["x"])
        await trio.sleep(LIMITS.duplicate_window_s + 1)
        node = world.nodes[lost_by]
        (link,) = node.links._links.values()
        link.session.cancel()  # the other side hears nothing of it: its end of the pipe stays open
        for one, two in world.pipes:
            one.other, two.other = Pipe(1), Pipe(1)
        await trio.sleep(2)
        assert_joined(a, b)

    run(main)


def test_redial_slows_down_and_comes_back():
    async def main(nursery):
        world = World(nursery)
        a = Node(world, "a")
        a.links.connect("b", ["x"])
        await trio.sleep(3600)
        hour = a.counters.dials
        assert 3600 / LIMITS.redial_most_s * 0.7 < hour < 3600 / LIMITS.redial_most_s * 1.4 + 15
        Node(world, "b")
        a.links.hint("b")
        await trio.sleep(1)
        assert list(a.recorder.sessions) == ["b"]
        assert a.counters.dials == hour + 1

    run(main)


def test_new_addresses_are_tried_at_once():
    async def main(nursery):
        world = World(nursery)
        a = Node(world, "a")
        a.links.connect("b", ["old"])
        await trio.sleep(600)
        Node(world, "b")
        a.links.connect("b", ["new"])
        await trio.sleep(0.5)
        assert list(a.recorder.sessions) == ["b"]

    run(main)


def test_a_session_that_dies_at_once_is_not_reopened_in_a_storm():
    async def main(nursery):
        world = World(nursery)
        a, b = Node(world, "a"), Node(world, "b")

        def slam(peer_id, session):
            b.links.session(peer_id, session).cancel()

        b.recorder.peer_up = slam
        b.recorder.peer_down = lambda *_: None
        a.links.connect("b", ["x"])
        await trio.sleep(300)
        assert a.counters.dials < 30

    run(main)


def test_forget_stops_dialing_and_leaves_nothing_behind():
    async def main(nursery):
        world = World(nursery)
        a = Node(world, "a")
        a.links.connect("b", ["x"])
        await trio.sleep(0.01)
        a.links.forget("b")
        await trio.sleep(60)
        assert a.counters.dials == 1
        assert not a.links._links

    run(main)


def test_forget_and_connect_in_one_breath_keep_the_peer():
    async def main(nursery):
        world = World(nursery)
        a, b = Node(world, "a"), Node(world, "b")
        for _ in range(3):
            a.links.connect("b", ["x"])
            await trio.sleep(0.01)
            a.links.forget("b")
            a.links.connect("b", ["x"])
        await trio.sleep(30)
        assert_joined(a, b)

    run(main)


def test_strangers_leave_nothing_behind():
    async def main(nursery):
        world = World(nursery)
        host = Node(world, "host")
        for n in range(20):
            guest = Node(world, f"guest{n}")
            guest.links.connect("host", ["x"])
            await trio.sleep(1)
            guest.links.forget("host")
            await trio.sleep(1)
        assert host.counters.sessions_opened == 20
        assert host.counters.sessions == 0
        assert not host.links._links

    run(main)


def test_a_driver_with_a_bug_does_not_end_the_session():
    async def main(nursery):
        world = World(nursery)
        a, b = Node(world, "a"), Node(world, "b")
        b.recorder.explode = True
        a.links.connect("b", ["x"])
        await trio.sleep(1)
        session = a.links.session("b", a.recorder.sessions["b"])
        for n in range(3):
            session.queue([b"%d" % n])
            await trio.sleep(1)
        assert b.recorder.received == [b"0", b"1", b"2"]
        assert b.counters.handler_errors == 3

    run(main)
