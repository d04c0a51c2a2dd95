"""Queries over a connection: an answer, an error, or a clear end of the waiting."""

from __future__ import annotations

from typing import Any

import pytest

from pico_didcomm.protocols.events import ANSWER_TYPE
from pico_engine.errors import Busy, EngineError, LimitExceeded, UnknownChannel, WaitTimeout
from pico_engine.limits import EngineLimits
from pico_node.agent import AgentLimits
from pico_node.agent.errors import PeerUnreachable, RemoteError
from pico_node.agent.frames import DATA
from pico_node.agent.messages import Command
from tests.node.agent.net import Net, Node


def ask(net: Net, name: str = "all", rid: str = "test.chatter", **args: Any) -> None:
    """Begin to ask `a`'s pico over the connection, as the owner of `b`."""
    net.b.begin("query", target=net.b.connection()["Tx"], rid=rid, name=name, args=args, pico="b")


def asked(net: Net, name: str = "all", rid: str = "test.chatter", **args: Any) -> Any:
    ask(net, name, rid, **args)
    net.settle()
    return net.b.answer("query")["result"]


@pytest.fixture
def net() -> Net:
    one = Net()
    one.meet()
    return one


def waits(net: Net) -> bool:
    return "query" not in net.b.answers


def test_an_answer(net: Net) -> None:
    net.a.say(7)
    net.settle()
    assert asked(net)["said"] == [7]
    assert len(net.b.agent.questions) == 0


def test_by_the_connection_s_id_too(net: Net) -> None:
    net.b.begin("query", target=net.b.connection()["id"], rid="test.chatter", name="all")
    net.settle()
    assert net.b.answer("query")["result"]["said"] == []


def test_a_rule_may_ask_in_the_middle_of_its_turn(net: Net) -> None:
    net.a.say(7)
    net.settle()
    net.b.begin("event", target="b", name="chat:ask")
    assert "event" not in net.b.answers
    net.settle()
    net.b.answer("event")
    assert net.b.all()["told"] == ["established", [7]]


@pytest.mark.parametrize(
    ("rid", "name", "code"),
    [
        ("test.nothing", "all", "unknown-ruleset"),
        ("test.chatter", "nothing", "unknown-query"),
        ("io.picolabs.subscription", "established", "denied-by-policy"),
    ],
)
def test_the_other_side_s_error_is_named(net: Net, rid: str, name: str, code: str) -> None:
    with pytest.raises(RemoteError) as caught:
        asked(net, name, rid)
    error = caught.value
    assert error.remote_code == code
    assert error.status == 502
    assert code in error.what
    assert error.hint


def test_a_query_that_fails_there_is_an_error_here(net: Net) -> None:
    with pytest.raises(RemoteError) as caught:
        asked(net, "large", count="many")
    assert caught.value.remote_code == "ruleset-failed"


def test_it_is_asked_again_until_it_is_answered(net: Net) -> None:
    ask(net)
    for _ in range(3):
        assert [data[:1] for _, data in net.b.mail] == [DATA]
        net.b.mail.clear()
        net.clock.seconds(1)
        net.b.run()
    net.deliver(net.b)
    net.a.mail.clear()  # the answer is lost
    net.clock.seconds(1)
    net.b.run()
    net.settle()
    assert net.b.answer("query")["result"]["said"] == []


def test_two_answers_to_one_question_are_one(net: Net) -> None:
    ask(net)
    net.b.mail.append(net.b.mail[0])
    net.settle()
    assert net.b.answer("query")["result"]["said"] == []
    assert net.b.answers == {}


