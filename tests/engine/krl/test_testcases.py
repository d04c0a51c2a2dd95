"""Tests written in KRL: what passes, what fails and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.errors import BadRequest
from pico_engine.harness import Harness
from pico_engine.krl.testcases import KEYS, START_MS, TestCase, cases_of

COUNTER = """ruleset org.counter {
  meta { shares value }
  global { value = function(factor = 1) { ent:n.defaultsTo(0) * factor } }
  rule inc {
    select when counter:inc
    send_directive("counted", {"n": event:attrs{"n"}, "limit": meta:rulesetConfig{"limit"}})
    fired { ent:n := value() + event:attrs{"n"};
      schedule counter event "inc" at time:add(time:now(), {"minutes": 5}) attributes {"n": 100} }
  }
  rule five { select when count 3 (counter:inc) within 1 minute send_directive("three") }
  rule bad { select when counter:bad send_directive("x", {"x": event:attrs{"f"}()}) }
  rule ask { select when counter:ask http:get("https://example.org/x") setting(got)
    fired { ent:n := got{"content"}.as("Number") } }
  rule now { select when counter:now send_directive(time:now()) }
  rule chance { select when counter:chance send_directive(random:uuid()) }
}"""
TESTS = """ruleset org.counter.test {
  meta { use module org.counter shares even, value }
  global { even = function(n) { n % 2 == 0 }  value = "of the tests" }
}"""
INC = {"event": "counter:inc", "attrs": {"n": 2}}


def make(seed: str, clock: Any, config: Any, outside: Any) -> Harness:
    return Harness(COUNTER, TESTS, config=config, seed=seed, clock=clock, outside=outside)


def run(*steps: Any, **more: Any) -> list[str]:
    """The failures of one test, as text."""
    told = {"steps": list(steps), **more} if more else list(steps)
    return [
        f"{one.step} {one.what}: {one.text}" for one in TestCase("org.counter.test", "it", told).run(make)
    ]


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [INC, {"query": "value", "is": 2}],
        [INC, {"query": "org.counter/value", "args": {"factor": 3}, "is": 6, "check": "even"}],
        [{"query": "org.counter.test/value", "is": "of the tests"}],
        [INC | {"directives": ["counted"]}],
        [INC | {"directives": [{"name": "counted", "options": {"limit": None, "n": 2}}]}],
        [INC, INC, INC | {"directives": ["counted", "three"]}],
        [INC, INC, {"wait": 61}, INC | {"directives": ["counted"]}],
        [INC, {"wait": {"minutes": 4, "seconds": 59}}, {"query": "value", "is": 2}],
        [INC, {"wait": {"minutes": 5}}, {"query": "value", "is": 102}],
        [{"event": "counter:bad", "errors": "not a function"}],
        [{"event": "counter:bad", "errors": ["rule bad failed"]}],
        [{"query": "org.nobody/value", "errors": "org.nobody"}],
        [
            {"http": "GET https://example.org/x", "answer": {"content": "7"}},
            {"event": "counter:ask"},
            {"query": "value", "is": 7},
        ],
        [{"event": "counter:now", "directives": ["2026-01-01T00:00:00.000Z"]}],
    ],
)
def test_what_passes(steps: list[Any]) -> None:
    assert run(*steps) == []


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([{"query": "value", "is": 1}], "1 query value: expected 1, got 0"),
        ([{"query": "value", "is": False}], "1 query value: expected false, got 0"),
        ([{"query": "value", "is": {}}], "1 query value: expected {}, got 0"),
        ([INC, {"query": "value", "args": {"factor": 0.5}, "check": "even"}], "even says false to 1"),
        ([INC | {"directives": []}], "expected directives [], got [{"),
        ([INC | {"directives": ["other"]}], 'expected directives ["other"], got ["counted"]'),
        (
            [INC | {"directives": ["counted", "three"]}],
            'expected directives ["counted", "three"], got ["counted"]',
        ),
        ([{"event": "counter:bad"}], "org.counter.krl:11:64: TypeError"),
        ([{"event": "counter:bad", "errors": "another"}], 'expected an error with "another", got '),
        ([INC | {"errors": "it"}], 'expected an error with "it", but there was none'),
        ([{"event": "counter:ask"}], 'say what comes: {"http": "GET https://example.org/x"'),
        ([{"query": "none"}], 'no ruleset shares none\nwrite "RID/none"'),
        ([{"event": "no name"}], "1 event no name: "),
        ([{"evnt": 1}], '{"evnt": 1} is no step'),
        ([7], "7 is no step"),
        ([{"event": "a:b", "query": "c"}], "is no step"),
        ([{"event": "a:b", "is": 1}], "a step `event` has no 'is'"),
        ([INC | {"attrs": 1}], "`attrs` is a map, not 1"),
        ([INC | {"directives": 1}], "`directives` is an array"),
        ([{"wait": "long"}], 'cannot wait "long"'),
        ([{"wait": {"moons": 1}}], "cannot wait"),
        ([{"wait": -1}], "cannot wait -1"),
        ([{"wait": True}], "cannot wait true"),
        ([{"http": "GET x", "answer": 1}], "`answer` is a map"),
    ],
)
def test_what_fails_says_where_and_why(steps: list[Any], told: str) -> None:
    (failure,) = run(*steps)
    assert told in failure


def test_steps_behind_a_failure_are_not_run() -> None:
    assert [one[:2] for one in run(INC, {"query": "value", "is": 3}, {"query": "value", "is": 4})] == ["2 "]


def test_values_of_some_length_are_shown_line_by_line() -> None:
    (failure,) = run(INC | {"directives": [{"name": "counted", "options": {"n": 2, "limit": "x" * 40}}]})
    assert '\n-       "limit": "xxx' in failure
    assert '\n+       "limit": null' in failure
    assert '\n        "n": 2' in failure


def test_a_test_may_say_when_it_begins_and_with_what_configuration() -> None:
    step = {"event": "counter:now", "directives": ["2030-05-01T12:00:00.000Z"]}
    assert run(step, now="2030-05-01T12:00:00Z") == []
    assert run(step, now=1_903_867_200_000) == []
    limited = INC | {"directives": [{"name": "counted", "options": {"n": 2, "limit": 5}}]}
    assert run(limited, config={"limit": 5}) == []


@pytest.mark.parametrize(
    "told",
    [7, {}, {"steps": 1}, {"steps": [], "more": 1}, {"steps": [], "now": "soon"}, {"steps": [], "config": 1}],
)
def test_what_is_no_test(told: Any) -> None:
    (failure,) = TestCase("org.counter.test", "it", told).run(make)
    assert (failure.step, failure.what) == (0, "the test")


def test_every_test_has_a_pico_of_its_own_and_chance_of_its_own() -> None:
    drawn = []

    def keep(seed: str, clock: Any, config: Any, outside: Any) -> Harness:
        pico = make(seed, clock, config, outside)
        drawn.append(pico.event("counter:chance").names[0])
        return pico

    steps = [INC, {"query": "value", "is": 2}]
    for name in ("one", "other", "one"):
        assert TestCase("org.counter.test", name, steps).run(keep) == []
    assert drawn[0] == drawn[2] != drawn[1]


def test_tests_are_a_map() -> None:
    (case,) = cases_of("org.x", {"its name": []})
    assert case == TestCase("org.x", "its name", [])
    with pytest.raises(BadRequest, match="no map") as caught:
        cases_of("org.x", [])
    assert "__tests" in caught.value.hint


def test_the_page_has_every_key_and_the_beginning() -> None:
    from pathlib import Path

    page = (Path(__file__).parents[3] / "docs" / "reference" / "krl-tests.md").read_text("utf-8")
    for kind, keys in KEYS.items():
        for key in (kind, *keys):
            assert f"`{key}`" in page
    assert START_MS == 1_767_225_600_000
    assert "2026-01-01T00:00:00Z" in page
