"""Turns that want too much of what is around them: logs, traces, answers, messages, modules, other picos."""

from __future__ import annotations

import time

import orjson
import pytest

from pico_engine.errors import EngineError
from pico_engine.values import EMPTY_MAP
from tests.engine.krl.picos import Krl, ruleset, values

SOON_S = 20
"""No hostile turn may hold up a test run longer, however slow the machine."""
HALF = 'math:base64decode("ANg=", "utf16le")'
"""Half a character of UTF-16, as JavaScript's texts may have."""


def one_rule(body: str, **limits: int) -> Krl:
    """A pico whose rule did `body` for an event."""
    krl = Krl(ruleset(f"rule r {{ select when a b {body} }}"), **limits)
    krl.event("a:b")
    return krl


LOGGED = {
    "klog": 'pre { x = range(1, 3000).map(function(a){ a.klog("x") }) }',
    "log": 'foreach range(1, 3000) setting(i) always { log info "x" }',
    "defaultsTo": "pre { x = range(1, 3000).map(function(a){ null.defaultsTo(1, a) }) }",
    "division by zero": "pre { x = range(1, 3000).map(function(a){ a / 0 }) }",
}


@pytest.mark.parametrize("body", LOGGED.values(), ids=LOGGED)
def test_a_turn_logs_no_more_than_is_kept(body: str) -> None:
    krl = one_rule(body)
    assert len(krl.bench.log) == 1_001
    assert "log_entries_max" in krl.bench.log[-1].text
    krl.event("a:b")
    assert len(krl.bench.log) == 2_002, "the next turn may log again"


def test_logging_counts_as_work() -> None:
    krl = one_rule('pre { x = range(1, 9000).map(function(a){ a.klog("x") }) }', steps_max=100_000)
    assert "(steps_max)" in krl.errors[0]


def test_directives_are_bounded_together() -> None:
    text = 'range(1, 18).reduce(function(a, b){ a + a }, "x")'
    send = f'foreach range(1, 900) setting(i) pre {{ t = {text} }} send_directive("d", {{"t": t}})'
    krl = Krl(ruleset(f"rule r {{ select when a b {send} }}"))
    assert krl.event("a:b").directives == []
    assert "(directives_max_bytes)" in krl.errors[0]


def test_sends_are_bounded_together() -> None:
    text = 'range(1, 18).reduce(function(a, b){ a + a }, "x")'
    send = 'event:send({"eci": meta:eci, "domain": "x", "type": "y", "attrs": {"t": t}})'
    krl = one_rule(f"foreach range(1, 200) setting(i) pre {{ t = {text} }} {send}")
    assert "(sends_max_bytes)" in krl.errors[0]


def test_rules_that_are_looked_at_are_bounded() -> None:
    rules = " ".join(f"rule s{number} {{ select when c d x re#a# }}" for number in range(500))
    raise_all = 'rule r { select when a b foreach range(1, 900) setting(i) always { raise c event "d" } }'
    krl = Krl(ruleset(f"{raise_all} {rules}"))
    began = time.monotonic()
    with pytest.raises(EngineError, match="considered_max"):
        krl.event("a:b")
    assert time.monotonic() - began < SOON_S
    assert krl.bench.event(krl.did, "x:y").names == []


def test_traces_stay_small() -> None:
    send = 'event:send({"eci": meta:eci, "domain": "x", "type": "y", "attrs": {"t": "large"}})'
    krl = one_rule(f'foreach range(1, 200) setting(i) {send} always {{ raise c event "d" }}')
    rules = " ".join(f"rule s{number} {{ select when c d x re#a# }}" for number in range(300))
    krl.add(ruleset(rules, rid="other"))
    krl.event("a:b")
    kept = list(krl.bench.engine.traces._ring)
    assert max(len(trace[8]) for trace in kept if len(trace) > 8) == 256
    assert all(send.attrs is None for trace in kept if len(trace) > 10 for send in trace[10])


