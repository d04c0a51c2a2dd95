"""The module `schedule`; scheduling itself is tested with `raising`."""

from __future__ import annotations

from tests.engine.krl.picos import Krl, ruleset

TEXT = """
global {
  list = function(){ schedule:list() }
  one = function(id){ schedule:get(id) }
}
rule at { select when s at always { schedule x event "y" at "2033-05-18T03:33:20Z" attributes {"n": 1} } }
rule repeat { select when s repeat always { schedule x event "y" repeat "5 4 * * *" } }
rule remove { select when s remove schedule:remove(event:attrs{"id"}) }
rule clear { select when s clear schedule:clear() }
"""


def test_entries_as_the_existing_engine_shows_them() -> None:
    krl = Krl(ruleset(TEXT, "shares list, one"))
    krl.event("s:at")
    krl.event("s:repeat")
    repeated, once = krl.query("list")
    event = {
        "eci": krl.pico.info.get("self_eci"),
        "domain": "x",
        "name": "y",
        "data": {"attrs": {}},
        "time": 0,
    }
    assert repeated == {"id": repeated["id"], "type": "repeat", "timespec": "5 4 * * *", "event": event}
    assert once == {
        "id": once["id"],
        "type": "at",
        "time": 2_000_000_000_000,
        "event": {**event, "data": {"attrs": {"n": 1}}},
    }
    assert krl.query("one", {"id": once["id"]}) == once
    assert krl.query("one", {"id": "other"}) is None
    krl.event("s:remove", {"id": once["id"]})
    assert krl.query("list") == [repeated]
    krl.event("s:remove", {"id": "other"})
    krl.event("s:clear")
    assert krl.query("list") == []


def test_only_the_own_entries() -> None:
    krl = Krl(ruleset(TEXT, "shares list, one"), ruleset(TEXT, "shares list, one", rid="u"))
    krl.event("s:at")
    (mine,), (theirs,) = krl.query("list"), krl.query("list", rid="u")
    assert mine["id"] != theirs["id"]
    assert krl.query("one", {"id": theirs["id"]}) is None
    krl.add(ruleset(TEXT.replace("s remove", "s mine"), "shares list, one"))
    krl.event("s:mine", {"id": theirs["id"]})
    assert len(krl.query("list", rid="u")) == 1
