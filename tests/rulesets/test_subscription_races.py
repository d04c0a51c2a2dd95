"""Three picos ask, approve, reject and cancel as they like, also at the same time: no halves are left."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pico_engine.channels import DIDCOMM
from pico_engine.messages import OWNER, EventMessage
from tests.rulesets.picos import Family

NAMES = ("A", "B", "C")
COMMANDS = {
    "pending_subscription_approval": "inbound",
    "inbound_rejection": "inbound",
    "outbound_cancellation": "outbound",
    "subscription_cancellation": "established",
    "channel_deletion_request": None,
    "cancel_subscriptions": None,
}
PICK = st.tuples(st.sampled_from(NAMES), st.sampled_from(["subscription", *COMMANDS]), st.integers(0, 3))
MOMENTS = st.lists(st.lists(PICK, min_size=1, max_size=5), min_size=1, max_size=6)
"""What is said in one moment is under way together."""


def command(family: Family, pico: str, kind: str, which: int) -> dict[str, Any] | None:
    """Attributes of the event; None when there is nothing of its kind."""
    if kind == "subscription":
        return {"wellKnown_Tx": family.well_known(NAMES[which % 3]), "name": "it"}
    if kind == "cancel_subscriptions":
        return {}
    if kind == "channel_deletion_request":
        ecis = sorted(connection_channels(family, pico))
        return {"eci": ecis[which % len(ecis)]} if ecis else None
    buses = family.buses(pico, COMMANDS[kind] or "")
    return {"Id": buses[which % len(buses)]["Id"]} if buses else None


def connection_channels(family: Family, pico: str) -> set[str]:
    rows = family.bench.engine.pico(family.did(pico)).channels.rows
    return {eci for eci, channel in rows.items() if DIDCOMM in channel.doors}


def check(family: Family) -> None:
    """Each subscription has its other half, and each channel its subscription."""
    every: dict[str, list[dict[str, Any]]] = {"established": [], "inbound": [], "outbound": []}
    for pico in NAMES:
        own = {kind: family.buses(pico, kind) for kind in every}
        assert connection_channels(family, pico) == {bus["Rx"] for buses in own.values() for bus in buses}
        for kind, buses in own.items():
            every[kind] += buses
    ends = {(bus["Id"], bus["Rx"], bus["Tx"]) for bus in every["established"]}
    assert ends == {(bus_id, tx, rx) for bus_id, rx, tx in ends}
    asked = {(bus["Id"], bus["Rx"]) for bus in every["outbound"]}
    assert asked == {(bus["Id"], bus["Tx"]) for bus in every["inbound"]}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MOMENTS)
def test_no_halves_are_left(moments: list[list[tuple[str, str, int]]]) -> None:
    family = Family(*NAMES)
    for moment in moments:
        found = [(pico, kind, command(family, pico, kind, which)) for pico, kind, which in moment]
        for pico, kind, attrs in found:
            if attrs is not None:
                event = EventMessage(family.did(pico), "wrangler", kind, attrs, OWNER)
                family.bench.engine.receive(event, family.clock.now)
        family.bench.run()
        check(family)
