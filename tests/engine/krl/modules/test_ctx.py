"""The module `ctx`: the pico's family, channels and rulesets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from pico_engine.errors import EngineError
from pico_engine.krl import compile_ruleset
from pico_engine.krl.errors import KrlRuntimeError
from pico_engine.messages import OWNER, EventMessage, RulesetCall, WaitAnswer
from tests.engine.krl.picos import RID, Krl, ruleset

POLICY = '{"allow": [{"domain": "*", "name": "*"}], "deny": []}'
QUERY_POLICY = '{"allow": [{"rid": "*", "name": "*"}], "deny": []}'
CHILD = ruleset("global { rid = function(){ ctx:rid_config } }", "shares rid", "org.example.child")
URL = "https://example.org/child.krl"


def run(action: str, meta: str = "", globals_: str = "") -> Krl:
    """A pico whose event a:b does the action and keeps its value."""
    return Krl(
        ruleset(
            f"global {{ it = function(){{ ent:it }} look = function(n){{ ctx:channels }} {globals_} }} "
            f"rule r {{ select when a b {action} setting(x) always {{ ent:it := x }} }}",
            f"shares it, look {meta}",
        )
    )


def with_web(krl: Krl, name: str, texts: dict[str, str], **attrs: Any) -> None:
    """Send an event while the world outside has these texts."""
    bench = krl.bench
    bench.engine.port.can_call = lambda pico: True  # type: ignore[method-assign]  # a test's port
    domain, kind = name.split(":")
    bench.engine.receive(EventMessage(krl.did, domain, kind, attrs, OWNER, None, "reply"), bench.clock.now)
    for _ in range(10):
        for call in [one for one in bench.run() if isinstance(one, RulesetCall)]:
            bench.engine.receive(WaitAnswer(call.wait, texts[call.url]), bench.clock.now)


def test_what_is_told_of_the_ruleset_and_the_pico() -> None:
    text = ruleset(
        "global { it = function(){ [ctx:rid, ctx:rid_name, ctx:rid_version, ctx:rid_description, "
        "ctx:rid_author, ctx:rid_url, ctx:rid_config, ctx:parent, ctx:children, ctx:picoId] } }",
        'name "N" version "1" author "A" shares it',
    )
    krl = Krl(text, config={"c": 1})
    assert krl.query("it") == [RID, "N", "1", None, "A", None, {"c": 1}, None, [], krl.did]


def test_the_newest_channel_comes_last_after_a_restart_too() -> None:
    """What rulesets take for it: `channels.reverse().head()`."""
    krl = run(f'ctx:newChannel([event:attrs{{"tag"}}], {POLICY}, {QUERY_POLICY})')
    tags = [f"number-{number}" for number in range(12)]
    for tag in tags:
        krl.event("a:b", {"tag": tag})
    krl.bench.restart()
    assert [one["tags"] for one in krl.query("look")] == [["system", "self"], *([tag] for tag in tags)]


def test_channels_are_made_changed_and_deleted() -> None:
    krl = run(f'ctx:newChannel(["One", "two !"], {POLICY}, {QUERY_POLICY})')
    krl.event("a:b")
    made = krl.query("it")
    assert made["tags"] == ["one", "two--"]
    assert made["familyChannelPicoID"] is None
    assert set(made) == {"id", "tags", "eventPolicy", "queryPolicy", "familyChannelPicoID"}
    assert made in krl.query("look")
    change = f'ctx:putChannel("{made["id"]}", ["three"], {POLICY}, {QUERY_POLICY})'
    krl.add(ruleset(f"rule r {{ select when a c {change} }}", rid="u"))
    krl.event("a:c")
    assert [one["tags"] for one in krl.query("look")][-1] == ["three"]
    krl.add(ruleset(f'rule r {{ select when a c ctx:delChannel("{made["id"]}") }}', rid="u"))
    krl.event("a:c")
    assert len(krl.query("look")) == 1
    assert not krl.errors


def test_upsert_finds_a_channel_by_its_tags() -> None:
    krl = run(f'ctx:upsertChannel(["b", "a"], {POLICY}, {QUERY_POLICY})')
    krl.event("a:b")
    krl.event("a:b")
    assert len(krl.query("look")) == 2


@pytest.mark.parametrize(
    "action",
    [
        "ctx:newChannel()",
        f'ctx:newChannel("tag", {POLICY}, {QUERY_POLICY})',
        f'ctx:newChannel(["system"], {POLICY}, {QUERY_POLICY})',
        f'ctx:newChannel(["a"], {{"allow": []}}, {QUERY_POLICY})',
        "ctx:delChannel(meta:eci)",
        'ctx:delChannel("none")',
        'ctx:delPico("none")',
        "ctx:newPico()",
        'ctx:newPico([{"url": 5}])',
        "ctx:install(5)",
        'ctx:install("https://example.org/x.krl")',
        "ctx:uninstall(5)",
        'ctx:flush("x")',
        'ctx:event("c", "x")',
        'ctx:eventQuery("none", "x", "y", {}, "r", "q")',
        'ctx:eventQuery(meta:eci, "x", "y", {}, "t", "it")',
        'ctx:eventQuery(meta:eci, "x", null, {}, "t", "it")',
    ],
)
def test_what_cannot_be_done_fails_the_rule(action: str) -> None:
    krl = run(action)
    krl.event("a:b")
    assert krl.errors, action
    assert "t.krl:1:" in krl.errors[0]
    assert krl.query("it") is None


def test_a_ruleset_that_is_not_installed_is_uninstalled_at_once() -> None:
    krl = run('ctx:uninstall("none")')
    krl.event("a:b")
    assert not krl.errors


def test_children_are_made_with_rulesets_from_urls() -> None:
    krl = run(
        f'ctx:newPico([{{"url": "{URL}", "config": {{"k": 1}}}}])',
        globals_="kids = function(){ ctx:children } ",
    )
    with_web(krl, "a:b", {URL: CHILD})
    assert not krl.errors
    eci = krl.query("it")
    (did,) = krl.pico.children.rows
    assert krl.pico.children.rows[did]["eci"] == eci
    assert krl.bench.query(did, "org.example.child", "rid") == {"k": 1}
    krl.add(ruleset(f'rule r {{ select when a c ctx:delPico("{eci}") }}', rid="u"))
    krl.event("a:c")
    assert not krl.pico.children.rows


def test_rulesets_are_installed_told_and_uninstalled() -> None:
    krl = run(
        f'ctx:install("{URL}", {{"k": 2}})', globals_="sets = function(){ ctx:rulesets } ", meta=", sets"
    )
    with_web(krl, "a:b", {URL: CHILD})
    assert not krl.errors
    assert krl.query("it") == "org.example.child"
    assert krl.query("rid", rid="org.example.child") == {"k": 2}
    told = krl.query("sets")[-1]
    assert (told["rid"], told["url"], told["config"]) == ("org.example.child", URL, {"k": 2})
    assert told["meta"]["krl"] == CHILD
    assert len(told["meta"]["hash"]) == 64
    assert told["meta"]["compiler"]["warnings"] == []
    assert datetime.fromisoformat(told["meta"]["flushed"]).tzinfo is not None
    assert told["meta"]["krlMeta"]["shares"] == ["rid"]
    assert told["meta"]["krlMeta"] == {"shares": ["rid"], "use": []}, "nothing that its author did not write"
    assert all(type(one["url"]) is str for one in krl.query("sets"))
    krl.add(ruleset('rule r { select when a c ctx:uninstall("org.example.child") }', rid="u"))
    krl.event("a:c")
    assert "org.example.child" not in krl.pico.installed.rows


def test_a_flush_brings_the_new_text() -> None:
    krl = run(f'ctx:install("{URL}")')
    with_web(krl, "a:b", {URL: CHILD})
    krl.add(ruleset(f'rule r {{ select when a c ctx:flush("{URL}") }}', rid="u"))
    with_web(krl, "a:c", {URL: CHILD.replace("ctx:rid_config", '"new"')})
    assert not krl.errors
    assert krl.query("rid", rid="org.example.child") == "new"


def test_other_picos_are_asked_and_told() -> None:
    krl = Krl(
        ruleset(
            "rule r { select when a b "
            'pre { x = ctx:query(event:attrs{"eci"}, "org.example.child", "rid", {}) } '
            'ctx:event(event:attrs{"eci"}, "x", "y", {"n": 1}) setting(eid) '
            "always { ent:x := [x, eid == event:eid] } } "
            'rule s { select when a s send_directive("d", {"x": ent:x, "logs": ctx:logs()}) }'
        )
    )
    made = krl.bench.operate(krl.did, lambda pico: dict(pico.engine.family.new_child(pico, "c", ())))
    definition = krl.bench.registry.add(compile_ruleset(CHILD).definition)
    krl.bench.operate(made["did"], lambda pico: pico.engine.family.install(pico, definition.rid, {"k": 3}))
    krl.event("a:b", {"eci": made["eci"]})
    (options,) = krl.options("a:s")
    assert options == {"x": [{"k": 3}, True], "logs": []}
    sent = [one for one in krl.bench.engine.traces.newest(20, made["did"]) if one["name"] == "x:y"]
    assert len(sent) == 1


TOLD = ruleset(
    """global { said = function(n){ [ent:said, n] } bad = function(){ null() } }
       rule hear { select when x y fired { ent:said := event:attrs{"word"}; } }
       rule fail { select when x fail fired { ent:said := event:attrs{"word"}; ent:said := null() } }""",
    "shares said, bad",
    "told",
)


def two_picos(action: str) -> Krl:
    """A parent whose event a:b does the action on its child `kid`."""
    krl = Krl(
        ruleset(
            f"""global {{ it = function(){{ ent:it }} }}
            rule make {{ select when a make ctx:newPico([{{"url": "{URL}"}}]) setting(kid)
              fired {{ ent:kid := kid }} }}
            rule r {{ select when a b {action} setting(x) fired {{ ent:it := x }} }}
            rule fresh {{ select when a fresh every {{ ctx:newPico([{{"url": "{URL}"}}]) setting(kid)
              ctx:eventQuery(kid, "x", "y", {{"word": "hi"}}, "told", "said") setting(x) }}
              fired {{ ent:it := x }} }}""",
            "shares it",
        )
    )
    with_web(krl, "a:make", {URL: TOLD})
    return krl


def test_an_event_and_a_query_behind_it() -> None:
    krl = two_picos('ctx:eventQuery(ent:kid, "x", "y", {"word": "hi"}, "told", "said", {"n": 2})')
    krl.event("a:b")
    assert krl.errors == []
    assert krl.query("it") == ["hi", 2]
    krl.bench.restart()
    (did,) = krl.pico.children.rows
    assert krl.bench.query(did, "told", "said", {}) == ["hi", None]


def test_what_was_told_stays_told_though_the_rule_fails() -> None:
    krl = two_picos('ctx:eventQuery(ent:kid, "x", "y", {"word": "hi"}, "told", "bad")')
    krl.event("a:b")
    assert "not a function" in krl.errors[0]
    (did,) = krl.pico.children.rows
    assert krl.bench.query(did, "told", "said", {}) == ["hi", None]


def test_a_rule_that_fails_there_fails_nothing_here() -> None:
    krl = two_picos('ctx:eventQuery(ent:kid, "x", "fail", {"word": "hi"}, "told", "said")')
    krl.event("a:b")
    assert krl.query("it") == [None, None]
    assert len(krl.errors) == 1


def test_a_pico_that_was_made_in_the_same_turn_can_be_told() -> None:
    """As in the existing engine. What more there is to it: tests/engine/test_nesting.py."""
    krl = two_picos("noop()")
    krl.event("a:fresh")
    assert krl.errors == []
    assert krl.query("it") == ["hi", None]
    krl.bench.restart()
    fresh = max(krl.pico.children.rows.items(), key=lambda row: row[1]["order"])[0]
    assert krl.bench.query(fresh, "told", "said", {}) == ["hi", None]


def test_a_pico_that_asks_back_would_wait_for_ever_and_is_refused() -> None:
    asks = ruleset(
        'rule hear { select when x y fired { ent:it := ctx:query(ctx:parent, "t", "it") } }', rid="told"
    )
    krl = Krl(
        ruleset(
            f"""global {{ it = function(){{ ent:it }} }}
            rule make {{ select when a make ctx:newPico([{{"url": "{URL}"}}]) setting(kid)
              fired {{ ent:kid := kid }} }}
            rule r {{ select when a b ctx:eventQuery(ent:kid, "x", "y", {{}}, "told", "__testing") setting(x)
              fired {{ ent:it := x }} }}""",
            "shares it",
        )
    )
    with_web(krl, "a:make", {URL: asks})
    krl.event("a:b")
    assert any("waits for" in error for error in krl.errors)


def test_a_query_cannot_tell() -> None:
    krl = Krl(ruleset('global { it = function(){ ctx:eventQuery(meta:eci, "x", "y") } }', "shares it"))
    with pytest.raises(EngineError, match="is not a function"):
        krl.query("it")


def test_a_pico_that_is_deleted_meanwhile_ends_the_wait() -> None:
    krl = two_picos('ctx:eventQuery(ent:kid, "x", "wait", {}, "told", "said")')
    engine, (did,) = krl.bench.engine, krl.pico.children.rows
    target = engine.pico(did)
    engine.receive(EventMessage(krl.did, "a", "b", {}, OWNER, None, "reply"), krl.bench.clock.now)
    target.ready = True  # it seems to be in line for its turn, and never has it
    krl.bench.run()
    assert len(target.inbox) == 1
    engine.delete_pico(did)
    krl.bench.run()
    assert "was deleted" in krl.errors[0]


@pytest.mark.parametrize(
    ("call", "word"),
    [
        ('ctx:query(ent:none, "r", "q")', "eci"),
        ('ctx:query("", "r", "q")', "eci"),
        ('ctx:query("c", null, "q")', "rid"),
        ('ctx:query("c", "r", 5)', "name"),
    ],
)
def test_a_query_needs_a_channel_a_ruleset_and_a_name(call: str, word: str) -> None:
    krl = Krl(ruleset(f"global {{ it = function(){{ {call} }} }}", "shares it"))
    with pytest.raises(KrlRuntimeError, match=f"Error: missing query.{word}"):
        krl.query("it")
