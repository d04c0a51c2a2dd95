"""What a turn says on a channel that it deletes still arrives, and the end of a pico is told to its peers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pico_engine import Event, Ruleset, ent, query, rule, when
from pico_engine.harness import Bench
from pico_engine.messages import OWNER, EventMessage


class Talker(Ruleset, rid="test.talker"):
    """One end of a pair of channels."""

    ours: str = ent(default="")
    theirs: str = ent(default="")
    heard: list[Any] = ent(default=[])

    @rule(when("test:open"))
    def open(self) -> None:
        self.ours = self.pico.new_channel(["pair"], doors=("didcomm",))["id"]
        self.directive("opened", eci=self.ours)

    @rule(when("test:join"))
    def join(self, event: Event) -> None:
        self.theirs = event.attr("eci")
        self.pico.put_channel(self.ours, peer=self.theirs)

    @rule(when("test:leave"))
    def leave(self, event: Event) -> None:
        self.send(self.theirs, "test:bye", name=event.attr("name"))
        self.pico.delete_channel(self.ours)
        if event.attr("fail"):
            raise ValueError("asked to fail")

    @rule(when("test:speak"))
    def speak(self) -> None:
        self.send(self.theirs, "test:bye")

    @rule(when("test:child"))
    def make_child(self, event: Event) -> None:
        child = self.pico.new_child("child", ["test.talker"])
        self.directive("made", child)

    @rule(when("test:delete"))
    def delete(self, event: Event) -> None:
        self.pico.delete_child(event.attr("did"))

    @rule(when("test:bye", "connection:ended", "event:undeliverable"))
    def hear(self, event: Event) -> None:
        self.heard.append({"name": event.name, "eci": event.eci, "attrs": event.attrs})

    @query
    def all(self) -> Any:
        return self.heard


class Pair:
    def __init__(self) -> None:
        self.bench = Bench(Talker, root_rulesets=("test.talker",))
        self.a = self.bench.root
        self.b = self.bench.event(self.a, "test:child").options("made")["did"]
        self.a_eci, self.b_eci = (
            self.bench.event(did, "test:open").options("opened")["eci"] for did in (self.a, self.b)
        )
        self.bench.event(self.a, "test:join", {"eci": self.b_eci})
        self.bench.event(self.b, "test:join", {"eci": self.a_eci})

    def heard(self, did: str) -> list[dict[str, Any]]:
        return self.bench.query(did, "test.talker", "all")


@pytest.fixture
def pair() -> Pair:
    return Pair()


def test_farewell_arrives(pair: Pair) -> None:
    pair.bench.event(pair.b, "test:leave", {"name": "B"})
    (bye,) = pair.heard(pair.a)
    assert (bye["name"], bye["eci"]) == ("test:bye", pair.a_eci)


def test_a_closed_channel_gives_no_entry_later(pair: Pair) -> None:
    pair.bench.event(pair.b, "test:leave", {"name": "B"})
    pair.bench.event(pair.b, "test:speak")
    assert len(pair.heard(pair.a)) == 1
    assert [one["attrs"]["code"] for one in pair.heard(pair.b)] == ["denied-by-policy"]


def test_a_rule_that_fails_has_neither_spoken_nor_closed(pair: Pair) -> None:
    pair.bench.event(pair.b, "test:leave", {"fail": True})
    assert pair.heard(pair.a) == []
    pair.bench.event(pair.b, "test:speak")
    assert len(pair.heard(pair.a)) == 1


def test_peers_of_a_deleted_pico_are_told(pair: Pair) -> None:
    pair.bench.event(pair.a, "test:delete", {"did": pair.b})
    (told,) = pair.heard(pair.a)
    assert told["name"] == "connection:ended"
    assert told["eci"] == ""
    assert told["attrs"] == {"Rx": pair.a_eci, "Tx": pair.b_eci, "reason": "pico-deleted"}


def test_peers_are_told_though_the_node_stops_in_between(pair: Pair) -> None:
    """The event is in the queue in the same commit in which the pico goes."""
    engine = pair.bench.engine
    engine.limits = replace(engine.limits, turns_per_tick_max=1)
    message = EventMessage(pair.a, "test", "delete", {"did": pair.b}, OWNER)
    engine.receive(message, pair.bench.clock.now)
    engine.handle_timer(pair.bench.clock.now)
    number, batch = engine.take_batch()
    pair.bench.store.write(batch)
    engine.durable(number)
    pair.bench.restart()
    assert [told["name"] for told in pair.heard(pair.a)] == ["connection:ended"]
