"""Turns that wait: others go on, nothing half-done is written, nobody waits for ever."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pico_engine import Event, Ruleset, ent, query, rule, when
from pico_engine.errors import (
    LimitExceeded,
    RulesetFailed,
    UnknownChannel,
    UnknownPico,
    WaitCycle,
    WaitTimeout,
)
from pico_engine.limits import EngineLimits
from pico_engine.messages import EventAnswer, Failed, HttpCall, QueryAnswer, RulesetCall, WaitAnswer
from pico_engine.turn import Post
from tests.engine.helpers import Steps

FAR = "did:example:there.far"


class Asker(Ruleset, rid="test.asker"):
    """Asks whom it is told to, and does something before and after."""

    count: int = ent(default=0)
    items: list[Any] = ent(default=[])
    got: list[Any] = ent(default=[])

    @rule(when("ask:now"))
    def ask(self, event: Event) -> None:
        self.count += 1
        self.items.append("before")
        self.raise_event("raised:one")
        name = event.attr("name", "value")
        answer = self.query(
            event.attr("eci"), event.attr("rid", "test.asker"), name, **event.attr("args", {})
        )
        self.got.append(answer)
        self.count += 1
        if event.attr("fail"):
            raise ValueError("told to fail")
        self.directive("answer", value=answer)

    @rule(when("ask:now", "raised:one"))
    def later(self, event: Event) -> None:
        self.directive("later", event=event.name)

    @rule(when("add:one"))
    def add(self) -> None:
        self.count += 1
        self.items.append("added")

    @rule(when("save:me"))
    def careful(self, event: Event) -> None:
        try:
            self.query(event.attr("eci"), "test.asker", "value")
        except Exception as error:
            self.got.append(type(error).__name__)

    @query
    def value(self) -> Any:
        return {"count": self.count, "items": self.items, "got": self.got}

    @query
    def through(self, eci: str, name: str = "value", then: str = "") -> Any:
        return self.query(eci, "test.asker", name, **({"eci": then} if then else {}))


@pytest.fixture
def steps() -> Steps:
    return Steps(Asker)


def test_a_pico_of_this_engine_is_asked_inside_the_turn(steps: Steps) -> None:
    child = steps.child("test.asker")
    steps.event(child["did"], "add:one")
    directives = steps.event(steps.root, "ask:now", {"eci": child["eci"]})
    assert [one["name"] for one in directives] == ["answer", "later", "later"]
    assert directives[0]["options"]["value"]["count"] == 1
    assert not steps.waits()


def test_a_turn_that_waits_is_resumed_with_the_answer_in_the_middle_of_its_rule(steps: Steps) -> None:
    reply = steps.send(steps.root, "ask:now", {"eci": FAR, "rid": "their.rid", "args": {"a": 1}})
    steps.settle()
    [wait] = steps.waits()
    assert (wait.pico, wait.eci, wait.rid, wait.name, wait.args) == (
        steps.root, FAR, "their.rid", "value", {"a": 1}
    )  # fmt: skip
    assert wait.chain == (steps.root,)
    assert steps.answer(reply) is None
    steps.answer_wait({"celsius": 20})
    steps.settle()
    answer = steps.answer(reply)
    assert isinstance(answer, EventAnswer)
    assert [one["name"] for one in answer.directives] == ["answer", "later", "later"]
    assert steps.query(steps.root, "test.asker", "value")["got"] == [{"celsius": 20}]


def test_other_picos_go_on_and_ones_own_messages_queue(steps: Steps) -> None:
    other = steps.child("test.asker")["did"]
    first = steps.send(steps.root, "ask:now", {"eci": FAR})
    steps.settle()
    second = steps.send(steps.root, "add:one")
    question = steps.ask(steps.root, "test.asker", "value")
    steps.settle()
    assert steps.event(other, "add:one") == []
    assert [steps.answer(one) for one in (first, second, question)] == [None, None, None]
    steps.answer_wait(1)
    steps.settle()
    assert isinstance(steps.answer(first), EventAnswer)
    answer = steps.answer(question)
    assert isinstance(answer, QueryAnswer)
    assert answer.value == {"count": 3, "items": ["before", "added"], "got": [1]}


def test_no_batch_holds_a_value_of_a_turn_that_waits(steps: Steps) -> None:
    """Not even of rows that an earlier turn of the same tick changed, and has committed."""
    other = steps.child("test.asker")["did"]
    steps.send(steps.root, "add:one")
    steps.send(steps.root, "ask:now", {"eci": FAR})
    steps.turns(3)
    assert steps.waits()
    steps.write()
    value = dict(steps.rows())[b"p/" + steps.root.encode() + b"/v/test.asker/count"]
    assert value == b"[1]"
    steps.event(other, "add:one")
    steps.crash()
    steps.settle()
    assert steps.query(steps.root, "test.asker", "value") == {"count": 1, "items": ["added"], "got": []}
    assert steps.query(other, "test.asker", "value")["count"] == 1


def test_a_turn_that_fails_after_it_waited_drops_what_it_did_before(steps: Steps) -> None:
    steps.event(steps.root, "add:one")
    steps.send(steps.root, "ask:now", {"eci": FAR, "fail": True})
    steps.settle()
    steps.write()
    steps.answer_wait(1)
    steps.settle()
    expected = {"count": 1, "items": ["added"], "got": []}
    assert steps.query(steps.root, "test.asker", "value") == expected
    steps.crash()
    assert steps.query(steps.root, "test.asker", "value") == expected


def test_a_durable_event_whose_turn_waits_at_a_crash_is_processed_again(steps: Steps) -> None:
    steps.send(steps.root, "ask:now", {"eci": FAR}, durable=True)
    steps.settle()
    assert steps.waits()
    steps.crash()
    steps.settle()
    steps.answer_wait("second time")
    steps.settle()
    assert steps.query(steps.root, "test.asker", "value")["got"] == ["second time"]
    assert steps.query(steps.root, "test.asker", "value")["count"] == 2


def test_an_answer_may_be_an_error(steps: Steps) -> None:
    steps.send(steps.root, "save:me", {"eci": FAR})
    steps.settle()
    steps.answer_wait(error=UnknownChannel("not there"))
    steps.settle()
    assert steps.query(steps.root, "test.asker", "value")["got"] == ["UnknownChannel"]


def test_nobody_waits_longer_than_the_deadline(steps: Steps) -> None:
    reply = steps.send(steps.root, "save:me", {"eci": FAR})
    steps.settle()
    [wait] = steps.waits()
    assert steps.engine.next_timer() <= steps.now + 10_000
    steps.now += 9_999
    steps.settle()
    assert steps.answer(reply) is None
    steps.now += 1
    steps.settle()
    assert steps.query(steps.root, "test.asker", "value")["got"] == ["WaitTimeout"]
    from pico_engine.messages import WaitAnswer

    steps.engine.receive(WaitAnswer(wait.wait, "too late"), steps.now)
    steps.settle()
    assert steps.query(steps.root, "test.asker", "value")["got"] == ["WaitTimeout"]


def test_where_there_is_no_way_nobody_waits(steps: Steps) -> None:
    with_error = steps.event(steps.root, "save:me", {"eci": "did:example:nowhere"})
    assert with_error == []
    assert steps.query(steps.root, "test.asker", "value")["got"] == ["UnknownChannel"]


def test_a_query_that_comes_back_to_its_own_pico_is_refused(steps: Steps) -> None:
    """A asks B, B asks A."""
    child = steps.child("test.asker")
    steps.event(
        steps.root, "ask:now", {"eci": child["eci"], "name": "through", "args": {"eci": child["parent_eci"]}}
    )
    assert "waits for" in steps.logs[-1].text
    own = steps.engine.pico(steps.root).info.get("self_eci")
    steps.event(steps.root, "save:me", {"eci": own})
    assert steps.query(steps.root, "test.asker", "value")["got"] == ["WaitCycle"]


def test_two_turns_that_would_wait_for_each_other(steps: Steps) -> None:
    """Each asks far first; then B's answer leads to A, which waits for B already."""

    class Pair(Ruleset, rid="test.pair"):
        got: list[Any] = ent(default=[])

        @rule(when("go:now"))
        def go(self, event: Event) -> None:
            self.query(FAR, "x", "y")
            try:
                self.got.append(self.query(event.attr("eci"), "test.pair", "value"))
            except WaitCycle:
                self.got.append("cycle")

        @query
        def value(self) -> str:
            return "value"

        @query
        def all(self) -> Any:
            return self.got

    steps = Steps(Pair)
    child = steps.child("test.pair")
    steps.send(steps.root, "go:now", {"eci": child["eci"]})
    steps.send(child["did"], "go:now", {"eci": child["parent_eci"]})
    steps.settle()
    assert len(steps.waits()) == 2
    steps.answer_wait(0, which=0)
    steps.settle()
    steps.answer_wait(0, which=0)
    steps.settle()
    got = [steps.query(did, "test.pair", "all") for did in (steps.root, child["did"])]
    assert got == [["value"], ["cycle"]]


