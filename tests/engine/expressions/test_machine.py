"""The machine's own contract: clocks, conditions, progress."""

from types import SimpleNamespace
from typing import Any

from pico_engine.expressions.ast import (
    Or,
    Repeat,
    Select,
    Simple,
)
from pico_engine.expressions.build import any_of, average_of, max_of, when
from pico_engine.expressions.compile import END, START
from pico_engine.expressions.machine import Machine, compile_select
from pico_engine.expressions.patterns import equals, number
from pico_engine.expressions.progress import Progress


def event(name: str, time_ms: int = 1_000_000, **attrs: Any) -> SimpleNamespace:
    domain, _, type_ = name.partition(":")
    return SimpleNamespace(domain=domain, type=type_, attrs=attrs, time_ms=time_ms)


def run(machine: Machine, *events: SimpleNamespace) -> list[tuple[str, dict[str, Any]]]:
    progress = None
    seen = []
    for one in events:
        outcome = machine.advance(progress, one)
        progress = outcome.progress
        seen.append((outcome.why, dict(outcome.settings)))
    return seen


def whys(machine: Machine, *events: SimpleNamespace) -> list[str]:
    return [why for why, _ in run(machine, *events)]


# --- clocks -------------------------------------------------------------------------------------------------


def test_exactly_the_limit_still_fires_and_one_ms_more_does_not() -> None:
    machine = compile_select(when("a:x").before("b:y").within(seconds=1).select())
    assert whys(machine, event("a:x", 5_000), event("b:y", 6_000)) == ["progressed", "fired"]
    assert whys(machine, event("a:x", 5_000), event("b:y", 6_001)) == ["progressed", "expired-restarted"]


def test_the_clock_runs_on_after_a_match() -> None:
    machine = compile_select(when("a:x").before("b:y").within(seconds=1).select())
    times = [event("a:x", 5_000), event("b:y", 5_100), event("a:x", 5_900), event("b:y", 6_500)]
    assert whys(machine, *times) == ["progressed", "fired", "progressed", "expired-restarted"]
    after_match = machine.advance(machine.advance(None, times[0]).progress, times[1]).progress
    assert after_match == Progress(machine.fingerprint, (END,), 5_000)


def test_an_event_that_cannot_begin_anything_stops_the_clock_of_the_last_match() -> None:
    machine = compile_select(when("a:x").before("b:y").within(seconds=1).select())
    stream = [("a:x", 5_000), ("b:y", 5_100), ("b:y", 5_200), ("a:x", 5_900), ("b:y", 6_500)]
    assert whys(machine, *(event(*one) for one in stream))[2:] == ["waiting", "progressed", "fired"]


def test_an_event_that_does_not_match_leaves_the_clock_of_the_last_match() -> None:
    machine = compile_select(when("a:x", p=number()).before("b:y").within(seconds=1).select())
    begun = machine.advance(None, event("a:x", 5_000, p=1)).progress
    progress = machine.advance(begun, event("b:y", 5_100)).progress
    assert progress is not None
    assert machine.advance(progress, event("a:x", 5_200)).progress is progress


def test_settings_outlive_an_abandoned_attempt_but_its_clock_and_windows_do_not() -> None:
    machine = compile_select(
        when("a:x", p=number()).count(2, top=max_of("p")).then("b:y").within(seconds=1).select()
    )
    progress = None
    for time_ms in (5_000, 5_100, 5_200):
        progress = machine.advance(progress, event("a:x", time_ms, p=7)).progress
    assert progress == Progress(machine.fingerprint, (START,), 5_000, {"p": 7, "top": 7})
    waiting = machine.advance(progress, event("b:y", 5_900)).progress
    assert waiting == Progress(machine.fingerprint, (START,), 5_900, {"p": 7, "top": 7})
    begun = machine.advance(waiting, event("a:x", 6_500, p=3)).progress
    assert begun is not None
    assert (begun.started_ms, begun.settings, begun.windows) == (6_500, {"p": 3, "top": 3}, {0: (3,)})


def test_a_clock_at_0_counts_as_not_set() -> None:
    machine = compile_select(when("a:x").count(3).within(seconds=1).select())
    assert whys(machine, *(event("a:x", time_ms) for time_ms in (0, 500, 1_400)))[-1] == "fired"
    assert whys(machine, *(event("a:x", time_ms) for time_ms in (0, 500, 1_501)))[-1] == "expired-restarted"


def test_a_limit_matters_where_the_end_leads_on() -> None:
    machine = compile_select(Select(Or((Repeat(1, Simple("a", "x")), Simple("b", "y"))), 1_000))
    stream = [event("b:y", 5_000), event("b:y", 5_100), event("a:x", 5_200), event("b:y", 6_300)]
    assert whys(machine, *stream) == ["fired", "waiting", "fired", "fired"]


def test_a_clock_is_kept_only_where_one_is_set() -> None:
    machine = compile_select(when("a:x").before("b:y").select())
    assert machine.advance(machine.advance(None, event("a:x")).progress, event("b:y")).progress is None
    either = compile_select(when("a:x", "b:y").within(seconds=1).select())
    assert either.advance(None, event("b:y")).progress is None


