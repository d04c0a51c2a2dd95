"""Handshake: ends of connections."""

from __future__ import annotations

from pico_engine.limits import EngineLimits
from tests.node.agent.pair import Pair


def test_a_farewell_that_was_lost_is_said_again() -> None:
    pair = Pair()
    pair.meet()
    row = pair.command(pair.a, "connections")[0]
    pair.command(pair.a, "connection_end", pico="teller", id=row["id"])
    pair.a.out.clear()
    pair.clock.milliseconds(EngineLimits().idle_max_ms)
    pair.a.run()
    pair.settle()
    assert pair.command(pair.a, "connections") == []
    assert pair.command(pair.b, "connections") == []
    assert list(pair.a.agent.node.farewells.scan()) == []
