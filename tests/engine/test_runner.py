"""Turns are given fairly, answered once, and what leaves a turn leaves it when it commits."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine import Event, Ruleset, ent, query, rule, when
from pico_engine.channels import ALLOW_ALL
from pico_engine.errors import EngineError, RulesetFailed, UnknownQuery, UnknownRuleset
from pico_engine.limits import EngineLimits
from pico_engine.messages import Accepted, EventAnswer, Failed, OperationMessage, QueryAnswer
from pico_engine.runner import TURNS_IN_A_ROW_MAX
from tests.engine.helpers import Steps


class Busy(Ruleset, rid="test.busy"):
    seen: list[Any] = ent(default=[])

    @rule(when("do:it"))
    def do_it(self, event: Event) -> None:
        self.seen.append(event.attr("n"))
        self.directive("did", n=event.attr("n"))

    @rule(when("send:far"))
    def send_far(self, event: Event) -> None:
        self.send(event.attr("eci"), "do:it", n=1)
        if event.attr("fail"):
            raise ValueError

    @query
    def all(self) -> Any:
        return self.seen

    @query
    def private_data(self) -> Any:
        return 1

    def helper(self) -> Any:
        return 2


@pytest.fixture
def steps() -> Steps:
    return Steps(Busy)


def test_messages_of_one_pico_keep_their_order_and_picos_take_turns() -> None:
    in_a_row = TURNS_IN_A_ROW_MAX
    steps = Steps(Busy, limits=EngineLimits(turns_per_tick_max=2 * in_a_row))
    children = [steps.child("test.busy")["did"] for _ in range(2)]
    count = 2 * in_a_row
    replies = [steps.send(did, "do:it", {"n": n}) for did in children for n in range(count)]
    steps.turns(1)
    seen = [len(steps.engine.pico(did).variables.rows.get("test.busy/seen", ())) for did in children]
    assert seen == [in_a_row, in_a_row], "each had as many as one pico takes in a row"
    assert steps.engine.next_timer() == 0
    steps.settle()
    assert all(isinstance(steps.answer(reply), EventAnswer) for reply in replies)
    for did in children:
        assert steps.query(did, "test.busy", "all") == list(range(count))


def test_a_durable_event_is_accepted_at_once_and_not_answered_again(steps: Steps) -> None:
    reply = steps.send(steps.root, "do:it", {"n": 1}, durable=True)
    assert isinstance(steps.answer(reply), Accepted)
    steps.effects.clear()
    steps.settle()
    assert steps.answer(reply) is None
    assert steps.query(steps.root, "test.busy", "all") == [1]


def test_an_event_may_be_answered_with_a_query(steps: Steps) -> None:
    reply = steps.send(steps.root, "do:it", {"n": 3}, then_query=("test.busy", "all", {}))
    steps.settle()
    answer = steps.answer(reply)
    assert isinstance(answer, QueryAnswer)
    assert answer.value == [3]


@pytest.mark.parametrize("compatible", [False, True])
def test_the_failure_of_a_rule_answers_clients_of_the_existing_engine(steps: Steps, compatible: bool) -> None:
    attrs = {"eci": "did:example:x.far", "fail": True}
    reply = steps.send(steps.root, "send:far", attrs, compatible=compatible)
    steps.settle()
    answer = steps.answer(reply)
    assert isinstance(answer, Failed if compatible else EventAnswer)
    if isinstance(answer, Failed):
        assert "rule send_far of test.busy failed: ValueError" in str(answer.error)


def test_queries_that_are_not_there(steps: Steps) -> None:
    with pytest.raises(UnknownRuleset):
        steps.query(steps.root, "no.such", "all")
    for name in ("helper", "no_such", "do_it", "__init__", "seen", "definition"):
        with pytest.raises(UnknownQuery, match=name):
            steps.query(steps.root, "test.busy", name)


def test_what_is_sent_leaves_when_the_turn_commits(steps: Steps) -> None:
    steps.event(steps.root, "send:far", {"eci": "did:example:x.far", "fail": True})
    assert steps.port.sent == []
    steps.event(steps.root, "send:far", {"eci": "did:example:x.far"})
    [event] = steps.port.sent
    assert (event.eci, event.domain, event.type, event.attrs, event.sender, event.hops) == (
        "did:example:x.far", "do", "it", {"n": 1}, steps.root, 1
    )  # fmt: skip


def test_an_operation_is_a_turn(steps: Steps) -> None:
    def begin(pico) -> Any:
        pico.turn.raise_event(Event("do", "it", {"n": 5}))
        pico.engine.family.new_channel(pico, ("made",), ALLOW_ALL, ALLOW_ALL, ("http",))
        return "begun"

    reply = object()
    steps.engine.receive(
        OperationMessage(steps.root, "op", begin, lambda pico: len(pico.turn.directives), reply), steps.now
    )
    steps.settle()
    assert steps.answer(reply).value == 1
    channels = len(steps.engine.pico(steps.root).channels.rows)

    def fails(pico) -> Any:
        begin(pico)
        raise OSError("no disk")

    with pytest.raises(RulesetFailed, match="no disk"):
        steps.operate(steps.root, fails)
    assert steps.query(steps.root, "test.busy", "all") == [5]
    assert len(steps.engine.pico(steps.root).channels.rows) == channels


def test_a_receipt_is_applied_once_and_with_the_turn(steps: Steps) -> None:
    class Cursor:
        def __init__(self, number: int) -> None:
            self.number = number

        def apply(self, pico) -> bool:
            if self.number <= pico.info.get("cursor", 0):
                return False
            pico.info.put("cursor", self.number)
            return True

    for number in (1, 1, 2, 1, 2):
        steps.send(steps.root, "do:it", {"n": number}, receipt=Cursor(number))
        steps.settle()
    steps.crash()
    steps.send(steps.root, "do:it", {"n": 2}, receipt=Cursor(2))
    steps.settle()
    assert steps.query(steps.root, "test.busy", "all") == [1, 2]


def test_queries_do_not_fill_the_memory() -> None:
    class Big(Ruleset, rid="test.big"):
        many: list[int] = ent(default=[])

        @rule(when("fill:up"))
        def fill(self) -> None:
            self.many = list(range(500))

        @query
        def total(self) -> int:
            return sum(self.many)

    steps = Steps(Big, limits=EngineLimits(cached_rows_max=100))
    steps.event(steps.root, "fill:up")
    assert steps.query(steps.root, "test.big", "total") == 124_750
    assert len(steps.engine.pico(steps.root).elements.rows) <= 100


def test_an_event_that_raises_in_the_port_is_told(steps: Steps) -> None:
    class Full(EngineError):
        """Full."""

    def refuse(pico, event):
        raise Full

    steps.port.send_event = refuse
    steps.event(steps.root, "send:far", {"eci": "did:example:x.far"})
    assert any("could not be delivered: Full." in line.text for line in steps.logs)
