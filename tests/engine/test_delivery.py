"""What turns have sent arrives at the right door, or comes back."""

from __future__ import annotations

from typing import Any

from pico_engine import Event, Ruleset, ent, query, rule, when
from pico_engine.harness import Harness
from pico_engine.limits import EngineLimits
from pico_engine.values import DEPTH_MAX_LEVELS
from tests.engine.helpers import Steps


def test_what_was_sent_to_nowhere_comes_back() -> None:
    class Sender(Ruleset, rid="test.sender"):
        back: list[Any] = ent(default=[])

        @rule(when("send:it", "event:undeliverable"))
        def send_it(self, event: Event) -> None:
            self.send("did:example:nowhere", "hello:there", n=1)
            if event.type == "undeliverable":
                self.back.append(event.attrs)

        @query
        def all(self) -> Any:
            return self.back

    pico = Harness(Sender, limits=EngineLimits(hops_max=3))
    pico.event("send:it")
    told = pico.query(Sender, "all")
    assert len(told) == 3, "and it ends, though the rule sends again"
    assert {key: told[0][key] for key in ("eci", "domain", "type", "attrs", "code")} == {
        "eci": "did:example:nowhere", "domain": "hello", "type": "there", "attrs": {"n": 1},
        "code": "unknown-channel",
    }  # fmt: skip


class Keeper(Ruleset, rid="test.keeper"):
    kept: list[Any] = ent(default=[])

    @rule(when("keep:it"))
    def keep(self, event: Event) -> None:
        self.kept.append({"attrs": event.attrs, "sender": event.sender})

    @rule(when("event:undeliverable"))
    def keep_names(self, event: Event) -> None:
        self.kept.append(list(event.attr("attrs")))

    @rule(when("pass:on"))
    def pass_on(self, event: Event) -> None:
        self.send(event.attr("eci"), "keep:it", **event.attr("attrs"))

    @rule(when("send:deep"))
    def send_deep(self, event: Event) -> None:
        deep: Any = 1
        for _ in range(event.attr("levels")):
            deep = [deep]
        self.send("did:example:nowhere", "keep:it", a=1, deep=deep)

    @query
    def all(self) -> Any:
        return self.kept


def test_an_event_to_a_child_tells_who_sent_it() -> None:
    steps = Steps(Keeper, install=("test.keeper",))
    child = steps.child("test.keeper")
    steps.event(steps.root, "pass:on", {"eci": child["eci"], "attrs": {"n": 1}})
    steps.settle()
    (kept,) = steps.query(child["did"], "test.keeper", "all")
    assert kept == {"attrs": {"n": 1}, "sender": steps.root}


def test_attributes_too_deep_to_be_told_of_come_back_flat() -> None:
    steps = Steps(Keeper, install=("test.keeper",))
    steps.event(steps.root, "send:deep", {"levels": DEPTH_MAX_LEVELS - 1})
    steps.event(steps.root, "send:deep", {"levels": DEPTH_MAX_LEVELS - 2})
    steps.settle()
    told = steps.query(steps.root, "test.keeper", "all")
    assert told == [["a"], ["a", "deep"]], "a level more than can be told of; and one less"
