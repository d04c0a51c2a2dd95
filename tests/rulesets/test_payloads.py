"""Sensors' payloads: the worked examples of the manuals, and whatever else may come."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.values import encode, freeze
from pico_rulesets.payloads import (
    CELSIUS_MAX,
    CELSIUS_MIN,
    READINGS_PER_PAYLOAD_MAX,
    BadPayload,
    decode_lht65,
    fahrenheit,
    read_uplink,
    read_wovyn,
)

DATA = Path(__file__).parents[1] / "data" / "sensors"
LHT65 = json.loads((DATA / "lht65_payloads.json").read_text())


def load(name: str) -> Any:
    return json.loads((DATA / name).read_text())


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def read_or_refuse(read: Callable[[Any], list[Any]], message: Any) -> list[Any]:
    """The readings; none when it is refused. Anything but BadPayload is a failure."""
    try:
        return read(message)
    except BadPayload:
        return []


@pytest.mark.parametrize("example", LHT65["measurements"], ids=lambda example: example["hex"])
def test_manuals_examples(example: dict[str, Any]) -> None:
    assert decode_lht65(bytes.fromhex(example["hex"])) == [example["reading"]]


def test_manuals_log() -> None:
    log = LHT65["log"]
    entries = decode_lht65(bytes.fromhex(log["hex"]))
    assert [one["temperature_celsius"] for one in entries] == log["celsius"]
    assert [one["humidity_percent"] for one in entries] == log["humidity"]
    assert (entries[0]["time_ms"], entries[-1]["time_ms"]) == (ms(log["first_time"]), ms(log["last_time"]))
    assert all(one["from_log"] for one in entries)
    assert entries[0]["external"] == {"type": "temperature", "connected": False}


def test_probe_with_a_time() -> None:
    """Type 9: the probe's value stands where the battery's voltage is otherwise."""
    (reading,) = decode_lht65(bytes.fromhex("0ADD0B0DC376096075AD9A"))
    assert reading["external"] == {"type": "temperature", "connected": True, "temperature_celsius": 27.81}
    assert (reading["temperature_celsius"], reading["humidity_percent"]) == (28.29, 88.6)
    assert reading["battery_status"] == "good"
    assert "battery_volts" not in reading
    assert reading["time_ms"] == 0x6075AD9A * 1000


@pytest.mark.parametrize(
    ("payload", "external"),
    [
        ("CBF60B0D0376817FFF7FFF", {"type": "temperature", "connected": False}),
        ("CBF60B0D0376850ADD7FFF", {"type": "illumination", "lux": 2781, "connected": False}),
        ("CBF60B0D03760C0ADD7FFF", {"type": "unknown (12)", "bytes": "0add7fff"}),
    ],
)
def test_externals_that_are_not_there_or_not_known(payload: str, external: dict[str, Any]) -> None:
    (reading,) = decode_lht65(bytes.fromhex(payload))
    assert reading["external"] == external


def test_no_external_sensor() -> None:
    (reading,) = decode_lht65(bytes.fromhex("CBF60B0D0376007FFF7FFF"))
    assert "external" not in reading


@pytest.mark.parametrize("payload", ["CBF60B0D03760F0ADD7FFF", "00" * 11])
def test_uplinks_without_a_measurement(payload: str) -> None:
    assert decode_lht65(bytes.fromhex(payload)) == []


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ("", "multiple of 11"),
        ("CBF60B0D0376010ADD7F", "multiple of 11"),
        ("CBF60B0D0376010ADD7FFF" * 2, "one measurement"),
        ("CBF67FFF0376010ADD7FFF", "could not measure"),
        ("CBF60B0D0FFF010ADD7FFF", "no relative humidity"),
        ("CBF640000376010ADD7FFF", "no temperature"),
        ("7FFF089801464160065F97" * (READINGS_PER_PAYLOAD_MAX + 1), "multiple of 11"),
    ],
)
def test_broken_payloads(payload: str, told: str) -> None:
    with pytest.raises(BadPayload, match=told):
        decode_lht65(bytes.fromhex(payload))


@given(st.binary(max_size=80))
def test_any_bytes_give_sane_readings_or_a_clear_error(payload: bytes) -> None:
    for reading in read_or_refuse(decode_lht65, payload):
        assert CELSIUS_MIN <= reading["temperature_celsius"] <= CELSIUS_MAX
        assert reading["temperature"] == fahrenheit(reading["temperature_celsius"])
        assert 0 <= reading["humidity_percent"] <= 100
        encode(reading)


def test_uplink_of_the_things_stack() -> None:
    (reading,) = read_uplink(load("ttn_v3_uplink.json"))
    assert reading == {
        **LHT65["measurements"][0]["reading"],
        "source": "lht65",
        "sensor": "0004A30B001C0530",
        "time_ms": ms("2020-02-12T15:15:45.787Z"),
    }


@pytest.mark.parametrize("port", [2, "2"])
def test_plain_uplink(port: object) -> None:
    text = b64encode(bytes.fromhex(LHT65["measurements"][0]["hex"])).decode()
    (reading,) = read_uplink({"payload": text, "fport": port, "device_id": "attic"})
    assert (reading["temperature_celsius"], reading["sensor"]) == (28.29, "attic")
    assert "time_ms" not in reading


@pytest.mark.parametrize(
    ("attrs", "told"),
    [
        ({}, "no payload"),
        ({"uplink_message": 3}, "uplink_message is no map"),
        ({"uplink_message": {"f_port": 2}}, "no payload"),
        ({"payload": "y/YLDQN2AQrdf/8=", "fport": 42}, "unknown port 42"),
        ({"payload": "y/YLDQN2AQrdf/8="}, "unknown port None"),
        ({"payload": "not base64!", "fport": 2}, "not base64"),
        ({"payload": "žluť", "fport": 2}, "not base64"),
    ],
)
def test_uplinks_that_cannot_be_read(attrs: dict[str, Any], told: str) -> None:
    with pytest.raises(BadPayload, match=told):
        read_uplink(attrs)


def test_wovyn_heartbeat() -> None:
    assert read_wovyn(load("wovyn_heartbeat.json")) == [
        {
            "temperature": 75.31,
            "temperature_celsius": 24.06,
            "source": "wovyn",
            "sensor": "5CCF7F2BD537",
            "probe": "28E3A5680900008D",
            "probe_name": "ambient temperature",
            "health_percent": 56.89,
            "battery_volts": 3.44,
        }
    ]


def heartbeat(*probes: Any, **more: Any) -> dict[str, Any]:
    return {"genericThing": {"data": {"temperature": list(probes)}, **more}}


def test_wovyn_numbers_as_text_and_celsius_only() -> None:
    first, second = read_wovyn(heartbeat({"temperatureF": "68"}, {"temperatureC": 20}))
    assert first["temperature"] == second["temperature"] == 68.0
    assert first["temperature_celsius"] == second["temperature_celsius"] == 20.0


@pytest.mark.parametrize(
    ("attrs", "told"),
    [
        ({}, "genericThing is missing"),
        ({"genericThing": []}, "genericThing is no map"),
        ({"genericThing": {}}, "genericThing.data is missing"),
        (heartbeat(), "no list with a temperature"),
        (heartbeat("hot"), "entry of genericThing.data.temperature is no map"),
        (heartbeat({}), "neither temperatureF nor temperatureC"),
        (heartbeat({"temperatureF": True}), "neither"),
        (heartbeat({"temperatureF": "nan"}), "neither"),
        (heartbeat({"temperatureF": 10**400}), "neither"),
        (heartbeat({"temperatureF": 1e6}), "no temperature"),
        (heartbeat(*[{"temperatureF": 1}] * (READINGS_PER_PAYLOAD_MAX + 1)), "more than"),
    ],
)
def test_heartbeats_that_cannot_be_read(attrs: dict[str, Any], told: str) -> None:
    with pytest.raises(BadPayload, match=told):
        read_wovyn(attrs)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | FLOATS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(JSON, JSON, JSON)
def test_any_json_gives_readings_or_a_clear_error(one: Any, two: Any, three: Any) -> None:
    messages = (
        heartbeat(one, two, three),
        {"genericThing": {"data": one, "healthPercent": two}},
        heartbeat({"temperatureF": one, "temperatureC": two, "name": three}, healthPercent=two),
        {"specificThing": one, **heartbeat({"temperatureF": 70})},
    )
    for attrs in messages:
        read_or_refuse(read_wovyn, freeze(attrs))
    for attrs in (
        {"uplink_message": one},
        {"uplink_message": {"frm_payload": one, "f_port": two, "received_at": three}},
        {"end_device_ids": one, "received_at": two, "payload": "y/YLDQN2AQrdf/8=", "fport": 2},
    ):
        read_or_refuse(read_uplink, freeze(attrs))


def test_times_have_a_zone() -> None:
    plain = {"payload": "y/YLDQN2AQrdf/8=", "fport": 2}
    assert "time_ms" not in read_uplink({**plain, "received_at": "2020-02-12T15:15:45"})[0]
    moment = datetime(2020, 2, 12, 15, tzinfo=UTC)
    assert read_uplink({**plain, "received_at": moment.isoformat()})[0]["time_ms"] == ms(moment.isoformat())