@pytest.mark.parametrize("chain", ["own", "waiting"])
def test_a_question_from_elsewhere_that_would_wait_for_itself_is_refused_at_once(steps: Steps, chain) -> None:
    child = steps.child("test.asker")
    eci = steps.channel(child["did"])
    if chain == "own":
        asked = (child["did"], "did:example:someone")
    else:  # the child waits for the root, whose turn waits for far, where this question came from
        steps.send(steps.root, "ask:now", {"eci": FAR})
        steps.settle()
        steps.send(child["did"], "ask:now", {"eci": child["parent_eci"]})
        steps.settle()
        asked = (steps.root,)
    reply = steps.ask(eci, "test.asker", "value", door="http", chain=asked)
    answer = steps.answer(reply)
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, WaitCycle)


def test_the_chain_of_questions_has_a_limit() -> None:
    steps = Steps(Asker, limits=EngineLimits(query_depth_max=2))
    eci = steps.channel()
    reply = steps.ask(eci, "test.asker", "value", door="http", chain=("a", "b", "c"))
    assert isinstance(steps.answer(reply).error, LimitExceeded)


def test_a_pico_that_is_deleted_while_it_waits_leaves_nothing(steps: Steps) -> None:
    child = steps.child("test.asker")
    owner = steps.child("test.asker")["did"]
    reply = steps.send(child["did"], "ask:now", {"eci": FAR})
    queued = steps.send(child["did"], "add:one")
    asked = steps.send(steps.root, "save:me", {"eci": child["eci"]})
    steps.settle()
    assert steps.answer(asked) is None, "the root waits for the child, which waits for far"
    steps.operate(owner, lambda pico: pico.engine.delete_pico(child["did"]))
    steps.settle()
    for one in (reply, queued):
        assert isinstance(steps.answer(one).error, UnknownPico)
    assert isinstance(steps.answer(asked), EventAnswer)
    assert steps.query(steps.root, "test.asker", "value")["got"] == ["UnknownPico"]
    assert not [key for key in steps.rows() if child["did"].encode() in key]
    assert not steps.engine.pico(steps.root).children.rows.keys() & {child["did"]}
    with pytest.raises(UnknownPico):
        steps.event(child["did"], "add:one")


