"""What temperature sensors send, as readings: Wovyn heartbeats, and LoRaWAN uplinks of a Dragino LHT65.

A reading is a map: `temperature` in degrees Fahrenheit (as in the picos' tutorials), `temperature_celsius`,
and what else the sensor told. Layouts: Wovyn's heartbeat as its sensors post it; The Things Stack v3, "Data
Formats"; Dragino LHT65 User Manual, "Uplink Payload" and "Datalog Uplink payload".
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Final

from pico_engine.errors import BadRequest
from pico_engine.values import Json

Reading = dict[str, Json]

CELSIUS_MIN: Final = -90.0
CELSIUS_MAX: Final = 150.0
"""Beyond what any of these sensors can measure; such a number is a broken wire or a broken payload."""
NAME_MAX_CHARS: Final = 256
"""Of a sensor's or a probe's name: kept with every reading."""
READINGS_PER_PAYLOAD_MAX: Final = 32
"""A LoRaWAN frame of the largest size holds 22 entries; a Wovyn sensor has a handful of probes."""

LHT65_PORT: Final = 2
LHT65_BYTES: Final = 11
"""One measurement, and one entry of the sensor's own log."""
_NO_VALUE: Final = 0x7FFF
"""What the sensor sends where nothing is connected."""
_BATTERY_STATUS: Final = ("ultra low", "low", "ok", "good")
_EXT_PROBE, _EXT_PROBE_AND_TIME, _EXT_PROBE_ID = 1, 9, 15


class BadPayload(BadRequest):
    """A sensor's message that cannot be understood."""

    code = "bad-payload"
    default_hint = "the message is kept: the query `rejected` shows it"


def fahrenheit(celsius: float) -> float:
    return round(celsius * 9 / 5 + 32, 2)


def _temperatures(celsius: float) -> Reading:
    if not CELSIUS_MIN <= celsius <= CELSIUS_MAX:
        raise BadPayload(f"{celsius} °C is no temperature that a sensor can measure")
    return {"temperature": fahrenheit(celsius), "temperature_celsius": round(celsius, 2)}


