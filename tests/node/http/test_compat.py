"""The channel URLs answer as the existing engine's clients expect, and keep what must be safe."""

from __future__ import annotations

import contextlib
import json
from urllib.parse import quote

import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.errors import (
    BadRequest,
    Busy,
    DeniedByPolicy,
    RulesetFailed,
    UnknownQuery,
    UnknownRuleset,
)
from pico_node.http.app import make_app
from pico_node.http.compat import parse_path
from tests.node.http.helpers import ECI, TOKEN, FakeNode, World

DIRECTIVE = {"type": "directive", "name": "recorded", "options": {}, "meta": {}}
STRICT = {"Accept": "application/problem+json"}


def without_headers(call: tuple) -> tuple:
    attrs = dict(call[4])
    attrs.pop("_headers")
    return (*call[:4], attrs, *call[5:])


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("eci", [ECI, quote(ECI, safe="")])
async def test_event_wait_takes_any_method_and_both_spellings_of_a_did(world, method, eci):
    status, body, response = await world.ask(method, f"/c/{eci}/event-wait/sensor/reading?celsius=21.5")
    assert (status, body) == (200, {"eid": "e1", "directives": [DIRECTIVE]})
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in response.headers
    assert without_headers(world.node.calls[0]) == ("event", ECI, "sensor", "reading", {"celsius": "21.5"})


async def test_event_without_waiting_answers_its_id(world):
    assert (await world.ask("POST", f"/c/{ECI}/event/sensor/reading", json={"a": 1}))[:2] == (200, "e2")
    assert without_headers(world.node.calls[0]) == ("event_queued", ECI, "sensor", "reading", {"a": 1})


async def test_event_then_query_passes_both(world):
    world.node.value = [1, 2]
    assert (await world.ask("GET", f"/c/{ECI}/event/a/b/query/org.x/all?n=1"))[1] == [1, 2]
    assert without_headers(world.node.calls[0]) == (
        "event_then_query",
        ECI,
        "a",
        "b",
        {"n": "1"},
        "org.x",
        "all",
    )


@pytest.mark.parametrize("path", [f"/c/{ECI}/query/org.x/all", f"/sky/cloud/{ECI}/org.x/all"])
async def test_query_by_both_paths(world, path):
    world.node.value = {"celsius": 21.5}
    assert (await world.ask("GET", path + "?n=2"))[:2] == (200, {"celsius": 21.5})
    assert world.node.calls == [("query", ECI, "org.x", "all", {"n": "2"})]


async def test_a_query_of_nothing_answers_null(world):
    async with world.client.get(world.url(f"/c/{ECI}/query/org.x/all")) as response:
        assert (response.status, await response.read()) == (200, b"null")


async def test_a_json_array_body_is_positional_arguments(world):
    await world.ask("POST", f"/c/{ECI}/query/org.x/add?ignored=1", json=[1, 2])
    assert world.node.calls == [("query", ECI, "org.x", "add", [1, 2])]


async def test_an_event_takes_no_array(world):
    status, body, _ = await world.ask("POST", f"/c/{ECI}/event-wait/a/b", json=[1])
    assert status == 200
    assert body["error"].startswith("Error: an event's attributes must be a JSON object")
    assert world.node.calls == []


@pytest.mark.parametrize("eid", ["none", "123abc"])
async def test_sky_event_keeps_the_callers_event_id(world, eid):
    await world.ask("GET", f"/sky/event/{ECI}/{eid}/sensor/reading")
    (_, _, _, _, attrs) = world.node.calls[0]
    assert attrs.get("__eid") == (None if eid == "none" else eid)


@pytest.mark.parametrize(
    ("kind", "body", "attrs"),
    [
        ("application/json", b'{"a": [1, null]}', {"a": [1, None], "q": "0"}),
        ("application/json; charset=utf-8", b'{"q": 2}', {"q": 2}),
        ("APPLICATION/JSON", b'{"q": 3}', {"q": 3}),
        ("application/octet-stream", b'{"q": 4}', {"q": 4}),
        ("application/ssi-agent-wire", b'{"q": 5}', {"q": 5}),
        ("application/didcomm-encrypted+json", b'{"protected": "x"}', {"protected": "x", "q": "0"}),
        ("application/x-www-form-urlencoded", b"b=1&b=2&b=3&q=%C3%A4+o", {"b": ["1", "2", "3"], "q": "ä o"}),
        ("text/plain", b"whatever", {"q": "0"}),
    ],
)
async def test_bodies_win_over_the_query_string(world, kind, body, attrs):
    await world.ask("POST", f"/c/{ECI}/event-wait/a/b?q=0", data=body, headers={"Content-Type": kind})
    assert without_headers(world.node.calls[0])[4] == attrs


