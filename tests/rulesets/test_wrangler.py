"""io.picolabs.wrangler: its events and queries, as a client of the existing engine expects them."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine import Event, Ruleset, ent, query, rule, when
from pico_engine.errors import BadRequest, UnknownChannel
from pico_engine.harness import Bench
from pico_engine.krl import compile_ruleset
from pico_rulesets.subscription import Subscription
from pico_rulesets.wrangler import PICO_RULESETS, SUBSCRIPTION, WRANGLER, Wrangler

ALLOW_ALL = {
    "eventPolicy": {"allow": [{"domain": "*", "name": "*"}], "deny": []},
    "queryPolicy": {"allow": [{"rid": "*", "name": "*"}], "deny": []},
}


class Witness(Ruleset, rid="test.witness"):
    """Keeps every wrangler event."""

    seen: list[dict[str, object]] = ent(default=[])

    @rule(when("wrangler:*"))
    def note(self, event: Event) -> None:
        self.seen.append({"type": event.type, "attrs": event.attrs})

    @query
    def names(self) -> list[str]:
        return [one["type"] for one in self.seen]

    @query
    def last(self, kind: str) -> object:
        return next((one["attrs"] for one in reversed(list(self.seen)) if one["type"] == kind), None)


class Greeter(Ruleset, rid="test.greeter", version="1.2.0"):
    """Greets."""

    @query
    def greet(self, who: str = "nobody") -> str:
        return f"hello {who}"


class UsesWrangler(Ruleset, rid="test.uses_wrangler"):
    @rule(when("test:channel"))
    def make(self) -> None:
        wrangler = self.use(Wrangler)
        channel = wrangler.createChannel(["Made Here"], **ALLOW_ALL)
        self.directive("made", eci=channel["id"], found=len(wrangler.channels("made-here")))

    @rule(when("test:no_channel"))
    def remove(self, event: Event) -> None:
        self.use(Wrangler).deleteChannel(event.attr("eci"))


@pytest.fixture
def bench() -> Bench:
    return Bench(
        Wrangler,
        Subscription,
        Witness,
        Greeter,
        UsesWrangler,
        root_rulesets=(*PICO_RULESETS, "test.witness", "test.uses_wrangler"),
    )


def ask(bench: Bench, name: str, pico: str | None = None, /, **args: object) -> object:
    return bench.query(pico or bench.root, WRANGLER, name, args)


def last(bench: Bench, kind: str) -> dict[str, object]:
    return bench.query(bench.root, "test.witness", "last", {"kind": kind})


def child_did(bench: Bench, name: str) -> str:
    row = next(child for child in ask(bench, "children") if child["name"] == name)
    return bench.engine.index.get(row["eci"])


def errors(bench: Bench) -> list[str]:
    return [line.text for line in bench.log if line.level == "error"]


def test_root_is_set_up(bench: Bench) -> None:
    root = bench.engine.pico(bench.root)
    me = ask(bench, "myself")
    assert me["id"] == bench.root == ask(bench, "id")
    assert me["name"] == "root" == ask(bench, "name")
    assert root.channels.get(me["eci"]).tags == ("system", "self")
    assert ask(bench, "parent_eci") is None
    assert ask(bench, "children") == []
    assert ask(bench, "installedRIDs") == [*PICO_RULESETS, "test.witness", "test.uses_wrangler"]
    names = bench.query(bench.root, "test.witness", "names")
    assert names[:4] == ["root_created", "ruleset_installed", "ruleset_installed", "ruleset_installed"]
    assert errors(bench) == []


def test_root_created_is_taken_only_from_inside(bench: Bench) -> None:
    eci = bench.operate(bench.root, lambda pico: pico.engine.family.new_channel(
        pico, ("open",), *_policies(), ("http",)).eci)  # fmt: skip
    before = ask(bench, "myself")["eci"]
    bench.event(eci, "wrangler:root_created", door="http")
    assert ask(bench, "myself")["eci"] == before
    assert bench.query(bench.root, "test.witness", "names").count("pico_initialized") == 1


def _policies() -> tuple[object, object]:
    from pico_engine.channels import ALLOW_ALL as ALL

    return ALL, ALL


def test_a_child_is_made_and_introduced(bench: Bench) -> None:
    attrs = {"name": "lamp", "colour": "#87CEFA", "_headers": {"authorization": "secret"}}
    bench.event(bench.root, "wrangler:new_child_request", attrs)
    (child,) = ask(bench, "children")
    assert child["name"] == "lamp"
    assert set(child) == {"eci", "name", "parent_eci"}
    did = child_did(bench, "lamp")
    assert ask(bench, "installedRIDs", did) == list(PICO_RULESETS)
    assert ask(bench, "name", did) == "lamp"
    assert ask(bench, "parent_eci", did) == child["parent_eci"]
    assert ask(bench, "myself", did) == {"name": "lamp", "id": did, "eci": child["eci"]}
    assert last(bench, "new_child_created") == {**attrs, "eci": child["eci"]}
    assert last(bench, "child_initialized") == {"name": "lamp", "colour": "#87CEFA", "eci": child["eci"]}
    assert bench.query(did, SUBSCRIPTION, "wellKnown_Rx")["tags"] == ["wellknown_rx", "tx_rx"]
    assert errors(bench) == []


def test_family_channels_are_tagged_by_what_their_owner_is(bench: Bench) -> None:
    bench.event(bench.root, "wrangler:new_child_request", {"name": "lamp"})
    (child,) = ask(bench, "children")
    (own,) = ask(bench, "channels", child_did(bench, "lamp"), tags="system,child")
    (ours,) = ask(bench, "channels", tags=["system", "parent"])
    assert (own["id"], ours["id"]) == (child["eci"], child["parent_eci"])


def test_a_child_needs_a_name(bench: Bench) -> None:
    bench.event(bench.root, "wrangler:new_child_request", {})
    assert ask(bench, "children") == []
    assert "needs the attribute 'name'" in errors(bench)[0]


def test_a_child_takes_another_name(bench: Bench) -> None:
    bench.event(bench.root, "wrangler:new_child_request", {"name": "lamp"})
    did = child_did(bench, "lamp")
    bench.event(did, "wrangler:name_changed", {"name": "lantern"})
    assert ask(bench, "name", did) == "lantern"
    assert [child["name"] for child in ask(bench, "children")] == ["lantern"]


def test_a_child_is_deleted_with_all_below(bench: Bench) -> None:
    bench.event(bench.root, "wrangler:new_child_request", {"name": "lamp"})
    did = child_did(bench, "lamp")
    bench.event(did, "wrangler:new_child_request", {"name": "bulb"})
    (grandchild,) = ask(bench, "children", did)
    (child,) = ask(bench, "children")
    bench.event(bench.root, "wrangler:child_deletion_request", {"eci": child["eci"]})
    assert ask(bench, "children") == []
    assert bench.engine.index.get(child["eci"]) is None
    assert bench.engine.index.get(grandchild["eci"]) is None
    assert last(bench, "child_deleted") == {"eci": child["eci"]}


def test_a_child_asks_to_be_deleted(bench: Bench) -> None:
    bench.event(bench.root, "wrangler:new_child_request", {"name": "lamp"})
    (child,) = ask(bench, "children")
    bench.event(child_did(bench, "lamp"), "wrangler:ready_for_deletion")
    assert ask(bench, "children") == []
    assert last(bench, "child_deleted") == {"eci": child["eci"]}


def test_nobody_deletes_a_strangers_child(bench: Bench) -> None:
    bench.event(bench.root, "wrangler:new_child_request", {"name": "lamp"})
    bench.event(bench.root, "wrangler:child_deletion_request", {"eci": "did:example:none"})
    assert len(ask(bench, "children")) == 1
    assert "no child" in errors(bench)[0]


def test_rulesets_come_and_go(bench: Bench) -> None:
    attrs = {"rid": "test.greeter", "config": {"a": 1}}
    bench.event(bench.root, "wrangler:install_ruleset_request", attrs)
    assert last(bench, "ruleset_installed") == {**attrs, "rids": ["test.greeter"]}
    assert ask(bench, "rulesetConfig", rid="test.greeter") == {"a": 1}
    meta = ask(bench, "rulesetMeta", rid="test.greeter")
    assert (meta["version"], meta["shares"]) == ("1.2.0", ["greet"])
    bench.event(bench.root, "wrangler:uninstall_ruleset_request", {"rid": "test.greeter"})
    assert last(bench, "ruleset_uninstalled") == {"rid": "test.greeter"}
    bench.event(bench.root, "wrangler:uninstall_ruleset_request", {"rid": "test.greeter", "again": True})
    assert last(bench, "ruleset_uninstalled") == {"rid": "test.greeter", "again": True}
    assert errors(bench) == [], "what is gone already is as good as uninstalled"
    assert ask(bench, "rulesetConfig", rid="test.greeter") is None
    assert ask(bench, "rulesetMeta") is None, "KRL's unset variables come as no argument"
    assert "test.greeter" not in ask(bench, "installedRIDs")


def test_url_that_names_a_ruleset_installs_it(bench: Bench) -> None:
    attrs = {"url": "test.greeter", "config": '{"a": 2}'}
    bench.event(bench.root, "wrangler:install_ruleset_request", attrs)
    assert ask(bench, "rulesetConfig", rid="test.greeter") == {"a": 2}


@pytest.mark.parametrize(
    ("attrs", "told"),
    [
        ({}, "needs the attribute 'url' or 'rid'"),
        ({"rid": "test.unknown"}, "knows no ruleset test.unknown"),
        ({"url": "https://example.org/a.krl"}, "rulesets make no HTTP requests here"),
        ({"url": "ftp://example.org/a.krl"}, "is no URL of a ruleset"),
        ({"rid": "test.greeter", "config": "{"}, "not JSON"),
        ({"rid": "test.greeter", "config": [1]}, "must be a map"),
    ],
)
def test_what_cannot_be_installed_is_said(bench: Bench, attrs: dict[str, object], told: str) -> None:
    before = ask(bench, "installedRIDs")
    bench.event(bench.root, "wrangler:install_ruleset_request", attrs)
    assert told in errors(bench)[0]
    assert ask(bench, "installedRIDs") == before


def test_a_global_block_that_fails_installs_nothing(bench: Bench) -> None:
    text = 'ruleset test.broken { global { x = 1 - "a" } }'
    bench.registry.add(compile_ruleset(text).definition)
    before = ask(bench, "installedRIDs")
    bench.event(bench.root, "wrangler:install_ruleset_request", {"rid": "test.broken"})
    assert "test.broken.krl:1:36: TypeError" in errors(bench)[0]
    assert ask(bench, "installedRIDs") == before


def test_flushing_takes_the_newer_version_and_keeps_the_configuration(bench: Bench) -> None:
    bench.event(bench.root, "wrangler:install_ruleset_request", {"rid": "test.greeter", "config": {"a": 1}})

    class Newer(Ruleset, rid="test.greeter", version="2.0.0"):
        pass

    bench.registry.add(Newer, replace=True)
    bench.event(bench.root, "wrangler:rulesets_need_flushing")
    rows = bench.operate(bench.root, lambda pico: pico.engine.family.installed(pico))
    row = next(row for row in rows if row["rid"] == "test.greeter")
    assert (row["version"], row["config"]) == ("2.0.0", {"a": 1})
    assert "rulesets_flushed" in bench.query(bench.root, "test.witness", "names")


def test_channels_come_and_go(bench: Bench) -> None:
    bench.event(bench.root, "wrangler:new_channel_request", {"tags": ["Hot", "x y"], **ALLOW_ALL})
    channel = last(bench, "channel_created")["channel"]
    assert channel["tags"] == ["hot", "x-y"]
    assert channel["eventPolicy"] == ALLOW_ALL["eventPolicy"]
    assert ask(bench, "channels", tags="x-y,HOT") == [channel]
    assert ask(bench, "channels", tags="hot") == []
    bench.event(bench.root, "wrangler:channel_deletion_request", {"eci": channel["id"]})
    assert last(bench, "channel_deleted") == {"eci": channel["id"]}
    assert ask(bench, "channels", tags="hot,x-y") == []


@pytest.mark.parametrize("missing", ["tags", "eventPolicy", "queryPolicy"])
def test_a_channel_needs_tags_and_policies(bench: Bench, missing: str) -> None:
    attrs = {"tags": ["hot"], **ALLOW_ALL}
    before = len(ask(bench, "channels"))
    bench.event(bench.root, "wrangler:new_channel_request", {**attrs, missing: None})
    assert len(ask(bench, "channels")) == before
    assert f"needs the attribute '{missing}'" in errors(bench)[0]


def test_family_channels_stay(bench: Bench) -> None:
    bench.event(bench.root, "wrangler:channel_deletion_request", {"eci": ask(bench, "myself")["eci"]})
    assert len(ask(bench, "channels", tags="system,self")) == 1
    assert "family channels" in errors(bench)[0]


def test_module_functions(bench: Bench) -> None:
    made = bench.event(bench.root, "test:channel").options("made")
    assert made["found"] == 1
    bench.event(bench.root, "test:no_channel", {"eci": made["eci"]})
    assert ask(bench, "channels", tags="made-here") == []


def test_queries_to_other_picos(bench: Bench) -> None:
    bench.event(bench.root, "wrangler:new_child_request", {"name": "lamp"})
    (child,) = ask(bench, "children")
    did = child_did(bench, "lamp")
    bench.event(did, "wrangler:install_ruleset_request", {"rid": "test.greeter"})
    asked = {"eci": child["eci"], "mod": "test.greeter", "func": "greet", "params": {"who": "lamp"}}
    assert ask(bench, "picoQuery", **asked) == "hello lamp"
    assert ask(bench, "skyQuery", **asked) == "hello lamp"
    assert ask(bench, "picoQuery", **{**asked, "params": None}) == "hello nobody"


def test_failed_queries_to_other_picos(bench: Bench) -> None:
    asked = {"eci": "did:example:none", "mod": "test.greeter", "func": "greet"}
    with pytest.raises(UnknownChannel):
        ask(bench, "picoQuery", **asked)
    answer = ask(bench, "skyQuery", **asked)
    assert answer["httpStatus"]["code"] == 404
    assert "did:example:none" in answer["picoQueryError"]
    with pytest.raises(BadRequest, match="a map from names"):
        ask(bench, "picoQuery", **asked, params=["x"])


def test_a_pico_does_not_query_itself(bench: Bench) -> None:
    asked = {"eci": ask(bench, "myself")["eci"], "mod": "test.greeter", "func": "greet"}
    assert ask(bench, "picoQuery", **asked)["status_code"] == 400
    assert ask(bench, "skyQuery", **asked)["httpStatus"]["code"] == 400


def test_everything_survives_a_restart(bench: Bench) -> None:
    bench.event(bench.root, "wrangler:new_child_request", {"name": "lamp"})
    before = ask(bench, "children"), ask(bench, "myself")
    bench.restart()
    assert (ask(bench, "children"), ask(bench, "myself")) == before
    assert ask(bench, "name", child_did(bench, "lamp")) == "lamp"


def test_a_channel_made_without_policies_allows_everything(bench: Bench) -> None:
    """As the existing engine's framework does; applications of it rely on that."""

    def make(pico: Any) -> Any:
        return pico.instance(Wrangler.definition).createChannel(["app"])

    channel = bench.operate(bench.root, make)
    assert channel["eventPolicy"]["allow"] == [{"domain": "*", "name": "*"}]
    assert channel["queryPolicy"]["allow"] == [{"rid": "*", "name": "*"}]


@pytest.mark.parametrize("eci", [None, "", 5])
def test_a_query_needs_a_channel(bench: Bench, eci: Any) -> None:
    with pytest.raises(BadRequest, match=r"missing query\.eci"):
        ask(bench, "picoQuery", eci=eci, mod="test.greeter", func="greet")
