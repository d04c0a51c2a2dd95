"""Inbound: numbered messages that have no effect keep their place among those that have."""

from __future__ import annotations

import pytest

from pico_engine.api import PicoView
from pico_engine.messages import OperationMessage
from tests.node.agent.pair import Node, Pair


def send_rows(pair: Pair, *kinds: str) -> None:
    """Put rows of these kinds into the teller's outbox in one turn: events 1, 2, … and voids."""
    agent = pair.a.agent
    eci = pair.command(pair.a, "connections")[0]["Rx"]

    def run(pico):
        for n, kind in enumerate(kinds, start=1):
            row = {"kind": kind}
            if kind == "event":
                row |= {"domain": "tell", "type": "n", "attrs": {"n": n}, "hops": 0}
            agent.handshake.add_to_outbox(pico, eci, row)

    pair.a.give(OperationMessage(agent.commands.find("teller").did, "test", run))


def deny(node: Node, kind: str) -> None:
    """The listener's connection refuses events of this type from now on."""
    pico = node.agent.commands.find("listener")
    policy = {"allow": [{"domain": "*", "name": "*"}], "deny": [{"domain": "tell", "name": kind}]}

    def run(one):
        eci = next(eci for eci in one.connections.rows if not eci.endswith("#"))
        PicoView(one).put_channel(eci, event_policy=policy)

    node.give(OperationMessage(pico.did, "test", run))


@pytest.mark.parametrize(
    "kinds", [("void", "event"), ("event", "void", "event"), ("event", "void", "void", "event", "void")]
)
def test_a_message_without_effect_does_not_stop_those_behind_it(kinds) -> None:
    pair = Pair()
    pair.meet()
    send_rows(pair, *kinds)
    pair.settle()
    assert pair.heard == [0, *(n for n, kind in enumerate(kinds, start=1) if kind == "event")]
    assert pair.unacknowledged == 0
    pair.tell(99)
    pair.settle()
    assert pair.heard[-1] == 99


def test_a_denied_event_behind_a_waiting_turn_does_not_acknowledge_that_turn() -> None:
    pair = Pair()
    pair.meet()
    deny(pair.b, "no")
    pair.tell(1, "tell:ask")
    pair.tell(2, "tell:no")
    pair.carry(pair.a, pair.b)
    pair.carry(pair.b, pair.a)
    pair.crash_b()
    pair.tell(3)
    pair.settle()
    assert pair.heard == [0, 1, 3]
    assert pair.unacknowledged == 0


def test_a_denied_event_between_others_is_passed() -> None:
    pair = Pair()
    pair.meet()
    deny(pair.b, "no")
    for n, name in ((1, "tell:n"), (2, "tell:no"), (3, "tell:n")):
        pair.tell(n, name)
    pair.settle()
    pair.clock.milliseconds(pair.a.agent.limits.retry_first_ms)
    pair.a.run()
    pair.settle()
    assert pair.heard == [0, 1, 3]
    assert pair.unacknowledged == 0
