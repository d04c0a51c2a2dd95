"""Limits of the agent fit each other, and those of the engine and the edge."""

from __future__ import annotations

from dataclasses import fields

from pico_didcomm.unpack import ENVELOPE_BYTES_MAX
from pico_engine.limits import EngineLimits
from pico_node.agent import AgentLimits
from pico_node.peers.limits import PeerLimits

LIMITS = AgentLimits()


def test_every_limit_has_its_unit_in_its_name() -> None:
    units = ("_ms", "_messages", "_bytes", "_max")
    for field in fields(AgentLimits):
        assert field.name.endswith(units), field.name
        assert getattr(LIMITS, field.name) > 0


def test_they_fit_each_other() -> None:
    assert LIMITS.retry_first_ms < LIMITS.retry_max_ms < LIMITS.outbox_max_age_ms
    assert LIMITS.query_retry_ms < EngineLimits().wait_max_ms
    assert LIMITS.window_max_bytes + ENVELOPE_BYTES_MAX < PeerLimits().outgoing_bytes_max
    assert LIMITS.window_max_messages <= LIMITS.outbox_max_messages
    assert PeerLimits().frame_bytes_max > ENVELOPE_BYTES_MAX
