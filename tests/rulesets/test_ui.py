"""io.picolabs.pico-engine-ui: what the existing engine's web page asks of picos."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.harness import Bench
from pico_rulesets.subscription import Subscription
from pico_rulesets.ui import EngineUi
from pico_rulesets.wrangler import PICO_RULESETS, UI, Wrangler


@pytest.fixture
def bench() -> Bench:
    bench = Bench(Wrangler, Subscription, EngineUi, root_rulesets=(*PICO_RULESETS, UI))
    bench.engine.default_rulesets = (UI,)
    bench.event(bench.root, "engine_ui:setup")
    return bench


def ask(bench: Bench, name: str, did: str = "", **args: Any) -> Any:
    return bench.query(did or bench.root, UI, name, args)


def say(bench: Bench, name: str, did: str = "", /, **attrs: Any) -> None:
    bench.event(did or bench.root, f"engine_ui:{name}", attrs)


def child_of(bench: Bench) -> str:
    (did,) = bench.engine.pico(bench.root).children.rows
    return did


def test_picos_made_before_get_a_page_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pico_rulesets.wrangler.CHILDREN_PER_TURN_MAX", 2)
    bench = Bench(Wrangler, Subscription, EngineUi, root_rulesets=PICO_RULESETS)
    made: list[str] = []
    parents = [bench.root] * 5
    for number, parent in enumerate([*parents, "first child"]):
        parent = made[0] if parent == "first child" else parent
        before = set(bench.engine.pico(parent).children.rows)
        bench.event(parent, "wrangler:new_child_request", {"name": f"c{number}"})
        made += set(bench.engine.pico(parent).children.rows) - before
    bench.engine.default_rulesets = (UI,)
    for _ in range(2):  # the second time changes nothing
        bench.event(bench.root, "wrangler:default_rulesets_needed")
        assert len(ask(bench, "box")["children"]) == 5
        for did in made:
            box = ask(bench, "box", did)
            parent = bench.engine.pico(did).parent
            assert box["parent"] == ask(bench, "uiECI", parent)
            assert box["eci"] in ask(bench, "box", parent)["children"]
            assert box["name"].startswith("c")
    assert all(line.level != "error" for line in bench.log)


def test_without_compat_nobody_makes_picos_get_a_page(bench: Bench) -> None:
    bench.engine.default_rulesets = ()
    bench.event(bench.root, "wrangler:new_child_request", {"name": "kid"})
    bench.event(bench.root, "wrangler:default_rulesets_needed")
    assert UI not in bench.engine.pico(child_of(bench)).installed.rows


def test_only_a_child_says_where_its_page_is(bench: Bench) -> None:
    say(bench, "child_set_up", uiEci="did:example:mine")
    assert ask(bench, "box")["children"] == []


def test_setup_makes_one_channel_with_the_pages_policy(bench: Bench) -> None:
    say(bench, "setup")
    eci = ask(bench, "uiECI")
    channels = [
        one for one in bench.engine.pico(bench.root).channels.rows.values() if one.tags == ("engine", "ui")
    ]
    (channel,) = channels
    assert channel.eci == eci
    assert channel.admits_event("engine_ui", "box")
    assert channel.admits_event("wrangler", "subscription")
    assert not channel.admits_event("wrangler", "new_child_request")
    assert channel.admits_query("any.ruleset", "__testing")
    assert channel.admits_query(UI, "box")
    assert not channel.admits_query("io.picolabs.wrangler", "channels")


def test_the_box_is_as_it_was_left(bench: Bench) -> None:
    say(bench, "box", x="5", y=6.5, width=200, height=100, name="hall", backgroundColor="#FF0000")
    box = ask(bench, "box")
    assert box == {
        "eci": ask(bench, "uiECI"), "parent": None, "children": [], "name": "hall",
        "backgroundColor": "#FF0000", "x": 5, "y": 6.5, "width": 200, "height": 100,
    }  # fmt: skip
    say(bench, "box", x="wide", backgroundColor="red; background: url(x)")
    assert ask(bench, "box") == box
    assert ask(bench, "name") == "hall"


def test_children_are_known_by_their_own_pages_channels(bench: Bench) -> None:
    say(bench, "new", name="kid", backgroundColor="#00ff00")
    child = child_of(bench)
    (ui_eci,) = ask(bench, "box")["children"]
    box = ask(bench, "box", child)
    assert (box["eci"], box["parent"]) == (ui_eci, ask(bench, "uiECI"))
    assert (box["name"], box["backgroundColor"]) == ("kid", "#00ff00")
    say(bench, "del", eci="nobody")
    assert ask(bench, "box")["children"] == [ui_eci]
    say(bench, "del", eci=ui_eci)
    assert ask(bench, "box")["children"] == []
    assert bench.engine.pico(bench.root).children.rows == {}


def test_a_pico_in_detail(bench: Bench) -> None:
    say(
        bench,
        "new_channel",
        tags=["mine"],
        eventPolicy={"allow": [], "deny": []},
        queryPolicy={"allow": [], "deny": []},
    )
    pico = ask(bench, "pico")
    assert ["mine"] in [one["tags"] for one in pico["channels"]]
    (row,) = [one for one in pico["rulesets"] if one["rid"] == UI]
    assert row["url"] == f"picomesh:{UI}"
    assert set(row["meta"]) == {"krl", "krlMeta", "hash", "flushed", "compiler"}
    (mine,) = [one["id"] for one in pico["channels"] if one["tags"] == ["mine"]]
    say(bench, "del_channel", eci=mine)
    assert ["mine"] not in [one["tags"] for one in ask(bench, "pico")["channels"]]


def test_buttons_for_rulesets(bench: Bench) -> None:
    say(bench, "flush", url=f"picomesh:{UI}")
    say(bench, "uninstall", rid="io.picolabs.subscription")
    assert "io.picolabs.subscription" not in [one["rid"] for one in ask(bench, "pico")["rulesets"]]
    say(bench, "uninstall", rid="io.picolabs.subscription")
    assert not [line for line in bench.log if line.level == "error"], "it is gone already"
    say(bench, "install", rid="io.picolabs.subscription")
    assert "io.picolabs.subscription" in [one["rid"] for one in ask(bench, "pico")["rulesets"]]


def test_the_testing_channel_is_remembered(bench: Bench) -> None:
    assert ask(bench, "testingECI") is None
    say(bench, "testing_eci", eci="did:x")
    assert ask(bench, "testingECI") == "did:x"


def test_what_happened_newest_first(bench: Bench) -> None:
    say(bench, "box", x=1)
    newest = ask(bench, "logs")[0]
    assert newest["header"] == "EVENT engine_ui:box"
    assert any("change_box" in entry for entry in newest["entries"])
    assert set(newest) == {"txnId", "time", "header", "entries"}


def test_every_ruleset_tells_how_to_test_it(bench: Bench) -> None:
    told = bench.query(bench.root, "io.picolabs.wrangler", "__testing")
    assert {
        "name": "skyQuery",
        "args": ["eci", "mod", "func", "params", "_host", "_path", "_root_url"],
    } in told["queries"]
    assert {"domain": "wrangler", "name": "new_child_request", "attrs": []} in told["events"]
