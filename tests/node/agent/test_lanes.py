"""Lanes: numbers, acknowledgements, and what a waiting turn does to them."""

from __future__ import annotations

import pytest

from pico_engine.store import MemoryStore
from pico_node.agent import AgentLimits
from pico_node.agent.frames import ACK, DATA, END_NUMBER, NUMBER_MAX, frame, read_frame
from pico_node.agent.messages import PeerFrames
from tests.node.agent.net import Net, Node
from tests.node.agent.pair import Pair


def acknowledged(frames: list[bytes]) -> list[int]:
    return [number for data in frames if data[:1] == ACK for _, number, *_ in read_frame(data)[1]]


def data_frames(node: Node) -> list[bytes]:
    return [data for _, data in node.mail if data[:1] == DATA]


def test_messages_arrive_in_order_and_are_acknowledged() -> None:
    pair = Pair()
    pair.meet()
    for n in range(1, 6):
        pair.tell(n)
    pair.settle()
    assert pair.heard == [0, 1, 2, 3, 4, 5]
    assert pair.unacknowledged == 0


def test_a_message_whose_turn_waits_is_not_acknowledged() -> None:
    pair = Pair()
    pair.meet()
    pair.tell(1, "tell:ask")
    pair.carry(pair.a, pair.b)
    assert acknowledged(pair.b.out) == []
    pair.settle()
    assert pair.heard == [0, 1]
    assert pair.unacknowledged == 0


def test_a_crash_while_a_turn_waits_loses_nothing() -> None:
    pair = Pair()
    pair.meet()
    pair.tell(1, "tell:ask")
    pair.carry(pair.a, pair.b)
    pair.carry(pair.b, pair.a)
    pair.crash_b()
    assert pair.heard == [0, 1]
    assert pair.unacknowledged == 0


def test_a_crash_while_the_turn_of_the_response_waits_leaves_a_connection() -> None:
    pair = Pair()
    pair.up()
    url = pair.command(pair.a, "invite", pico="teller")["url"]
    pair.command(pair.b, "accept", pico="listener", url=url)
    pair.carry(pair.b, pair.a)
    pair.carry(pair.a, pair.b)  # response: the listener asks back in the turn that takes it
    pair.carry(pair.b, pair.a)
    pair.crash_b()
    assert pair.command(pair.b, "connections")[0]["state"] == "established"
    assert pair.heard == [0]


def test_a_lane_made_anew_while_a_turn_waits_goes_on() -> None:
    """The response makes a new lane while the first event behind it is with the engine already."""
    pair = Pair()
    pair.meet()
    assert pair.heard == [0]
    pair.tell(1)
    pair.settle()
    assert pair.heard == [0, 1]


def test_messages_are_repeated_until_acknowledged() -> None:
    pair = Pair()
    pair.meet()
    pair.tell(1)
    pair.a.out.clear()
    pair.clock.milliseconds(pair.a.agent.limits.retry_first_ms)
    pair.a.run()
    pair.carry(pair.a, pair.b)
    pair.b.out.clear()  # the acknowledgement is lost too
    pair.clock.milliseconds(2 * pair.a.agent.limits.retry_first_ms)
    pair.a.run()
    pair.settle()
    assert pair.heard == [0, 1]
    assert pair.unacknowledged == 0


# -- windows, gaps, retries ---------------------------------------------------------------------------------


def test_no_more_than_the_window_is_on_its_way() -> None:
    net = Net(limits=AgentLimits(window_max_messages=3))
    net.meet()
    for n in range(10):
        net.a.say(n)
    assert len(data_frames(net.a)) == 3
    net.settle()
    assert net.b.all()["heard"] == list(range(10))


def test_the_window_is_bounded_in_bytes_too() -> None:
    net = Net(limits=AgentLimits(window_max_bytes=50_000))
    net.meet()
    for n in range(10):
        net.a.say(n, more="x" * 20_000)
    assert 2 <= len(data_frames(net.a)) <= 3
    net.a.mail.clear()
    net.clock.seconds(3)
    net.a.run()
    assert 2 <= len(data_frames(net.a)) <= 3, "a retry sends as much again"
    net.calm()
    assert net.b.all()["heard"] == list(range(10))


