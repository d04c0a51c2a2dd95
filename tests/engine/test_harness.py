"""The harness: rulesets in a unit test, without a node."""

from __future__ import annotations

import pytest

from pico_engine import Event, Ruleset, config, ent, number, query, rule, when
from pico_engine.errors import BadRequest, FetchFailed, UnknownChannel, UnknownQuery
from pico_engine.harness import Answer, Bench, Harness, SeededEntropy, VirtualClock, in_order_of_use
from pico_engine.installing import WARNINGS_LOGGED_MAX
from pico_engine.krl import KrlSyntaxError, compile_ruleset


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


UNITS = "ruleset org.units { meta { provides twice } global { twice = function(x) { x * 2 } } }"
COUNTER = """ruleset org.counter {
  meta { use module org.units alias units shares value }
  global { value = function() { ent:n.defaultsTo(0) } }
  rule inc {
    select when counter:inc
    send_directive("counted", {"n": units:twice(event:attrs{"n"}), "config": meta:rulesetConfig,
      "url": meta:rulesetURI})
    fired { ent:n := value() + 1; schedule counter event "tick" repeat "* * * * *" }
  }
  rule tick { select when counter:tick fired { log info time:now() } }
  rule ask { select when counter:ask http:get("https://example.org/x") setting(answer)
    fired { log info answer{"content"} } }
}"""


def test_krl_as_text_modules_first() -> None:
    pico = Harness(COUNTER, UNITS, Thermometer, config={"step": 1})
    answer = pico.event("counter:inc", n=3).options("counted")
    assert answer == {"n": 6, "config": {"step": 1}, "url": "file:///krl/org.counter.krl"}
    pico.restart()
    assert pico.query("org.counter", "value") == 1
    assert pico.errors == []


def test_krl_from_files(tmp_path) -> None:
    files = [tmp_path / "org.counter.krl", tmp_path / "org.units.krl"]
    for file, text in zip(files, (COUNTER, UNITS), strict=True):
        file.write_text(text, "utf-8")
    pico = Harness(*files)
    assert pico.event("counter:inc", n=1).options("counted")["url"] == files[0].as_uri()
    files[1].write_text(UNITS.replace("* 2", "* 3"), "utf-8")
    assert pico.install(files[1]) == "org.units"
    assert pico.event("counter:inc", n=1).options("counted")["n"] == 3


def test_krl_that_cannot_be() -> None:
    with pytest.raises(KrlSyntaxError, match="line 1, column 16"):
        Harness("ruleset org.x {")
    with pytest.raises(BadRequest, match="no ruleset") as caught:
        Harness("counter.krl")
    assert "pathlib" in caught.value.hint
    with pytest.raises(BadRequest, match=r"org\.units"):
        Harness(COUNTER)


def test_what_is_scheduled_happens_at_its_own_time_while_time_passes() -> None:
    pico = Harness(COUNTER, UNITS)
    begin = pico.clock.now
    pico.event("counter:inc", n=1)
    pico.wait(minutes=2, seconds=30)
    assert pico.clock.now == begin + 150_000
    ticks = [line.text for line in pico.bench.log if line.level == "info"]
    assert ticks == [f"2023-11-14T22:{minute}:00.000Z" for minute in (14, 15)]


def test_the_world_outside_is_played() -> None:
    asked = []

    def outside(call):
        asked.append((call.method, call.url))
        return {"content": "hi", "status_code": 200, "headers": {}, "status_line": "OK"}

    pico = Harness(COUNTER, UNITS, outside=outside)
    pico.event("counter:ask")
    assert asked == [("GET", "https://example.org/x")]
    assert [line.text for line in pico.bench.log] == ["hi"]

    def down(call):
        raise FetchFailed("nobody there")

    pico = Harness(COUNTER, UNITS, outside=down)
    pico.event("counter:ask")
    assert "nobody there" in pico.errors[0]
    pico = Harness(COUNTER, UNITS)
    pico.event("counter:ask")
    assert "make no HTTP requests" in pico.errors[0]


def test_modules_come_before_those_that_use_them() -> None:
    def made(rid, *uses):
        return compile_ruleset(
            f"ruleset {rid} {{ meta {{ {' '.join(f'use module {one}' for one in uses)} }} }}"
        ).definition

    assert in_order_of_use([made("a", "b", "x"), made("c"), made("b", "c")]) == ["c", "b", "a"]
    assert in_order_of_use([made("a", "b"), made("b", "a")]) == ["b", "a"]


def test_warnings_of_the_compiler_are_in_the_picos_log() -> None:
    pico = Harness('ruleset a { rule r { select when a b send_directive(event:attr("x")) } }')
    (line,) = pico.bench.log
    assert (line.level, line.rid) == ("warning", "a")
    assert line.text.startswith("file:///krl/a.krl:1:53: warning: `event:attr` is old")
    lots = "".join(f'rule r{n} {{ select when a b send_directive(event:attr("x")) }}' for n in range(50))
    assert len(Harness(f"ruleset a {{ {lots} }}").bench.log) == WARNINGS_LOGGED_MAX
