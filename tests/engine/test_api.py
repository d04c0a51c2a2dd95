"""What rules and queries can ask of their pico."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine import Event, Ruleset, config, ent, provides, query, rule, when
from pico_engine.api import merge_attrs
from pico_engine.errors import EngineError, QueryMayNotWrite, RulesetFailed
from pico_engine.harness import Harness, VirtualClock
from pico_engine.limits import EngineLimits


class Library(Ruleset, rid="test.library"):
    factor: int = config(default=2)
    used: int = ent(default=0)

    @provides
    def times(self, n: int) -> int:
        return n * self.factor

    @provides
    def note(self) -> None:
        self.used += 1

    @query
    def private(self) -> int:
        return self.used


class User(Ruleset, rid="test.user"):
    got: list[Any] = ent(default=[])

    @rule(when("use:it"))
    def use_it(self) -> None:
        library = self.use(Library)
        library.note()
        self.directive("times", plain=library.times(5), configured=self.use(Library, factor=10).times(5))

    @rule(when("use:private"))
    def use_private(self) -> None:
        self.use(Library).private()

    @rule(when("use:missing"))
    def use_missing(self) -> None:
        self.use(User2)

    @rule(when("raise:for"))
    def raise_for(self) -> None:
        self.raise_event_for("test.other", "told:other", {"a": 1}, b=2)
        self.raise_event("told:all", {"a": 1}, b=2)

    @rule(when("told:other", "told:all"))
    def told(self, event: Event) -> None:
        self.directive("user", event=event.name, attrs=event.attrs)

    @rule(when("look:around"))
    def look(self) -> None:
        me = self.pico
        self.directive(
            "me", did=me.did, name=me.name, parent=me.parent, up=me.parent_eci, own=me.self_eci,
            children=me.children, channels=len(me.channels), rids=[one["rid"] for one in me.rulesets],
            now=self.now, year=self.now_utc.year, logs=len(me.logs()),
        )  # fmt: skip

    @rule(when("log:all"))
    def log_all(self) -> None:
        for level in ("debug", "info", "warning", "error"):
            getattr(self.log, level)(f"a {level}", {"n": 1})
        self.log.info(5, {1: object()})
        self.log.info("long", "x" * 5_000)
        self.directive("logs", all=self.pico.logs())

    @rule(when("chance:all"))
    def chance(self) -> None:
        numbers = [self.random_integer(1, 6) for _ in range(200)]
        self.directive(
            "chance", numbers=sorted(set(numbers)), uuid=self.uuid(), bytes=len(self.random_bytes(5))
        )
        self.random_integer(5, 4)

    @rule(when("bad:name"))
    def bad_name(self, event: Event) -> None:
        self.raise_event(event.attr("name"))

    @rule(when("bad:send"))
    def bad_send(self, event: Event) -> None:
        self.send(event.attr("eci"), "a:b", text="x" * event.attr("more", 0))

    @query
    def try_to(self, what: str) -> Any:
        change: Any = {
            "raise": lambda: self.raise_event("a:b"),
            "raise for": lambda: self.raise_event_for("r", "a:b"),
            "send": lambda: self.send("did:x", "a:b"),
            "direct": lambda: self.directive("d"),
            "last": lambda: self.last(),
            "error": lambda: self.error("e"),
            "at": lambda: self.schedule_at(5, "a:b"),
            "cron": lambda: self.schedule_cron("* * * * *", "a:b"),
            "unschedule": lambda: self.unschedule("x"),
            "child": lambda: self.pico.new_child(),
            "delete child": lambda: self.pico.delete_child("x"),
            "channel": lambda: self.pico.new_channel(),
            "put channel": lambda: self.pico.put_channel("x", tags=["a"]),
            "delete channel": lambda: self.pico.delete_channel("x"),
            "install": lambda: self.pico.install("test.library"),
            "uninstall": lambda: self.pico.uninstall("test.library"),
            "rename": lambda: setattr(self.pico, "name", "n"),
            "set": lambda: setattr(self, "got", [1]),
            "append": lambda: self.got.append(1),
            "delete": lambda: delattr(self, "got"),
            "module": lambda: self.use(Library).note(),
        }
        return change[what]()

    @query
    def may(self) -> Any:
        self.log.info("a query may log")
        return [self.now, self.pico.name, self.schedules(), self.use(Library).times(1), self.pico.logs()]


class User2(User, rid="test.other"):
    @rule(when("told:other", "told:all"))
    def told(self, event: Event) -> None:
        self.directive("other", event=event.name, attrs=event.attrs)


@pytest.fixture
def pico() -> Harness:
    return Harness(User, Library)


def test_modules(pico: Harness) -> None:
    assert pico.event("use:it").options("times") == {"plain": 10, "configured": 50}
    assert pico.query(Library, "private") == 1
    pico.event("use:private")
    assert "provides no private" in pico.errors[-1]
    pico.event("use:missing")
    assert "not installed" in pico.errors[-1]
    with pytest.raises(EngineError):
        pico.query(Library, "times", n=1)


def test_events_for_one_ruleset() -> None:
    pico = Harness(User, User2)
    answer = pico.event("raise:for")
    # both rulesets take raise:for and raise for the other, then for all
    assert [(one["name"], one["options"]["event"]) for one in answer.directives] == [
        ("other", "told:other"), ("user", "told:all"), ("other", "told:all"),
        ("other", "told:other"), ("user", "told:all"), ("other", "told:all"),
    ]  # fmt: skip
    assert answer.directives[0]["options"]["attrs"] == {"a": 1, "b": 2}


def test_looking_around(pico: Harness) -> None:
    seen = pico.event("look:around").options("me")
    assert (seen["did"], seen["name"], seen["parent"], seen["up"]) == (pico.did, "root", None, None)
    assert seen["rids"] == ["test.user", "test.library"]
    assert (seen["now"], seen["year"]) == (VirtualClock().now, 2023)
    assert seen["own"].startswith("did:example:")


@pytest.mark.parametrize(
    "what",
    [
        "raise", "raise for", "send", "direct", "last", "error", "at", "cron", "unschedule", "child",
        "delete child", "channel", "put channel", "delete channel", "install", "uninstall", "rename", "set",
        "append", "delete", "module",
    ],
)  # fmt: skip
def test_a_query_may_not_write(pico: Harness, what: str) -> None:
    before = pico.bench.store.scan(b"\x00", b"\xff")
    with pytest.raises(QueryMayNotWrite):
        pico.query(User, "try_to", what=what)
    assert list(pico.bench.store.scan(b"\x00", b"\xff")) == list(before)


def test_a_query_may_look(pico: Harness) -> None:
    assert pico.query(User, "may")[1:4] == ["root", [], 2]
    assert pico.bench.log[-1].text == "a query may log"


def test_logging_never_fails_a_rule(pico: Harness) -> None:
    logs = pico.event("log:all").options("logs")["all"]
    assert [one["level"] for one in logs] == ["debug", "info", "warning", "error", "info", "info"]
    assert logs[0]["data"] == {"n": 1}
    assert logs[4]["text"] == "5"
    assert all("left out" in one["data"] for one in logs[4:])


def test_chance(pico: Harness) -> None:
    chance = pico.event("chance:all")
    assert chance.directives == [], "the rule failed in the end"
    assert "no number is between 5 and 4" in pico.errors[-1]
    assert Harness(User, seed=1).bench.engine.entropy(4) == Harness(User, seed=1).bench.engine.entropy(4)


@pytest.mark.parametrize("name", ["", "a", ":", "a:", ":b", "a:b:c"])
def test_an_event_has_a_domain_and_a_type(pico: Harness, name: str) -> None:
    pico.event("bad:name", name=name)
    assert "is not an event's name" in pico.errors[-1]


def test_what_cannot_be_sent() -> None:
    pico = Harness(User, limits=EngineLimits(attributes_max_bytes=100))
    pico.event("bad:send", eci="")
    assert "no ECI" in pico.errors[-1]
    pico.event("bad:send", eci="did:x", more=100)
    assert "attributes_max_bytes" in pico.errors[-1]


def test_attributes_come_as_a_map_and_by_name() -> None:
    assert merge_attrs(None, {}) == {}
    assert merge_attrs({"a": 1, "b": 1}, {"b": 2}) == {"a": 1, "b": 2}


def test_a_query_that_answers_no_json_is_the_rulesets_fault() -> None:
    class Odd(Ruleset, rid="test.odd"):
        @query
        def value(self) -> Any:
            return {"a": object()}

    with pytest.raises(RulesetFailed, match="not JSON-like"):
        Harness(Odd).query(Odd, "value")


def test_the_attributes_of_a_raised_event_are_limited() -> None:
    class Raiser(Ruleset, rid="test.large_raiser"):
        @rule(when("a:go"))
        def go(self, event: Event) -> None:
            self.raise_event("a:large", text="x" * 600)

    pico = Harness(Raiser, limits=EngineLimits(attributes_max_bytes=500))
    pico.event("a:go")
    assert "attributes of a:large have 611 bytes" in pico.errors[0]
