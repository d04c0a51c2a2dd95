"""picomesh.sensor: what sensors send is kept, judged and told to watchers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pico_engine.harness import Harness
from pico_rulesets.sensor import REJECTED_MAX, TemperatureSensor
from pico_rulesets.watcher import Watcher
from tests.rulesets.picos import Family

DATA = Path(__file__).parents[1] / "data" / "sensors"
HEARTBEAT = json.loads((DATA / "wovyn_heartbeat.json").read_text())
UPLINK = json.loads((DATA / "ttn_v3_uplink.json").read_text())


def heartbeat(fahrenheit: float) -> dict[str, Any]:
    thing = HEARTBEAT["genericThing"]
    probe = {**thing["data"]["temperature"][0], "temperatureF": fahrenheit}
    return {**HEARTBEAT, "genericThing": {**thing, "data": {"temperature": [probe]}}}


@pytest.fixture
def pico() -> Harness:
    return Harness(TemperatureSensor)


def test_a_heartbeat_becomes_a_reading(pico: Harness) -> None:
    answer = pico.event("wovyn:heartbeat", {**HEARTBEAT, "_headers": {"host": "example.org"}})
    assert answer.options("readings") == {"count": 1, "temperatures": [75.31]}
    (reading,) = pico.query(TemperatureSensor, "temperatures")
    assert reading == {
        "temperature": 75.31,
        "temperature_celsius": 24.06,
        "timestamp": "2023-11-14T22:13:20.000Z",
        "time_ms": pico.clock.now,
        "source": "wovyn",
        "sensor": "5CCF7F2BD537",
        "probe": "28E3A5680900008D",
        "probe_name": "ambient temperature",
        "health_percent": 56.89,
        "battery_volts": 3.44,
    }
    assert pico.query(TemperatureSensor, "latest") == reading
    assert pico.query(TemperatureSensor, "threshold_violations") == []
    assert pico.errors == []


def test_an_uplink_becomes_a_reading_of_its_time(pico: Harness) -> None:
    pico.event("lorawan:uplink", UPLINK)
    (reading,) = pico.query(TemperatureSensor, "temperatures")
    assert reading["timestamp"] == "2020-02-12T15:15:45.787Z"
    assert (reading["temperature"], reading["humidity_percent"]) == (82.92, 88.6)
    assert len(pico.query(TemperatureSensor, "threshold_violations")) == 1


def test_a_log_of_the_past_does_not_change_the_latest(pico: Harness) -> None:
    pico.event("wovyn:heartbeat", HEARTBEAT)
    pico.event("lorawan:uplink", UPLINK)
    assert len(pico.query(TemperatureSensor, "temperatures")) == 2
    assert pico.query(TemperatureSensor, "latest")["source"] == "wovyn"


def test_a_clock_that_is_ahead_is_not_believed(pico: Harness) -> None:
    pico.event("lorawan:uplink", {**UPLINK, "uplink_message": {
        **UPLINK["uplink_message"], "received_at": "2099-01-01T00:00:00Z"}})  # fmt: skip
    assert pico.query(TemperatureSensor, "latest")["time_ms"] == pico.clock.now


def test_threshold(pico: Harness) -> None:
    for fahrenheit in (79.9, 80.0, 80.1):
        pico.event("wovyn:heartbeat", heartbeat(fahrenheit))
    (violation,) = pico.query(TemperatureSensor, "threshold_violations")
    assert (violation["temperature"], violation["threshold"]) == (80.1, 80.0)
    in_range = pico.query(TemperatureSensor, "inrange_temperatures")
    assert [one["temperature"] for one in in_range] == [79.9, 80.0]
    pico.event("sensor:profile_updated", threshold=70, name="attic", location="Prague", other="ignored")
    assert pico.query(TemperatureSensor, "profile") == {
        "threshold": 70.0,
        "name": "attic",
        "location": "Prague",
    }
    pico.event("wovyn:heartbeat", heartbeat(79.9))
    assert len(pico.query(TemperatureSensor, "threshold_violations")) == 2
    assert len(pico.query(TemperatureSensor, "inrange_temperatures")) == 2


@pytest.mark.parametrize(
    "bad", [{"threshold": "hot"}, {"threshold": 1e9}, {"name": 3}, {"location": "x" * 300}]
)
def test_bad_profiles_are_refused(pico: Harness, bad: dict[str, Any]) -> None:
    pico.event("sensor:profile_updated", {"description": "mine", **bad})
    assert pico.query(TemperatureSensor, "profile") == {"threshold": 80.0}
    assert len(pico.errors) == 1


def test_readings_are_trimmed() -> None:
    pico = Harness(TemperatureSensor, config={"readings_max": 40})
    for number in range(100):
        pico.event("wovyn:heartbeat", heartbeat(81 + number / 10))
    for name in ("temperatures", "threshold_violations"):
        rows = pico.query(TemperatureSensor, name)
        assert [one["temperature"] for one in rows] == [round(81 + n / 10, 1) for n in range(60, 100)]
        assert pico.query(TemperatureSensor, name, last=2) == rows[-2:]


def test_alarm_after_three_violations_within_five_minutes(pico: Harness) -> None:
    for minutes in (1, 3, 3, 1, 1):  # the third comes too late for the first
        pico.clock.minutes(minutes)
        pico.event("wovyn:heartbeat", heartbeat(90))
    alarms = [line for line in pico.bench.log if line.text.startswith("alarm")]
    assert len(alarms) == 1


def test_statistics(pico: Harness) -> None:
    assert pico.query(TemperatureSensor, "statistics")["mean"] is None
    for fahrenheit in (60, 70, 71):
        pico.event("wovyn:heartbeat", heartbeat(fahrenheit))
        pico.clock.hours(1)
    everything = {"hours": 24.0, "count": 3, "min": 60.0, "max": 71.0, "mean": 67.0}
    assert pico.query(TemperatureSensor, "statistics") == everything
    assert pico.query(TemperatureSensor, "statistics", hours="1.5") == {
        "hours": 1.5, "count": 1, "min": 71.0, "max": 71.0, "mean": 71.0}  # fmt: skip


def test_bad_payloads_are_kept_and_said(pico: Harness) -> None:
    answer = pico.event("wovyn:heartbeat", {"genericThing": {}, "_headers": {"cookie": "secret"}})
    assert answer.options("rejected")["reason"] == "genericThing.data is missing"
    (kept,) = pico.query(TemperatureSensor, "rejected")
    assert (kept["event"], kept["attrs"]) == ("wovyn:heartbeat", {"genericThing": {}})
    assert [line.level for line in pico.bench.log] == ["warning"]
    pico.event("lorawan:uplink", {"payload": "x" * 10_000, "fport": 3})
    assert pico.query(TemperatureSensor, "rejected")[1]["attrs"].startswith("left out")
    for _ in range(REJECTED_MAX + 5):
        pico.event("wovyn:heartbeat")
    assert len(pico.query(TemperatureSensor, "rejected")) == REJECTED_MAX
    assert pico.query(TemperatureSensor, "temperatures") == []


def test_everything_survives_a_restart(pico: Harness) -> None:
    for _ in range(2):
        pico.event("wovyn:heartbeat", heartbeat(90))
    before = pico.query(TemperatureSensor, "temperatures")
    pico.restart()
    assert pico.query(TemperatureSensor, "temperatures") == before
    pico.event("wovyn:heartbeat", heartbeat(90))  # the third: also the alarm's count was kept
    assert any(line.text.startswith("alarm") for line in pico.bench.log)


# -- watchers -----------------------------------------------------------------------------------------------


@pytest.fixture
def family() -> Family:
    family = Family("attic", "owner", rulesets=(TemperatureSensor, Watcher))
    family.install("attic", "picomesh.sensor")
    family.install("owner", "picomesh.watcher")
    return family


def received(family: Family, pico: str = "owner", **args: Any) -> list[dict[str, Any]]:
    return family.query(pico, "picomesh.watcher", "received", **args)


def test_watchers_are_told(family: Family) -> None:
    bus = family.subscribe("owner", "attic")
    family.event("attic", "sensor:profile_updated", name="attic")
    for fahrenheit in (70, 90, 91, 92):
        family.event("attic", "wovyn:heartbeat", heartbeat(fahrenheit))
    kinds = [row["kind"] for row in received(family)]
    assert sorted(kinds) == ["alarm"] + ["reading"] * 4 + ["violation"] * 3
    (alarm,) = family.query("owner", "picomesh.watcher", "alarms")
    assert (alarm["sender"], alarm["Rx"]) == (bus["Tx"], bus["Rx"])
    assert (alarm["attrs"]["temperature"], alarm["attrs"]["name"]) == (92, "attic")
    readings = received(family, kind="reading", last=2)
    assert [row["attrs"]["temperature"] for row in readings] == [91, 92]
    assert family.errors == []


def test_only_watchers_are_told(family: Family) -> None:
    family.subscribe("owner", "attic", Rx_role="gardener")
    family.event("attic", "wovyn:heartbeat", heartbeat(70))
    assert received(family) == []


def test_watchers_ask(family: Family) -> None:
    family.add("cellar")
    family.subscribe("owner", "attic")
    family.subscribe("owner", "cellar")
    family.event("attic", "wovyn:heartbeat", heartbeat(70))
    attic, cellar = family.query("owner", "picomesh.watcher", "ask")
    assert attic["latest"]["temperature"] == 70
    assert cellar["error"]["code"] == "unknown-ruleset"  # no sensor in that pico


def test_alarms_do_not_go_round(family: Family) -> None:
    """Two picos that are sensors and watchers of each other."""
    for name, rid in (("attic", "picomesh.watcher"), ("owner", "picomesh.sensor")):
        family.install(name, rid)
    family.subscribe("owner", "attic", Rx_role="watcher", Tx_role="watcher")
    for _ in range(3):
        family.event("attic", "wovyn:heartbeat", heartbeat(90))
    assert len(family.query("owner", "picomesh.watcher", "alarms")) == 1
    assert family.query("attic", "picomesh.watcher", "alarms") == []


def test_readings_are_not_taken_from_outside(family: Family) -> None:
    eci = family.open_channel("attic")
    family.bench.event(eci, "wovyn:new_temperature_reading", {"temperature": 200}, door="http")
    assert family.query("attic", "picomesh.sensor", "temperatures") == []
    family.bench.event(eci, "wovyn:heartbeat", heartbeat(70), door="http")
    assert len(family.query("attic", "picomesh.sensor", "temperatures")) == 1


def test_too_many_watchers_lose_no_reading() -> None:
    """The turn's limit of sends stops the telling, not the keeping."""
    from pico_engine.limits import EngineLimits

    family = Family("attic", rulesets=(TemperatureSensor,), limits=EngineLimits(sends_max=3))
    family.install("attic", "picomesh.sensor")
    for number in range(4):
        family.add(f"w{number}")
        family.subscribe(f"w{number}", "attic")
    family.event("attic", "wovyn:heartbeat", heartbeat(70))
    assert len(family.query("attic", "picomesh.sensor", "temperatures")) == 1
    assert "sends more than 3" in family.errors[0]


def test_a_watcher_keeps_so_many(family: Family) -> None:
    family.install("owner", "picomesh.watcher", received_max=5)
    family.subscribe("owner", "attic")
    for number in range(9):
        family.event("attic", "wovyn:heartbeat", heartbeat(60 + number))
    assert [row["attrs"]["temperature"] for row in received(family)] == [64, 65, 66, 67, 68]
