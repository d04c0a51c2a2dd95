"""The existing engine's HTTP surface, as its clients know it (facts probed on version 1.4.0)."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from pico_node.node import Node
from pico_node.options import UpOptions

UI = "io.picolabs.pico-engine-ui"
ALL = {
    "tags": ["all"],
    "eventPolicy": {"allow": [{"domain": "*", "name": "*"}], "deny": [{"domain": "no", "name": "*"}]},
    "queryPolicy": {"allow": [{"rid": "*", "name": "*"}], "deny": [{"rid": "*", "name": "denied"}]},
}
RULESET = """
ruleset test.shop {
  meta { use module io.picolabs.wrangler alias wrangler
    shares asking_on, made_over, nothing, unset, sum, page, headers, map, denied, failing }
  global {
    nothing = function(){ null }
    unset = function(){ ent:unset }
    sum = function(a, b){ a + b }
    page = function(){ "<b>hi</b>" }
    headers = function(_headers){ _headers }
    map = function(){ {"a": 1} }
    denied = function(){ 1 }
    asking_on = function(){
      wrangler:picoQuery(wrangler:children().head(){"eci"}, "io.picolabs.wrangler", "no_such") }
    made_over = function(){ ent:made_over }
    failing = function(){ {}.reduce("x") }
  }
  rule bought { select when shop bought
    send_directive("sold", event:attrs.delete("_headers")) }
  rule broken { select when shop broken
    pre { x = 1.klog("m").reduce("x") }
    send_directive("never", {"x": x}) }
  rule still { select when shop broken
    send_directive("still") }
  rule child { select when wrangler new_child_created
    fired { ent:made_over := [meta:eci, event:attrs{["_headers", "referer"]}] } }
  rule two { select when shop two
    foreach ["/a b/é?x=%20#y", "/second"] setting(url)
    send_directive("_redirect", {"url": url}) }
  rule web { select when shop web
    every {
      send_directive("_cookie", {"cookie": "a=b; Path=/"})
      send_directive("_redirect", {"url": "http://example.org/next"})
    }
  }
}
"""


class Client:
    """Asks a node as an old client does."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session
        self.eci = ""
        self.node: Node

    async def ask(self, path: str, method: str = "GET", **more: Any) -> tuple[int, str, Any]:
        async with self.session.request(method, self.url + path, allow_redirects=False, **more) as answer:
            return answer.status, await answer.text(), answer.headers

    async def get(self, path: str, **more: Any) -> Any:
        status, text, _ = await self.ask(path, **more)
        assert status == 200
        return json.loads(text)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("<title>Picos</title>")
    (page / "app.js").write_text("1")
    (tmp_path / "secret").write_text("0wn3d")
    (tmp_path / "test.shop.krl").write_text(RULESET)
    options = UpOptions(
        tmp_path / "home",
        ("127.0.0.1", 0),
        open_browser=False,
        mdns=False,
        compat=True,
        compat_ui=page,
        ruleset_folders=(tmp_path,),
    )
    node = Node(options)
    await node.run_up()
    try:
        async with aiohttp.ClientSession() as session:
            client = Client(node.http_url, session)
            client.node = node
            ui = (await client.get("/api/ui-context"))["eci"]
            await client.ask(f"/c/{ui}/event-wait/engine_ui/new_channel", "POST", json=ALL)
            pico = await client.get(f"/c/{ui}/query/{UI}/pico")
            client.eci = next(one["id"] for one in pico["channels"] if one["tags"] == ["all"])
            url = (tmp_path / "test.shop.krl").as_uri()
            await client.get(f"/c/{client.eci}/event-wait/wrangler/install_ruleset_request?url={quote(url)}")
            yield client
    finally:
        await node.take_down()


async def test_the_page_finds_the_root_pico(client: Client) -> None:
    context = await client.get("/api/ui-context")
    assert context["version"] == "1.4.0"
    box = await client.get(f"/c/{context['eci']}/query/{UI}/box")
    assert box["eci"] == context["eci"]
    assert (await client.ask("/"))[1] == "<title>Picos</title>"
    assert (await client.ask("/app.js"))[1] == "1"
    for path in ("/../secret", "/%2e%2e/secret", "/nothing"):
        assert "0wn3d" not in (await client.ask(path))[1]