async def test_repeated_keys_of_the_query_string_make_a_list(world):
    await world.ask("GET", f"/c/{ECI}/event-wait/a/b?t=1&t=&u=%2B")
    assert without_headers(world.node.calls[0])[4] == {"t": ["1", ""], "u": "+"}


async def test_headers_become_an_attribute_without_secrets(world):
    secrets = {
        "Authorization": "Bearer s3cret",
        "Cookie": "a=s3cret",
        "X-Api-Key": "s3cret",
        "Referer": "s3cret",
    }
    await world.ask(
        "GET", f"/c/{ECI}/event-wait/a/b?_headers=forged", headers={"User-Agent": "kettle/1", **secrets}
    )
    shown = world.node.calls[0][4]["_headers"]
    assert shown["user-agent"] == "kettle/1"
    assert "s3cret" not in json.dumps(shown)


OLD_TEXTS = [
    (None, "nobody", "Error: ECI not found nobody"),
    (DeniedByPolicy("no"), ECI, "Error: Not allowed by channel policy"),
    (UnknownRuleset("no"), ECI, "Error: Pico doesn't have org.x installed."),
    (UnknownQuery("no"), ECI, 'Error: Ruleset org.x does not have query function "all"'),
    (
        RulesetFailed("rule r of org.x raised ZeroDivisionError"),
        ECI,
        "Error: rule r of org.x raised ZeroDivisionError",
    ),
]


@pytest.mark.parametrize(("error", "eci", "text"), OLD_TEXTS)
async def test_errors_in_the_old_form(world, error, eci, text):
    world.node.error = error
    assert (await world.ask("GET", f"/c/{eci}/query/org.x/all"))[:2] == (200, {"error": text})


@pytest.mark.parametrize("error", [DeniedByPolicy("no"), Busy("full"), RulesetFailed("broken")])
async def test_errors_in_the_strict_form(world, error):
    world.node.error = error
    status, body, response = await world.ask("GET", f"/c/{ECI}/event-wait/a/b", headers=STRICT)
    assert (status, body["status"], body["code"], body["detail"], body["hint"]) == (
        error.status, error.status, error.code, str(error), error.hint,
    )  # fmt: skip
    assert response.headers["Content-Type"] == "application/problem+json"
    assert ("Retry-After" in response.headers) == isinstance(error, Busy)


async def test_a_defect_is_told_without_its_story(world, caplog):
    world.node.error = KeyError(f"inside {ECI}")
    status, body, _ = await world.ask("GET", f"/c/{ECI}/event-wait/a/b")
    assert (status, body["code"]) == (500, "node-failed")
    assert "inside" not in json.dumps(body)
    assert "KeyError" in caplog.text
    assert "raise self.error" in caplog.text  # the traceback is there
    assert ECI not in caplog.text


async def test_text_answers_cannot_act_as_the_nodes_pages(world):
    world.node.value = "<h1>hello</h1>"
    status, body, response = await world.ask("GET", f"/c/{ECI}/query/org.x/page.html")
    assert (status, body) == (200, "<h1>hello</h1>")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Content-Security-Policy"].startswith("sandbox")
    assert "allow-same-origin" not in response.headers["Content-Security-Policy"]
    assert world.node.calls == [("query", ECI, "org.x", "page", {})]
    _, _, plain = await world.ask("GET", f"/sky/cloud/{ECI}/org.x/page.txt")
    assert plain.headers["Content-Type"] == "text/plain; charset=utf-8"
    world.node.value = {"no": "text"}
    status, body, _ = await world.ask("GET", f"/c/{ECI}/query/org.x/page.html")
    assert (status, body["error"][:12]) == (200, "Error: the q")


