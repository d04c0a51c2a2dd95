"""What happened in each turn can be seen."""

from __future__ import annotations

import pytest

from pico_engine import Event, Ruleset, ent, number, query, rule, when
from pico_engine.errors import LimitExceeded
from pico_engine.harness import Harness
from pico_engine.limits import EngineLimits
from pico_engine.runner import TRACED_CHANGES_MAX
from pico_engine.trace import Traces, TurnTrace


class Traced(Ruleset, rid="test.traced"):
    count: int = ent(default=0)
    many: list[int] = ent(default=[])

    @rule(when("a:b", n=number(min=5)))
    def large(self, event: Event, n: float) -> None:
        self.count = 1

    @rule(when("a:b", where=lambda event: event.attr("n") == 1))
    def one(self) -> None:
        self.send("did:example:nowhere", "c:d", secret="s")
        self.last()

    @rule(when("a:b"))
    def stopped(self) -> None:
        raise AssertionError

    @rule(when("a:b").then("a:c"))
    def half(self) -> None:
        raise ValueError("no")

    @rule(when("much:data"))
    def much(self) -> None:
        self.many = list(range(TRACED_CHANGES_MAX * 3))

    @query
    def value(self) -> int:
        return self.count


def test_which_rules_were_considered_and_why_not() -> None:
    pico = Harness(Traced)
    pico.event("a:b", n=1)
    [trace] = [one for one in pico.traces() if one["name"] == "a:b"]
    assert [(one["rule"], one["outcome"]) for one in trace["rules"]] == [
        ("large", "attribute:n"), ("one", "fired"), ("stopped", "last"), ("half", "progressed")
    ]  # fmt: skip
    assert trace["outcome"] == "committed"
    assert trace["sent"] == [{"eci": "did:example:nowhere", "event": "c:d"}]
    assert "progress/test.traced/half" in trace["changed"]
    assert "secret" not in str(trace)
    pico.event("a:b", n=5)
    trace = [one for one in pico.traces() if one["name"] == "a:b"][-1]
    assert trace["rules"][:2] == [
        {"rid": "test.traced", "rule": "large", "event": "a:b", "outcome": "fired"},
        {"rid": "test.traced", "rule": "one", "event": "a:b", "outcome": "where"},
    ]
    assert "variable/test.traced/count" in trace["changed"]


def test_failures_queries_and_dropped_turns() -> None:
    pico = Harness(Traced)
    pico.event("a:b", n=1)
    pico.event("a:c")
    trace = pico.traces()[-1]
    [half] = [one for one in trace["rules"] if one["rule"] == "half"]
    assert half["outcome"] == "failed"
    assert "ValueError: no" in half["detail"]
    pico.query(Traced, "value")
    trace = pico.traces()[-1]
    assert (trace["kind"], trace["name"], trace["outcome"]) == ("query", "test.traced/value", "answered")


def test_traces_are_bounded() -> None:
    pico = Harness(Traced, limits=EngineLimits(traces_max=3))
    pico.event("much:data")
    assert len(pico.traces()[-1]["changed"]) <= TRACED_CHANGES_MAX
    for _ in range(5):
        pico.event("a:b", n=1)
    assert len(pico.traces()) == 3
    assert len(pico.traces(2)) == 2
    assert pico.bench.engine.traces.newest(5, "did:other") == []


def test_newest_of_one_pico() -> None:
    traces = Traces(10, 1_000)
    for number_ in range(6):
        traces.add(TurnTrace("e", f"p{number_ % 2}", number_, "event", ("a", "b"), "http", None, "committed"))
    assert [one["time"] for one in traces.newest(2, "p1")] == [3, 5]


HEAVY = """
ruleset heavy {
  global { text = 1.range(15).reduce(function(a, b){ a + a }, "x") }
  rule keys {
    select when long keys
    always { ent:m := 1.range(40).reduce(function(m, i){ m.put([text + i], i) }, {}) }
  }
  rule fails { select when long error pre { x = text() } }
  rule names {
    select when long name
    pre { e = event:attrs{"eci"} }
    event:send({"eci": e, "domain": "d", "type": text})
  }
  rule raises { select when long raised always { raise event "d" + ":" + text } }
  rule later {
    select when long later
    always { schedule event "d:" + text at time:add(time:now(), {"days": 1}) }
  }
}
"""


def test_large_traces_lose_their_lists_first() -> None:
    most = 4_000_000
    pico = Harness(HEAVY, limits=EngineLimits(traces_max_bytes=most))
    pico.event("long:error")
    for _ in range(20):
        pico.event("long:keys")
    assert len(pico.errors) == 1
    traces = pico.traces()
    sizes = [len(str(trace["rules"])) + len(str(trace["changed"])) for trace in traces]
    assert sum(sizes) <= most + 4_096 * len(traces)
    assert sizes[-1] > 1_000_000, "the newest is whole"
    named = [trace for trace in traces if trace["name"] == "long:keys"]
    assert len(named) == 20, "of the oldest it is known that they were"
    assert named[0]["changed"] == named[0]["rules"] == []


def test_one_trace_that_is_larger_than_all_may_be_has_no_lists() -> None:
    pico = Harness(HEAVY, limits=EngineLimits(traces_max_bytes=10_000))
    pico.event("long:keys")
    assert pico.traces(1)[0]["changed"] == []
    pico.event("nobody:cares")
    assert pico.traces(1)[0]["outcome"] == "committed"


def test_names_are_no_place_for_data() -> None:
    pico = Harness(HEAVY)
    long = "x" * 1_025
    with pytest.raises(LimitExceeded, match="name_max_chars is 1,024"):
        pico.event(f"d:{long}")
    with pytest.raises(LimitExceeded, match="name_max_chars"):
        pico.query("heavy", long)
    for kind in ("name", "raised", "later"):
        pico.event(f"long:{kind}", eci=pico.bench.root)
        assert "name_max_chars" in pico.errors[-1], kind
    assert sum(len(str(trace)) for trace in pico.traces()) < 20_000