async def test_events_and_queries(client: Client) -> None:
    eci = client.eci
    answer = await client.get(f"/c/{eci}/event-wait/shop/bought?what=tea&n=1&n=2")
    (directive,) = answer["directives"]
    assert directive["options"] == {"what": "tea", "n": ["1", "2"]}
    assert directive["meta"] == {"rid": "test.shop", "rule_name": "bought", "txnId": answer["eid"]}
    assert isinstance(await client.get(f"/c/{eci}/event/shop/bought"), str)
    for path in (f"/c/{eci}/query/test.shop/sum", f"/sky/cloud/{eci}/test.shop/sum"):
        assert await client.get(path, params={"a": "x", "b": "y"}) == "xy"
    assert await client.get(f"/c/{eci}/event/shop/bought/query/test.shop/map") == {"a": 1}
    assert await client.get(f"/c/{quote(eci, safe='')}/query/test.shop/map") == {"a": 1}


async def test_bodies(client: Client) -> None:
    bought, total = f"/c/{client.eci}/event-wait/shop/bought", f"/c/{client.eci}/query/test.shop/sum"

    async def options(**more: Any) -> Any:
        return json.loads((await client.ask(bought, "POST", **more))[1])["directives"][0]["options"]

    assert await options(json={"a": 1}, params={"a": "0", "b": "2"}) == {"a": 1, "b": "2"}
    assert await options(data={"a": "1"}) == {"a": "1"}
    assert await options(json=["x", "y"]) == {"0": "x", "1": "y"}
    assert await options(data=b'{"a":1}', headers={"Content-Type": "application/octet-stream"}) == {"a": 1}
    assert await options(data=b'{"a":1}', headers={"Content-Type": "text/plain"}) == {}
    assert json.loads((await client.ask(total, "POST", json=[1, 2]))[1]) == 3
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await client.ask(bought, method))[0] == 200


async def test_undefined_is_an_empty_body_and_null_is_null(client: Client) -> None:
    status, text, headers = await client.ask(f"/c/{client.eci}/query/test.shop/nothing")
    assert (status, text, headers["Content-Type"]) == (200, "", "application/json; charset=utf-8")
    assert (await client.ask(f"/c/{client.eci}/query/test.shop/unset"))[1] == "null"
    after_event = f"/c/{client.eci}/event/shop/bought/query/test.shop/"
    status, text, headers = await client.ask(after_event + "nothing")
    assert (status, text, headers["Content-Type"]) == (200, "", "application/json; charset=utf-8")
    assert (await client.ask(after_event + "unset"))[1] == "null"


async def test_a_failed_rule_is_the_answer(client: Client, tmp_path: Path) -> None:
    for path in ("event-wait/shop/broken", "event/shop/broken/query/test.shop/map"):
        error = (await client.get(f"/c/{client.eci}/{path}"))["error"]
        assert error.startswith("TypeError: ")
        assert "krl:" in error
    missing = quote((tmp_path / "none.krl").as_uri())
    answer = await client.get(f"/c/{client.eci}/event-wait/engine_ui/install?url={missing}")
    assert "none.krl" in answer["error"]
    lost = f"/c/{client.eci}/event-wait/wrangler/channel_deletion_request?eci=nowhere"
    assert (await client.get(lost))["error"] == "Error: ECI not found nowhere"
    answer = await client.get(f"/c/{client.eci}/event-wait/wrangler/install_ruleset_request")
    assert answer["directives"] == [], "a request with an attribute missing is passed over"
    file = tmp_path / "user.krl"
    file.write_text("ruleset user { meta { use module no.such } }")
    answer = await client.get(f"/c/{client.eci}/event-wait/engine_ui/install?url={quote(file.as_uri())}")
    assert answer["error"].startswith("Error: Dependant module not loaded: no.such")
    file = tmp_path / "bad.krl"
    file.write_text("ruleset bad {\n  rule x {")
    answer = await client.get(f"/c/{client.eci}/event-wait/engine_ui/install?url={quote(file.as_uri())}")
    assert " [at line 2 col " in answer["error"]


@pytest.mark.parametrize("start", ["/c/ECI/query/test.shop/", "/sky/cloud/ECI/test.shop/"])
async def test_pages_of_rulesets(client: Client, start: str) -> None:
    start = start.replace("ECI", client.eci)
    for suffix, kind in ((".html", "text/html; charset=utf-8"), (".txt", "text/plain; charset=utf-8")):
        _, text, headers = await client.ask(f"{start}page{suffix}")
        assert text == "<b>hi</b>"
        assert headers["Content-Type"] == kind
    assert "TypeError" in (await client.get(f"{start}map.html"))["error"]


