"""io.picolabs.pds: data by namespace, the profile, settings."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.harness import Bench
from pico_rulesets.pds import NO_PHOTO, PDS, Pds
from pico_rulesets.wrangler import Wrangler


@pytest.fixture
def bench() -> Bench:
    return Bench(Wrangler, Pds, root_rulesets=("io.picolabs.wrangler", PDS))


def ask(bench: Bench, name: str, /, **args: Any) -> Any:
    return bench.query(bench.root, PDS, name, args)


def say(bench: Bench, name: str, /, **attrs: Any) -> None:
    bench.event(bench.root, f"pds:{name}", attrs)


def test_data_by_namespace(bench: Bench) -> None:
    assert ask(bench, "items") == {"status": "failed", "general": {}}
    say(bench, "new_data_available", namespace="home", key="light", value={"on": True})
    say(bench, "updated_data_available", namespace="home", key="light", value={"dim": 3})
    assert ask(bench, "items", namespace="home") == {
        "status": "success",
        "general": {"light": {"on": True, "dim": 3}},
    }
    assert ask(bench, "items", namespace="home", key="light")["general"] == {"on": True, "dim": 3}
    assert ask(bench, "items", namespace="none", key="x") == {"status": "success", "general": None}
    assert ask(bench, "get_keys", namespace="home") == ["light"]
    assert ask(bench, "get_keys", namespace="none") == []
    say(bench, "remove_old_data", namespace="home", key="light")
    assert ask(bench, "items", namespace="home")["general"] == {}
    say(bench, "map_item", namespace="car", mapvalues='{"speed": 3}')
    assert ask(bench, "items", namespace="car", key="speed")["general"] == 3
    say(bench, "remove_namespace", namespace="car")
    assert ask(bench, "items", namespace="car")["general"] is None


def test_the_profile(bench: Bench) -> None:
    assert ask(bench, "profile", key="name")["profile"] == "root", "it begins with the pico's name"
    say(bench, "updated_profile", description="mine", email="a@b.example")
    profile = ask(bench, "profile")["profile"]
    created, modified = profile.pop("_created"), profile.pop("_modified")
    assert created == modified
    assert created.endswith("+0000")
    assert profile == {"name": "root", "description": "mine", "photo": NO_PHOTO, "email": "a@b.example"}


def test_settings(bench: Bench) -> None:
    say(bench, "add_settings", keyed_rid="org.x", name="X", schema=["a"], data_key="a", value=1)
    say(bench, "add_settings", keyed_rid="org.x", name="X2", data_key="b", value=2)
    whole = {"name": "X2", "rid": "org.x", "schema": ["a"], "data": {"a": 1, "b": 2}}
    assert ask(bench, "settings") == {"status": "success", "settings": {"org.x": whole}}
    assert ask(bench, "settings", Rid="org.x")["settings"] == whole
    assert ask(bench, "settings", Rid="org.x", Key="name")["settings"] == "X2"
    assert ask(bench, "settings", Rid="org.x", Key="data", detail="b")["settings"] == 2
    assert ask(bench, "settings_names") == [{"setRID": "org.x", "setName": "X2"}]
    assert ask(bench, "get_setting_data_value", setRID="org.x", setKey="a") == 1
    assert ask(bench, "config_value", setKey="a", setRID="org.x") == 1
    assert ask(bench, "get_config_value", setKey="a") is None


def test_clearing_everything(bench: Bench) -> None:
    say(bench, "new_data_available", namespace="home", key="light", value=1)
    say(bench, "clear_all_data")
    assert ask(bench, "items", namespace="home")["general"] is None
    assert ask(bench, "profile")["profile"] is None


def test_its_channel_admits_its_own_events_and_queries_only(bench: Bench) -> None:
    eci = ask(bench, "getChannelEci")
    channel = bench.engine.pico(bench.root).channels.rows[eci]
    assert channel.tags == ("pds",)
    assert channel.admits_event("pds", "new_data_available")
    assert not channel.admits_event("wrangler", "new_child_request")
    assert channel.admits_query(PDS, "items")
    assert not channel.admits_query("io.picolabs.wrangler", "channels")
