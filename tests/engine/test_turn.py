"""A turn is all or nothing, and within it each rule is."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine import Event, Ruleset, ent, number, query, rule, when
from pico_engine.errors import EngineError, LimitExceeded, RulesetFailed
from pico_engine.harness import Harness
from pico_engine.limits import EngineLimits
from pico_engine.turn import TurnAborted, TurnOverdueError, describe_failure, failure_of
from tests.engine.helpers import Steps


class Everything(Ruleset, rid="test.everything"):
    """A rule that does all that a rule can do, and fails when it is told to; rules before and after it."""

    count: int = ent(default=0)
    items: list[Any] = ent(default=[])
    order: list[str] = ent(default=[])
    errors: list[Any] = ent(default=[])

    @rule(when("do:all"))
    def before(self, event: Event) -> None:
        self.count += 1
        self.items.append("before")
        self.directive("before")
        self.raise_event("raised:before")
        self.send(self.pico.self_eci, "sent:before")

    @rule(when("do:all"))
    def everything(self, event: Event) -> None:
        self.count = 100
        self.items.extend(range(100))
        self.directive("everything")
        self.raise_event("raised:everything")
        self.send(self.pico.self_eci, "sent:everything")
        self.pico.new_child("lost child", ["test.everything"])
        self.pico.new_channel(["lost"])
        self.pico.name = "lost name"
        self.schedule_at(self.now + 1_000, "scheduled:everything")
        self.schedule_cron("* * * * *", "scheduled:everything")
        if kept := [one["did"] for one in self.pico.children if one["name"] == "kept"]:
            self.pico.delete_child(kept[0])
        self.pico.install("test.bystander")
        self.last()
        self.error("all is lost")
        if event.attr("fail"):
            raise ValueError("told to fail")

    @rule(when("do:all"))
    def after(self, event: Event) -> None:
        self.directive("after", count=self.count, items=len(self.items))

    @rule(when("raised:*", "sent:*", "scheduled:*"))
    def note(self, event: Event) -> None:
        self.order.append(event.name)

    @rule(when("system:error"))
    def note_error(self, event: Event) -> None:
        self.errors.append(event.attrs)

    @query
    def state(self) -> Any:
        return {"count": self.count, "items": len(self.items), "order": self.order, "errors": self.errors}


class Bystander(Ruleset, rid="test.bystander"):
    errors: list[Any] = ent(default=[])

    @rule(when("system:error"))
    def note_error(self, event: Event) -> None:
        self.errors.append(event.attrs)

    @rule(when("do:all"))
    def after(self, event: Event) -> None:
        self.directive("bystander")

    @query
    def all(self) -> Any:
        return self.errors


def _prepared() -> Steps:
    steps = Steps(Everything, Bystander, install=("test.everything",))
    steps.child(name="kept")
    return steps


def _shape(steps: Steps) -> dict[str, Any]:
    pico = steps.engine.pico(steps.root)
    return {
        "name": pico.name,
        "children": [row["name"] for row in pico.children.rows.values()],
        "channels": len(pico.channels.rows),
        "schedule": len(pico.schedule.rows),
        "rulesets": sorted(pico.installed.rows),
    }


def test_a_rule_that_fails_drops_its_own_doings_and_no_others() -> None:
    steps = _prepared()
    shape = _shape(steps)
    directives = steps.event(steps.root, "do:all", {"fail": True})
    assert [one["name"] for one in directives] == ["before", "after"]
    assert directives[1]["options"] == {"count": 1, "items": 1}
    for _ in range(2):
        state = steps.query(steps.root, "test.everything", "state")
        assert (state["count"], state["items"]) == (1, 1)
        assert state["order"] == ["raised:before", "sent:before"]
        [error] = state["errors"]
        assert (error["level"], error["genus"], error["rule_name"]) == ("error", "system", "everything")
        assert "ValueError: told to fail" in error["data"]
        assert "test_turn.py" in error["data"], "it says where"
        assert _shape(steps) == shape
        assert not [key for key in steps.rows() if key.startswith(b"t/")]
        steps.crash()
        steps.settle()
    steps.now += 120_000
    steps.settle()
    assert len(steps.query(steps.root, "test.everything", "state")["order"]) == 2


def test_a_rule_that_returns_keeps_all_of_it() -> None:
    steps = _prepared()
    directives = steps.event(steps.root, "do:all")
    assert [one["name"] for one in directives] == ["before", "everything"], "last(), and level error"
    state = steps.query(steps.root, "test.everything", "state")
    assert (state["count"], state["items"]) == (100, 101)
    assert state["order"] == ["sent:before", "sent:everything"], "level error took the raised events away"
    assert [one["genus"] for one in state["errors"]] == ["user"]
    shape = _shape(steps)
    assert shape["children"] == ["lost child"]
    assert shape["rulesets"] == ["test.bystander", "test.everything"]
    assert (shape["name"], shape["schedule"]) == ("lost name", 2)
    assert steps.query(steps.root, "test.bystander", "all") == [], "system:error is for the own ruleset"


def test_a_dropped_child_is_nowhere() -> None:
    made: list[str] = []

    class Parent(Ruleset, rid="test.parent"):
        @rule(when("make:child"))
        def make(self) -> None:
            made.append(self.pico.new_child("child")["did"])
            raise ValueError

    steps = Steps(Parent)
    steps.event(steps.root, "make:child")
    assert steps.engine.loaded_or_stored(made[0]) is None
    with pytest.raises(EngineError, match="lives here"):
        steps.event(made[0], "any:event")


class Order(Ruleset, rid="test.order"):
    @rule(when("a:one"))
    def first(self) -> None:
        self.directive("order.first")
        self.raise_event("a:two", by="first")
        self.raise_event("a:three", by="first")

    @rule(when("a:two"))
    def of_two(self, event: Event) -> None:
        self.directive("order.of_two", by=event.attr("by"))
        self.raise_event("a:four")

    @rule(when("a:one"))
    def second(self) -> None:
        self.directive("order.second")
        self.raise_event("a:two", by="second")

    @rule(when("a:three"))
    def of_three(self) -> None:
        self.directive("order.of_three")

    @rule(when("a:four"))
    def of_four(self) -> None:
        self.directive("order.of_four")


class Later(Ruleset, rid="test.a-later"):
    """Installed after the other, though its name comes before."""

    @rule(when("a:one"))
    def only(self) -> None:
        self.directive("later.only")

    @rule(when("a:three"))
    def of_three(self) -> None:
        self.directive("later.of_three")


def test_rulesets_rules_and_raised_events_have_their_order() -> None:
    answer = Harness(Order, Later).event("a:one")
    assert answer.names == [
        "order.first", "order.second", "later.only",  # rulesets as installed, rules as written
        "order.of_two", "order.of_three", "later.of_three", "order.of_two",  # events as raised
        "order.of_four", "order.of_four",  # what they raised comes after
    ]  # fmt: skip


def test_a_directive_has_the_existing_engines_shape() -> None:
    pico = Harness(Order)
    answer = pico.event("a:three")
    assert answer.directives == [
        {
            "type": "directive",
            "name": "order.of_three",
            "options": {},
            "meta": {"rid": "test.order", "rule_name": "of_three", "txnId": answer.eid},
        }
    ]


class Last(Ruleset, rid="test.last"):
    seen: int = ent(default=0)

    @rule(when("a:one"))
    def stops(self) -> None:
        self.last()
        self.raise_event("a:two")

    @rule(when("a:one"))
    def is_stopped(self) -> None:
        self.directive("never")

    @rule(when("a:two"))
    def of_the_next_event(self) -> None:
        self.directive("next")

    @rule(when("a:one").then("a:three"))
    def moves_on(self) -> None:
        self.directive("moved")


def test_last_stops_later_rules_of_its_ruleset_for_this_event_only() -> None:
    pico = Harness(Last, Later)
    assert pico.event("a:one").names == ["later.only", "next"]
    assert pico.event("a:three").names == ["moved", "later.of_three"], "event expressions still moved on"


class Levels(Ruleset, rid="test.levels"):
    @rule(when("an:error"))
    def declare(self, event: Event) -> None:
        self.raise_event("a:raised")
        self.error({"why": 1}, level=event.attr("level", "error"))
        self.directive("goes on")

    @rule(when("an:error"))
    def later(self) -> None:
        self.directive("later")

    @rule(when("a:raised"))
    def raised(self) -> None:
        self.directive("raised")

    @rule(when("system:error"))
    def told(self, event: Event) -> None:
        self.directive("told", event.attrs)


def test_error_levels() -> None:
    pico = Harness(Levels)
    for level in ("warn", "info", "debug"):
        answer = pico.event("an:error", level=level)
        assert answer.names == ["goes on", "later", "raised", "told"]
    answer = pico.event("an:error")
    assert answer.names == ["goes on", "told"]
    assert answer.options("told") == {
        "level": "error", "data": {"why": 1}, "rid": "test.levels", "rule_name": "declare", "genus": "user"
    }  # fmt: skip


def test_an_error_in_the_rule_for_errors_ends_there() -> None:
    class Bad(Ruleset, rid="test.bad"):
        @rule(when("system:error", "a:start"))
        def fails(self) -> None:
            raise KeyError("again")

    pico = Harness(Bad)
    pico.event("a:start")
    assert len(pico.errors) == 2


class Endless(Ruleset, rid="test.endless"):
    count: int = ent(default=0)

    @rule(when("a:start", "a:again"))
    def again(self) -> None:
        self.count += 1
        self.directive("again")
        self.send(self.pico.self_eci, "a:sent")
        self.pico.new_channel(["x"])
        self.raise_event("a:again")

    @query
    def value(self) -> int:
        return self.count


def test_a_turn_over_the_limit_of_raised_events_is_dropped_and_its_message_consumed() -> None:
    steps = Steps(Endless, limits=EngineLimits(raised_events_max=20))
    before = len(steps.engine.pico(steps.root).channels.rows)
    with pytest.raises(LimitExceeded, match="more than 20 events"):
        steps.event(steps.root, "a:start")
    steps.send(steps.root, "a:start", durable=True)
    steps.settle()
    for _ in range(2):
        assert steps.query(steps.root, "test.endless", "value") == 0
        pico = steps.engine.pico(steps.root)
        assert (len(pico.channels.rows), pico.queue.rows, len(pico.inbox)) == (before, {}, 0)
        steps.crash()
        steps.settle()


@pytest.mark.parametrize("what", ["sends", "directives"])
def test_a_rule_that_sends_or_directs_too_much_fails_alone(what: str) -> None:
    class Much(Ruleset, rid="test.much"):
        @rule(when("a:start"))
        def start(self) -> None:
            self.directive("start")

        @rule(when("a:start"))
        def much(self) -> None:
            for _ in range(20):
                if what == "sends":
                    self.send(self.pico.self_eci, "a:sent")
                else:
                    self.directive("much")

    pico = Harness(Much, limits=EngineLimits(sends_max=5, directives_max=5))
    assert pico.event("a:start").names == ["start"]
    assert f"more than 5 {'events' if what == 'sends' else 'directives'}" in pico.errors[0]


def test_a_condition_that_fails_is_the_failure_of_its_rule() -> None:
    class Odd(Ruleset, rid="test.odd"):
        @rule(when("a:start", n=number(), where=lambda n: 1 / n > 0))
        def odd(self, event: Event, n: float) -> None:
            self.directive("odd", n=n)

        @rule(when("a:start"))
        def other(self) -> None:
            self.directive("other")

    pico = Harness(Odd)
    assert pico.event("a:start", n=0).names == ["other"]
    assert "ZeroDivisionError" in pico.errors[0]
    assert pico.event("a:start", n=1).names == ["odd", "other"]


def test_a_number_that_cannot_be_stored_fails_its_rule_and_not_the_commit() -> None:
    """Captured values are stored while an expression is half matched; text may spell any number."""

    class Pairs(Ruleset, rid="test.pairs"):
        count: int = ent(default=0)

        @rule(when("a:start", n=number()).then("a:end"))
        def pair(self, event: Event, n: float) -> None:
            self.directive("pair", n=n)

        @rule(when("a:start", n=number()))
        def keep(self, event: Event, n: float) -> None:
            self.count = n

    pico = Harness(Pairs)
    pico.event("a:start", n="9" * 40)
    assert len(pico.errors) == 2
    pico.event("a:start", n="7")
    pico.restart()
    assert pico.event("a:end").options("pair") == {"n": 7}


def test_a_ruleset_that_cannot_be_made_fails_by_itself() -> None:
    class Broken(Ruleset, rid="test.broken"):
        def __init__(self, pico, settings) -> None:
            raise OSError("no such device")

        @rule(when("a:three"))
        def never(self) -> None:
            raise AssertionError

        @query
        def value(self) -> int:
            return 1

    pico = Harness(Broken, Later)
    assert pico.event("a:three").names == ["later.of_three"]
    assert "no such device" in pico.errors[0]
    with pytest.raises(RulesetFailed, match="no such device"):
        pico.query(Broken, "value")


# -- a rule that computes too long --------------------------------------------------------------------------


class Slow(Ruleset, rid="test.slow"):
    """What the watchdog does is done here by the rule: raise in the middle of it."""

    count: int = ent(default=0)
    seen: list[Any] = ent(default=[])

    @rule(when("a:start"))
    def slow(self, event: Event) -> None:
        self.seen.append([self._pico.engine.rule_running, self._pico.engine.turn_serial])
        self.count = 1
        try:
            raise TurnOverdueError
        except Exception:  # a rule cannot catch it by accident
            self.count = 2

    @rule(when("a:start"))
    def goes_on(self, event: Event) -> None:
        self.seen.append([self._pico.engine.rule_running, self._pico.engine.turn_serial])
        self.directive("on", count=self.count, seen=self.seen)

    @rule(when("a:condition", where=lambda event: _overdue()))
    def slow_condition(self) -> None:
        raise AssertionError

    @rule(when("a:condition"))
    def after_condition(self) -> None:
        self.directive("on")

    @query
    def forever(self) -> None:
        raise TurnOverdueError


def _overdue() -> bool:
    raise TurnOverdueError


def test_an_interrupted_rule_is_dropped_and_the_turn_goes_on() -> None:
    pico = Harness(Slow)
    engine = pico.bench.engine
    serial = engine.turn_serial
    options = pico.event("a:start").options("on")
    assert options["count"] == 0
    [(running, during)] = options["seen"]
    assert running
    assert during > serial
    assert not engine.rule_running
    assert "turn_max_ms" in pico.errors[0]
    assert pico.event("a:condition").names == ["on"]
    assert not engine.rule_running


def test_an_interrupted_query_says_so() -> None:
    pico = Harness(Slow)
    with pytest.raises(RulesetFailed):
        pico.query(Slow, "forever")
    assert not pico.bench.engine.rule_running


def test_the_engine_is_not_interrupted_outside_of_rules() -> None:
    running: list[bool] = []

    class Watching(Ruleset, rid="test.watching"):
        @rule(when("a:start"))
        def start(self) -> None:
            self.send("did:example:x.far", "a:sent")

    steps = Steps(Watching)
    steps.port.send_event = lambda pico, event: running.append(steps.engine.rule_running) or True
    steps.event(steps.root, "a:start")
    assert running == [False], "while a turn is ended"


def test_failures_are_told_in_one_line() -> None:
    class Unprintable(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert "cannot be had" in describe_failure(Unprintable())
    assert len(describe_failure(ValueError("x" * 1_000_000))) < 3_000
    assert describe_failure(ValueError("\ud800")).isascii()
    assert describe_failure(LimitExceeded("too much", "less")) == "too much. less."
    assert isinstance(failure_of(ValueError("x"), "it"), RulesetFailed)
    same = LimitExceeded("x")
    assert failure_of(same, "it") is same
    assert str(TurnAborted(same)) == "x"
