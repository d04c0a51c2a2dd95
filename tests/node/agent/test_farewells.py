"""Farewells: an end is heard, whoever was offline, and however often it must be said."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.api import PicoView
from pico_engine.errors import EngineError
from pico_engine.limits import EngineLimits
from pico_engine.messages import Failed, OperationAnswer, OperationMessage
from pico_engine.values import EMPTY_MAP
from pico_node.agent.farewells import InboundEnd
from tests.node.agent.net import Net, Node
from tests.node.agent.pair import Pair


def end(net: Net, how: str, name: str = "a") -> None:
    """One side ends the connection in one of the ways there are."""
    node = net.nodes[name]
    row = node.connection()
    if how == "ended":
        assert node.command("connection_end", pico=name, id=row["id"]) == {"ended": row["id"]}
    elif how == "ended by ECI":
        node.command("connection_end", pico=name, id=row["Rx"])
    elif how == "channel deleted":
        node.command("channel_delete", pico=name, eci=row["Rx"])
    else:
        node.command("pico_delete", pico=name)


def over(net: Net, how: str, ended: str = "a", other: str = "b") -> None:
    """Nothing is left of the connection on either side."""
    assert net.nodes[other].connections() == []
    assert net.nodes[other].all()["told"] == ["established", "ended"]
    if how != "pico deleted":
        assert net.nodes[ended].connections() == []
    for node in net.nodes.values():
        rows = node.agent.node
        for section in (rows.farewells, rows.by_peer, rows.unsent, rows.peers):
            assert list(section.scan()) == []


WAYS = ("ended", "ended by ECI", "channel deleted", "pico deleted")


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("b", "a")])
def test_an_end_is_heard_at_once(how: str, one: str, other: str) -> None:
    net = Net()
    net.meet()
    end(net, how, one)
    net.settle()
    over(net, how, one, other)


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("crash", [False, True])
def test_an_end_is_heard_when_the_other_side_comes_back(how: str, crash: bool) -> None:
    net = Net()
    net.meet()
    net.down()
    end(net, how)
    net.clock.days(30)
    net.a.run()
    if crash:
        net.crash(net.a)
        net.crash(net.b)
    assert net.b.connection()["state"] == "established"
    net.up()
    net.settle()
    over(net, how)


@pytest.mark.parametrize("lost", range(3))
def test_any_frame_of_an_end_may_be_lost(lost: int) -> None:
    net = Net()
    net.meet()
    end(net, "ended")

    def lose(node: Node, step: int) -> bool:
        if step == lost:
            node.mail.pop(0)
        return step == lost

    net.settle(lose)
    net.calm()
    over(net, "ended")


@pytest.mark.parametrize("crash", ["a", "b"])
def test_a_crash_around_an_end(crash: str) -> None:
    for step in range(3):
        net = Net()
        net.meet()
        end(net, "ended")
        for _ in range(step):
            for node in net.nodes.values():
                if node.mail:
                    net.deliver(node)
        net.crash(net.nodes[crash])
        net.up()
        net.calm()
        over(net, "ended")


def test_both_end_at_once() -> None:
    net = Net()
    net.meet()
    end(net, "ended", "a")
    end(net, "ended", "b")
    net.settle()
    for node in net.nodes.values():
        assert node.connections() == []
        assert node.all()["told"] == ["established", "ended"], "each by its own end"
        assert list(node.agent.node.farewells.scan()) == []


def test_who_has_not_heard_yet_and_talks_is_told() -> None:
    """The farewell was lost inside a session; the next message of the other side brings it again."""
    net = Net()
    net.meet()
    end(net, "ended")
    net.a.mail.clear()
    net.b.say(1)
    net.clock.seconds(3)
    net.b.run()
    net.settle()
    over(net, "ended")


def test_events_after_the_end_come_back() -> None:
    net = Net()
    net.meet()
    end(net, "ended")
    net.settle()
    for node in (net.a, net.b):
        node.say(1)
        assert node.all()["returned"] == [{"n": 1, "code": "unknown-channel"}]


@pytest.mark.parametrize("ended_by", ["a", "b"])
def test_events_that_were_not_heard_at_the_end_are_named_to_the_owner(ended_by: str) -> None:
    net = Net()
    net.meet()
    net.down()
    net.a.say(1)
    net.a.say(2)
    end(net, "ended", ended_by)
    net.up()
    net.settle()
    over(net, "ended", ended_by, "b" if ended_by == "a" else "a")
    assert any("2 events were not acknowledged" in line for line in net.a.log)


def test_events_before_the_end_arrive() -> None:
    net = Net()
    net.meet()
    for n in (1, 2, 3):
        net.a.say(n)
    end(net, "ended")
    net.settle()
    assert net.b.all()["heard"] == [1, 2, 3]
    over(net, "ended")


def test_an_end_while_the_request_is_on_its_way() -> None:
    net = Net()
    invitation = net.a.command("invite", pico="a")
    net.b.command("accept", pico="b", url=invitation["url"])
    end(net, "ended", "b")
    net.calm()
    assert net.b.connections() == []
    assert net.a.connections() == []
    assert list(net.b.agent.node.farewells.scan()) == []


def test_an_end_is_not_acknowledged_before_it_is_applied() -> None:
    """The pico is in the middle of a turn that waits: its end waits too, and is heard for sure."""
    net = Net()
    net.meet()
    net.b.begin("event", target="b", name="chat:ask")
    net.b.mail.clear()
    end(net, "ended")
    net.settle()
    assert list(net.a.agent.node.farewells.scan()), "not heard yet"
    net.crash(net.b)
    net.up()
    net.settle()
    over(net, "ended")


def test_an_end_that_could_not_be_applied_is_not_acknowledged() -> None:
    net = Net()
    net.meet()
    reply = InboundEnd(net.a.peer_id, "did:peer:their")
    net.b.agent.farewells.taken(reply, Failed(reply, EngineError("no")))
    net.b.run()
    assert net.b.mail == []
    net.b.agent.farewells.taken(reply, OperationAnswer(reply, None))
    net.b.run()
    assert len(net.b.mail) == 1


@pytest.mark.parametrize("crash", [False, True])
def test_an_end_in_a_turn_that_waits_is_not_told_before_that_turn_has_ended(crash: bool) -> None:
    net = Net("a", "b", "c")
    net.meet("a", "b")
    net.meet("a", "c")
    rows = {row["peer_id"]: row for row in net.a.connections()}
    eci, theirs = rows[net.b.peer_id]["Rx"], rows[net.c.peer_id]["Tx"]
    waited: list[Any] = []

    def run(pico: Any) -> None:
        PicoView(pico).delete_channel(eci)
        waited.append(pico.engine.waiting.ask(pico, theirs, "test.chatter", "all", EMPTY_MAP))

    net.a.give(OperationMessage(net.a.agent.commands.find("a").did, "test", run, reply="end"))
    assert net.a.answers == {}
    net.a.agent.farewells.remind()
    net.a.run()
    assert {peer for peer, _ in net.a.mail} == {net.c.peer_id}
    if crash:
        net.crash(net.a)
        net.up()
    net.settle()
    assert bool(waited) is not crash
    assert len(net.a.connections()) == (2 if crash else 1)
    assert len(net.b.connections()) == (1 if crash else 0)


def test_a_farewell_that_was_lost_is_said_again() -> None:
    pair = Pair()
    pair.meet()
    row = pair.command(pair.a, "connections")[0]
    pair.command(pair.a, "connection_end", pico="teller", id=row["id"])
    pair.a.out.clear()
    pair.clock.milliseconds(EngineLimits().idle_max_ms)
    pair.a.run()
    pair.settle()
    assert pair.command(pair.a, "connections") == []
    assert pair.command(pair.b, "connections") == []
    assert list(pair.a.agent.node.farewells.scan()) == []
