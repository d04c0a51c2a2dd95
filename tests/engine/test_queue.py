"""Queued events are rows until their turn commits."""

from __future__ import annotations

from pico_engine import Event, Ruleset, ent, query, rule, when
from pico_engine.errors import Busy
from pico_engine.limits import EngineLimits
from pico_engine.messages import EventAnswer, EventMessage, Failed
from pico_engine.queue import dequeue_row, enqueue_row, queued_messages
from tests.engine.helpers import Steps


class Quiet(Ruleset, rid="test.quiet"):
    seen: list[int] = ent(default=[])

    @rule(when("a:b"))
    def note(self, event: Event) -> None:
        self.seen.append(event.attr("n"))

    @query
    def all(self) -> list[int]:
        return self.seen


class Second(Quiet, rid="test.second"):
    pass


def _facts(messages: list[EventMessage]) -> list[object]:
    return [
        (m.eci, m.domain, m.type, m.attrs, m.door, m.sender, m.eid, m.hops, m.for_rid, m.queue_key)
        for m in messages
    ]


def test_everything_about_an_event_is_kept_in_order() -> None:
    steps = Steps(Quiet)
    pico = steps.engine.pico(steps.root)
    messages = [
        EventMessage("did:x", "a", "b", {"n": n}, "http", "did:y", eid=f"e{n}", hops=n, for_rid=rid)
        for n, rid in ((1, None), (2, "test.quiet"))
    ]
    for message in messages:
        enqueue_row(pico, message)
    assert _facts(queued_messages(pico)) == _facts(messages)
    steps.engine.ledger.commit()
    steps.write()
    steps.crash()
    pico = steps.engine.pico(steps.root)
    assert _facts(queued_messages(pico)) == _facts(messages)
    assert pico.next_queue_number == 2
    dequeue_row(pico, messages[0])
    assert _facts(queued_messages(pico)) == _facts(messages[1:])


def test_an_event_for_one_ruleset_is_still_for_it_after_a_restart() -> None:
    steps = Steps(Quiet, Second)
    steps.send(steps.root, "a:b", {"n": 1}, durable=True, for_rid="test.second")
    steps.write()
    steps.crash()
    steps.settle()
    assert steps.query(steps.root, "test.quiet", "all") == []
    assert steps.query(steps.root, "test.second", "all") == [1]


QUARTER = "x" * 25_000
"""Four of them fit into the queues below, five do not."""
NARROW = EngineLimits(queue_max_bytes=110_000)


def test_a_queue_is_bounded_in_bytes_and_takes_more_when_it_is_shorter() -> None:
    steps = Steps(Quiet, limits=NARROW)
    for _ in range(3):
        replies = [steps.send(steps.root, "a:b", {"n": QUARTER}) for _ in range(5)]
        small = steps.send(steps.root, "a:b", {"n": 1})
        steps.settle()
        answers = [steps.answer(reply) for reply in replies]
        assert [type(answer) for answer in answers] == [EventAnswer] * 4 + [Failed]
        assert isinstance(answers[-1].error, Busy)
        assert "(queue_max_bytes)" in answers[-1].error.what
        assert isinstance(steps.answer(small), EventAnswer), "small ones count by their number"
    assert steps.engine.counters["refused_busy"] == 3
    assert len(steps.query(steps.root, "test.quiet", "all")) == 15


def test_queries_count_with_their_arguments() -> None:
    steps = Steps(Quiet, limits=NARROW)
    replies = [steps.ask(steps.root, "test.quiet", "all", {"q": QUARTER}) for _ in range(5)]
    steps.turns(0)
    assert isinstance(steps.answer(replies[4]), Failed)


def test_what_a_pico_sends_beyond_comes_back_as_undeliverable() -> None:
    class Sender(Ruleset, rid="test.sender"):
        @rule(when("send:all"))
        def send_all(self, event: Event) -> None:
            for _ in range(5):
                self.send(event.attr("eci"), "a:b", n=QUARTER)

        @rule(when("event:undeliverable"))
        def came_back(self, event: Event) -> None:
            self.directive("back", code=event.attr("code"))

    steps = Steps(Quiet, Sender, limits=NARROW, install=("test.sender",))
    child = steps.child("test.quiet")["did"]
    steps.event(steps.root, "send:all", {"eci": steps.channel(child)})
    assert len(steps.query(child, "test.quiet", "all")) == 4
    assert steps.engine.counters["events_undeliverable"] == 1


def test_what_waited_at_a_crash_counts_again() -> None:
    steps = Steps(Quiet, limits=NARROW)
    for _ in range(4):
        steps.send(steps.root, "a:b", {"n": QUARTER}, durable=True)
    steps.write()
    steps.crash()
    reply = steps.send(steps.root, "a:b", {"n": QUARTER})
    assert isinstance(steps.answer(reply), Failed)
    steps.settle()
    assert len(steps.query(steps.root, "test.quiet", "all")) == 4
