"""Links: what arrives, in which order, and what a side hears of its sessions."""

from __future__ import annotations

import pytest

from pico_node.agent.messages import PeerDown, PeerFrames, PeerUp
from pico_simnet.links import DATAGRAM, STREAM, LinkPace
from pico_simnet.world import World


class Dummy:
    """What a link needs of a host: it notes what it receives."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name, self.peer_id = world, name, f"peer-{name}"
        self.life, self.is_running = 1, True
        self.got: list = []
        self.sessions = 0

    def receive(self, message) -> None:
        self.got.append(message)

    def next_session(self) -> int:
        self.sessions += 1
        return self.sessions

    def wants(self, other) -> bool:
        return True

    @property
    def frames(self) -> list[bytes]:
        return [frame for one in self.got if isinstance(one, PeerFrames) for frame in one.frames]

    def kinds(self) -> list[type]:
        return [type(one) for one in self.got]


def linked(seed: int = 0, **pace):
    world = World(seed)
    a, b = Dummy(world, "a"), Dummy(world, "b")
    world.hosts |= {"a": a, "b": b}
    link = world.link("a", "b", LinkPace(**pace))
    link.dial()
    world.run_for(10_000)
    assert a.kinds() == b.kinds() == [PeerUp]
    return world, link, a, b


MANY = [b"%d" % number for number in range(300)]


@pytest.mark.parametrize("seed", range(5))
def test_a_stream_keeps_order_and_loses_nothing(seed) -> None:
    world, link, a, b = linked(seed, kind=STREAM, latency_max_ms=3_000)
    for start in range(0, 300, 3):
        link.send(a, 1, MANY[start : start + 3])
        world.run_for(10)
    world.run_for(10_000)
    assert b.frames == MANY
    assert a.frames == []


def test_a_stream_that_breaks_has_delivered_a_beginning() -> None:
    world, link, a, b = linked(latency_max_ms=2_000)
    for frame in MANY:
        link.send(a, 1, [frame])
        world.run_for(10)
    link.cut("test")
    world.run_for(20_000)
    assert b.frames == MANY[: len(b.frames)]
    assert 0 < len(b.frames) < 300


def test_datagrams_are_lost_repeated_and_reordered() -> None:
    world, link, a, b = linked(kind=DATAGRAM, loss_per_mille=200, repeat_per_mille=200, latency_max_ms=500)
    link.send(a, 1, MANY)
    world.run_for(10_000)
    arrived = b.frames
    assert 200 < len(set(arrived)) < 280
    assert len(arrived) > len(set(arrived))
    assert arrived != sorted(arrived, key=int)


def test_both_sides_hear_of_a_break_and_get_a_new_session() -> None:
    world, link, a, b = linked(notice_max_ms=50, dial_min_ms=100)
    link.cut("test")
    world.run_for(5_000)
    assert a.kinds() == b.kinds() == [PeerUp, PeerDown, PeerUp]
    assert [one.session for one in a.got] == [1, 1, 2]


def test_what_is_sent_on_a_session_that_is_gone_is_lost() -> None:
    world, link, a, b = linked()
    link.cut("test")
    link.send(a, 1, [b"into the void"])
    world.run_for(10_000)
    link.send(a, 1, [b"on the old session"])
    link.send(a, 2, [b"on the new one"])
    world.run_for(10_000)
    assert b.frames == [b"on the new one"]


def test_a_partition_lasts_until_it_is_repaired() -> None:
    world, link, a, _ = linked()
    link.partition()
    world.run_for(60_000)
    assert not link.is_up
    link.repair()
    world.run_for(60_000)
    assert link.is_up
    assert a.kinds()[-1] is PeerUp


def test_held_frames_arrive_in_order_when_released() -> None:
    world, link, a, b = linked()
    link.hold()
    link.send(a, 1, [b"1"])
    world.run_for(1_000)
    link.send(a, 1, [b"2"])
    world.run_for(1_000)
    assert b.frames == []
    link.release()
    assert b.frames == [b"1", b"2"]
    assert b.kinds()[0] is PeerUp
    assert len(a.got) == 1


def test_no_session_with_a_host_that_is_down() -> None:
    world, link, a, b = linked()
    b.is_running = False
    link.cut("b is down")
    world.run_for(30_000)
    assert a.kinds() == [PeerUp, PeerDown]
    b.is_running, b.life = True, 2
    world.run_for(30_000)
    assert a.kinds() == [PeerUp, PeerDown, PeerUp]
