"""raise, schedule, error, last."""

from __future__ import annotations

import pytest

from pico_engine.krl.raising import time_ms
from tests.engine.krl.picos import Krl, ruleset

HEARD = "rule heard { select when x y send_directive(meta:rid, event:attrs) }"


def test_for_a_ruleset_means_that_one_alone() -> None:
    """The existing engine lets every ruleset hear it."""
    raising = ruleset('rule r { select when a b always { raise x event "y" for "two" attributes {"n": 1} } }')
    krl = Krl(raising, ruleset(HEARD, rid="one"), ruleset(HEARD, rid="two"))
    assert krl.event("a:b").names == ["two"]
    wrong = ruleset('rule r { select when a b always { raise x event "y" for 5 } }')
    krl = Krl(wrong)
    krl.event("a:b")
    assert "raise … for expected a ruleset id but got Number" in krl.errors[0]


def test_a_raised_event_comes_from_where_its_cause_came_from() -> None:
    text = 'rule r { select when a b always { raise x event "y" attributes {"eci": event:eci} } } '
    krl = Krl(
        ruleset(
            text + 'rule h { select when x y send_directive("d", {"same": event:eci == event:attrs{"eci"}}) }'
        )
    )
    assert krl.options("a:b") == [{"same": True}]


def test_what_a_failed_rule_raised_is_not_heard() -> None:
    text = 'rule r { select when a b always { raise x event "y" ent:x := 1 - "a" } } '
    assert Krl(ruleset(text + HEARD)).event("a:b").names == []


@pytest.mark.parametrize("statement", ['schedule event "x:y"', 'schedule x event "y"'])
def test_scheduled_events_come(statement: str) -> None:
    """Of the first form the existing engine forgets the event's name."""
    text = (
        "global { got = function(){ ent:got } id = function(){ ent:id } } "
        f'rule r {{ select when a b always {{ {statement} at time:add(time:now(), {{"minutes": 5}}) '
        'attributes {"n": 1} setting(s) ent:id := s{"id"} } } '
        "rule h { select when x y always { ent:got := event:attrs } }"
    )
    krl = Krl(ruleset(text, "shares got, id"))
    krl.event("a:b")
    assert krl.query("id")
    assert krl.query("got") is None
    krl.bench.clock.minutes(6)
    assert krl.query("got") == {"n": 1}


def test_repeated_events_come_again_and_are_removed_alone() -> None:
    """The existing engine empties the whole schedule when one entry is removed."""
    text = (
        "global { n = function(){ ent:n } count = function(){ schedule:list().length() } } "
        'rule r { select when a b always { schedule x event "y" repeat "0 * * * * *" setting(s) '
        'ent:ids := ent:ids.defaultsTo([]).append(s{"id"}) } } '
        "rule stop { select when a stop schedule:remove(ent:ids[0]) } "
        "rule h { select when x y always { ent:n := ent:n.defaultsTo(0) + 1 } } "
    )
    krl = Krl(ruleset(text, "shares n, count"))
    krl.event("a:b")
    krl.event("a:b")
    assert krl.query("count") == 2
    for _ in range(3):
        krl.bench.clock.minutes(1)
        krl.bench.run()
    assert krl.query("n") == 6
    krl.event("a:stop")
    assert krl.query("count") == 1


@pytest.mark.parametrize(
    ("value", "ms"),
    [
        (5, 5),
        (5.6, 6),
        ("1970-01-01T00:00:01Z", 1_000),
        ("1970-01-01T00:00:01+01:00", -3_599_000),
        ("1970-01-01", 0),
        ("soon", None),
        (None, None),
        (True, None),
    ],
)
def test_points_in_time(value: object, ms: int | None) -> None:
    assert time_ms(value) == ms


def test_error_ends_the_turn_s_rest_and_tells_the_own_ruleset() -> None:
    text = (
        'rule r { select when a b send_directive("kept") '
        'always { raise x event "y"; error error {"m": 1}; ent:n := 1 } } '
        'rule later { select when a b send_directive("later") } '
        'rule e { select when system error send_directive("told", event:attrs) } '
    )
    other = (
        'rule e { select when system error send_directive("not told") } '
        'rule o { select when a b send_directive("other") } '
    )
    krl = Krl(ruleset(text + HEARD), ruleset(other, rid="u"))
    answer = krl.event("a:b")
    assert answer.names == ["kept", "other", "told"]
    assert answer.options("told") == {
        "level": "error",
        "data": {"m": 1},
        "rid": "t",
        "rule_name": "r",
        "genus": "user",
    }