def test_early_messages_wait_for_the_missing_one_up_to_a_limit() -> None:
    net = Net(limits=AgentLimits(reorder_max_messages=4))
    net.meet()
    for n in range(8):
        net.a.say(n)
    missing = next(index for index, (_, data) in enumerate(net.a.mail) if data[:1] == DATA)
    late = net.a.mail.pop(missing)
    while net.a.mail:
        net.deliver(net.a)
    assert net.b.all()["heard"] == []
    net.a.mail.append(late)
    net.deliver(net.a)
    assert net.b.all()["heard"] == [0, 1, 2, 3, 4]
    net.calm()
    assert net.b.all()["heard"] == list(range(8))


def test_retries_grow_rarer_and_start_anew_with_an_acknowledgement() -> None:
    net = Net()
    net.meet()
    net.a.say(1)
    times = []
    began = net.clock.now
    while len(times) < 8:
        net.a.mail.clear()
        net.clock.seconds(1)
        net.a.run()
        if data_frames(net.a):
            times.append((net.clock.now - began) // 1_000)
    gaps = [after - before for before, after in zip([0, *times], times, strict=False)]
    assert gaps == [2, 4, 8, 16, 32, 60, 60, 60]
    net.settle()
    net.a.say(2)
    net.a.mail.clear()
    net.clock.seconds(2)
    net.a.run()
    assert data_frames(net.a)


def test_a_lost_first_message_is_sent_again_although_more_follow() -> None:
    net = Net()
    net.meet()
    net.a.say(0)
    net.a.mail.clear()
    for n in range(1, 5):
        net.clock.seconds(0.7)
        net.a.say(n)
        net.settle()
    assert net.b.all()["heard"] == [0, 1, 2, 3, 4]


def test_nothing_is_sent_again_that_was_acknowledged() -> None:
    net = Net()
    net.meet()
    net.a.say(1)
    net.settle()
    net.down()
    net.up()
    net.clock.days(1)
    for node in net.nodes.values():
        node.run()
    assert data_frames(net.a) == data_frames(net.b) == []


def test_lanes_without_work_are_forgotten() -> None:
    net = Net()
    net.meet()
    assert len(net.a.agent.lanes) == 1
    for _ in range(3):
        net.clock.minutes(2)
        net.a.run()
    assert len(net.a.agent.lanes) == 0
    net.a.say(1)
    net.settle()
    assert net.b.all()["heard"] == [1]


def test_an_acknowledgement_from_another_node_is_ignored() -> None:
    net = Net("a", "b", "c")
    net.meet()
    net.a.say(1)
    ack = frame(ACK, [[net.a.connection()["Rx"], 2]])
    net.a.give(PeerFrames(net.c.peer_id, net.session, [ack]))
    assert net.a.connection()["unacknowledged"] == 1


@pytest.mark.parametrize("number", [7, NUMBER_MAX, END_NUMBER])
def test_a_wrong_acknowledgement_of_the_other_side_loses_nothing(number: int) -> None:
    """It may be dishonest, or know more than we remember: what is unsent is sent under other numbers."""
    net = Net()
    net.meet()
    net.a.say(1)
    net.a.mail.clear()
    ack = frame(ACK, [[net.a.connection()["Rx"], number]])
    net.a.give(PeerFrames(net.b.peer_id, net.session, [ack]))
    net.calm()
    assert net.a.connection()["unacknowledged"] <= 1
    assert net.a.all()["said"] == [1]
    net.a.say(2)
    net.calm()


# -- a store that is older than it was ----------------------------------------------------------------------


def with_store(net: Net, node: Node, store: MemoryStore) -> None:
    """The node begins anew from a backup."""
    node.store = store
    net.crash(node)


def warned(node: Node) -> bool:
    return any("its store is older than it was" in line for line in node.log)


@pytest.mark.parametrize("new", [1, 2, 3, 4, 5, 6, 7, 12])
def test_a_sender_that_lost_state_loses_nothing_new(new: int) -> None:
    """Its new messages have the numbers of those it forgot; there may be fewer, as many, or more."""
    net = Net()
    net.meet()
    net.a.say(1)
    net.settle()
    backup = net.a.copy_of_store()
    for n in range(2, 7):
        net.a.say(n)
    net.settle()
    with_store(net, net.a, backup)
    for n in range(new):
        net.a.say(100 + n)
    net.up()
    net.calm()
    assert net.b.all()["heard"] == [1, 2, 3, 4, 5, 6, *(100 + n for n in range(new))]
    assert net.a.connection()["unacknowledged"] == 0
    assert warned(net.a)
    net.a.say(200)
    net.calm()
    assert net.b.all()["heard"][-1] == 200


@pytest.mark.parametrize("lost", range(12))
def test_it_loses_nothing_new_whatever_frame_is_lost(lost: int) -> None:
    net = Net()
    net.meet()
    backup = net.a.copy_of_store()
    for n in range(1, 4):
        net.a.say(n)
    net.settle()
    with_store(net, net.a, backup)
    for n in range(5):
        net.a.say(100 + n)
    net.up()

    def lose(node: Node, step: int) -> bool:
        if step == lost:
            node.mail.pop(0)
        return step == lost

    net.settle(lose)
    net.calm()
    assert net.b.all()["heard"] == [1, 2, 3, 100, 101, 102, 103, 104]


@pytest.mark.parametrize("others", [0, 3])
def test_a_receiver_that_lost_state_goes_on_with_what_is_new(others: int) -> None:
    net = Net()
    net.meet()
    net.a.say(1)
    net.settle()
    backup = net.b.copy_of_store()
    for n in (2, 3):
        net.a.say(n)
    net.settle()
    net.down()
    for n in range(others):
        net.a.say(50 + n)
    with_store(net, net.b, backup)
    net.a.say(100)
    net.up()
    net.calm()
    assert net.b.all()["heard"] == [1, *(50 + n for n in range(others)), 100]
    assert net.a.connection()["unacknowledged"] == 0
    assert warned(net.b)
    net.b.say(7)
    net.calm()
    assert net.a.all()["heard"] == [7]


def test_both_began_from_old_copies() -> None:
    net = Net()
    net.meet()
    backups = {name: node.copy_of_store() for name, node in net.nodes.items()}
    for n in (1, 2, 3):
        net.a.say(n)
        net.b.say(10 + n)
    net.settle()
    for name, node in net.nodes.items():
        with_store(net, node, backups[name])
    net.a.say(100)
    net.b.say(200)
    net.up()
    net.calm()
    assert net.a.all()["heard"] == [200]
    assert net.b.all()["heard"] == [100]


def test_an_invitee_that_lost_the_establishment_comes_to_know_it_again() -> None:
    """Its copy still asks; the inviting side has long answered, and goes on."""
    net = Net()
    invitation = net.a.command("invite", pico="a")
    net.b.command("accept", pico="b", url=invitation["url"])
    backup = net.b.copy_of_store()
    net.settle()
    net.a.say(1)
    net.b.say(2)
    net.calm()
    with_store(net, net.b, backup)
    net.up()
    net.calm()
    assert net.b.connection()["state"] == "established"
    net.a.say(3)
    net.b.say(4)
    net.calm()
    assert net.b.all()["heard"] == [3]
    assert net.a.all()["heard"] == [2, 4]


def test_an_inviter_that_lost_the_connection_is_named_to_the_other_s_owner() -> None:
    net = Net()
    backup = net.a.copy_of_store()
    net.meet()
    with_store(net, net.a, backup)
    net.b.say(1)
    net.up()
    net.calm()
    assert any("does not know the other side" in line for line in net.b.log)
    assert net.b.connection()["unacknowledged"] == 1


def test_numbering_anew_commits_nothing_of_a_turn_that_waits() -> None:
    """That turn has taken an event; were its number committed before the turn ends, a crash would lose it."""
    net = Net()
    net.meet()
    backup = net.b.copy_of_store()
    net.b.say(1)
    net.settle()
    with_store(net, net.b, backup)
    net.b.say(100)
    net.up()
    asked = [index for index, (_, data) in enumerate(net.b.mail) if data[:1] == DATA]
    late = [net.b.mail.pop(index) for index in reversed(asked)]
    net.a.say(5, **{"as": "chat:ask"})
    net.settle(lambda node, _: node is net.b and bool(net.b.mail.pop(0)))
    assert net.b.agent.engine.has_unfinished_turns
    net.b.mail = late
    net.deliver(net.b)
    assert net.a.mail, "it says that it knows other messages"
    net.settle(lambda node, _: node is net.b and bool(net.b.mail.pop(0)))
    net.crash(net.b)
    net.up()
    net.calm()
    assert [1, 5] not in net.b.all()["told"]
    assert any(isinstance(one, list) for one in net.b.all()["told"]), "the event was not lost"
    assert net.a.all()["heard"] == [1, 100]
