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
        "data": {},
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


def test_the_data_of_an_entry_by_how_its_attributes_were_given() -> None:
    """As the existing engine tells it; an event without attributes has none either way."""
    at = 'schedule x event "y" at "2033-05-18T03:33:20Z"'
    text = f"""
    global {{ got = function(){{ ent:got }} list = function(){{ schedule:list() }} }}
    rule none {{ select when s none always {{ {at} setting(e) ent:e := e{{"event"}} }} }}
    rule nil {{ select when s null always {{ {at} attributes null setting(e) ent:e := e{{"event"}} }} }}
    rule unset {{ select when s unset always {{ {at} attributes ent:no setting(e) ent:e := e{{"event"}} }} }}
    rule empty {{ select when s empty always {{ {at} attributes {{}} setting(e) ent:e := e{{"event"}} }} }}
    rule told {{ select when s told send_directive("e", ent:e{{"data"}}) }}
    rule heard {{ select when x y always {{ ent:got := {{"attrs": event:attrs}} }} }}
    """
    for how, data in (("none", {}), ("null", {}), ("unset", {"attrs": None}), ("empty", {"attrs": {}})):
        krl = Krl(ruleset(text, "shares got, list"))
        krl.event(f"s:{how}")
        assert krl.options("s:told") == [data]
        (entry,) = krl.query("list")
        assert entry["event"]["data"] == data
        krl.bench.clock.days(4_000)
        assert krl.query("got") == {"attrs": {}}


def test_attributes_that_are_no_map_fail_the_rule() -> None:
    """The existing engine keeps such an entry, which then never comes."""
    text = 'rule r { select when a b always { schedule x event "y" repeat "5 4 * * *" attributes 5 } }'
    krl = Krl(ruleset(text))
    krl.event("a:b")
    assert "Expected a JSON map for event.data.attrs" in krl.errors[0]
    assert krl.bench.engine.schedules.list_of(krl.pico, None) == []


def test_an_entry_stands_for_its_id() -> None:
    krl = Krl(ruleset(TEXT, "shares list, one"))
    krl.event("s:at")
    krl.event("s:repeat")
    repeated, once = krl.query("list")
    krl.event("s:remove", {"id": once})
    assert krl.query("list") == [repeated]
    krl.event("s:remove", {"id": {"no": "id"}})
    assert krl.query("list") == [repeated]
