"""Scheduled events: at a time and again and again, through restarts, each once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pico_engine import Event, Ruleset, ent, query, rule, when
from pico_engine.errors import BadRequest, LimitExceeded
from pico_engine.limits import EngineLimits
from pico_engine.schedule import REMOVED_MAX_ENTRIES, WINDOW_MS, next_cron_ms, timer_key
from pico_engine.store import Batch
from tests.engine.helpers import START_MS, Steps

MINUTE = 60_000


class Clock(Ruleset, rid="test.clock"):
    fired: list[Any] = ent(default=[])

    @rule(when("set:at"))
    def set_at(self, event: Event) -> None:
        self.directive("set", id=self.schedule_at(event.attr("time"), "it:fires", n=event.attr("n")))

    @rule(when("set:in"))
    def set_in(self, event: Event) -> None:
        self.schedule_in(timedelta(milliseconds=event.attr("ms")), "it:fires", n="in")

    @rule(when("set:cron"))
    def set_cron(self, event: Event) -> None:
        zone = event.attr("zone", "UTC")
        self.directive("set", id=self.schedule_cron(event.attr("cron"), "it:fires", timezone=zone, n="cron"))

    @rule(when("set:datetime"))
    def set_datetime(self, event: Event) -> None:
        zone = UTC if event.attr("zone") else None
        self.schedule_at(datetime(2030, 1, 1, tzinfo=zone), "it:fires")

    @rule(when("set:none"))
    def remove(self, event: Event) -> None:
        self.directive("removed", was=self.unschedule(event.attr("id")))

    @rule(when("it:fires"))
    def fires(self, event: Event) -> None:
        self.fired.append([event.attr("n"), self.now - START_MS])

    @rule(when("it:fires"))
    def fails(self, event: Event) -> None:
        if event.attr("n") == "endless":
            while True:
                self.raise_event("no:where")

    @query
    def all(self) -> Any:
        return self.fired

    @query
    def list(self) -> Any:
        return self.schedules()


@pytest.fixture
def steps() -> Steps:
    return Steps(Clock)


def fired(steps: Steps) -> Any:
    steps.settle()
    return steps.query(steps.root, "test.clock", "all")


def wait(steps: Steps, ms: int) -> None:
    steps.now += ms
    steps.settle()


def test_at_a_time_once(steps: Steps) -> None:
    steps.event(steps.root, "set:at", {"time": START_MS + 100, "n": 1})
    steps.event(steps.root, "set:in", {"ms": 50})
    assert steps.engine.next_timer() == START_MS + 50
    wait(steps, 49)
    assert fired(steps) == []
    wait(steps, 51)
    wait(steps, 1_000)
    assert fired(steps) == [["in", 100], [1, 100]]
    assert steps.query(steps.root, "test.clock", "list") == []
    assert not [key for key in steps.rows() if key.startswith(b"t/")]


def test_times_that_have_passed_fire_at_once(steps: Steps) -> None:
    steps.event(steps.root, "set:at", {"time": 5, "n": 1})
    assert fired(steps) == [[1, 0]]


@pytest.mark.parametrize("after", [WINDOW_MS - 1, WINDOW_MS, WINDOW_MS + 1, WINDOW_MS * 5 + 3])
def test_far_times_are_read_window_by_window(steps: Steps, after: int) -> None:
    steps.event(steps.root, "set:at", {"time": START_MS + after, "n": 1})
    while steps.now < START_MS + after - 1:
        timer = steps.engine.next_timer()
        assert timer > steps.now
        wait(steps, min(timer, START_MS + after - 1) - steps.now)
    assert fired(steps) == []
    wait(steps, 1)
    assert fired(steps) == [[1, after]]


def test_again_and_again(steps: Steps) -> None:
    steps.event(steps.root, "set:cron", {"cron": "*/5 * * * *"})
    for _ in range(20):
        wait(steps, MINUTE)
    times = [time for _, time in fired(steps)]
    assert len(times) == 4
    assert all((START_MS + time) // MINUTE % 5 == 0 for time in times)
    [entry] = steps.query(steps.root, "test.clock", "list")
    assert (entry["type"], entry["cron"]) == ("repeat", "*/5 * * * *")


def test_what_was_missed_while_the_node_was_down_fires_once(steps: Steps) -> None:
    steps.event(steps.root, "set:cron", {"cron": "* * * * *"})
    steps.event(steps.root, "set:at", {"time": START_MS + 5 * MINUTE, "n": "at"})
    steps.now += 10 * MINUTE
    steps.crash()
    assert sorted(n for n, _ in fired(steps)) == ["at", "cron"]
    steps.crash()
    assert len(fired(steps)) == 2
    wait(steps, MINUTE)
    assert [n for n, _ in fired(steps)].count("cron") == 2
    assert len([key for key in steps.rows() if key.startswith(b"t/")]) == 1


@pytest.mark.parametrize("when_it_crashes", ["before the batch", "before it is written", "after"])
def test_a_crash_while_it_fires(steps: Steps, when_it_crashes: str) -> None:
    steps.event(steps.root, "set:at", {"time": START_MS + 10, "n": 1})
    steps.now += 10
    steps.turns(3)
    if when_it_crashes != "before the batch":
        _, batch = steps.engine.take_batch()
        if when_it_crashes == "after":
            steps.store.write(batch)
    steps.crash()
    assert fired(steps) == [[1, 10]]


def test_removing_one(steps: Steps) -> None:
    ids = []
    for n in (1, 2):
        [directive] = steps.event(steps.root, "set:at", {"time": START_MS + 10, "n": n})
        ids.append(directive["options"]["id"])
    for expected in (True, False):
        [directive] = steps.event(steps.root, "set:none", {"id": ids[0]})
        assert directive["options"] == {"was": expected}
    wait(steps, 20)
    assert fired(steps) == [[2, 20]]


def test_only_its_own_ruleset_may_remove_it() -> None:
    class Other(Ruleset, rid="test.other"):
        @rule(when("other:remove"))
        def remove(self, event: Event) -> None:
            self.directive("removed", was=self.unschedule(event.attr("id")), all=self.schedules())

    steps = Steps(Clock, Other)
    [directive] = steps.event(steps.root, "set:at", {"time": START_MS + 10, "n": 1})
    [directive] = steps.event(steps.root, "other:remove", directive["options"])
    assert directive["options"] == {"was": False, "all": []}


def test_memory_of_removed_ones_is_given_back(steps: Steps) -> None:
    def run(pico) -> int:
        schedules = pico.engine.schedules
        for _ in range(REMOVED_MAX_ENTRIES + 1_000):
            one = schedules.add_at(pico, "test.clock", steps.now + 500, ("it", "fires"), {})
            schedules.remove(pico, one)
        schedules.add_at(pico, "test.clock", steps.now + 500, ("it", "fires"), {"n": "kept"})
        return len(schedules._heap)

    assert steps.operate(steps.root, run) < 2_000
    wait(steps, 500)
    assert fired(steps) == [["kept", 500]]


def test_an_event_whose_turn_is_dropped_has_fired(steps: Steps) -> None:
    steps.event(steps.root, "set:at", {"time": START_MS + 10, "n": "endless"})
    wait(steps, 20)
    assert fired(steps) == []
    assert steps.query(steps.root, "test.clock", "list") == []


@pytest.mark.parametrize(
    "attrs",
    [
        {"cron": "not cron"},
        {"cron": "* * *"},
        {"cron": "0 0 31 2 *"},
        {"cron": 5},
        {"cron": ""},
        {"cron": "* * * * *", "zone": "Mars/Olympus"},
        {"cron": "* * * * *", "zone": "../../etc/passwd"},
        {"cron": "* * * * *", "zone": ""},
        {"cron": "* * * * *", "zone": "Europe"},
        {"cron": "* * * * *", "zone": 5},
    ],
)
def test_bad_expressions_fail_their_rule_alone(steps: Steps, attrs: Any) -> None:
    assert steps.event(steps.root, "set:cron", attrs) == []
    assert "is not a" in steps.logs[-1].text
    with pytest.raises(BadRequest):
        next_cron_ms(attrs["cron"], attrs.get("zone", "UTC"), START_MS)


@pytest.mark.parametrize("time", [-1, 253_402_300_799_001, 1.5, "tomorrow", None])
def test_bad_times_fail_their_rule_alone(steps: Steps, time: Any) -> None:
    assert steps.event(steps.root, "set:at", {"time": time}) == []
    assert "is not a time" in steps.logs[-1].text


def test_datetimes_need_a_zone(steps: Steps) -> None:
    steps.event(steps.root, "set:datetime")
    assert "needs a time zone" in steps.logs[-1].text
    steps.event(steps.root, "set:datetime", {"zone": 1})
    [entry] = steps.query(steps.root, "test.clock", "list")
    assert entry["next"] == 1_893_456_000_000


def test_seconds_and_time_zones() -> None:
    at = round(datetime(2024, 6, 1, 12, 0, 30, tzinfo=UTC).timestamp() * 1000)
    assert next_cron_ms("*/10 * * * * *", "UTC", at) - at == 10_000
    assert next_cron_ms("0 18 * * *", "Europe/Berlin", at) - at == 4 * 3_600_000 - 30_000
    assert timer_key(7, "did:x", "id") == "000000000000007/did:x/id"


def test_limits() -> None:
    steps = Steps(
        Clock, limits=EngineLimits(schedules_max=2, cron_period_min_ms=60_000, attributes_max_bytes=99)
    )
    for n in range(3):
        steps.event(steps.root, "set:at", {"time": START_MS + 1_000, "n": n})
    assert "schedules_max" in steps.logs[-1].text
    steps = Steps(Clock, limits=EngineLimits(cron_period_min_ms=60_000, attributes_max_bytes=99))
    steps.event(steps.root, "set:cron", {"cron": "* * * * * *"})
    assert "more often" in steps.logs[-1].text
    with pytest.raises(LimitExceeded, match="attributes_max_bytes"):
        steps.operate(
            steps.root,
            lambda pico: pico.engine.schedules.add_at(pico, "x", 5, ("a", "b"), {"a": "x" * 100}),
        )


def test_an_expression_that_no_longer_works_ends_and_says_so(steps: Steps) -> None:
    """The zone may be gone after an update of the system."""
    steps.event(steps.root, "set:cron", {"cron": "* * * * *"})
    [key] = [key for key in steps.rows() if b"/s/" in key]
    steps.store.write(Batch({key: steps.rows()[key].replace(b'"UTC"', b'"Gone/Zone"')}))
    steps.now += MINUTE
    steps.crash()
    assert [n for n, _ in fired(steps)] == ["cron"]
    assert any("not repeated any more" in line.text for line in steps.logs)
    wait(steps, 10 * MINUTE)
    assert len(fired(steps)) == 1


def test_uninstalling_removes_exactly_its_own_data_and_installing_again_starts_anew() -> None:
    class Other(Ruleset, rid="test.clock.other"):
        kept: list[int] = ent(default=list(range(50)))

        @rule(when("set:at").then("other:second"))
        def half(self) -> None:
            self.directive("both")

        @rule(when("set:cron"))
        def keep(self, event: Event) -> None:
            self.kept.append(1)
            self.schedule_at(self.now + 60_000, "it:fires", n="other")

        @query
        def size(self) -> int:
            return len(self.kept)

    class Half(Clock, rid="test.half"):
        many: list[int] = ent(default=[])

        @rule(when("set:cron"))
        def much(self) -> None:
            self.many.extend(range(100))

        @rule(when("set:at").then("other:second"))
        def half(self) -> None:
            self.directive("half")

    steps = Steps(Half, Other)
    rows = steps.rows()
    steps.event(steps.root, "set:at", {"time": START_MS + 60_000, "n": 1})
    steps.event(steps.root, "set:cron", {"cron": "* * * * *"})
    steps.event(steps.root, "it:fires", {"n": 2})
    steps.operate(steps.root, lambda pico: pico.engine.family.uninstall(pico, "test.half"))
    left = {key for key in steps.rows() if b"/y/" not in key} - rows.keys()
    assert not [key for key in left if b"test.half" in key]
    assert len([key for key in left if key.startswith(b"t/")]) == 1
    assert len([key for key in left if b"test.clock.other" in key]) == 51 + 1 + 1, "elements, head, progress"
    steps.operate(steps.root, lambda pico: pico.engine.family.install(pico, "test.half", {}))
    wait(steps, 2 * MINUTE)
    assert steps.query(steps.root, "test.half", "all") == [["other", 120_000]]
    answer = [one["name"] for one in steps.event(steps.root, "other:second")]
    assert answer == ["both"], "the half-matched expression of the uninstalled ruleset is gone"
    assert steps.query(steps.root, "test.clock.other", "size") == 51
