"""The page at `/`: nothing on it can act, whatever picos are named."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from pico_node.http.app import login_path
from pico_node.http.page import PAGE_HEADERS, ROWS_MAX, landing_page, message_page, status_page
from tests.node.http.helpers import World


async def session(world: World) -> str:
    _, _, response = await world.ask("GET", login_path(world.app))
    return response.headers["Set-Cookie"].split(";")[0]


async def test_the_page_shows_the_picos_escaped(world):
    world.node.answers["status"] = {"version": "1", "addresses": ["/ip4/1", "/ip4/2"], "root": "did:key:z"}
    world.node.answers["pico_list"] = [
        {"name": "<script>x</script>", "did": "did:key:z", "children": 0, "depth": 3}
    ]
    status, body, response = await world.ask("GET", "/", headers={"Cookie": await session(world)})
    assert status == 200
    assert "&lt;script&gt;" in body
    assert "<script" not in body
    assert "/ip4/1<br>/ip4/2" in body
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http:" not in body
    assert "https:" not in body
    assert world.node.calls[1] == ("command", "pico_list", {"limit": 201})


async def test_strangers_see_only_how_to_log_in(world):
    status, body, _ = await world.ask("GET", "/")
    assert status == 200
    assert "picomesh login" in body
    assert world.node.calls == []


async def test_the_style_is_the_one_that_the_policy_admits(world):
    _, body, response = await world.ask("GET", "/")
    (style,) = re.findall(r"<style>(.*?)</style>", body, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in response.headers["Content-Security-Policy"]


class Elements(HTMLParser):
    """The elements of a page and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data) -> None:
        self.texts.append(data)


PLAIN = {"name": "a", "did": "b", "children": 0, "depth": 0}
hostile = st.text(st.sampled_from("<>&\"' =/ascriptonload:\x00")) | st.text(st.characters(codec="utf-8"))


@given(hostile, hostile, hostile)
def test_no_name_makes_an_element(name, did, home):
    plain = Elements(status_page({"home": "x", "addresses": ["y"]}, [PLAIN]))
    page = Elements(status_page({"home": home, "addresses": [home]}, [{**PLAIN, "name": name, "did": did}]))
    assert page.elements == plain.elements
    message = Elements(message_page(name, did))
    assert message.elements == Elements(message_page("a", "b")).elements


def test_every_page_is_without_scripts_and_foreign_things():
    for page in (landing_page(), message_page("a", "b"), status_page({}, [PLAIN])):
        for tag, attributes in Elements(page).elements:
            assert tag not in ("script", "img", "link", "iframe", "object")
            assert not [
                name for name in attributes if name.startswith("on") or name in ("src", "href", "style")
            ]


def test_a_long_list_ends_with_the_way_to_see_all():
    page = status_page({}, [{**PLAIN, "name": f"pico {n}"} for n in range(ROWS_MAX)])
    assert page.count("<td>pico ") == ROWS_MAX
    assert "There are more" not in page
    page = status_page({}, [{**PLAIN, "name": f"pico {n}"} for n in range(ROWS_MAX + 5)])
    assert page.count("<td>pico ") == ROWS_MAX
    assert "There are more" in page


def test_children_are_set_in_but_never_out_of_the_page():
    rows = [status_page({}, [{**PLAIN, "depth": depth}]).count("&#8195;") for depth in (0, 2, 1_000_000, "x")]
    assert rows == [0, 2, 20, 0]


def test_what_a_node_does_not_tell_is_not_shown():
    assert "Version" not in status_page({}, [])
    assert "<td class=id>1.2</td>" in status_page({"version": "1.2", "secret": "no"}, [])
    assert "secret" not in status_page({"version": "1.2", "secret": "no"}, [])


def test_nothing_may_frame_the_pages():
    assert PAGE_HEADERS["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in PAGE_HEADERS["Content-Security-Policy"]
