"""Queued events are rows until their turn commits."""

from __future__ import annotations

from pico_engine import Event, Ruleset, ent, query, rule, when
from pico_engine.messages import EventMessage
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