async def test_directives_cannot_set_cookies_or_redirect(world):
    class Tricky(FakeNode):
        async def event(self, *args, **more):
            result = await super().event(*args, **more)
            result.directives[:] = [
                {"type": "directive", "name": "_cookie", "options": {"cookie": "a=b"}},
                {"type": "directive", "name": "_redirect", "options": {"url": "https://elsewhere.example"}},
            ]
            return result

    world.node.__class__ = Tricky
    status, body, response = await world.ask("GET", f"/sky/event/{ECI}/none/a/b")
    assert status == 200
    assert "Set-Cookie" not in response.headers
    assert "Location" not in response.headers
    assert [one["name"] for one in body["directives"]] == ["_cookie", "_redirect"]


@pytest.mark.parametrize(
    "path",
    ["/c/", f"/c/{ECI}", f"/c/{ECI}/event-wait/a", f"/c/{ECI}/event-wait/a/b/c", f"/c/{ECI}/other/a/b",
     "/c//event-wait/a/b", f"/sky/event/{ECI}/none/a", f"/sky/cloud/{ECI}/a"],
)  # fmt: skip
async def test_other_paths_are_not_found(world, path):
    status, body, _ = await world.ask("GET", path)
    assert (status, body["code"]) == (404, "no-such-resource")
    assert world.node.calls == []


async def test_no_preflight_is_answered_and_nothing_happens(world):
    status, _, response = await world.ask(
        "OPTIONS", f"/c/{ECI}/event-wait/a/b", headers={"Access-Control-Request-Method": "POST"}
    )
    assert status == 405
    assert not [name for name in response.headers if name.startswith("Access-Control")]
    assert world.node.calls == []


@pytest.mark.parametrize("body", [b"{", b"\xff", b"3", b"null", b"[" * 5000, b'{"a": NaN}'])
async def test_bodies_that_are_no_json(world, body):
    headers = {"Content-Type": "application/json"}
    status, answer, _ = await world.ask("POST", f"/c/{ECI}/event-wait/a/b", data=body, headers=headers)
    assert status == 200
    assert answer["error"].startswith("Error: the body")
    status, answer, _ = await world.ask(
        "POST", f"/c/{ECI}/event-wait/a/b", data=body, headers=headers | STRICT
    )
    assert (status, answer["code"]) == (400, "bad-request")
    assert world.node.calls == []


async def test_pipelined_requests_are_answered_in_order(world):
    one = "GET /c/{}/event-wait/a/{} HTTP/1.1\r\nHost: localhost\r\n{}\r\n"
    requests = "".join(one.format(ECI, n, "Connection: close\r\n" if n == 19 else "") for n in range(20))
    raw = await world.raw(requests.encode())
    assert raw.count(b"HTTP/1.1 200 OK") == 20
    assert [call[3] for call in world.node.calls] == [str(n) for n in range(20)]


async def test_absolute_form_is_understood(world):
    raw = await world.raw(
        f"GET http://localhost/c/{ECI}/query/a/b?x=1 HTTP/1.1\r\n"
        "Host: localhost\r\nConnection: close\r\n\r\n".encode()
    )
    assert raw.startswith(b"HTTP/1.1 200"), raw
    assert world.node.calls == [("query", ECI, "a", "b", {"x": "1"})]


segments = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)


@given(segments, segments, segments)
def test_every_segment_survives_percent_encoding(eci, domain, name):
    path = f"/c/{quote(eci, safe='')}/event-wait/{quote(domain, safe='')}/{quote(name, safe='')}"
    call = parse_path(path)
    assert call is not None
    assert (call.eci, call.domain, call.type, call.waits) == (eci, domain, name, True)


@given(st.text(max_size=60))
def test_any_path_is_a_call_or_none_or_a_bad_request(path):
    for prefix in ("/c/", "/sky/", "/c/x/event-wait/", ""):
        with contextlib.suppress(BadRequest):
            call = parse_path(prefix + path)
            assert call is None or (call.eci and (call.domain or call.rid))


async def test_works_behind_any_server_of_the_framework(world: World):
    """Without our shorter way: the routes of the application itself."""
    node = FakeNode()
    async with TestClient(TestServer(make_app(node, token=TOKEN))) as client:
        response = await client.get(f"/c/{ECI}/event-wait/a/b")
        assert (await response.json())["eid"] == "e1"