def test_modules_that_use_modules_twice_do_not_multiply() -> None:
    krl = Krl(ruleset("global { f = function(){ 1 } }", "provides f", "m0"))
    began = time.monotonic()
    with pytest.raises(EngineError, match=r"modules_max"):
        for number in range(1, 25):
            use = f"use module m{number - 1} alias x use module m{number - 1} alias y provides f"
            krl.add(ruleset("global { f = function(){ x:f() + y:f() } }", use, f"m{number}"))
    assert time.monotonic() - began < SOON_S
    krl.add(ruleset("global { it = function(){ m:f() } }", "use module m5 alias m shares it"))
    assert krl.query("it") == 32


def test_what_asked_picos_work_counts_for_who_asks() -> None:
    """A question costs whoever asks what it costs to answer."""
    work = "global { it = function(){ range(1, 20000).map(function(a){ a }).length() } }"
    made = "rule r { select when a b ctx:newPico([]) setting(eci) always { ent:eci := eci } }"
    asked = 'range(1, n).map(function(i){ ctx:query(ent:eci, "w", "it") })'
    ask = f"global {{ it = function(n){{ {asked}.length() }} }}"
    krl = Krl(ruleset(f"{ask} {made}", "shares it"), ruleset(work, "shares it", "w"))
    krl.event("a:b")
    child = krl.bench.engine.pico(next(iter(krl.pico.children.rows)))
    krl.bench.operate(child.did, lambda pico: pico.engine.family.install(pico, "w", {}))
    assert krl.query("it", {"n": 2}) == 2
    began = time.monotonic()
    with pytest.raises(EngineError, match="steps_max"):
        krl.query("it", {"n": 1_000})
    assert time.monotonic() - began < SOON_S
    assert krl.query("it", {"n": 2}) == 2, "each turn begins anew"


NAMES = {
    "directive": f"send_directive({HALF})",
    "log": f"always {{ log info {HALF} }}",
    "klog": f"pre {{ x = 1.klog({HALF}) }}",
    "raise": f'always {{ raise event {HALF} + ":a" }}',
    "send": f'event:send({{"eci": meta:eci, "domain": {HALF}, "type": "x"}})',
    "send to": f'event:send({{"eci": {HALF}, "domain": "a", "type": "x"}})',
    "tag": f"ctx:newChannel([{HALF}])",
    "variable": f"always {{ ent:x := {HALF} }}",
    "key": f"always {{ ent:x{{{HALF}}} := 1 }}",
    "schedule": f'always {{ schedule a event {HALF} at "2099-01-01" }}',
}


@pytest.mark.parametrize("body", NAMES.values(), ids=NAMES)
def test_halves_of_characters_break_nothing_that_is_written_or_read(body: str) -> None:
    krl = Krl(ruleset(f"rule r {{ select when a b {body} }} rule s {{ select where true }}"))
    answer = krl.event("a:b")
    krl.bench.run()
    orjson.dumps(answer.directives)
    orjson.dumps(krl.bench.engine.traces.newest(100))
    orjson.dumps([[line.level, line.rid, line.text, line.data] for line in krl.bench.log], default=dict)
    assert krl.event("a:b").directives is not None, "the pico goes on"


def test_no_operator_makes_half_a_character() -> None:
    assert values(HALF) == "\ufffd"


DEEPER = {
    "variable": 'always { ent:x := {"a": ent:x} }',
    "list": "always { ent:x := [ent:x, 1] }",
    "element": "always { ent:x := range(1, 99) if ent:x.isnull(); ent:x{3} := [ent:x{3}] }",
}


@pytest.mark.parametrize("body", DEEPER.values(), ids=DEEPER)
def test_kept_data_does_not_grow_deeper_event_by_event(body: str) -> None:
    krl = Krl(ruleset(f"rule r {{ select when a b {body} }}"))
    for _ in range(80):
        krl.event("a:b")
    assert "nested deeper than 64 levels" in krl.errors[0]


