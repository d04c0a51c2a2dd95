"""The harness: rulesets in a unit test, without a node."""

from __future__ import annotations

import pytest

from pico_engine import Event, Ruleset, config, ent, number, query, rule, when
from pico_engine.errors import UnknownChannel, UnknownQuery
from pico_engine.harness import Answer, Bench, Harness, SeededEntropy, VirtualClock


class Thermometer(Ruleset, rid="org.example.thermometer"):
    readings: list[float] = ent(default=[])
    limit_celsius: float = config(default=30.0)

    @query
    def temperatures(self) -> list[float]:
        return self.readings

    @rule(when("sensor:reading", celsius=number()))
    def record(self, event: Event, celsius: float) -> None:
        self.readings.append(celsius)
        if celsius > self.limit_celsius:
            self.raise_event("sensor:too_hot", celsius=celsius)

    @rule(when("sensor:too_hot").count(3).within(minutes=5))
    def alarm(self, event: Event) -> None:
        self.directive("alarm", at=event.time_ms)
        self.schedule_at(self.now + 1_000, "sensor:calm")

    @rule(when("sensor:calm"))
    def calm(self) -> None:
        self.readings = []


def test_a_ruleset_runs() -> None:
    pico = Harness(Thermometer)
    for minute in range(3):
        pico.clock.minutes(1)
        answer = pico.event("sensor:reading", celsius=45 + minute)
    assert answer.names == ["alarm"]
    assert answer.options("alarm") == {"at": pico.clock.now}
    assert pico.query(Thermometer, "temperatures") == [45, 46, 47]
    pico.restart()
    assert pico.query("org.example.thermometer", "temperatures") == [45, 46, 47]
    pico.clock.seconds(1)
    assert pico.query(Thermometer, "temperatures") == []
    with pytest.raises(KeyError):
        answer.options("no such")
    with pytest.raises(UnknownQuery):
        pico.query(Thermometer, "no_such")


def test_configuration_and_more_rulesets() -> None:
    pico = Harness(Thermometer, config={"limit_celsius": 10, "of another ruleset": 1})

    class Other(Ruleset, rid="test.other"):
        @rule(when("sensor:too_hot"))
        def told(self) -> None:
            self.directive("told")

    pico.install(Other, {})
    assert pico.event("sensor:reading", {"celsius": 11}).names == ["told"]
    assert pico.event("sensor:reading", {"celsius": 9}, note="x").names == []


def test_the_clock() -> None:
    clock = VirtualClock(0)
    clock.days(1)
    clock.hours(1)
    clock.minutes(1)
    clock.seconds(1)
    clock.milliseconds(1)
    assert clock.now == 86_400_000 + 3_600_000 + 60_000 + 1_000 + 1


def test_entropy_follows_from_the_seed() -> None:
    for seed in (5, "text", b"bytes"):
        one, other = SeededEntropy(seed), SeededEntropy(seed)
        assert [one(n) for n in (1, 100, 0, 7)] == [other(n) for n in (1, 100, 0, 7)]
    assert SeededEntropy(1)(16) != SeededEntropy(2)(16)
    assert len(SeededEntropy()(1_000)) == 1_000


def test_the_bench_has_many_picos() -> None:
    bench = Bench(Thermometer, root_rulesets=("org.example.thermometer",))
    child = bench.operate(
        bench.root, lambda pico: pico.engine.family.new_child(pico, "c", ["org.example.thermometer"])
    )
    bench.event(child["did"], "sensor:reading", {"celsius": 1})
    assert bench.query(child["did"], "org.example.thermometer", "temperatures") == [1]
    with pytest.raises(UnknownChannel):
        bench.event("did:example:none", "a:b", door="http")
    assert Answer("e").names == []
