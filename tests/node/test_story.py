"""The first five minutes, with two real node processes on real LevelDB and libp2p, kill -9 included."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.node.processes import RealNode, wait_until

pytestmark = pytest.mark.processes

DATA = Path(__file__).parents[1] / "data" / "sensors"
HEARTBEAT = json.loads((DATA / "wovyn_heartbeat.json").read_text())
UPLINK = json.loads((DATA / "ttn_v3_uplink.json").read_text())
SENSOR, WATCHER = "picomesh.sensor", "picomesh.watcher"


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[RealNode, RealNode]]:
    first, second = RealNode(tmp_path / "first"), RealNode(tmp_path / "second")
    try:
        yield first.up(), second.up()
    finally:
        first.close()
        second.close()


def heartbeat(fahrenheit: float) -> Any:
    body = deepcopy(HEARTBEAT)
    body["genericThing"]["data"]["temperature"][0]["temperatureF"] = fahrenheit
    return body


def connect(first: RealNode, second: RealNode) -> str:
    """Picos, rulesets, a connection; answers the ECI of the sensor's channel."""
    first.cli("pico", "new", "greenhouse")
    first.cli("ruleset", "install", "greenhouse", SENSOR)
    second.cli("pico", "new", "watcher")
    second.cli("ruleset", "install", "watcher", WATCHER)
    invitation = first.cli("invite", "greenhouse", "--my-role", "sensor", "--their-role", "watcher")
    assert invitation["url"].startswith("didcomm://invite?_oob=")
    second.cli("accept", "watcher", invitation["url"])
    for node, mine, theirs in ((first, "sensor", "watcher"), (second, "watcher", "sensor")):
        row = wait_until(lambda node=node: established(node), what="the connection")
        assert (row["Rx_role"], row["Tx_role"]) == (mine, theirs)
        subscriptions = node.ask(row["pico"], "io.picolabs.subscription", "established")
        assert [bus["Tx"] for bus in subscriptions] == [row["Tx"]]
    return str(first.cli("channel", "new", "greenhouse", "--tag", "sensor")["id"])


def established(node: RealNode) -> Any:
    rows = node.cli("connections")
    return next((row for row in rows if row["state"] == "established"), None)


def send(node: RealNode, eci: str, body: Any, event: str = "wovyn/heartbeat") -> bool:
    """One reading; True when it was acknowledged."""
    try:
        answer = node.post(f"/c/{eci}/event-wait/{event}", body)
    except (OSError, http.client.HTTPException, ValueError):
        return False
    return "directives" in answer


def watched(node: RealNode, kind: str) -> list[float]:
    rows = node.ask("watcher", WATCHER, "received", f"kind={kind}")
    return [row["attrs"]["temperature"] for row in rows]


def test_two_owners_two_engines_one_live_sensor(nodes: tuple[RealNode, RealNode]) -> None:
    first, second = nodes
    eci = connect(first, second)

    # Real readings of both kinds of sensors reach the greenhouse, and over the connection the watcher.
    assert send(first, eci, HEARTBEAT)
    assert send(first, eci, UPLINK, "lorawan/uplink")
    kept = first.ask("greenhouse", SENSOR, "temperatures")
    assert [row["source"] for row in kept] == ["wovyn", "lht65"]
    assert kept[0]["temperature"] == 75.31
    wait_until(lambda: len(watched(second, "reading")) == 2, what="both readings at the watcher")

    # The watcher asks the greenhouse over the same connection.
    answers = second.ask("watcher", WATCHER, "ask")
    assert answers[0]["latest"] == first.ask("greenhouse", SENSOR, "latest")

    # The uplink (82.92 °F) and this are two violations. Both nodes are killed; the third makes the alarm:
    # half of an event expression survives.
    assert send(first, eci, heartbeat(90.0))
    assert second.ask("watcher", WATCHER, "alarms") == []
    first.kill()
    second.kill()
    second.up()
    first.up()
    assert send(first, eci, heartbeat(92.0))
    wait_until(lambda: second.ask("watcher", WATCHER, "alarms"), what="the alarm")
    wait_until(lambda: watched(second, "violation") == [82.92, 90.0, 92.0], what="all violations, in order")
    assert len(second.ask("watcher", WATCHER, "alarms")) == 1


@pytest.mark.slow
def test_kill_at_any_moment_loses_and_doubles_nothing(nodes: tuple[RealNode, RealNode]) -> None:
    first, second = nodes
    eci = connect(first, second)
    acknowledged: list[float] = []
    unsure: list[float] = []
    reading = 0
    for killed in range(8):
        victim = nodes[killed % 2]
        for step in range(12):
            reading += 1
            value = round(20 + reading * 0.01, 2)
            if step == 7 + killed % 3:
                victim.kill()
            (acknowledged if send(first, eci, heartbeat(value)) else unsure).append(value)
        victim.up()
        wait_until(lambda: send_is_possible(first, eci), what="the node is up again")

    kept = [row["temperature"] for row in first.ask("greenhouse", SENSOR, "temperatures")]
    assert len(kept) == len(set(kept)), "no reading is kept twice"
    assert set(acknowledged) <= set(kept), "no acknowledged reading is lost"
    assert set(kept) <= {*acknowledged, *unsure}
    assert kept == sorted(kept), "readings are in the order in which they were sent"
    wait_until(lambda: watched(second, "reading") == kept, 60, "the watcher has each reading once, in order")
    assert wait_until(
        lambda: all(row["unacknowledged"] == 0 for node in nodes for row in node.cli("connections")),
        what="nothing is left in the outboxes",
    )


def send_is_possible(node: RealNode, eci: str) -> bool:
    try:
        node.post(f"/c/{eci}/query/{SENSOR}/latest", {})
    except OSError:
        return False
    return True
