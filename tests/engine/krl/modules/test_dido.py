"""The module `dido`: messages, routes, and why the other members do nothing. On connections: tests/node."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.errors import BadRequest, EngineError
from pico_engine.krl.modules.dido import EVENT_TYPE, MEMBERS, QUERY_TYPE, REFUSED
from pico_engine.routes import ROUTES_MAX, route_of
from tests.engine.krl.picos import Krl, ruleset, values


def test_a_message_as_the_existing_engine_makes_it() -> None:
    options = '{"type": "t/1.0/x", "body": {"a": 1}, "from": "did:a", "to": ["did:b"], "expires_time": 60}'
    made = values(f"dido:generateMessage({options})")
    assert list(made) == ["id", "typ", "type", "body", "from", "to", "created_time", "expires_time"]
    assert made["id"].startswith("c")
    assert made["typ"] == "application/didcomm-plain+json"
    assert made["expires_time"] == made["created_time"] + 60
    assert values('dido:generateMessage({"thid": "t"}).keys()') == [
        "id", "typ", "type", "body", "from", "to", "thid", "pthid", "created_time", "attachments"
    ]  # fmt: skip
    with pytest.raises(EngineError, match="expects a Map"):
        values('dido:generateMessage("text")')


def test_the_url_of_an_invitation() -> None:
    krl = Krl(ruleset('global { it = function(){ dido:createInviteUrl("e30=") } }', "shares it"))
    assert krl.query("it") == "http://example.com/invite?_oob=e30="
    krl.bench.engine.port.base_url = "https://pico.example"
    assert krl.query("it") == "https://pico.example/invite?_oob=e30="
    krl.bench.engine.port.base_url = "http://localhost:3000"
    assert krl.query("it") == "http://example.com/invite?_oob=e30="


def sender(krl_message: str) -> Krl:
    return Krl(
        ruleset(
            f"""global {{ it = function(){{ ent:it }} }}
            rule r {{ select when a b pre {{ x = dido:send(event:attrs{{"did"}}, {krl_message}) }} }}
            rule q {{ select when a q fired {{
              ent:it := dido:sendQuery(event:attrs{{"did"}}, {{"type": "{QUERY_TYPE}",
                "body": {{"rid": "t", "name": "it", "args": {{}}}}}}) }} }}
            rule p {{ select when a p fired {{
              ent:it := dido:prepareQuery(event:attrs{{"did"}}, {{"rid": "u", "name": "f"}}) }} }}
            rule h {{ select when x y fired {{ ent:it := event:attrs }} }}""",
            "shares it",
        )
    )


def test_an_event_is_sent_as_events_are() -> None:
    krl = sender(f'{{"type": "{EVENT_TYPE}", "body": {{"domain": "x", "name": "y", "attrs": {{"n": 1}}}}}}')
    krl.event("a:b", {"did": krl.pico.info.get("self_eci")})
    assert krl.errors == []
    assert krl.query("it") == {"n": 1}


def test_other_messages_go_to_the_port_which_knows_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    krl = sender('{"type": "https://example.org/chess/1.0/move", "body": {"to": "e4"}}')
    krl.event("a:b", {"did": "did:example:them"})
    assert "is no connection of this pico" in krl.errors[-1]
    taken: list[Any] = []

    def take(_pico: object, did: str, message: Any) -> bool:
        taken.append((did, message))
        return True

    monkeypatch.setattr(krl.bench.engine.port, "send_message", take)
    krl.event("a:b", {"did": "did:example:them"})
    assert taken == [
        ("did:example:them", {"type": "https://example.org/chess/1.0/move", "body": {"to": "e4"}})
    ]

    def refuse(*_: object) -> bool:
        raise BadRequest("no DIDComm message")

    monkeypatch.setattr(krl.bench.engine.port, "send_message", refuse)
    krl.event("a:b", {"did": "did:example:them"})
    assert "Error sending did message: no DIDComm message" in krl.errors[-1]


@pytest.mark.parametrize("message", ["5", "{}", '{"type": 5, "body": 6}', '{"body": {}}'])
def test_what_is_no_message_is_said_in_the_log(message: str) -> None:
    krl = sender(message)
    krl.event("a:b", {"did": "did:example:them"})
    assert "Error sending did message" in krl.errors[0]


def test_queries_are_asked_and_failures_said_in_the_log() -> None:
    other = ruleset('global { f = function(){ "answer" } }', "shares f", "u")
    make = ruleset("rule m { select when a m ctx:newPico([]) setting(e) fired { ent:e := e } }", rid="m")
    krl = sender("{}")
    for text in (make, other):
        krl.add(text)
    krl.event("a:m")
    ((did, row),) = krl.pico.children.rows.items()
    krl.bench.operate(did, lambda pico: pico.engine.family.install(pico, "u", {}))
    krl.event("a:p", {"did": row["eci"]})
    assert krl.query("it") == "answer"
    krl.event("a:q", {"did": row["eci"]})
    assert "Error sending did query: ruleset t is not installed" in krl.errors[-1]
    assert krl.query("it") is None


ROUTING = """global { routes = function(){ ent:routes } act = function(){ dido:addRoute("t", "a", "b") } }
rule r { select when a b foreach event:attrs{"types"} setting(type)
  pre { x = dido:addRoute(type, "got", meta:rid) } send_directive("d", {"x": x}) }
rule bad { select when a bad pre { x = dido:addRoute("type", null, "name") } }"""


def test_routes_are_kept_with_the_ruleset() -> None:
    krl = Krl(*(ruleset(ROUTING, "shares routes, act", rid) for rid in ("t", "u")))
    assert krl.options("a:b", {"types": ["x/1.0/y"]}) == [{"x": True}, {"x": True}]
    assert krl.query("routes") == {"x/1.0/y": {"domain": "got", "name": "t"}}
    krl.bench.restart()
    assert route_of(krl.pico, "x/1.0/y") == ("got", "u")
    assert route_of(krl.pico, "x/1.0/z") is None
    krl.bench.operate(krl.did, lambda pico: pico.engine.family.uninstall(pico, "u"))
    assert route_of(krl.pico, "x/1.0/y") == ("got", "t")
    krl.event("a:bad")
    assert "dido:addRoute expects the texts" in krl.errors[-1]
    with pytest.raises(EngineError, match="change"):
        krl.query("act")
    krl.event("a:b", {"types": [str(number) for number in range(ROUTES_MAX + 1)]})
    assert f"more than {ROUTES_MAX} kinds" in krl.errors[-1]


def test_labels_of_a_channel() -> None:
    krl = Krl(
        ruleset(
            """rule r { select when a b ctx:newChannel(["one"]) setting(c)
              always { x = dido:addLabelsToChannel(c{"id"}, event:attrs{"labels"}) } }"""
        )
    )
    for labels, tags in ((["Two", "did:x"], ("one", "two", "did-x")), ("three", ("one", "three"))):
        krl.event("a:b", {"labels": labels})
        assert krl.pico.all_channels()[-1].tags == tags
    with pytest.raises(EngineError, match="has no channel"):
        values('dido:addLabelsToChannel("none", [])')


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_node_does_says_so_and_what_to_do_instead(name: str) -> None:
    with pytest.raises(EngineError, match=f"dido:{name} is not available: ") as refused:
        values(f"dido:{name}(1, 2)")
    assert refused.value.hint


def test_every_member_of_the_existing_engine_is_known() -> None:
    assert len(MEMBERS) == 20