def _map(value: Json, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadPayload(f"{what} is missing" if value is None else f"{what} is no map")
    return value


def _is_name(value: Json) -> bool:
    return isinstance(value, str) and len(value) <= NAME_MAX_CHARS


def _number(value: Json) -> float | None:
    """A number, or text that spells one."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if isfinite(value) else None
    except OverflowError:  # a whole number beyond all floats
        return None


# -- Wovyn -------------------------------------------------------------------------------------------------


def read_wovyn(attrs: Mapping[str, Json]) -> list[Reading]:
    """The readings of a heartbeat, one for each temperature probe. Raises BadPayload."""
    thing = _map(attrs.get("genericThing"), "genericThing")
    probes = _map(thing.get("data"), "genericThing.data").get("temperature")
    if not isinstance(probes, list | tuple) or not probes:
        raise BadPayload("genericThing.data.temperature is no list with a temperature in it")
    if len(probes) > READINGS_PER_PAYLOAD_MAX:
        raise BadPayload(f"more than {READINGS_PER_PAYLOAD_MAX} temperatures in one heartbeat")
    return [_read_probe(attrs, thing, probe) for probe in probes]


def _read_probe(attrs: Mapping[str, Json], thing: Mapping[str, Any], probe: Json) -> Reading:
    probe = _map(probe, "an entry of genericThing.data.temperature")
    in_fahrenheit, in_celsius = _number(probe.get("temperatureF")), _number(probe.get("temperatureC"))
    if in_fahrenheit is not None:
        reading = _temperatures((in_fahrenheit - 32) * 5 / 9)
        reading["temperature"] = in_fahrenheit
    elif in_celsius is not None:
        reading = _temperatures(in_celsius)
    else:
        raise BadPayload(
            "an entry of genericThing.data.temperature has neither temperatureF nor temperatureC"
        )
    reading["source"] = "wovyn"
    for key, value in (
        ("sensor", attrs.get("emitterGUID")),
        ("probe", probe.get("transducerGUID")),
        ("probe_name", probe.get("name")),
    ):
        if _is_name(value):
            reading[key] = value
    health = _number(thing.get("healthPercent"))
    if health is not None:
        reading["health_percent"] = health
    battery = attrs.get("specificThing")
    battery = battery.get("battery") if isinstance(battery, Mapping) else None
    volts = _number(battery.get("currentVoltage")) if isinstance(battery, Mapping) else None
    if volts is not None:
        reading["battery_volts"] = volts
    return reading


# -- LoRaWAN -----------------------------------------------------------------------------------------------


def read_uplink(attrs: Mapping[str, Json]) -> list[Reading]:
    """The readings of an uplink as The Things Stack posts it, or of `{payload, fport}`. Raises BadPayload."""
    uplink = attrs.get("uplink_message")
    if uplink is None:
        text, port, received = attrs.get("payload"), attrs.get("fport"), attrs.get("received_at")
        sensor: Json = attrs.get("device_id")
    else:
        uplink = _map(uplink, "uplink_message")
        text, port = uplink.get("frm_payload"), uplink.get("f_port")
        received = uplink.get("received_at") or attrs.get("received_at")
        ids = attrs.get("end_device_ids")
        sensor = (ids.get("dev_eui") or ids.get("device_id")) if isinstance(ids, Mapping) else None
    if not isinstance(text, str) or not text:
        raise BadPayload("the uplink has no payload (frm_payload, or payload, as base64)")
    number = _number(port)
    if number != LHT65_PORT:
        raise BadPayload(f"unknown port {port!r}: an LHT65 sends its measurements on port {LHT65_PORT}")
    try:
        payload = b64decode(text, validate=True)
    except (Base64Error, ValueError) as error:
        raise BadPayload(f"the payload is not base64: {error}") from error
    more: Reading = {"source": "lht65"}
    if _is_name(sensor):
        more["sensor"] = sensor
    time_ms = _milliseconds(received)
    if time_ms is not None:
        more["time_ms"] = time_ms
    return [{**more, **reading} for reading in decode_lht65(payload)]


def _milliseconds(text: Json) -> int | None:
    """Of an ISO 8601 time with its zone; None for anything else."""
    try:
        when = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    if when.tzinfo is None:
        return None
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def decode_lht65(payload: bytes) -> list[Reading]:
    """The measurement in an uplink, or the entries of the sensor's own log. Raises BadPayload.

    Empty: the uplink tells something else (the id of a probe, a log without entries).
    """
    entries = [payload[start : start + LHT65_BYTES] for start in range(0, len(payload), LHT65_BYTES)]
    if not entries or len(entries[-1]) != LHT65_BYTES or len(entries) > READINGS_PER_PAYLOAD_MAX:
        raise BadPayload(f"an LHT65 sends a multiple of {LHT65_BYTES} bytes, not {len(payload)}")
    from_log = bool(payload[6] & 0x40)
    if from_log:
        return [_decode_log_entry(entry) for entry in entries if any(entry)]
    if len(entries) > 1:
        raise BadPayload(f"an LHT65 sends one measurement of {LHT65_BYTES} bytes, not {len(payload)} bytes")
    if not any(payload):  # a poll of the log that found nothing
        return []
    return _decode_measurement(payload)


def _signed(two_bytes: bytes) -> int:
    return int.from_bytes(two_bytes, "big", signed=True)


def _built_in(data: bytes) -> Reading:
    """Temperature and humidity of the sensor itself."""
    value = _signed(data[2:4])
    if value == _NO_VALUE:
        raise BadPayload("the sensor could not measure its temperature")
    humidity = (int.from_bytes(data[4:6], "big") & 0x0FFF) / 10
    if humidity > 100:
        raise BadPayload(f"{humidity} % is no relative humidity")
    return {**_temperatures(value / 100), "humidity_percent": humidity}


def _probe(data: bytes) -> Reading:
    value = _signed(data)
    if value == _NO_VALUE:
        return {"type": "temperature", "connected": False}
    return {"type": "temperature", "connected": True, "temperature_celsius": value / 100}


def _decode_measurement(data: bytes) -> list[Reading]:
    kind, connected = data[6] & 0x0F, not data[6] & 0x80
    if kind == _EXT_PROBE_ID:
        return []
    reading = _built_in(data)
    if kind == _EXT_PROBE_AND_TIME:  # the probe's value stands where the battery's voltage is otherwise
        reading["battery_status"] = _BATTERY_STATUS[data[4] >> 6]
        reading["external"] = _probe(data[0:2])
        reading["time_ms"] = int.from_bytes(data[7:11], "big") * 1000
        return [reading]
    reading["battery_status"] = _BATTERY_STATUS[data[0] >> 6]
    reading["battery_volts"] = (int.from_bytes(data[0:2], "big") & 0x3FFF) / 1000
    external = _decode_external(kind, data[7:11])
    if external is not None:
        reading["external"] = external if connected else {**external, "connected": False}
    return [reading]


def _decode_external(kind: int, data: bytes) -> Reading | None:
    first = int.from_bytes(data[0:2], "big")
    match kind:
        case 0:
            return None
        case 1:
            return _probe(data[0:2])
        case 4:
            return {
                "type": "interrupt",
                "pin_level": "high" if data[0] else "low",
                "interrupted": bool(data[1]),
            }
        case 5:
            return {"type": "illumination", "lux": first}
        case 6:
            return {"type": "voltage", "volts": first / 1000}
        case 7:
            return {"type": "counter", "count": first}
        case 8:
            return {"type": "counter", "count": int.from_bytes(data, "big")}
        case _:
            return {"type": f"unknown ({kind})", "bytes": data.hex()}


def _decode_log_entry(data: bytes) -> Reading:
    """A measurement of the past, which was lost on its way or is asked for again."""
    reading = _built_in(data)
    if data[6] & 0x0F in (_EXT_PROBE, _EXT_PROBE_AND_TIME):
        reading["external"] = _probe(data[0:2])
    reading["time_ms"] = int.from_bytes(data[7:11], "big") * 1000
    reading["from_log"] = True
    return reading
