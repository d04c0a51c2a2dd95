"""The module `event`."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.channels import ALLOW_ALL
from tests.engine.krl.picos import Krl, ruleset

HEARD = "global { got = function(){ ent:got } } rule h { select when x y always { ent:got := event:attrs } } "
SEND = (
    'rule r { select when a b event:send(event:attrs{"options"}, event:attrs{"host"}) setting(s) '
    "always { ent:sent := s } } "
)


def two() -> tuple[Krl, str]:
    """A pico that sends, and a channel of its own that it can send to."""
    krl = Krl(ruleset(HEARD + SEND, "shares got"))
    eci = krl.bench.operate(
        krl.did, lambda pico: pico.engine.family.new_channel(pico, (), ALLOW_ALL, ALLOW_ALL, ("http",)).eci
    )
    return krl, eci


@pytest.mark.parametrize("word", ["type", "name"])
def test_events_are_sent(word: str) -> None:
    krl, eci = two()
    krl.event("a:b", {"options": {"eci": eci, "domain": "x", word: "y", "attrs": {"n": 1}}})
    assert krl.query("got") == {"n": 1}


def test_events_are_sent_over_subscriptions() -> None:
    krl, eci = two()
    krl.event("a:b", {"options": {"sub": {"Tx": eci}, "domain": "x", "type": "y"}})
    assert krl.query("got") == {}


def test_the_other_side_of_a_connection_may_be_named_by_its_did() -> None:
    krl, eci = two()
    krl.event("a:b", {"options": {"did": eci, "domain": "x", "type": "y"}})
    assert krl.query("got") == {}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"eci": 5, "domain": "x", "type": "y"}, "TypeError: eci was 5 instead of a string"),
        ({"domain": "x", "type": "y"}, "TypeError: eci was null instead of a string"),
        ({"eci": "c", "domain": "x"}, "Error: missing event.name"),
        ({"eci": "c", "domain": " ", "type": "y"}, "Error: missing event.domain"),
        ({"eci": "c", "domain": "x", "type": "y", "attrs": [1]}, "Error: Expected a JSON map"),
        ("text", "TypeError: event:send expects a map"),
    ],
)
def test_what_cannot_be_sent(options: Any, said: str) -> None:
    krl, _ = two()
    krl.event("a:b", {"options": options})
    assert said in krl.errors[0]


def test_sending_what_is_no_event_does_not_stop_the_rule() -> None:
    krl = Krl(
        ruleset(
            'rule r { select when a b every { event:send({"eci": "c", "domain": "x", "type": "y", '
            '"attrs": "text"}) send_directive("went on") } }'
        )
    )
    assert krl.event("a:b").names == ["went on"]
    assert krl.errors == ["event:send: Error: Expected a JSON map for event.data.attrs"]


def test_another_engine_is_told_over_http_when_that_is_allowed() -> None:
    krl, eci = two()
    attrs = {
        "options": {"eci": eci, "domain": "x", "type": "y/z", "attrs": {"n": 1}},
        "host": "http://far.example/",
    }
    krl.event("a:b", attrs)
    assert "rulesets make no HTTP requests here" in krl.errors[0]
    krl.bench.engine.port.can_call = lambda pico: True  # type: ignore[method-assign]  # a test's port
    krl.event("a:b", attrs)
    (call,) = krl.bench.unclaimed
    assert (call.method, call.url) == ("POST", f"http://far.example/c/{eci}/event/x/y%2Fz")  # type: ignore[union-attr]
    assert (call.body, call.waits) == ('{"n":1}', False)  # type: ignore[union-attr]
    assert call.headers == {"content-type": "application/json"}, "and none of the event's own"  # type: ignore[union-attr]
    assert krl.query("got") is None


def test_the_own_host_is_here() -> None:
    krl, eci = two()
    krl.bench.engine.port.base_url = "http://localhost:3000"
    krl.event("a:b", {"options": {"eci": eci, "domain": "x", "type": "y"}, "host": "http://localhost:3000"})
    assert krl.query("got") == {}


def test_what_the_event_at_hand_says() -> None:
    krl = Krl(
        ruleset(
            'rule r { select when a b send_directive("d", {"domain": event:domain, "name": event:name, '
            '"attrs": event:attrs, "time": event:time, "attr": event:attr("n"), "none": event:attr("m"), '
            '"eid": event:eid == meta:txnId}) }'
        )
    )
    assert krl.options("a:b", {"n": 1}) == [
        {
            "domain": "a",
            "name": "b",
            "attrs": {"n": 1},
            "time": krl.bench.clock.now,
            "attr": 1,
            "eid": True,
        }
    ]
