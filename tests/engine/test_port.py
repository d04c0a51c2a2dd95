"""An engine alone in the world."""

from __future__ import annotations

from pico_engine.messages import EventMessage
from pico_engine.port import Port
from tests.engine.helpers import Steps


def test_there_is_no_way_out() -> None:
    steps = Steps()
    pico, port = steps.engine.pico(steps.root), Port()
    assert not port.send_event(pico, EventMessage("did:x", "a", "b"))
    assert not port.can_query(pico, "did:x")
    assert port.may_put_away(pico)
    port.channel_deleted(pico, "did:x")
    port.pico_deleted(pico)


def test_the_port_is_told_and_asked() -> None:
    steps = Steps()
    told: list[tuple[str, str]] = []
    steps.port.channel_deleted = lambda pico, eci: told.append(("channel", eci))
    steps.port.pico_deleted = lambda pico: told.append(("pico", pico.did))
    steps.port.may_put_away = lambda pico: False
    child = steps.child()["did"]
    eci = steps.channel(child)
    steps.operate(child, lambda pico: pico.engine.family.delete_channel(pico, eci))
    steps.now += 10_000_000
    steps.settle()
    assert steps.engine.loaded_count == 2, "the port kept them"
    steps.operate(steps.root, lambda pico: pico.engine.family.delete_child(pico, child))
    assert told == [("channel", eci), ("pico", child)]