def test_a_waiting_child_that_was_renamed_does_not_come_back(steps: Steps) -> None:
    """The rename stands in the parent's row of the child; undoing it must not bring the row back."""

    class Renamed(Ruleset, rid="test.renamed"):
        @rule(when("go:now"))
        def go(self) -> None:
            self.pico.name = "new"
            self.query(FAR, "x", "y")

    steps.registry.add(Renamed)
    child = steps.child("test.renamed")
    steps.send(child["did"], "go:now")
    steps.settle()
    steps.operate(steps.root, lambda pico: pico.engine.family.delete_child(pico, child["did"]))
    steps.settle()
    assert not steps.engine.pico(steps.root).children.rows
    steps.crash()
    assert not steps.engine.pico(steps.root).children.rows


def test_a_schedule_set_by_a_turn_that_waits_fires_though_its_window_was_read_meanwhile() -> None:
    class Late(Ruleset, rid="test.late"):
        fired: int = ent(default=0)

        @rule(when("go:now"))
        def go(self) -> None:
            self.schedule_at(self.now + 700_000, "it:fires")
            self.query(FAR, "x", "y")

        @rule(when("it:fires"))
        def fires(self) -> None:
            self.fired += 1

        @query
        def value(self) -> int:
            return self.fired

    steps = Steps(Late, limits=EngineLimits(wait_max_ms=10_000_000))
    steps.settle()
    steps.send(steps.root, "go:now")
    steps.settle()
    steps.now += 600_001
    steps.settle()
    steps.answer_wait(1)
    steps.settle()
    steps.now += 100_000
    steps.settle()
    assert steps.query(steps.root, "test.late", "value") == 1


def test_a_child_made_by_a_turn_that_waits_is_not_put_away(steps: Steps) -> None:
    class Maker(Ruleset, rid="test.maker"):
        @rule(when("go:now"))
        def go(self) -> None:
            child = self.pico.new_child("child", ["test.asker"])
            self.query(FAR, "x", "y")
            self.directive("made", did=child["did"], value=self.query(child["eci"], "test.asker", "value"))

    limits = EngineLimits(idle_max_ms=100, wait_max_ms=10_000)
    steps = Steps(Maker, Asker, limits=limits)
    reply = steps.send(steps.root, "go:now")
    steps.settle()
    for _ in range(5):
        steps.now += 200
        steps.settle()
    steps.answer_wait(1)
    steps.settle()
    [made] = steps.answer(reply).directives
    assert made["options"]["value"]["count"] == 0
    steps.now += 10_000
    steps.settle()
    assert steps.engine.loaded_count == 0
    steps.event(made["options"]["did"], "add:one")