async def test_cookies_and_redirects_of_sky_events(client: Client) -> None:
    status, text, headers = await client.ask(f"/sky/event/{client.eci}/none/shop/web")
    assert (status, headers["Set-Cookie"], headers["Location"]) == (
        302,
        "a=b; Path=/",
        "http://example.org/next",
    )
    assert text == "Found. Redirecting to http://example.org/next"
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    browser = {"Accept": "text/html,*/*;q=0.8"}
    _, text, headers = await client.ask(f"/sky/event/{client.eci}/none/shop/web", headers=browser)
    assert text == "<p>Found. Redirecting to http://example.org/next</p>"
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    status, _, headers = await client.ask(f"/c/{client.eci}/event-wait/shop/web")
    assert status == 200
    assert "Set-Cookie" not in headers
    answer = await client.get(f"/sky/event/{client.eci}/mine/shop/bought")
    assert answer["directives"][0]["options"] == {"__eid": "mine"}
    assert answer["eid"] != "mine"


async def test_the_first_redirect_counts_and_is_percent_encoded(client: Client) -> None:
    _, _, headers = await client.ask(f"/sky/event/{client.eci}/none/shop/two")
    assert headers["Location"] == "/a%20b/%C3%A9?x=%20#y"


async def make_child(client: Client) -> None:
    made = f"/c/{client.eci}/event-wait/wrangler/new_child_request?name=kid"
    assert "error" not in await client.get(made, headers={"Referer": "http://example.org/page"})


async def test_rules_behind_built_in_ones_know_the_channel_and_the_headers(client: Client) -> None:
    """Applications make links and redirects of them; what built-in rulesets raise has them all the same."""
    await make_child(client)
    seen = await client.get(f"/c/{client.eci}/query/test.shop/made_over")
    assert seen == [client.eci, "http://example.org/page"]


async def test_what_a_query_asked_on_for_is_named(client: Client) -> None:
    await make_child(client)
    answer = await client.get(f"/c/{client.eci}/query/test.shop/asking_on")
    assert answer == {"error": 'Error: Ruleset io.picolabs.wrangler does not have query function "no_such"'}


async def test_an_unknown_ruleset_is_named(client: Client) -> None:
    answer = await client.get(f"/c/{client.eci}/event-wait/wrangler/install_ruleset_request?url=nowhere")
    assert "nowhere" in answer["error"]


async def test_rulesets_see_all_headers_but_the_nodes_secrets(client: Client) -> None:
    sent = {
        "X-Mine": "1",
        "Authorization": "Bearer s3cret",
        "Cookie": "picomesh_session_1=s3cret; theme=dark",
    }
    seen = await client.get(f"/c/{client.eci}/query/test.shop/headers", headers=sent)
    assert seen["x-mine"] == "1"
    assert seen["cookie"] == "theme=dark"
    assert "authorization" not in seen


async def test_errors_have_status_200_and_the_old_words(client: Client) -> None:
    eci, family, ui = client.eci, "", (await client.get("/api/ui-context"))["eci"]
    for channel in await client.get(f"/c/{eci}/query/io.picolabs.wrangler/channels"):
        if "self" in channel["tags"]:
            family = channel["id"]
    for path, words in {
        "/c/nobody/query/a.b/c": "Error: ECI not found nobody",
        "/c/nobody/event/a/b": "Error: ECI not found nobody",
        f"/c/{eci}/query/no.such/x": "Error: Pico doesn't have no.such installed.",
        f"/c/{eci}/query/test.shop/x": 'Error: Ruleset test.shop does not have query function "x"',
        f"/c/{eci}/event/no/way": "Error: Denied by channel policy",
        f"/c/{eci}/query/test.shop/denied": "Error: Denied by channel policy",
        f"/c/{eci}/event/shop/bought/query/test.shop/denied": "Error: Denied by channel policy",
        f"/c/{ui}/event/shop/bought": "Error: Not allowed by channel policy",
        f"/c/{ui}/query/test.shop/map": "Error: Not allowed by channel policy",
        f"/c/{family}/event/a/b": "Error: This is a family channel and only the owner can use it.",
        "/api/flush": "TypeError: Expected `url`",
    }.items():
        assert await client.get(path) == {"error": words}, path
    status, text, _ = await client.ask(
        f"/c/{eci}/event/a/b", "POST", data="{", headers={"Content-Type": "application/json"}
    )
    assert (status, json.loads(text)["error"].partition(":")[0]) == (200, "SyntaxError")
    large = io.BytesIO(b'"' + b"x" * 1_100_000 + b'"')
    _, text, _ = await client.ask(
        f"/c/{eci}/event/a/b", "POST", data=large, headers={"Content-Type": "application/json"}
    )
    assert json.loads(text) == {"error": "PayloadTooLargeError: request entity too large"}


