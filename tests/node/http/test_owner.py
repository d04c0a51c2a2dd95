"""The owner's API: every operation reaches its command, parameters are strict, every error is a problem."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import pytest

from pico_engine.errors import LimitExceeded, StoreFull, UnknownPico
from pico_node.http.operations import OPERATIONS

CALLS = [
    ("GET", "/status", None, "status", {}),
    ("GET", "/mediation", None, "mediation", {}),
    ("GET", "/picos?limit=5", None, "pico_list", {"limit": 5}),
    ("POST", "/picos", {"name": "a", "parent": "b", "rulesets": ["c"]}, "pico_new",
     {"name": "a", "parent": "b", "rulesets": ["c"]}),
    ("GET", "/picos/@", None, "pico_show", {"pico": ""}),
    ("GET", "/picos/did:key:z6Mk", None, "pico_show", {"pico": "did:key:z6Mk"}),
    ("GET", "/picos/did%3Akey%3Az6Mk", None, "pico_show", {"pico": "did:key:z6Mk"}),
    ("GET", "/picos/a%2Fb%20c", None, "pico_show", {"pico": "a/b c"}),
    ("DELETE", "/picos/a", None, "pico_delete", {"pico": "a"}),
    ("GET", "/picos/a/rulesets", None, "ruleset_list", {"pico": "a"}),
    ("POST", "/picos/a/rulesets", {"rid": "r", "config": {"x": 1}}, "ruleset_install",
     {"pico": "a", "rid": "r", "config": {"x": 1}}),
    ("DELETE", "/picos/a/rulesets/r.s", None, "ruleset_uninstall", {"pico": "a", "rid": "r.s"}),
    ("GET", "/rulesets", None, "ruleset_list", {}),
    ("POST", "/rulesets/flush", {"url": "file:///x.krl"}, "ruleset_flush", {"url": "file:///x.krl"}),
    ("GET", "/rulesets/urls", None, "ruleset_urls", {}),
    ("POST", "/rulesets/load", None, "ruleset_load", {}),
    ("GET", "/picos/a/channels", None, "channel_list", {"pico": "a"}),
    ("POST", "/picos/@/channels", {"tags": ["t"], "event_policy": {"allow": [], "deny": []}}, "channel_new",
     {"pico": "", "tags": ["t"], "event_policy": {"allow": [], "deny": []}}),
    ("DELETE", "/picos/a/channels/did:peer:4z", None, "channel_delete", {"pico": "a", "eci": "did:peer:4z"}),
    ("POST", "/events", {"target": "", "name": "a:b", "attrs": {"x": None}}, "event",
     {"target": "", "name": "a:b", "attrs": {"x": None}}),
    ("POST", "/picos/@/events", {"name": "a:b"}, "event", {"target": "", "name": "a:b"}),
    ("POST", "/queries", {"target": "e", "rid": "r", "name": "q", "args": [1], "pico": "p"}, "query",
     {"target": "e", "rid": "r", "name": "q", "args": [1], "pico": "p"}),
    ("POST", "/picos/a/queries", {"rid": "r", "name": "q"}, "query",
     {"target": "a", "rid": "r", "name": "q"}),
    ("POST", "/picos/a/connections", {"url": "https://x", "name": "n"}, "accept",
     {"pico": "a", "url": "https://x", "name": "n"}),
    ("GET", "/picos/a/connections", None, "connections", {"pico": "a"}),
    ("GET", "/connections", None, "connections", {}),
    ("DELETE", "/picos/a/connections/c1", None, "connection_end", {"pico": "a", "id": "c1"}),
    ("GET", "/logs?pico=a&most=3", None, "logs", {"pico": "a", "most": 3}),
    ("GET", "/traces", None, "traces", {}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "command", "parameters"), CALLS)
async def test_every_operation_reaches_its_command(world, method, path, body, command, parameters):
    world.node.answers[command] = {"answer": command}
    status, answer, response = await world.own(method, path, **({} if body is None else {"json": body}))
    assert world.node.calls == [("command", command, parameters)]
    assert answer == {"answer": command}
    assert response.headers["Cache-Control"] == "no-store"
    operation = next(one for one in OPERATIONS if one.command == command and one.method == method)
    assert status == operation.status


def test_the_table_above_is_complete():
    assert {call[3] for call in CALLS} | {"invite"} == {operation.command for operation in OPERATIONS}


async def test_an_invitation_brings_its_qr_code(world):
    world.node.answers["invite"] = {"id": "i", "url": "https://x/?_oob=" + "a" * 900, "pico": "p"}
    status, answer, _ = await world.own(
        "POST", "/picos/@/invitations", json={"my_role": "host", "expires_s": 60}
    )
    assert status == 201
    assert world.node.calls == [("command", "invite", {"pico": "", "my_role": "host", "expires_s": 60})]
    assert ElementTree.fromstring(answer["svg"]).tag.endswith("svg")
    world.node.answers["invite"] = {"id": "i", "url": "https://x/?_oob=" + "a" * 5_000, "pico": "p"}
    assert (await world.own("POST", "/picos/@/invitations"))[1]["svg"] is None


@pytest.mark.parametrize(
    ("method", "path", "body", "part"),
    [
        ("POST", "/picos", {}, "lacks the field `name`"),
        ("POST", "/picos", {"name": "a", "colour": "red"}, "unknown field `colour`"),
        ("POST", "/picos", {"name": 3}, "`name` must be text"),
        ("POST", "/picos", {"name": "x" * 5_000}, "`name` must be text"),
        ("POST", "/picos", {"name": "a", "rulesets": ["b", 1]}, "`rulesets` must be a list"),
        ("POST", "/picos", [], "must be a JSON object"),
        ("POST", "/events", {"target": "a", "name": "nocolon"}, "of the form domain:type"),
        ("POST", "/events", {"target": "a", "name": "a:b", "attrs": []}, "`attrs` must be a JSON object"),
        ("POST", "/picos/a/events", {"name": "a:b", "target": "c"}, "unknown field `target`"),
        ("POST", "/picos/a/invitations", {"expires_s": True}, "`expires_s` must be a whole number"),
        ("POST", "/picos/a/invitations", {"expires_s": 1}, "`expires_s` must be a whole number"),
        ("GET", "/picos?limit=0", None, "`limit` must be a whole number"),
        ("GET", "/picos?limit=1e3", None, "`limit` must be a whole number"),
        ("GET", "/picos?limit=1&limit=2", None, "names a parameter twice"),
        ("GET", "/status?x=1", None, "unknown field `x`"),
        ("DELETE", "/picos/a", {"x": 1}, "takes no body"),
        ("POST", "/login-codes", {"x": 1}, "unknown field `x`"),
    ],
)
async def test_parameters_are_strict(world, method, path, body, part):
    status, answer, _ = await world.own(method, path, **({} if body is None else {"json": body}))
    assert status == 400
    assert answer["code"] == "bad-request"
    assert part in answer["detail"]
    assert answer["hint"]
    assert world.node.calls == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_only_json_bodies(world, kind):
    status, answer, _ = await world.own(
        "POST", "/picos", data=b'{"name": "a"}', headers={"Content-Type": kind}
    )
    assert (status, answer["code"]) == (415, "wrong-media-type")


@pytest.mark.parametrize(
    "error", [UnknownPico("no pico x"), LimitExceeded("too much"), StoreFull("disk full")]
)
async def test_errors_are_problems(world, error):
    world.node.error = error
    status, answer, response = await world.own("GET", "/status")
    assert status == error.status
    assert answer == {
        "type": f"urn:picomesh:problem:{error.code}", "title": type(error).__doc__, "status": error.status,
        "detail": str(error), "hint": error.hint, "code": error.code,
    }  # fmt: skip
    assert response.headers["Content-Type"] == "application/problem+json"


async def test_a_defect_is_told_without_its_story(world):
    world.node.error = ZeroDivisionError("inside")
    status, answer, _ = await world.own("GET", "/status")
    assert (status, answer["code"]) == (500, "node-failed")
    assert "inside" not in json.dumps(answer)


async def test_unknown_paths_and_methods(world):
    assert (await world.own("GET", "/nothing"))[1]["code"] == "no-such-resource"
    status, answer, response = await world.ask("PUT", "/healthz")
    assert (status, answer["code"]) == (405, "method-not-allowed")
    assert "GET" in response.headers["Allow"]
    assert (await world.ask("GET", "/nothing"))[0] == 404