def test_what_the_other_side_fails_with_is_raised(steps: Steps) -> None:
    class Fails(Ruleset, rid="test.fails"):
        @query
        def value(self) -> int:
            raise ValueError("over there")

        @query
        def odd(self) -> object:
            return object()

    steps.registry.add(Fails)
    child = steps.child("test.fails")
    eci = child["eci"]
    steps.event(steps.root, "ask:now", {"eci": eci, "rid": "test.fails"})
    assert "over there" in steps.logs[-1].text
    for name in ("value", "odd"):
        with pytest.raises(RulesetFailed):
            steps.query(child["did"], "test.fails", name)
    assert WaitTimeout().status == 504


class Caller(Ruleset, rid="test.caller"):
    """Makes HTTP requests as the KRL module does."""

    got: list[Any] = ent(default=[])

    @rule(when("call:now"))
    def call(self) -> None:
        pico = self._pico
        call = HttpCall(0, pico.did, "test.caller", "GET", "http://example.com/")
        self.got.append(pico.engine.waiting.call(pico, call)["content"])

    @rule(when("call:many"))
    def many(self) -> None:
        for _ in range(65):
            self._pico.turn.count_call()

    @rule(when("call:load"))
    def load(self) -> None:
        self.got.append(self._pico.engine.waiting.load_ruleset(self._pico, "http://example.com/x.krl"))

    @rule(when("call:post"))
    def post(self, event: Event) -> None:
        self._pico.turn.send(
            Post(event.attr("eci"), "got", "answer", {"mine": 1}, "test.caller", "POST", "http://a.example/")
        )
        if event.attr("fail"):
            raise ValueError("told to fail")

    @rule(when("got:answer"))
    def answered(self, event: Event) -> None:
        self.got.append(dict(event.attrs))

    @query
    def all(self) -> list[Any]:
        return self.got


def calling() -> Steps:
    steps = Steps(Caller)
    steps.port.can_call = lambda pico: True
    steps.operate(steps.root, lambda pico: pico.engine.family.install(pico, "test.caller", {}))
    return steps


def called(steps: Steps, kind: type = HttpCall) -> Any:
    steps.settle()
    return [one for one in steps.effects if isinstance(one, kind)][-1]


def test_a_rule_waits_for_the_answer_to_its_request() -> None:
    steps = calling()
    reply = steps.send(steps.root, "call:now")
    call = called(steps)
    assert (call.method, call.url, call.pico, call.waits) == ("GET", "http://example.com/", steps.root, True)
    steps.engine.receive(WaitAnswer(call.wait, {"content": "hello"}), steps.now)
    steps.settle()
    assert isinstance(steps.answer(reply), EventAnswer)
    assert steps.query(steps.root, "test.caller", "all") == ["hello"]


def test_a_rule_waits_for_the_ruleset_at_a_url() -> None:
    steps = calling()
    steps.registry.compiler = lambda text, url: SimpleNamespace(definition=Asker.definition, warnings=())
    steps.send(steps.root, "call:load")
    call = called(steps, RulesetCall)
    assert (call.url, call.granted) == ("http://example.com/x.krl", False)
    steps.engine.receive(WaitAnswer(call.wait, "ruleset test.asker {}"), steps.now)
    steps.settle()
    assert steps.query(steps.root, "test.caller", "all") == ["test.asker"]


def test_no_requests_without_a_port_that_allows_them_and_not_too_many() -> None:
    steps = calling()
    del steps.port.can_call
    steps.send(steps.root, "call:now")
    steps.send(steps.root, "call:many")
    steps.settle()
    assert not [one for one in steps.effects if isinstance(one, HttpCall)]
    failed = [one.text for one in steps.logs]
    assert "make no HTTP requests here" in failed[0]
    assert "outside_calls_max" in failed[1]


def test_a_request_that_nobody_waits_for_leaves_with_the_commit() -> None:
    steps = calling()
    eci = steps.channel()
    steps.event(steps.root, "call:post", {"eci": eci, "fail": True})
    assert not [one for one in steps.effects if isinstance(one, HttpCall)], "dropped with its rule"
    steps.event(steps.root, "call:post", {"eci": eci})
    call = called(steps)
    assert (call.method, call.waits) == ("POST", False)
    steps.engine.receive(WaitAnswer(call.wait, {"status_code": 200}), steps.now)
    steps.settle()
    assert steps.query(steps.root, "test.caller", "all") == [{"mine": 1, "status_code": 200}]


def test_the_failure_of_such_a_request_is_told_in_the_log() -> None:
    steps = calling()
    steps.event(steps.root, "call:post", {"eci": ""})
    call = called(steps)
    steps.engine.receive(WaitAnswer(call.wait, error=UnknownChannel("no way there")), steps.now)
    steps.settle()
    assert [one.text for one in steps.logs] == ["POST http://a.example/ failed: no way there"]
