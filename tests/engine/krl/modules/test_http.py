"""The module `http`: what goes out, and what becomes of the answer."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.channels import ALLOW_ALL
from pico_engine.errors import EngineError, FetchFailed
from pico_engine.krl.modules.http import query_string
from pico_engine.krl.values import UNDEFINED
from pico_engine.messages import OWNER, EventMessage, HttpCall, QueryMessage, WaitAnswer
from tests.engine.krl.picos import Krl, ruleset

ANSWER = {
    "content": '{"a": 1}',
    "content_type": "application/json",
    "content_length": 8,
    "headers": {"content-type": "application/json"},
    "status_code": 200,
    "status_line": "OK",
}


class Web:
    """A pico, and the world outside as the test plays it."""

    def __init__(self, body: str, meta: str = "") -> None:
        self.krl = Krl(ruleset(body, meta))
        self.krl.bench.engine.port.can_call = lambda pico: True  # type: ignore[method-assign]  # a test's port
        self.effects: list[Any] = []

    def send(self, name: str, **attrs: Any) -> HttpCall:
        """Send an event; answers the request that it leads to."""
        domain, kind = name.split(":")
        bench = self.krl.bench
        bench.engine.receive(
            EventMessage(self.krl.did, domain, kind, attrs, OWNER, None, "reply"), bench.clock.now
        )
        return self.next()

    def next(self) -> HttpCall:
        self.effects += self.krl.bench.run()
        calls = [one for one in self.effects if isinstance(one, HttpCall)]
        assert calls, self.krl.errors
        return calls[-1]

    def answer(self, call: HttpCall, value: Any = ANSWER, error: EngineError | None = None) -> None:
        bench = self.krl.bench
        bench.engine.receive(WaitAnswer(call.wait, value, error), bench.clock.now)
        self.effects += bench.run()

    @property
    def directives(self) -> list[Any]:
        return [one["options"] for effect in self.effects for one in getattr(effect, "directives", [])]


def act(action: str) -> Web:
    return Web(
        f"rule r {{ select when a b {action} setting(x) always {{ ent:x := x }} }} "
        'rule s { select when a s send_directive("d", ent:x) }'
    )


def test_a_rule_waits_for_the_answer() -> None:
    web = act(
        'http:get("https://x.example/y", qs = {"a b": [1, "ü"]}, headers = {"X-Mine": 5}, parseJSON = true)'
    )
    call = web.send("a:b")
    assert (call.method, call.url) == ("GET", "https://x.example/y?a%20b%5B0%5D=1&a%20b%5B1%5D=%C3%BC")
    assert call.headers == {"user-agent": "picomesh", "x-mine": "5"}
    assert (call.body, call.follow_redirects, call.rid) == (None, True, "t")
    web.answer(call)
    assert web.krl.options("a:s") == [{**ANSWER, "content": {"a": 1}}]


@pytest.mark.parametrize(
    ("arguments", "body", "content_type"),
    [
        ('body = "text", json = {"a": 1}', "text", None),
        ('json = {"a": [1, null]}, form = {"b": 1}', '{"a":[1,null]}', "application/json"),
        ('form = {"b": {"c": "d e"}}', "b%5Bc%5D=d%20e", "application/x-www-form-urlencoded"),
        ('json = {"a": 1}, headers = {"Content-Type": "x/y"}', '{"a":1}', "x/y"),
        ("dontFollowRedirect = true", None, None),
    ],
)
def test_bodies(arguments: str, body: str | None, content_type: str | None) -> None:
    call = act(f'http:post("http://x.example/", {arguments})').send("a:b")
    assert call.body == body
    assert call.headers.get("content-type") == content_type
    assert call.follow_redirects == ("Redirect" not in arguments)


def test_credentials() -> None:
    call = act('http:get("http://x.example/", auth = {"username": "me", "password": "secret"})').send("a:b")
    assert call.headers["authorization"] == "Basic bWU6c2VjcmV0"


def test_the_answer_is_raised() -> None:
    web = Web(
        'rule r { select when a b http:post("http://x.example/", autoraise = "mine") } '
        'rule s { select when http post send_directive("d", event:attrs) }'
    )
    web.answer(web.send("a:b"))
    assert web.directives == [{**ANSWER, "label": "mine"}]


def test_the_answer_is_sent() -> None:
    web = Web(
        'rule r { select when a b http:put("http://x.example/", autosend = {"eci": event:attrs{"eci"}, '
        '"domain": "x", "type": "y", "attrs": {"n": 1}}) always { ent:n := "at once" } } '
        "rule s { select when x y always { ent:got := event:attrs } } "
        'rule t { select when a t send_directive("d", {"n": ent:n, "got": ent:got}) }'
    )
    pico = web.krl.pico
    eci = web.krl.bench.operate(
        web.krl.did,
        lambda pico: pico.engine.family.new_channel(pico, (), ALLOW_ALL, ALLOW_ALL, ("http",)).eci,
    )
    call = web.send("a:b", eci=eci)
    assert pico.turn is None, "nobody waits"
    assert not call.waits
    assert web.krl.options("a:t") == [{"n": "at once", "got": None}]
    web.answer(call)
    assert web.krl.options("a:t") == [{"n": "at once", "got": {"n": 1, **ANSWER}}]


def test_a_function_in_a_query() -> None:
    web = Web('global { it = function(){ http:get("http://x.example/"){"status_code"} } }', "shares it")
    bench = web.krl.bench
    bench.engine.receive(QueryMessage(web.krl.did, "t", "it", {}, OWNER, None, "reply"), bench.clock.now)
    web.answer(web.next())
    assert [one.value for one in web.effects if hasattr(one, "value")] == [200]


def test_a_failure_fails_the_rule() -> None:
    web = act('http:get("http://x.example/")')
    web.answer(web.send("a:b"), None, FetchFailed("nobody answers"))
    assert "t.krl:1:" in web.krl.errors[0]
    assert "nobody answers" in web.krl.errors[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "Error: http:get needs a url string"),
        ("5", "TypeError: http:get was given 5 instead of a url string"),
        ('"http://x.example/", autosend = {"domain": "x"}', "Error: missing event.eci"),
        ('"http://x.example/", autosend = {"eci": "c", "domain": "x"}', "Error: missing event.name"),
    ],
)
def test_what_cannot_be_asked(arguments: str, said: str) -> None:
    krl = act(f"http:get({arguments})").krl
    krl.event("a:b")
    assert said in krl.errors[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, ""),
        ({"a": None, "b": UNDEFINED, "c": True, "d": 1.5}, "a=&c=true&d=1.5"),
        ({"a": {"b": [1, {"c": 2}]}}, "a%5Bb%5D%5B0%5D=1&a%5Bb%5D%5B1%5D%5Bc%5D=2"),
        ({"é&=": "~-._ /?"}, "%C3%A9%26%3D=~-._%20%2F%3F"),
        ({"2": "b", "1": "a"}, "1=a&2=b"),
        ("text", ""),
    ],
)
def test_query_strings(value: Any, text: str) -> None:
    assert query_string(value) == text
