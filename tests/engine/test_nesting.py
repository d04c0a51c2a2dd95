"""Turns of new picos inside the turn that makes them: an event that is waited for, a global block."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.errors import EngineError
from pico_engine.messages import OWNER, EventMessage, HttpCall, RulesetCall, WaitAnswer
from pico_engine.nesting import ENDED_INSIDE
from tests.engine.krl.picos import Krl, ruleset

URL = "https://example.org/kid.krl"
KID = ruleset(
    """global { said = function(){ [ent:said, ent:n] } }
    rule hear { select when x y fired { ent:said := event:attrs{"word"}; ent:n := ent:n.defaultsTo(0) + 1 } }
    rule back { select when x back event:send({"eci": ctx:parent, "domain": "kid", "type": "spoke"}) }
    rule loud { select when x loud foreach range(1, 200) setting(i)
      event:send({"eci": ctx:parent, "domain": "kid", "type": "spoke"}) }
    rule web { select when x web pre { got = http:get("https://example.org/") }
      fired { ent:said := got{"content"} } }
    rule grow { select when x grow ctx:newPico([]) setting(eci) fired { ent:said := eci } }
    rule round { select when x round always { raise x event "round" } }
    rule asks { select when x asks always { ent:said := ctx:query(ctx:parent, "t", "it") } }
    rule bad { select when x bad always { ent:said := 1 - "a" } }""",
    "shares said",
    "kid",
)


def parent(event: str, more: str = "") -> Krl:
    """A pico whose event a:b makes a child, tells it x:`event` and keeps what it then says in `ent:it`."""
    return Krl(
        ruleset(
            f"""global {{ it = function(){{ ent:it }} heard = function(){{ ent:heard }} }}
            rule r {{ select when a b every {{ ctx:newPico([{{"url": "{URL}"}}]) setting(kid)
              ctx:eventQuery(kid, "x", "{event}", {{"word": "hi"}}, "kid", "said") setting(x)
              {more} }} always {{ ent:it := x }} }}
            rule spoke {{ select when kid spoke always {{
              ent:heard := ent:heard.defaultsTo([]).append(event:eci) }} }}""",
            "shares it, heard",
        )
    )


def go(krl: Krl, name: str = "a:b", text: str = KID, *, answers: bool = True, **attrs: Any) -> None:
    """Send an event while the world outside has this text, and `answers` other requests."""
    bench = krl.bench
    bench.engine.port.can_call = lambda pico: True  # type: ignore[method-assign]  # a test's port
    domain, kind = name.split(":")
    bench.engine.receive(EventMessage(krl.did, domain, kind, attrs, OWNER, None, "reply"), bench.clock.now)
    for _ in range(20):
        for call in bench.run():
            if isinstance(call, RulesetCall):
                bench.engine.receive(WaitAnswer(call.wait, text), bench.clock.now)
            elif isinstance(call, HttpCall) and answers:
                bench.engine.receive(WaitAnswer(call.wait, {"content": "web"}), bench.clock.now)


def children(krl: Krl) -> list[str]:
    return list(krl.pico.children.rows)


def test_it_is_kept_with_the_turn_exactly_once() -> None:
    krl = parent("y")
    go(krl)
    assert krl.errors == []
    assert krl.query("it") == ["hi", 1]
    krl.bench.restart()
    (did,) = children(krl)
    assert krl.bench.query(did, "kid", "said", {}) == ["hi", 1]


def test_it_is_undone_with_the_rule_that_fails() -> None:
    krl = parent("back", 'send_directive(1 - "a")')
    go(krl)
    assert "TypeError" in krl.errors[0]
    assert children(krl) == []
    assert krl.query("heard") is None
    assert krl.bench.engine.loaded_count == 1


def test_what_it_sends_leaves_with_the_turn() -> None:
    krl = parent("back")
    go(krl)
    (row,) = krl.pico.children.rows.values()
    assert krl.query("heard") == [row["parent_eci"]]


def test_a_rule_that_fails_there_fails_nothing_here() -> None:
    krl = parent("bad")
    go(krl)
    assert len(krl.errors) == 1
    assert krl.query("it") == [None, None]
    assert len(children(krl)) == 1


def test_it_may_wait_for_the_world_outside() -> None:
    krl = parent("web")
    go(krl)
    assert krl.errors == []
    assert krl.query("it") == ["web", None]


def test_a_crash_while_it_waits_leaves_nothing_of_it() -> None:
    krl = parent("web")
    go(krl, answers=False)
    assert len(krl.bench.engine.waiting.turns) == 1
    krl.bench.run()  # batches are written meanwhile
    krl.bench.restart()
    assert children(krl) == []
    assert krl.query("it") is None
    go(krl)
    assert krl.query("it") == ["web", None]


def test_no_answer_in_time_fails_its_rule_only() -> None:
    krl = parent("web")
    go(krl, answers=False)
    krl.bench.clock.minutes(5)
    krl.bench.run()
    assert "wait_max_ms" in krl.errors[0]
    assert krl.query("it") == [None, None]
    assert len(children(krl)) == 1


def test_it_may_make_picos_in_turn() -> None:
    krl = parent("grow")
    go(krl)
    assert krl.errors == []
    (did,) = children(krl)
    ((row),) = krl.bench.engine.pico(did).children.rows.values()
    assert krl.query("it") == [row["eci"], None]
    krl.bench.restart()
    assert len(krl.bench.engine.pico(did).children.rows) == 1


def test_what_cannot_be_kept_as_a_whole_fails_the_rule() -> None:
    krl = parent("round")
    go(krl)
    assert "raised more than" in krl.errors[0]
    assert children(krl) == []


def test_what_both_send_counts_together() -> None:
    again = 'ctx:eventQuery(kid, "x", "loud", {}, "kid", "said")'
    krl = parent("loud")
    go(krl)
    assert len(krl.query("heard")) == 200
    krl = parent("loud", again)
    go(krl)
    assert "sends more than 256 events" in krl.errors[0]
    assert krl.query("heard") is None
    assert children(krl) == []


def test_whoever_asks_its_maker_would_wait_for_ever() -> None:
    krl = parent("asks")
    go(krl)
    assert any("waits for" in error for error in krl.errors)


def test_its_trace_says_that_it_is_part_of_another_turn() -> None:
    krl = parent("y")
    go(krl)
    (did,) = children(krl)
    traces = {(one["pico"], one["name"]): one for one in krl.bench.engine.traces.newest(20)}
    inside, around = traces[did, "x:y"], traces[krl.did, "a:b"]
    assert (inside["outcome"], around["outcome"]) == (ENDED_INSIDE, "committed")
    assert inside["eid"] == around["eid"]


# -- global blocks ------------------------------------------------------------------------------------------

FAILS = 'ruleset kid {\n  global {\n    x = 1 - "a"\n  }\n  rule r { select when a c where x > 1 }\n}'
PLACE = "kid.krl:3:9: TypeError"


def test_a_global_block_that_fails_installs_nothing() -> None:
    installing = ruleset(
        f'rule r {{ select when a install ctx:install("{URL}") setting(x) always {{ ent:x := x }} }}'
    )
    krl = Krl(installing)
    before = dict(krl.pico.installed.rows)
    go(krl, "a:install", FAILS)
    assert PLACE in krl.errors[0]
    assert "kid was not installed" in krl.errors[0]
    assert krl.pico.installed.rows == before
    krl.bench.restart()
    assert krl.pico.installed.rows == before
    assert krl.event("a:c").names == []


def test_nobody_who_catches_it_keeps_a_half_of_it() -> None:
    krl = Krl(ruleset(""))

    def install(pico: Any) -> str:
        pico.engine.installing.take_text(pico, URL, FAILS)
        with pytest.raises(EngineError) as refused:
            pico.engine.installing.install(pico, URL, {})
        return str(refused.value)

    assert PLACE in krl.bench.operate(krl.did, install)
    assert "kid" not in krl.pico.installed.rows
    assert krl.bench.engine.library.users_of(URL) == []


def test_a_new_pico_is_not_made_with_it() -> None:
    krl = parent("y")
    go(krl, text=FAILS)
    assert PLACE in krl.errors[0]
    assert children(krl) == []


def test_a_new_pico_gets_what_its_global_block_asks() -> None:
    krl = parent("y")
    kid = 'global { got = http:get("https://example.org/"){"content"} said = function(){ got } }'
    go(krl, text=ruleset(kid, "shares said", "kid"))
    assert krl.errors == []
    assert krl.query("it") == "web"


def test_a_flushed_version_that_fails_is_not_taken() -> None:
    krl = Krl(ruleset(""))

    def install(pico: Any) -> None:
        pico.engine.installing.take_text(pico, URL, KID)
        pico.engine.installing.install(pico, URL, {})

    krl.bench.operate(krl.did, install)
    before = krl.pico.installed.get("kid")
    krl.bench.operate(krl.did, lambda pico: pico.engine.installing.take_text(pico, URL, FAILS) and None)
    assert krl.pico.installed.get("kid") == before
    assert "is not taken" in krl.errors[0]
    assert PLACE in krl.errors[0]
    krl.event("x:y", {"word": "hi"})
    assert krl.query("said", rid="kid") == ["hi", 1]


def test_a_global_block_that_fails_later_fails_each_event() -> None:
    """And no more when it does not fail any more; other rulesets are not concerned."""
    text = (
        'global { late = time:now() > "2030" && time:now() < "2040" => 1 - "a" | 1 f = function(){ late } } '
        'rule r { select when a b where late == 1 send_directive("kid") } '
    )
    other = ruleset('rule o { select when a b send_directive("other") }', rid="other")
    krl = Krl(ruleset(text, "shares f", "kid"), other)
    assert krl.event("a:b").names == ["kid", "other"]
    krl.bench.clock.days(4_000)
    krl.bench.restart()
    for count in (1, 2):
        assert krl.event("a:b").names == ["other"]
        said = [error for error in krl.errors if "kid.krl:1:" in error]
        assert len(said) == count
        assert "TypeError" in said[0]
        with pytest.raises(EngineError, match=r"kid\.krl:1:\d+: TypeError"):
            krl.query("f", rid="kid")
    krl.bench.clock.days(6_000)
    assert krl.event("a:b").names == ["kid", "other"]