def test_it_ends_after_a_while(net: Net) -> None:
    ask(net)
    for _ in range(EngineLimits().wait_max_ms // 1_000):
        assert waits(net)
        net.b.mail.clear()
        net.clock.seconds(1)
        net.b.run()
    with pytest.raises(WaitTimeout):
        net.b.answer("query")
    assert len(net.b.agent.questions) == 0


def test_a_late_answer_is_nobody_s(net: Net) -> None:
    ask(net)
    net.deliver(net.b)
    net.clock.seconds(11)
    net.b.run()
    with pytest.raises(WaitTimeout):
        net.b.answer("query")
    net.settle()
    assert net.b.answers == {}


def test_a_node_that_is_away_is_named(net: Net) -> None:
    net.down()
    net.b.effects.clear()
    ask(net)
    assert [one.peer_id for one in net.b.effects] == [net.a.peer_id], "it is called"
    net.clock.seconds(11)
    net.b.run()
    with pytest.raises(PeerUnreachable) as caught:
        net.b.answer("query")
    assert caught.value.status == 504


def test_a_node_that_comes_back_in_time_answers(net: Net) -> None:
    net.down()
    ask(net)
    net.clock.seconds(5)
    net.b.run()
    net.up()
    net.settle()
    assert net.b.answer("query")["result"]["said"] == []


def test_the_answer_of_another_connection_is_ignored() -> None:
    """Another peer that guessed a question's id cannot answer it."""
    net = Net("a", "b", "c")
    net.meet("a", "b")
    net.meet("c", "b")
    rows = {row["peer_id"]: row for row in net.b.connections()}
    net.b.begin("query", target=rows[net.a.peer_id]["Tx"], rid="test.chatter", name="all", args={}, pico="b")
    (question,) = net.b.agent.questions._open
    net.b.mail.clear()
    lane = net.c.agent.lanes.find(rows[net.c.peer_id]["Tx"])
    assert lane is not None
    message = {
        "id": "forged",
        "typ": "application/didcomm-plain+json",
        "type": ANSWER_TYPE,
        "thid": question,
        "from": lane.eci,
        "to": [lane.their_did],
        "body": {"result": "forged"},
    }
    net.c.mail.append((net.b.peer_id, DATA + lane.pair.pack(message, net.c.agent.entropy)))
    net.settle()
    assert "query" not in net.b.answers
    net.clock.seconds(1)
    net.b.run()
    net.settle()
    assert net.b.answer("query")["result"] != "forged"


def test_questions_have_a_limit() -> None:
    net = Net(limits=AgentLimits(queries_max=1))
    net.b.command("pico_new", name="b2", rulesets=["test.chatter"])
    net.meet()
    ask(net)
    invitation = net.a.command("invite", pico="a")
    net.b.command("accept", pico="b2", url=invitation["url"])
    mail, net.b.mail = net.b.mail, []
    net.b.mail = mail[1:]
    net.settle()
    row = net.b.command("connections", pico="b2")[0]
    with pytest.raises(Busy, match="queries_max"):
        _second(net.b, row["Tx"])


def _second(node: Node, target: str) -> Any:
    """Another question, by another pico, while the first waits."""
    parameters = {"target": target, "rid": "test.chatter", "name": "all", "pico": "b2"}
    node.give(Command("query", parameters, reply="second"))
    return node.answer("second")


@pytest.mark.parametrize(("name", "args"), [("large", {"count": 600_000}), ("deep", {"levels": 63})])
def test_an_answer_that_no_message_can_carry_is_an_error_at_once(net: Net, name: str, args: Any) -> None:
    with pytest.raises(RemoteError) as caught:
        asked(net, name, **args)
    assert caught.value.remote_code == "limit-exceeded"


def test_large_and_deep_answers_that_can_be_carried_arrive(net: Net) -> None:
    assert len(asked(net, "large", count=500_000)) == 500_000
    assert asked(net, "deep", levels=60)


def test_arguments_that_no_message_can_carry_are_an_error_at_once(net: Net) -> None:
    with pytest.raises(LimitExceeded):
        asked(net, "large", count=1, more="x" * 600_000)


def test_a_question_to_nobody_is_an_error(net: Net) -> None:
    with pytest.raises(EngineError):
        net.b.command("query", target="did:key:z6MkNobody", rid="test.chatter", name="all")


def test_a_connection_that_ends_while_it_is_asked_ends_the_waiting(net: Net) -> None:
    ask(net)
    net.b.mail.clear()
    net.a.command("connection_end", pico="a", id=net.a.connection()["id"])
    net.settle()
    net.clock.seconds(11)
    net.b.run()
    with pytest.raises((WaitTimeout, UnknownChannel)):
        net.b.answer("query")
    assert net.b.connections() == []


def test_a_pico_that_is_deleted_while_it_asks_ends_the_waiting(net: Net) -> None:
    ask(net)
    net.b.command("pico_delete", pico="b")
    net.settle()
    with pytest.raises(EngineError):
        net.b.answer("query")
    net.clock.seconds(11)
    net.b.run()
    assert len(net.b.agent.questions) == 0


def test_who_asked_and_crashed_is_not_answered(net: Net) -> None:
    ask(net)
    net.deliver(net.b)
    assert net.a.mail, "the answer is on its way"
    net.crash(net.b)
    net.up()
    net.calm()
    assert len(net.b.agent.questions) == 0
    assert net.b.all()["told"] == ["established"]
