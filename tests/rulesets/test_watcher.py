"""picomesh.watcher: what is told to it, by whom; the rest is in test_sensor.py."""

from __future__ import annotations

from typing import Any

import pytest

from pico_rulesets.watcher import Watcher
from tests.rulesets.picos import Family


@pytest.fixture
def family() -> Family:
    family = Family("owner", "attic", rulesets=(Watcher,))
    family.install("owner", "picomesh.watcher")
    family.subscribe("owner", "attic")
    return family


def tell(family: Family, kind: str, **attrs: Any) -> None:
    event = {"domain": "sensor", "type": kind, "attrs": attrs}
    family.event("attic", "wrangler:send_event_on_subs", event, Tx_role="watcher")


def test_kinds_are_kept_in_order(family: Family) -> None:
    tell(family, "reading", n=1)
    tell(family, "alarm", n=2)
    tell(family, "reading", n=3)
    tell(family, "other", n=4)
    rows = family.query("owner", "picomesh.watcher", "received")
    assert [(row["kind"], row["attrs"]["n"]) for row in rows] == [
        ("reading", 1),
        ("alarm", 2),
        ("reading", 3),
    ]
    assert family.query("owner", "picomesh.watcher", "received", kind="reading", last=1) == [rows[2]]
    assert family.query("owner", "picomesh.watcher", "alarms") == [rows[1]]
    assert family.query("owner", "picomesh.watcher", "alarms", last="5") == [rows[1]]
    bus = family.query("owner", "io.picolabs.subscription", "established")[0]
    assert all((row["sender"], row["Rx"]) == (bus["Tx"], bus["Rx"]) for row in rows)


def test_what_the_pico_raises_itself_is_not_told(family: Family) -> None:
    family.event("owner", "sensor:alarm", n=1)
    assert family.query("owner", "picomesh.watcher", "alarms") == []


def test_alarms_outlive_readings(family: Family) -> None:
    family.install("owner", "picomesh.watcher", received_max=3)
    tell(family, "alarm", n=0)
    for number in range(1, 6):
        tell(family, "reading", n=number)
    rows = family.query("owner", "picomesh.watcher", "received")
    assert [row["attrs"]["n"] for row in rows] == [3, 4, 5]
    assert [row["attrs"]["n"] for row in family.query("owner", "picomesh.watcher", "alarms")] == [0]


def test_asking_a_pico_that_is_no_sensor_gives_an_error(family: Family) -> None:
    (answer,) = family.query("owner", "picomesh.watcher", "ask")
    assert answer["error"]["code"] == "unknown-ruleset"
    assert answer["Tx"] == family.buses("owner")[0]["Tx"]