def test_expired_settings_and_windows_are_forgotten() -> None:
    machine = compile_select(
        when("a:x", p=number()).repeat(2, mean=average_of("p")).within(seconds=1).select()
    )
    stream = [(5_000, 1), (5_500, 3), (7_000, 10), (7_100, 20), (7_200, 40)]
    seen = run(machine, *(event("a:x", time_ms, p=p) for time_ms, p in stream))
    assert [captured.get("mean") for _, captured in seen] == [None, 2, None, 15, 30]


def test_a_mismatch_does_not_expire_what_waits() -> None:
    machine = compile_select(when("a:x").before(when("b:y", q=equals(1))).within(seconds=1).select())
    progress = machine.advance(None, event("a:x", 5_000)).progress
    outcome = machine.advance(progress, event("b:y", 9_000, q=2))
    assert (outcome.progress is progress, outcome.why) == (True, "attribute:q")


def test_the_limit_may_be_worked_out_by_the_ruleset() -> None:
    expression = when("a:x").before("b:y").expression
    machine = compile_select(Select(expression, lambda event, ruleset: ruleset["limit_ms"]))
    progress = machine.advance(None, event("a:x", 5_000), {"limit_ms": 10}).progress
    assert machine.advance(progress, event("b:y", 5_020), {"limit_ms": 20}).fired
    assert not machine.advance(progress, event("b:y", 5_020), {"limit_ms": 10}).fired


# --- outcomes -----------------------------------------------------------------------------------------------


def test_outcomes_say_why() -> None:
    machine = compile_select(
        when("a:x", p=number()).before(when("b:y", q=number(), where=lambda q, p: q > p)).select()
    )
    stream = [
        event("c:z"),
        event("a:x", p="no"),
        event("b:y", q=3),
        event("a:x", p=2),
        event("a:x", p=9),
        event("b:y"),
        event("b:y", q=1),
        event("b:y", q=3),
    ]
    assert whys(machine, *stream) == [
        "not-salient",
        "attribute:p",
        "waiting",
        "progressed",
        "waiting",
        "attribute:q",
        "where",
        "fired",
    ]
    assert run(machine, *stream)[-1][1] == {"p": 2, "q": 3}


def test_nothing_changed_gives_the_same_progress_object() -> None:
    machine = compile_select(when("a:x").before(when("b:y", q=number())).select())
    progress = machine.advance(None, event("a:x")).progress
    for one in (event("c:z"), event("a:x"), event("b:y")):
        assert machine.advance(progress, one).progress is progress


def test_a_simple_machine_needs_no_progress() -> None:
    machine = compile_select(when("a:x", p=number(), where=lambda p: p > 1).within(seconds=1).select())
    assert machine.is_simple
    assert machine.match_simple(event("a:x", p="2")) == (True, None, {"p": 2}, "fired")
    assert machine.match_simple(event("a:x", p=1)).why == "where"
    assert machine.match_simple(event("a:x")).why == "attribute:p"
    assert machine.advance(None, event("a:x", p=2)) == machine.match_simple(event("a:x", p=2))
    assert machine.advance(None, event("a:y", p=2)).why == "not-salient"
    assert compile_select(when("a:x").select()).match_simple(event("a:x")) == (True, None, {}, "fired")


# --- progress of another version ----------------------------------------------------------------------------


def test_progress_of_another_expression_is_dropped() -> None:
    old = compile_select(when("a:x").before("b:y").select())
    new = compile_select(when("a:x").before("b:y").before("c:z").select())
    assert old.fingerprint != new.fingerprint
    progress = old.advance(None, event("a:x")).progress
    outcome = new.advance(progress, event("b:y"))
    assert (outcome.fired, outcome.progress) == (False, None)
    assert new.advance(progress, event("a:x")) == new.advance(None, event("a:x"))


def test_fingerprints_tell_shapes_apart_and_stay() -> None:
    def fingerprint(expression: Any) -> str:
        return compile_select(expression.select()).fingerprint

    shapes = [
        when("a:x"),
        when("a:x", p=number()),
        when("a:x", p=number(min=1)),
        when("a:x", p=number().named("q")),
        when("a:x", where=lambda event: True),
        when("a:x") | "b:y",
        when("a:x") & "b:y",
        when("a:x").before("b:y"),
        when("a:x").count(2),
        when("a:x").repeat(2),
        when("a:x", p=number()).count(2, top=max_of("p")),
        when("a:x", p=number()).count(2, top=average_of("p")),
        when("a:x").between("b:y", "c:z"),
        when("a:x").not_between("b:y", "c:z"),
        any_of(1, "a:x", "b:y"),
    ]
    assert len({fingerprint(shape) for shape in shapes}) == len(shapes)
    assert fingerprint(when("a:x")) == fingerprint(when("a:x").within(seconds=1))
    # a change of this value drops the progress of every rule there is
    assert fingerprint(when("a:x", p=number()).before("b:y")) == "f2517f21c3e4d8e7"