async def test_a_flush_tells_what_it_found(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "test.shop.krl"
    told = await client.get("/api/flush", params={"url": file.as_uri()})
    assert told["rid"] == "test.shop"
    assert set(told) == {"url", "rid", "hash", "flushed", "compiler"}
    file.write_text("ruleset test.shop {\n\n\n  meta {")
    told = await client.get("/api/flush", params={"url": file.as_uri()})
    assert told["error"].startswith("ParseError: ")
    assert told["error"].endswith("]")
    assert " [at line 4 col " in told["error"]
    assert await client.get(f"/c/{client.eci}/query/test.shop/map") == {"a": 1}, "the old version runs"


async def test_files_are_rulesets_where_the_owner_says_so(
    client: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "mine.krl").write_text("ruleset mine { meta { shares x } global { x = function(){ 1 } } }")
    (folder / "other.krl").write_text("ruleset other { }")

    async def install(name: str) -> Any:
        url = quote((folder / name).as_uri())
        return await client.get(f"/c/{client.eci}/event-wait/wrangler/install_ruleset_request?url={url}")

    assert "no folder that rulesets may come from" in (await install("mine.krl"))["error"]
    root = (await client.node.command("status"))["root"]
    await client.node.command("ruleset_install", pico=root, url=(folder / "mine.krl").as_uri(), config={})
    assert "error" not in await install("mine.krl"), "the owner named it"
    assert "no folder" in (await install("other.krl"))["error"], "but not this"
    url = (folder / "other.krl").as_uri()
    assert "no folder" in (await client.get("/api/flush", params={"url": url}))["error"]


async def test_applications_bring_a_pds_of_their_own(client: Client, tmp_path: Path) -> None:
    def url(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return quote((tmp_path / name).as_uri())

    pds = "ruleset io.picolabs.pds { meta { provides getData } global { getData = function(){ 7 } } }"
    user = """ruleset user { meta { use module io.picolabs.pds alias pds shares ask }
              global { ask = function(){ pds:getData() } } }"""
    for one in (url("io.picolabs.pds.krl", pds), url("user.krl", user)):
        path = f"/c/{client.eci}/event-wait/wrangler/install_ruleset_request?url={one}"
        assert "error" not in await client.get(path)
    assert await client.get(f"/c/{client.eci}/query/user/ask") == 7


async def test_any_web_page_may_ask(client: Client) -> None:
    status, _, headers = await client.ask("/c/x/event/a/b", "OPTIONS")
    assert status == 200
    assert headers["Allow"] == "POST, GET, OPTIONS"
    assert headers["Access-Control-Allow-Methods"] == "POST, GET, OPTIONS"
    status, _, headers = await client.ask("/api/ui-context", headers={"Origin": "http://elsewhere.example"})
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, "*")


async def test_but_not_under_a_foreign_name_and_not_the_owners_api(client: Client) -> None:
    assert (await client.ask("/api/ui-context", headers={"Host": "evil.example"}))[0] == 421
    assert (await client.ask("/api/v1/picos"))[0] == 401
    foreign = {"Origin": "http://elsewhere.example"}
    assert (await client.ask("/api/v1/picos", headers=foreign))[0] == 403


async def test_what_a_client_has_is_not_sent_again(client: Client) -> None:
    path = f"/c/{client.eci}/query/test.shop/map"
    _, _, headers = await client.ask(path)
    status, text, _ = await client.ask(path, headers={"If-None-Match": headers["ETag"]})
    assert (status, text) == (304, "")


async def test_unknown_paths(client: Client) -> None:
    status, text, headers = await client.ask("/c/x/<script>")
    assert status == 404
    assert headers["Content-Type"].startswith("text/html")
    assert "<script>" not in text
    for path in ("/nothing/here?x=1", "/c", "/api/nothing", "/c/x/event/a", "/sky/cloud/x"):
        for method in ("GET", "POST"):
            status, text, _ = await client.ask(path, method)
            assert status == 404
            assert f"<pre>Cannot {method} {path.partition('?')[0]}</pre>" in text
    status, text, _ = await client.ask("/api/v1/nothing")
    assert "<pre>" not in text, "the owner's API has its own errors"


async def test_new_picos_have_the_old_engines_rulesets(client: Client) -> None:
    ui = (await client.get("/api/ui-context"))["eci"]
    answer = await client.get(
        f"/c/{ui}/event/engine_ui/new/query/{UI}/box?name=kid&backgroundColor=%23ff0000"
    )
    (child,) = answer["children"]
    box = await client.get(f"/c/{child}/query/{UI}/box")
    assert (box["name"], box["backgroundColor"], box["parent"]) == ("kid", "#ff0000", ui)
    rids = [one["rid"] for one in (await client.get(f"/c/{child}/query/{UI}/pico"))["rulesets"]]
    assert set(rids) >= {UI, "io.picolabs.wrangler", "io.picolabs.subscription", "io.picolabs.pds"}
    await client.get(f"/c/{ui}/event-wait/engine_ui/del?eci={child}")
    assert (await client.get(f"/c/{ui}/query/{UI}/box"))["children"] == []
