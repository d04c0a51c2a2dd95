"""The monitor: each of its invariants is broken once, by rows and frames made by hand."""

from __future__ import annotations

import pytest

from pico_engine.messages import LogLine
from pico_engine.store import Batch
from pico_engine.values import encode
from pico_node.agent.frames import ACK, OPEN, frame
from pico_node.agent.messages import SendFrames
from pico_simnet.errors import InvariantBroken
from pico_simnet.monitor import Monitor
from pico_simnet.world import World

A, B = "did:peer:4a", "did:peer:4b"
PICO = {A: "did:key:za", B: "did:key:zb"}


class Host:
    name = "host"


def batch(eci: str, *, numbers=None, rows=(), gone=(), other=None) -> Batch:
    found = {}
    head = f"p/{PICO[eci]}/"
    if numbers is not None:
        found[f"{head}n/{eci}#".encode()] = encode(list(numbers))
    if other is not None:
        found[f"{head}n/{eci}".encode()] = encode({"their_did": other})
    for number in rows:
        found[f"{head}x/{eci}/{number:012x}".encode()] = encode({"kind": "event"})
    for number in gone:
        found[f"{head}x/{eci}/{number:012x}".encode()] = None
    return Batch(found)


@pytest.fixture
def monitor() -> Monitor:
    """Both sides know each other; A has sent 2, of which B has received 1."""
    one = Monitor(World())
    one.durable(Host, batch(A, numbers=(2, 0), rows=(1, 2), other=B))
    one.durable(Host, batch(B, numbers=(0, 1), other=A))
    return one


def test_what_should_happen_passes(monitor) -> None:
    assert monitor.unsettled() == [A]
    assert sorted(monitor.connected()) == [(PICO[A], A), (PICO[B], B)]
    monitor.effect(Host, SendFrames("b", 1, [frame(OPEN, [A, B, 0, 2]), b"Dwhatever"]))
    monitor.effect(Host, SendFrames("a", 1, [frame(ACK, [[A, 1]])]))
    monitor.durable(Host, batch(A, gone=(1,)))
    monitor.durable(Host, batch(B, numbers=(0, 2)))
    assert monitor.unsettled() == [A]
    monitor.durable(Host, batch(A, gone=(2,)))
    assert monitor.unsettled() == []


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (batch(A, numbers=(1, 0)), "went back"),
        (batch(B, numbers=(0, 0)), "went back"),
        (batch(A, numbers=(3, 0)), "no outbox row"),
        (batch(A, numbers=(4, 0), rows=(4,)), "message 3 .* no outbox row"),
        (batch(A, gone=(2,)), "was deleted"),
        (batch(B, numbers=(0, 3)), "received 3; the other side has sent 2"),
    ],
)
def test_wrong_rows(monitor, wrong, what) -> None:
    with pytest.raises(InvariantBroken, match=what):
        monitor.durable(Host, wrong)


@pytest.mark.parametrize(
    ("effect", "what"),
    [
        (SendFrames("a", 1, [frame(ACK, [[A, 2]])]), "acknowledges message 2"),
        (SendFrames("b", 1, [frame(OPEN, [A, B, 0, 3])]), "says it sent 3"),
        (LogLine("warning", "", "", "its store is older than it was", 0), "older"),
    ],
)
def test_wrong_effects(monitor, effect, what) -> None:
    with pytest.raises(InvariantBroken, match=what):
        monitor.effect(Host, effect)


def test_a_connection_that_ended_is_forgotten(monitor) -> None:
    ended = batch(A, gone=(1, 2))
    ended.rows[f"p/{PICO[A]}/n/{A}".encode()] = None
    ended.rows[f"p/{PICO[A]}/n/{A}#".encode()] = None
    monitor.durable(Host, ended)
    assert monitor.connected() == []
