"""Writes day.jsonl: a day of a Wovyn sensor's heartbeats, every five minutes. README.md names the source."""

from __future__ import annotations

import json
from pathlib import Path

HOURLY_FAHRENHEIT = (
    61.1, 60.0, 59.2, 58.4, 57.6, 57.1, 58.3, 60.0, 61.8, 63.6, 65.7, 67.9, 70.0, 71.8, 73.3, 74.3, 74.7,
    74.2, 73.2, 71.1, 67.8, 65.6, 64.0, 62.7, 61.3,
)  # fmt: skip
"""July 18 at Seattle Tacoma International Airport, 0:00 to 24:00: averages over 30 years, from NOAA."""
STEP_S = 300
BATTERY_VOLTS = (3.44, 3.42)
"""At the first and the last heartbeat. Made up."""


def heartbeat(at_s: int) -> dict[str, object]:
    """What the sensor posts so many seconds after midnight."""
    hour, rest = divmod(at_s, 3600)
    before, after = HOURLY_FAHRENHEIT[hour], HOURLY_FAHRENHEIT[hour + 1]
    fahrenheit = round(before + (after - before) * rest / 3600, 2)
    celsius = round((fahrenheit - 32) * 5 / 9, 2)
    volts = round(BATTERY_VOLTS[0] + (BATTERY_VOLTS[1] - BATTERY_VOLTS[0]) * at_s / 86_400, 2)
    probe = {
        "name": "ambient temperature",
        "transducerGUID": "28E3A5680900008D",
        "units": "degrees",
        "temperatureF": fahrenheit,
        "temperatureC": celsius,
    }
    return {
        "version": 2,
        "eventDomain": "wovyn.emitter",
        "eventName": "sensorHeartbeat",
        "emitterGUID": "5CCF7F2BD537",
        "genericThing": {
            "typeId": "2.1.2",
            "typeName": "generic.simple.temperature",
            "healthPercent": round((volts - 2.7) / (3.6 - 2.7) * 100, 2),
            "heartbeatSeconds": STEP_S,
            "data": {"temperature": [probe]},
        },
        "specificThing": {
            "make": "Wovyn ESProto",
            "model": "Temp2000",
            "typeId": "1.1.2.2.2000",
            "typeName": "enterprise.wovyn.esproto.temp.2000",
            "thingGUID": "5CCF7F2BD537.1",
            "battery": {"maximumVoltage": 3.6, "minimumVoltage": 2.7, "currentVoltage": volts},
        },
        "property": {"name": "Wovyn_2BD537", "description": "Temp2000"},
    }


def lines() -> list[str]:
    times = range(0, 86_400, STEP_S)
    rows = ({"at_s": at_s, "event": "wovyn:heartbeat", "attrs": heartbeat(at_s)} for at_s in times)
    return [json.dumps(row, separators=(",", ":")) for row in rows]


if __name__ == "__main__":
    Path(__file__).with_name("day.jsonl").write_text("\n".join(lines()) + "\n", encoding="ascii")
