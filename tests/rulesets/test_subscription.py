"""io.picolabs.subscription: the whole protocol between picos of one engine, and the node's connections."""

from __future__ import annotations

import pytest

from pico_engine.errors import DeniedByPolicy
from pico_engine.messages import LOCAL_DOOR, SYSTEM_DOOR, EventMessage
from pico_rulesets.subscription import CANCELLED_PER_TURN_MAX, NAME_MAX_CHARS, PENDING_MAX
from tests.rulesets.picos import SUBSCRIPTION, Family


@pytest.fixture
def family() -> Family:
    return Family("A", "B")


def both_are_free(family: Family) -> None:
    """Nothing is left of any subscription."""
    for pico in ("A", "B"):
        for kind in ("established", "inbound", "outbound"):
            assert family.buses(pico, kind) == []
        tags = [one.tags for one in family.bench.engine.pico(family.did(pico)).channels.rows.values()]
        assert sorted(tags) == [("system", "child"), ("system", "self"), ("wellknown_rx", "tx_rx")]


# -- the well-known channel ---------------------------------------------------------------------------------


def test_well_known_channel_admits_only_the_protocol(family: Family) -> None:
    channel = family.query("B", SUBSCRIPTION, "wellKnown_Rx")
    assert channel["tags"] == ["wellknown_rx", "tx_rx"]
    assert channel["eventPolicy"] == {
        "allow": [
            {"domain": "wrangler", "name": "subscription"},
            {"domain": "wrangler", "name": "new_subscription_request"},
            {"domain": "wrangler", "name": "inbound_removal"},
        ],
        "deny": [],
    }
    assert channel["queryPolicy"] == {"allow": [{"rid": SUBSCRIPTION, "name": "wellKnown_Rx"}], "deny": []}
    answer = family.bench.query(channel["id"], SUBSCRIPTION, "wellKnown_Rx", door="http")
    assert answer["id"] == channel["id"]
    with pytest.raises(DeniedByPolicy):
        family.bench.event(channel["id"], "wrangler:subscription_cancellation", door="http")
    with pytest.raises(DeniedByPolicy):
        family.bench.query(channel["id"], SUBSCRIPTION, "established", door="http")


def test_well_known_channel_is_made_once_and_again_when_lost(family: Family) -> None:
    first = family.well_known("root")
    start = EventMessage(family.bench.root, "engine", "started", door=SYSTEM_DOOR)
    family.bench.ask(start)
    assert family.well_known("root") == first
    family.event("root", "wrangler:channel_deletion_request", eci=first)
    assert family.query("root", SUBSCRIPTION, "wellKnown_Rx") is None
    family.bench.ask(EventMessage(family.bench.root, "engine", "started", door=SYSTEM_DOOR))
    assert family.well_known("root") != first
    assert family.names("root").count("wrangler:wellKnown_Rx_created") == 2


# -- asking and approving -----------------------------------------------------------------------------------


def test_request_is_pending_on_both_sides(family: Family) -> None:
    family.ask("A", "B", password="open sesame", _headers={"cookie": "secret"})
    (out,) = family.buses("A", "outbound")
    (into,) = family.buses("B", "inbound")
    assert out == {
        "Id": out["Id"],
        "Rx": out["Rx"],
        "Rx_role": "watcher",
        "Tx_role": "sensor",
        "wellKnown_Tx": family.well_known("B"),
    }
    roles = {"Rx_role": "sensor", "Tx_role": "watcher"}
    assert into == {"Id": out["Id"], "Rx": into["Rx"], "Tx": out["Rx"], **roles}
    (told,) = family.seen("B", "wrangler:inbound_pending_subscription_added")
    assert told == {
        **into,
        "name": "it",
        "channel_name": "it",
        "channel_type": "Tx_Rx",
        "password": "open sesame",
        "wellKnown_Tx": family.well_known("B"),
    }
    (asked,) = family.seen("A", "wrangler:outbound_pending_subscription_added")
    assert asked["Id"] == out["Id"]
    assert family.errors == []


