"""Events for engines that take them by HTTP: durable, in order, tried again, given back."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine import Event, Ruleset, ent, query, rule, when
from pico_engine.errors import EgressDenied, EngineError, FetchFailed
from pico_engine.harness import SeededEntropy
from pico_engine.messages import OWNER, EventMessage, HttpCall, QueryAnswer, QueryMessage, WaitAnswer
from pico_engine.registry import Registry
from pico_engine.store import MemoryStore
from pico_node.agent.agent import Agent
from pico_node.agent.limits import AgentLimits

HOST = "http://old.example:3000"
OK = {"status_code": 200, "status_line": "OK", "content": '"eid"', "headers": {}}


class Sender(Ruleset, rid="test.sender"):
    """Sends what it is told to, and keeps what comes back."""

    back: list[Any] = ent(default=[])

    @rule(when("say:to"))
    def say(self, event: Event) -> None:
        for number in range(event.attr("count", 1)):
            self.send_to_host(
                event.attr("host", HOST), "e ci", "shop:order", {"n": number, **event.attr("more", {})}
            )
        if event.attr("fail"):
            raise ValueError("told to")

    @rule(when("event:undeliverable"))
    def keep(self, event: Event) -> None:
        self.back.append([event.attr("eci"), event.attr("code"), dict(event.attr("attrs"))])

    @query
    def all(self) -> Any:
        return self.back


class World:
    """An agent whose HTTP requests a test answers."""

    def __init__(self, **limits: Any) -> None:
        self.store = MemoryStore()
        self.now = 1_000_000
        self.limits = AgentLimits(**limits)
        self.open()

    def open(self) -> None:
        registry = Registry([Sender])
        self.agent = Agent(self.store, registry, SeededEntropy(1), bytes(32), limits=self.limits)
        if self.agent.engine.root is None:
            self.agent.engine.new_root("root", ("test.sender",), self.now)
        self.agent.start(self.now)
        self.calls: list[HttpCall] = []
        self.settle()

    def settle(self) -> None:
        agent = self.agent
        for _ in range(20):
            agent.handle_timer(self.now)
            for effect in agent.take_effects():
                if isinstance(effect, HttpCall):
                    self.calls.append(effect)
                elif isinstance(effect, QueryAnswer):
                    self.value = effect.value
            if agent.has_changes:
                number, batch = agent.take_batch()
                self.store.write(batch)
                agent.durable(number)

    def say(self, **attrs: Any) -> None:
        self.agent.receive(EventMessage(self.agent.engine.root, "say", "to", attrs, OWNER), self.now)
        self.settle()

    def answer(self, value: Any = None, error: EngineError | None = None) -> None:
        call = self.calls.pop(0)
        self.agent.receive(WaitAnswer(call.wait, value, error), self.now)
        self.settle()

    def back(self) -> Any:
        question = QueryMessage(self.agent.engine.root, "test.sender", "all", {}, OWNER, reply=object())
        self.agent.receive(question, self.now)
        self.settle()
        return self.value

    def rows(self) -> int:
        return sum(1 for _ in self.store.scan(b"j/", b"j0"))


@pytest.fixture
def world() -> World:
    return World()


def test_an_event_is_posted_and_its_row_goes_when_it_was_taken(world: World) -> None:
    world.say(more={"a": "ä"})
    (call,) = world.calls
    assert (call.method, call.url) == ("POST", f"{HOST}/c/e%20ci/event/shop/order")
    assert call.body == '{"n":0,"a":"ä"}'
    assert call.headers["content-type"] == "application/json"
    assert world.rows() == 1
    world.answer(OK)
    assert world.rows() == 0
    assert world.back() == []


def test_one_at_a_time_to_each_host_in_order(world: World) -> None:
    world.say(count=3)
    world.say(host="http://other.example")
    assert [call.url.split("/c/")[0] for call in world.calls] == [HOST, "http://other.example"]
    bodies = []
    while world.calls:
        bodies.append((world.calls[0].url.split("/c/")[0], world.calls[0].body))
        world.answer(OK)
    assert [body for host, body in bodies if host == HOST] == ['{"n":0}', '{"n":1}', '{"n":2}']


def test_what_was_not_taken_is_sent_again_after_a_crash(world: World) -> None:
    world.say(count=2)
    world.open()
    assert [call.body for call in world.calls] == ['{"n":0}']
    world.answer(OK)
    world.answer(OK)
    assert world.rows() == 0
    world.say()
    assert len(world.calls) == 1


@pytest.mark.parametrize(
    ("value", "error"),
    [(None, FetchFailed("down")), ({**OK, "status_code": 503}, None), ({**OK, "status_code": 429}, None)],
)
def test_what_may_work_later_is_tried_with_growing_pauses(world: World, value: Any, error: Any) -> None:
    world.say()
    for pause in (2_000, 4_000, 8_000):
        world.answer(value, error)
        assert world.calls == []
        world.now += pause - 1
        world.settle()
        assert world.calls == []
        world.now += 1
        world.settle()
        assert len(world.calls) == 1
    world.answer(OK)
    assert world.back() == []


@pytest.mark.parametrize(
    ("value", "error", "code"),
    [
        (None, EgressDenied("not there"), "egress-denied"),
        ({**OK, "status_code": 404}, None, "host-refused"),
        ({**OK, "content": '{"error":"Error: ECI not found x"}'}, None, "host-refused"),
    ],
)
def test_what_the_host_refuses_comes_back(world: World, value: Any, error: Any, code: str) -> None:
    world.say(count=2)
    world.answer(value, error)
    assert world.back() == [["e ci", code, {"n": 0}]]
    world.answer(OK)
    assert world.rows() == 0


def test_what_is_too_old_comes_back(world: World) -> None:
    world.say()
    world.now += world.limits.outbox_max_age_ms
    world.answer(None, FetchFailed("down"))
    assert world.back() == [["e ci", "fetch-failed", {"n": 0}]]


def test_a_rule_that_fails_sends_nothing(world: World) -> None:
    world.say(fail=True)
    assert world.calls == []
    assert world.rows() == 0


def test_no_more_than_the_limit_wait() -> None:
    world = World(posts_max=2)
    world.say(count=3)
    assert world.back() == [["e ci", "busy", {"n": 2}]]
    assert world.rows() == 2
