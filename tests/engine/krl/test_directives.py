"""The action `send_directive`."""

from __future__ import annotations

from tests.engine.krl.picos import Krl, ruleset


def test_directives_and_their_value() -> None:
    krl = Krl(
        ruleset(
            'rule r { select when a b every { send_directive("one", {"a": null, "b": [null]}) setting(d) '
            'send_directive("two", {"of": d{"name"}}) send_directive("three") } }'
        )
    )
    answer = krl.event("a:b")
    assert [(one["name"], one["options"]) for one in answer.directives] == [
        ("one", {"b": [None]}),
        ("two", {"of": "one"}),
        ("three", {}),
    ]
    assert {one["meta"]["rule_name"] for one in answer.directives} == {"r"}
    assert {one["meta"]["txnId"] for one in answer.directives} == {answer.eid}


def test_those_of_a_failed_rule_are_not_given() -> None:
    text = 'rule r { select when a b send_directive("d") always { ent:x := 1 - "a" } } '
    krl = Krl(ruleset(text + 'rule s { select when a b send_directive("s") }'))
    assert krl.event("a:b").names == ["s"]