def test_approval_establishes_both_sides(family: Family) -> None:
    bus = family.subscribe("A", "B")
    (other,) = family.buses("B")
    assert set(bus) == {"Id", "Rx", "Tx", "Rx_role", "Tx_role"}
    assert (bus["Id"], bus["Rx"], bus["Tx"]) == (other["Id"], other["Tx"], other["Rx"])
    assert (bus["Rx_role"], bus["Tx_role"]) == ("watcher", "sensor")
    assert (other["Rx_role"], other["Tx_role"]) == ("sensor", "watcher")
    assert family.buses("A", "outbound") == family.buses("B", "inbound") == []
    for pico, ours in (("A", bus), ("B", other)):
        (told,) = family.seen(pico, "wrangler:subscription_added")
        assert told["bus"] == ours
        channel = family.bench.engine.pico(family.did(pico)).channels.get(ours["Rx"])
        assert channel.tags == ("it", "tx_rx")
        assert (channel.doors, channel.peer) == (("didcomm",), ours["Tx"])
    assert family.errors == []


def test_only_the_other_side_may_use_the_channel(family: Family) -> None:
    family.add("C")
    bus = family.subscribe("A", "B")
    for door, sender in (("http", None), (LOCAL_DOOR, family.did("C"))):
        answer = family.bench.ask(EventMessage(bus["Rx"], "test", "knock", door=door, sender=sender))
        assert answer.error.code == "denied-by-policy"
    family.event("B", "wrangler:send_event_on_subs", Rx_role="sensor", domain="test", type="knock")
    assert family.names("A").count("test:knock") == 1


@pytest.mark.parametrize(("default_rulesets", "door"), [((), "didcomm"), (("test.witness",), "http")])
def test_with_compat_only_are_channels_of_subscriptions_open_over_http(
    family: Family, default_rulesets: tuple[str, ...], door: str
) -> None:
    family.bench.engine.default_rulesets = default_rulesets
    bus = family.subscribe("A", "B")
    channel = family.bench.engine.pico(family.did("A")).channels.rows[bus["Rx"]]
    assert channel.doors == (door,)
    if door == "http":
        family.bench.event(bus["Rx"], "test:said", {"n": 1}, door="http")
    else:
        with pytest.raises(DeniedByPolicy):
            family.bench.event(bus["Rx"], "test:said", {"n": 1}, door="http")
    assert len(family.seen("A", "test:said")) == (door == "http")


def test_filters_of_queries(family: Family) -> None:
    family.add("C")
    first, second = family.subscribe("A", "B"), family.subscribe("A", "C", Tx_role="lamp")
    assert family.query("A", SUBSCRIPTION, "established", key="Tx_role", value="lamp") == [second]
    assert family.query("A", SUBSCRIPTION, "established", key="Id", value=first["Id"]) == [first]
    assert family.query("A", SUBSCRIPTION, "established", key="Id", value="none") == []


def test_request_without_a_receiver_fails(family: Family) -> None:
    family.event("A", "wrangler:subscription", name="it")
    assert family.seen("A", "wrangler:wellKnown_Tx_format_failure") == [{"name": "it"}]
    family.bench.event(family.well_known("B"), "wrangler:new_subscription_request", {"a": 1}, door="http")
    assert family.seen("B", "wrangler:no_Tx_failure") == [{"a": 1}]
    both_are_free(family)


def test_request_that_finds_nobody_is_taken_back(family: Family) -> None:
    family.event("A", "wrangler:subscription", wellKnown_Tx="did:example:nobody")
    (told,) = family.seen("A", "wrangler:outbound_subscription_cancelled")
    assert "did:example:nobody" in told["reason"]
    both_are_free(family)


def test_the_same_request_twice_is_one(family: Family) -> None:
    family.ask("A", "B")
    (into,) = family.buses("B", "inbound")
    again = {"Id": into["Id"], "Tx": into["Tx"]}
    family.bench.event(family.well_known("B"), "wrangler:new_subscription_request", again, door="http")
    assert family.buses("B", "inbound") == [into]