def test_attributes_do_not_grow_deeper_event_by_event() -> None:
    again = 'rule r { select when a b always { raise a event "b" attributes {"a": event:attrs} } }'
    krl = Krl(ruleset(again))
    krl.event("a:b", {"n": 1})
    assert "nested deeper than 64 levels" in krl.errors[0]


def test_long_code_counts_by_its_length() -> None:
    long = "[" + ",".join(["1 + 1"] * 2_000) + "].length()"
    short = values("range(1, 100).map(function(a){ 1 }).length()", steps_max=5_000)
    assert short == 100
    with pytest.raises(EngineError, match="steps_max"):
        values(f"range(1, 100).map(function(a){{ {long} }}).length()", steps_max=5_000)
    krl = one_rule(f"foreach range(1, 100) setting(i) pre {{ x = {long} }}", steps_max=5_000)
    assert "(steps_max)" in krl.errors[0]


def test_turns_that_take_long_let_others_have_theirs() -> None:
    """A tick ends soon, so that the node can answer."""
    busy = "rule r { select when a b pre { x = range(1, 400000).length() } }"
    krl = Krl(ruleset(busy))
    engine = krl.bench.engine
    krl.bench.run()
    before = engine.turns
    for _ in range(20):
        engine.tell(krl.pico, "a", "b", EMPTY_MAP)
    engine.handle_timer(engine.now + 1)
    assert 0 < engine.turns - before <= 10
    krl.bench.run()
    assert engine.turns - before == 20


def test_global_blocks_keep_little_memory() -> None:
    """What they make stays, in every pico that has the ruleset."""
    large = "global { large = range(1, 1000000) it = function(){ large.length() } }"
    with pytest.raises(EngineError, match="global_max_bytes"):
        Krl(ruleset(large, "shares it"))
    made = "global { make = function(){ range(1, 1000000) } it = function(){ make().length() } }"
    assert Krl(ruleset(made, "shares it")).query("it") == 1_000_000


COSTLY = {
    "children": "foreach range(1, 5000) setting(i) ctx:newPico([])",
    "channels made": 'foreach range(1, 9000) setting(i) ctx:newChannel(["a" + i])',
    "channels read": "pre { x = range(1, 90000).map(function(i){ ctx:channels }) }",
    "rulesets read": "pre { x = range(1, 90000).map(function(i){ ctx:rulesets }) }",
    "schedules": 'foreach range(1, 9000) setting(i) always { schedule a event "c" at "2099-01-01" }',
    "a large text kept again": "foreach range(1, 9000) setting(i) always { ent:x := ent:t }",
    "dates": 'pre { x = range(1, 90000).map(function(i){ time:new("2020-01-01T00:00:00.000Z") }) }',
}


@pytest.mark.parametrize("body", COSTLY.values(), ids=COSTLY)
def test_costly_operations_count_by_their_cost(body: str) -> None:
    text = 'range(1, 18).reduce(function(a, b){ a + a }, "x")'
    keep = f"rule s {{ select when a s always {{ ent:t := {text} }} }}"
    krl = Krl(ruleset(f"{keep} rule r {{ select when a b {body} }}"))
    krl.event("a:s")
    began = time.monotonic()
    krl.event("a:b")
    assert "_max" in krl.errors[0]
    assert time.monotonic() - began < SOON_S


def test_a_pico_that_floods_itself_is_not_flooded_by_what_could_not_be_delivered() -> None:
    send = 'event:send({"eci": meta:eci, "domain": "a", "type": "b"})'
    krl = Krl(
        ruleset(f"rule r {{ select when a b foreach range(1, 50) setting(i) {send} }}"),
        queue_max_messages=100,
    )
    engine = krl.bench.engine
    engine.tell(krl.pico, "a", "b", EMPTY_MAP)
    longest = 0
    for tick in range(1, 10):
        engine.handle_timer(engine.now + tick)
        longest = max(longest, len(krl.pico.inbox))
    assert 90 < longest <= 102
