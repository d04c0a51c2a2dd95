"""Numbers that the explanations give are the limits of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from pico_engine.limits import EngineLimits
from pico_node.agent.limits import AgentLimits
from pico_node.http.login import CODE_LIFE_S, SESSION_LIFE_S
from pico_node.peers.limits import PeerLimits

EXPLANATION = Path(__file__).parents[2] / "docs" / "explanation"
engine, agent, peer = EngineLimits(), AgentLimits(), PeerLimits()
SAID = [
    ("turns", f"computes for longer than {engine.turn_max_ms // 1000} seconds"),
    ("turns", f"at most {engine.raised_events_max:,} events are raised"),
    ("turns", f"more than {engine.hops_max} are refused"),
    ("turns", f"No answer within {engine.wait_max_ms // 1000} seconds"),
    ("connections", f"after {agent.retry_first_ms // 1000} seconds, then after longer pauses"),
    ("connections", f"for {agent.outbox_max_age_ms // 86_400_000} days"),
    ("connections", f"{agent.outbox_max_messages:,} waiting events"),
    ("connections", f"silent for {peer.ping_after_s:.0f} seconds"),
    ("connections", f"after {peer.dead_after_s:.0f} given up"),
    ("security", f"{peer.inbound_max} connections"),
    ("security", f"{peer.inbound_per_ip_max} per address"),
    ("security", f"good once, for {CODE_LIFE_S // 60} minutes"),
    ("security", f"{SESSION_LIFE_S // 86_400} days"),
]


@pytest.mark.parametrize(("page", "words"), SAID, ids=[words for _, words in SAID])
def test_the_number_is_in_the_page(page: str, words: str) -> None:
    text = (EXPLANATION / f"{page}.md").read_text()
    assert words in " ".join(text.split())


def test_other_numbers_that_are_told_in_words() -> None:
    assert agent.retry_max_ms == 60_000  # "up to a minute"
    assert agent.query_retry_ms == 1_000  # "every second"
    assert peer.redial_most_s == 30.0  # "at most every half a minute"
