"""Lanes: numbers, acknowledgements, and what a waiting turn does to them."""

from __future__ import annotations

from pico_node.agent.frames import ACK, read_frame
from tests.node.agent.pair import Pair


def acknowledged(frames: list[bytes]) -> list[int]:
    return [number for data in frames if data[:1] == ACK for _, number in read_frame(data)[1]]


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
