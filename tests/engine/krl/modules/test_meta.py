"""The module `meta`."""

from __future__ import annotations

from pico_engine.channels import ALLOW_ALL
from tests.engine.krl.picos import RID, Krl, ruleset

ALL = (
    '{"eci": meta:eci, "host": meta:host, "inEvent": meta:inEvent, "inQuery": meta:inQuery, '
    '"picoId": meta:picoId, "rid": meta:rid, "ruleName": meta:ruleName, "rid_url": meta:rid_url, '
    '"rulesetURI": meta:rulesetURI, "txnId": meta:txnId, "config": meta:rulesetConfig}'
)


def test_in_a_query_and_in_an_event() -> None:
    text = ruleset(
        f'global {{ it = function(){{ {ALL} }} }} rule r {{ select when a b send_directive("d", it()) }}',
        "shares it",
    )
    krl = Krl(text, config={"key": "value"})
    krl.bench.engine.port.base_url = "http://localhost:3000"
    own = krl.pico.info.get("self_eci")
    plain = {
        "eci": own,
        "host": "http://localhost:3000",
        "inEvent": False,
        "inQuery": True,
        "picoId": krl.did,
        "rid": RID,
        "ruleName": None,
        "rid_url": None,
        "rulesetURI": None,
        "txnId": None,
        "config": {"key": "value"},
    }
    asked = krl.query("it")
    assert len(asked.pop("txnId")) > 8, "a query is a transaction, too"
    assert asked | {"txnId": None} == plain
    answer = krl.event("a:b")
    assert answer.options("d") == {
        **plain,
        "inEvent": True,
        "inQuery": False,
        "ruleName": "r",
        "txnId": answer.eid,
    }


def test_the_channel_that_was_used() -> None:
    krl = Krl(ruleset("global { it = function(){ meta:eci } }", "shares it"))
    eci = krl.bench.operate(
        krl.did, lambda pico: pico.engine.family.new_channel(pico, (), ALLOW_ALL, ALLOW_ALL, ("http",)).eci
    )
    assert krl.bench.query(eci, RID, "it", door="http") == eci
    assert krl.query("it") != eci