def test_what_a_stranger_may_send_is_limited(family: Family) -> None:
    eci = family.well_known("B")
    for bad in ({"Id": "x" * (NAME_MAX_CHARS + 1)}, {"Rx_role": ["a"]}, {"channel_name": {"a": 1}}):
        family.bench.event(
            eci, "wrangler:new_subscription_request", {"Tx": "did:example:x", **bad}, door="http"
        )
    tags = {"channel_name": "wellKnown_Rx", "channel_type": "Tx_Rx"}
    family.bench.event(eci, "wrangler:new_subscription_request", {"Tx": "did:example:x", **tags}, door="http")
    both_are_free(family)
    assert len(family.errors) == 4


def test_pending_requests_are_limited(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    assert PENDING_MAX == 1_000
    monkeypatch.setattr("pico_rulesets.subscription.PENDING_MAX", 3)
    eci = family.well_known("B")
    for number in range(5):
        attrs = {"Tx": f"did:example:x{number}"}
        family.bench.event(eci, "wrangler:new_subscription_request", attrs, door="http")
    assert len(family.buses("B", "inbound")) == 3
    assert "pending already" in family.errors[0]


def test_a_pico_subscribes_to_itself(family: Family) -> None:
    family.subscribe("A", "A", Rx_role="left", Tx_role="right")
    left, right = sorted(family.buses("A"), key=lambda bus: bus["Rx_role"])
    assert (left["Rx"], left["Tx"]) == (right["Tx"], right["Rx"])
    family.event("A", "wrangler:subscription_cancellation", Id=left["Id"])
    both_are_free(family)


def test_the_policy_of_new_channels_can_be_set() -> None:
    family = Family("A", "B")
    policy = {"allow": [{"domain": "sensor", "name": "*"}, {"domain": "wrangler", "name": "*"}], "deny": []}
    family.install("B", SUBSCRIPTION, event_policy=policy)
    family.subscribe("A", "B")
    channel = family.bench.engine.pico(family.did("B")).channels.get(family.buses("B")[0]["Rx"])
    assert channel.describe()["eventPolicy"] == policy


# -- accepting without being asked --------------------------------------------------------------------------


def test_auto_accept(family: Family) -> None:
    config = {"configName": "friends", "entries": {"password": ["^sesame$"]}}
    family.event("B", "wrangler:autoAcceptConfigUpdate", config=config)
    assert family.query("B", SUBSCRIPTION, "autoAcceptConfig") == {"friends": config}
    family.ask("A", "B", password="wrong")
    assert family.buses("B") == []
    family.ask("A", "B", password="sesame")
    assert len(family.buses("A")) == len(family.buses("B")) == 1
    assert len(family.seen("B", "wrangler:auto_accepted_subscription_request")) == 1
    family.event("B", "wrangler:autoAcceptConfigUpdate", configName="friends", delete=True)
    assert family.query("B", SUBSCRIPTION, "autoAcceptConfig") == {}
    assert len(family.seen("B", "wrangler:auto_accept_config_updated")) == 2


def test_auto_accept_by_single_attributes(family: Family) -> None:
    attrs = {"configName": "any", "password": "p", "regexMap": '{"Tx_role": ["watch"]}'}
    family.event("B", "wrangler:autoAcceptConfigUpdate", attrs)
    family.ask("A", "B")
    assert len(family.buses("B")) == 1


@pytest.mark.parametrize(
    "attrs",
    [
        {},
        {"config": {"configName": "x"}},
        {"config": {"configName": "x", "entries": {"a": "b"}}},
        {"config": {"configName": "x", "entries": {"a": ["("]}}},
        {"configName": "x", "regexMap": "{"},
    ],
)
def test_bad_auto_accept_configurations_are_refused(family: Family, attrs: dict[str, object]) -> None:
    family.event("B", "wrangler:autoAcceptConfigUpdate", attrs)
    (told,) = family.seen("B", "wrangler:autoAcceptConfigUpdate_failure")
    assert told["reason"]
    assert family.query("B", SUBSCRIPTION, "autoAcceptConfig") == {}


# -- ending -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["A", "B"])
def test_cancellation_by_either_side(family: Family, side: str) -> None:
    bus = family.subscribe("A", "B")
    family.event(side, "wrangler:subscription_cancellation", Id=bus["Id"])
    both_are_free(family)
    for pico in ("A", "B"):
        (told,) = family.seen(pico, "wrangler:subscription_removed")
        assert told["bus"]["Id"] == bus["Id"]
    assert family.errors == []
    assert "event:undeliverable" not in family.names("A") + family.names("B")


def test_rejection(family: Family) -> None:
    family.ask("A", "B")
    (into,) = family.buses("B", "inbound")
    family.event("B", "wrangler:inbound_rejection", Id=into["Id"])
    both_are_free(family)
    assert len(family.seen("A", "wrangler:outbound_subscription_cancelled")) == 1
    assert len(family.seen("B", "wrangler:inbound_subscription_cancelled")) == 1


def test_taking_back_a_request(family: Family) -> None:
    family.ask("A", "B")
    (out,) = family.buses("A", "outbound")
    family.event("A", "wrangler:outbound_cancellation", Id=out["Id"])
    both_are_free(family)
    assert len(family.seen("B", "wrangler:inbound_subscription_cancelled")) == 1


def test_a_stranger_cannot_take_back_a_request_of_others(family: Family) -> None:
    family.ask("A", "B")
    (into,) = family.buses("B", "inbound")
    for attrs in ({"Id": into["Id"]}, {"Tx": into["Tx"]}, {"Rx": into["Rx"]}, {}):
        family.bench.event(family.well_known("B"), "wrangler:inbound_removal", attrs, door="http")
    assert family.buses("B", "inbound") == [into]


def test_events_on_a_subscription_concern_only_that_one(family: Family) -> None:
    family.add("C")
    bus, other = family.subscribe("A", "B"), family.subscribe("C", "B")
    for name in ("established_removal", "subscription_cancellation", "intent_to_delete"):
        attrs = {"subID": bus["Id"], "domain": "wrangler", "type": name, "attrs": {"Id": other["Id"]}}
        family.event("A", "wrangler:send_event_on_subs", attrs)
    assert len(family.buses("B")) == 2
    assert family.buses("C") == [other]


def test_with_compat_a_request_on_one_subscription_may_name_another(family: Family) -> None:
    """So the manifold of Picolab's applications takes a thing out of its community."""
    family.add("C")
    family.bench.engine.default_rulesets = ("test.witness",)
    manager, managed = family.subscribe("C", "B"), family.subscribe("A", "B", name="member")
    for name, left in (("established_removal", 2), ("subscription_cancellation", 1)):
        attrs = {"subID": manager["Id"], "domain": "wrangler", "type": name, "attrs": {"Id": managed["Id"]}}
        family.event("C", "wrangler:send_event_on_subs", attrs)
        assert len(family.buses("B")) == left, "a step of the protocol concerns its own channel only"
    assert family.buses("C") == [manager]
    assert family.buses("A") == []


def test_approval_that_comes_too_late_leaves_no_half(family: Family) -> None:
    """A takes the request back while B's approval is on its way."""
    family.ask("A", "B")
    (out,), (into,) = family.buses("A", "outbound"), family.buses("B", "inbound")
    a, b = family.did("A"), family.did("B")
    for did, name in ((a, "outbound_cancellation"), (b, "pending_subscription_approval")):
        family.bench.engine.receive(
            EventMessage(did, "wrangler", name, {"Id": into["Id"]}, "owner"), family.clock.now
        )
    family.bench.run()
    both_are_free(family)
    assert out["Rx"] not in family.channels("A")


def test_request_taken_back_while_the_approval_is_on_its_way(family: Family) -> None:
    """The approval waits behind the cancellation in A's queue, so it finds nothing to establish."""
    family.ask("A", "B")
    (into,) = family.buses("B", "inbound")
    a, b = family.did("A"), family.did("B")
    for did, name in ((b, "pending_subscription_approval"), (a, "outbound_cancellation")):
        family.bench.engine.receive(
            EventMessage(did, "wrangler", name, {"Id": into["Id"]}, "owner"), family.clock.now
        )
    family.bench.run()
    both_are_free(family)


def test_deleted_channel_ends_its_subscription(family: Family) -> None:
    bus = family.subscribe("A", "B")
    family.event("A", "wrangler:channel_deletion_request", eci=bus["Rx"])
    both_are_free(family)
    assert len(family.seen("B", "wrangler:subscription_removed")) == 1


def test_deleted_channels_end_what_is_pending(family: Family) -> None:
    family.ask("A", "B")
    family.event("A", "wrangler:channel_deletion_request", eci=family.buses("A", "outbound")[0]["Rx"])
    both_are_free(family)
    family.ask("A", "B")
    family.event("B", "wrangler:channel_deletion_request", eci=family.buses("B", "inbound")[0]["Rx"])
    both_are_free(family)


def test_deletion_of_a_pico_ends_its_subscriptions(family: Family) -> None:
    family.add("inner", parent="B")
    family.subscribe("A", "inner")
    family.subscribe("A", "B")
    children = family.query("root", "io.picolabs.wrangler", "children")
    eci = next(child["eci"] for child in children if child["name"] == "B")
    family.event("root", "wrangler:child_deletion_request", eci=eci)
    assert family.buses("A") == []
    removed = family.seen("A", "wrangler:subscription_removed")
    assert [told["reason"] for told in removed] == ["pico-deleted"] * 2
    assert len(family.channels("A")) == 3


def test_a_strangers_word_ends_no_connection(family: Family) -> None:
    bus = family.subscribe("A", "B")
    attrs = {"Rx": bus["Rx"], "Tx": bus["Tx"], "reason": "mischief"}
    family.bench.event(family.open_channel("A"), "connection:ended", attrs, door="http")
    undeliverable = {"eci": bus["Tx"], "domain": "x", "type": "y", "attrs": {}, "code": "unknown-channel"}
    family.bench.event(family.open_channel("A"), "event:undeliverable", undeliverable, door="http")
    assert family.buses("A") == [bus]


def test_the_other_side_that_vanished_is_noticed(family: Family) -> None:
    bus = family.subscribe("A", "B")
    family.bench.operate(family.did("B"), lambda pico: pico.channels.delete(bus["Tx"]))
    family.event("A", "wrangler:send_event_on_subs", subID=bus["Id"], domain="test", type="knock")
    assert family.buses("A") == []


@pytest.mark.parametrize("count", [3, CANCELLED_PER_TURN_MAX + 6])
def test_all_are_cancelled(family: Family, count: int) -> None:
    family.event(
        "B", "wrangler:autoAcceptConfigUpdate", config={"configName": "all", "entries": {"name": ["."]}}
    )
    for _ in range(count):
        family.ask("A", "B", _quiet=True)
    family.ask("B", "A", _quiet=True)
    family.event("A", "wrangler:rulesets_need_to_cleanup", _quiet=True)
    both_are_free(family)
    assert family.errors == []


def test_intent_to_delete(family: Family) -> None:
    bus = family.subscribe("A", "B")
    attrs = {"subID": bus["Id"], "domain": "wrangler", "type": "intent_to_delete", "attrs": {"Id": bus["Id"]}}
    family.event("A", "wrangler:send_event_on_subs", attrs)
    assert family.buses("A") == []
    children = family.query("root", "io.picolabs.wrangler", "children")
    assert [child["name"] for child in children] == ["A"]


# -- using them ---------------------------------------------------------------------------------------------


def test_send_event_on_subs(family: Family) -> None:
    bus = family.subscribe("A", "B")
    attrs = {"subID": bus["Id"], "Tx_role": "sensor", "domain": "test", "type": "knock", "attrs": {"n": 1}}
    family.event("A", "wrangler:send_event_on_subs", attrs)
    assert family.seen("B", "test:knock") == [{"n": 1}]  # once, though two attributes chose it
    family.event("A", "wrangler:send_event_on_subs", Tx_role="nobody", type="knock")
    (told,) = family.seen("A", "wrangler:failed_to_send_event_to_sub")
    found = {"foundSubsToSendTo": False, "domainGiven": False, "typeGiven": True}
    assert told == {"Tx_role": "nobody", "type": "knock", **found}


def test_receivers_cannot_be_chosen_from_outside(family: Family) -> None:
    attrs = {"subs": [{"Tx": family.open_channel("B")}], "domain": "test", "type": "knock"}
    family.bench.event(family.open_channel("A"), "wrangler:send_event_to_subs", attrs, door="http")
    assert "test:knock" not in family.names("B")


# -- the node's connections ---------------------------------------------------------------------------------

CONNECTION = {
    "id": "c1",
    "name": "garden",
    "label": "Anna's sensor",
    "Tx": "did:peer:4zTheirs",
    "Rx_role": "watcher",
    "Tx_role": "sensor",
}


def connect(family: Family) -> dict[str, str]:
    """What the agent does: it makes the channel and tells the pico."""
    eci = family.open_channel("A")
    attrs = {**CONNECTION, "Rx": eci}
    family.bench.ask(EventMessage(family.did("A"), "connection", "established", attrs, door=SYSTEM_DOOR))
    return attrs


def test_a_connection_is_a_subscription(family: Family) -> None:
    attrs = connect(family)
    (bus,) = family.buses("A")
    assert bus == {
        "Id": "c1",
        "Rx": attrs["Rx"],
        "Tx": "did:peer:4zTheirs",
        "Rx_role": "watcher",
        "Tx_role": "sensor",
    }
    told = {"name": "garden", "label": "Anna's sensor", "Id": "c1", "bus": bus}
    assert family.seen("A", "wrangler:subscription_added") == [told]
    family.bench.ask(EventMessage(family.did("A"), "connection", "established", attrs, door=SYSTEM_DOOR))
    assert len(family.seen("A", "wrangler:subscription_added")) == 1


@pytest.mark.parametrize("channel_exists", [True, False])
def test_the_other_side_ends_a_connection(family: Family, channel_exists: bool) -> None:
    attrs = connect(family)
    if not channel_exists:
        family.bench.operate(
            family.did("A"), lambda pico: pico.engine.family.delete_channel(pico, attrs["Rx"])
        )
    ended = {key: attrs[key] for key in ("id", "Rx", "Tx")} | {"reason": "moved out"}
    family.bench.ask(EventMessage(family.did("A"), "connection", "ended", ended, door=SYSTEM_DOOR))
    both_are_free(family)
    (told,) = family.seen("A", "wrangler:subscription_removed")
    assert (told["reason"], told["bus"]["Id"]) == ("moved out", "c1")


def test_we_end_a_connection(family: Family) -> None:
    connect(family)
    family.event("A", "wrangler:subscription_cancellation", Id="c1")
    both_are_free(family)  # the agent sees that the channel goes, and tells the other side
    assert "event:undeliverable" not in family.names("A")
    assert len(family.seen("A", "wrangler:subscription_removed")) == 1


def test_connections_are_taken_only_from_the_node(family: Family) -> None:
    attrs = {**CONNECTION, "Rx": family.open_channel("A")}
    family.bench.event(family.open_channel("A"), "connection:established", attrs, door="http")
    assert family.buses("A") == []


def test_subscriptions_survive_a_restart(family: Family) -> None:
    bus = family.subscribe("A", "B")
    family.bench.restart()
    assert family.buses("A") == [bus]
    family.event("A", "wrangler:send_event_on_subs", subID=bus["Id"], domain="test", type="knock")
    assert "test:knock" in family.names("B")
