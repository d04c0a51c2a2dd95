"""Policies of the channels that come with a pico, and of those to other people's picos."""

from __future__ import annotations

import pytest

from pico_rulesets.policies import PEER_EVENTS, PEER_QUERIES, WELL_KNOWN_EVENTS, WELL_KNOWN_QUERIES
from pico_rulesets.sensor import TemperatureSensor
from pico_rulesets.watcher import Watcher
from pico_rulesets.wrangler import SUBSCRIPTION, WRANGLER, Wrangler


def test_a_peer_manages_nothing() -> None:
    for one in Wrangler.definition.rules:
        assert not any(PEER_EVENTS.admits(*pair) for pair in one.machine.salience)
    for rid in (WRANGLER, SUBSCRIPTION):
        assert not PEER_QUERIES.admits(rid, "channels")
    for name in ("connection:ended", "connection:established", "event:undeliverable", "engine:started"):
        assert not PEER_EVENTS.admits(*name.split(":"))


@pytest.mark.parametrize("name", ["sensor:reading", "wovyn:heartbeat", "anything:else"])
def test_a_peer_reaches_what_is_meant_for_it(name: str) -> None:
    assert PEER_EVENTS.admits(*name.split(":"))
    assert PEER_QUERIES.admits(TemperatureSensor.definition.rid, "latest")
    assert PEER_QUERIES.admits(Watcher.definition.rid, "alarms")


def test_strangers_only_ask() -> None:
    assert WELL_KNOWN_EVENTS.admits("wrangler", "new_subscription_request")
    assert not WELL_KNOWN_EVENTS.admits("wrangler", "established_removal")
    assert not WELL_KNOWN_QUERIES.admits(SUBSCRIPTION, "established")
