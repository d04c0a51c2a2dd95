"""io.picolabs.subscription: relations between picos, made by asking and approving.

A subscription is a channel of ours (`Rx`), the other side's channel (`Tx`) and a role for each. Between two
picos A and B of one node, by the existing engine's protocol:

    A  wrangler:subscription {wellKnown_Tx}            makes Rx, outbound pending
    A→B  wrangler:new_subscription_request             B makes its Rx, inbound pending
    B  wrangler:pending_subscription_approval {Id}     established in B (or by itself: auto accept)
    B→A  wrangler:outbound_pending_subscription_approved {Id, Tx}     established in A

A channel has no peer while its subscription is pending; once established only the other side may use it.
Over the network the node makes connections itself, and tells the pico so (`connection:established`,
`connection:ended`); they are subscriptions like any other from then on.

What says who sent an event is the channel on which it came in: an event on the channel of a subscription
concerns that subscription and no other. Events raised by rules, and the owner's, come in on none. Where the
node is compatible with the existing engine, a request (to approve, to end) on such a channel may name another
one: applications have a pico that manages the subscriptions of others so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pico_engine import Event, Ruleset, config, ent, provides, query, rule, when
from pico_engine.channels import DIDCOMM, HTTP, clean_tags
from pico_engine.errors import BadRequest
from pico_engine.values import FrozenMap, Json
from pico_rulesets.attributes import handed_on, passed_on, required_text
from pico_rulesets.auto_accept import accepts, read_config
from pico_rulesets.policies import WELL_KNOWN_EVENTS, WELL_KNOWN_QUERIES
from pico_rulesets.wrangler import SUBSCRIPTION

WELL_KNOWN_TAGS: Final = ("wellknown_rx", "tx_rx")
PENDING_MAX: Final = 1_000
"""Pending subscriptions of each kind: whoever knows the well-known channel can ask, each costs a channel."""
NAME_MAX_CHARS: Final = 256
"""Of ids, names and roles: a stranger chooses them, and they are kept."""
CANCELLED_PER_TURN_MAX: Final = 64
"""Each cancels by one event sent and three raised; more follow in the next turn (a turn has limits)."""


def _from_inside(event: Event) -> bool:
    """Raised by a rule, sent by the engine or by the owner: not over a channel."""
    return event.eci == ""


class Subscription(Ruleset, rid=SUBSCRIPTION, version="1.0.0", author="picomesh"):
    """Makes, keeps and ends relations with other picos."""

    # each is a map from Rx, which is unique, to the bus {Id, Rx, Tx, Rx_role, Tx_role, ...}
    established_buses: dict[str, Any] = ent(default={})
    inbound_buses: dict[str, Any] = ent(default={})
    outbound_buses: dict[str, Any] = ent(default={})

    connections: dict[str, bool] = ent(default={})
    """Rx of those that the node made over the network: it tells their other sides of the end."""
    well_known_eci: str = ent(default="")
    accepted_configs: dict[str, Any] = ent(default={})

    event_policy: Json = config()
    """Policy of the channels of new subscriptions; None allows everything, as in the existing engine."""
    query_policy: Json = config()

    # -- queries ------------------------------------------------------------------------------------------

    @provides
    @query
    def established(self, key: str = "", value: Json = None) -> list[FrozenMap]:
        """All established subscriptions, or those whose `key` is `value`."""
        return _filtered(self.established_buses.values(), key, value)

    @provides
    @query
    def inbound(self, key: str = "", value: Json = None) -> list[FrozenMap]:
        """What others have asked for and is not approved yet."""
        return _filtered(self.inbound_buses.values(), key, value)

    @provides
    @query
    def outbound(self, key: str = "", value: Json = None) -> list[FrozenMap]:
        """What we have asked for and is not approved yet."""
        return _filtered(self.outbound_buses.values(), key, value)

    @provides
    @query
    def wellKnown_Rx(self) -> FrozenMap | None:  # noqa: N802 - names of the existing engine
        """The channel on which to ask for a subscription."""
        channel = self._pico.channels.get(self.well_known_eci)
        return None if channel is None else channel.overview()

    @provides
    @query
    def autoAcceptConfig(self) -> Json:  # noqa: N802
        """Configurations by name: a request is accepted when one attribute matches one of its patterns."""
        return self.accepted_configs

    # -- finding the bus that an event is about -----------------------------------------------------------

    def _bus_of(self, event: Event, buses: Any) -> FrozenMap | None:
        """By what is given of Id, Rx and Tx, or by the channel; None when no bus is meant."""
        if event.eci and self._is_of_a_subscription(event.eci):
            bus = buses.get(event.eci)
            return bus if bus is not None and event.attr("Id") in (None, bus["Id"]) else None
        if event.eci and event.eci == self.well_known_eci:  # anyone: only who knows both
            return _first(buses, Id=event.attr("Id"), Tx=event.attr("Tx"))
        wanted = {key: event.attr(key) for key in ("Id", "Rx", "Tx") if event.attr(key)}
        return next((bus for bus in buses.values() if _fits(bus, wanted)), None)

    def _is_of_a_subscription(self, eci: str) -> bool:
        return eci in self.established_buses or eci in self.inbound_buses or eci in self.outbound_buses

    def _meant(self, event: Event, buses: Any, *, step: bool = False) -> FrozenMap | None:
        """The bus of a request, or of a `step` of the other side; the log says when there is none."""
        bus = self._bus_of(event, buses)
        if bus is None and not step and self.pico.default_rulesets and self._is_of_a_subscription(event.eci):
            bus = _first(buses, Id=event.attr("Id"))
        if bus is None:
            self.log.warning(f"{event.name}: no such subscription", {"Id": event.attr("Id")})
        return bus

    # -- the well-known channel ---------------------------------------------------------------------------

    @rule(when("wrangler:ruleset_installed", where=lambda event: SUBSCRIPTION in (event.attr("rids") or ())))
    def initialise(self, event: Event) -> None:
        self._need_well_known(event)

    @rule(when("engine:started", where=_from_inside))
    def initialise_root(self, event: Event) -> None:
        self._need_well_known(event)

    def _need_well_known(self, event: Event) -> None:
        if self.wellKnown_Rx() is None:
            self.raise_event("wrangler:need_wellKnown_Rx", handed_on(event))

    @rule(when("wrangler:need_wellKnown_Rx"))
    def make_well_known(self, event: Event) -> None:
        if self.wellKnown_Rx() is None:
            channel = self.pico.new_channel(WELL_KNOWN_TAGS, WELL_KNOWN_EVENTS, WELL_KNOWN_QUERIES)
            self.well_known_eci = channel["id"]
            self.raise_event("wrangler:wellKnown_Rx_created", handed_on(event))

    # -- asking -------------------------------------------------------------------------------------------

    @rule(when("wrangler:subscription"))
    def ask(self, event: Event) -> None:
        well_known = event.attr("wellKnown_Tx")
        if not isinstance(well_known, str) or not well_known:
            self.raise_event("wrangler:wellKnown_Tx_format_failure", handed_on(event))
            return
        _check_room(self.outbound_buses)
        name = _short(event, "name") or f"subscription-{self.random_bytes(4).hex()}"
        kind = _short(event, "channel_type") or "Tx_Rx"
        host = self._host(event)
        rx = self._new_channel(name, kind, host)
        bus = {
            "Id": _short(event, "Id") or self.uuid(),
            **_roles(event),
            "wellKnown_Tx": well_known,
            "Rx": rx,
        }
        if host:
            bus["Tx_host"] = host
        self.outbound_buses[rx] = bus
        attrs = handed_on(event, **bus, channel_name=name, channel_type=kind)
        self.raise_event("wrangler:subscription_request_needed", attrs)
        self.raise_event("wrangler:outbound_pending_subscription_added", attrs)

    @rule(when("wrangler:subscription_request_needed", where=_from_inside))
    def send_request(self, event: Event) -> None:
        swapped = {"Rx_role": event.attr("Tx_role"), "Tx_role": event.attr("Rx_role")}
        attrs = passed_on(event, **swapped, Tx=event.attr("Rx"))
        host, own = self._host(event), attrs.pop("Rx_host", None) or self.pico.base_url
        attrs.pop("Tx_host", None)
        if host:
            attrs["Tx_host"] = own
        self._send(host, event.attr("wellKnown_Tx"), "wrangler:new_subscription_request", attrs)

    def _host(self, event: Event) -> str:
        """The engine of the existing kind that the other side lives in; "" for this node."""
        host = str(_short(event, "Tx_host") or "").rstrip("/")
        return "" if host == self.pico.base_url else host

    def _send(self, host: Json, eci: Json, name: str, attrs: dict[str, Json]) -> None:
        """On a subscription: to the host that its bus names, or where the ECI leads."""
        if host:
            self.send_to_host(str(host), str(eci), name, attrs)
        else:
            self.send(eci, name, attrs)

    @rule(when("wrangler:new_subscription_request"))
    def take_request(self, event: Event) -> None:
        tx, bus_id = event.attr("Tx"), _short(event, "Id") or self.uuid()
        known = [*self.inbound("Id", bus_id), *self.established("Id", bus_id)]
        if not isinstance(tx, str) or not tx or any(bus["Tx"] == tx for bus in known):
            self.raise_event("wrangler:no_Tx_failure", handed_on(event))
            return
        _check_room(self.inbound_buses)
        name, kind = _short(event, "channel_name") or "subscription", _short(event, "channel_type") or "Tx_Rx"
        host = self._host(event)
        rx = self._new_channel(name, kind, host)
        bus = {"Id": bus_id, **_roles(event), "Tx": tx, "Rx": rx}
        self.inbound_buses[rx] = {**bus, "Tx_host": host} if host else bus
        attrs = handed_on(event, Id=bus_id, Rx=rx)
        self.raise_event("wrangler:inbound_pending_subscription_added", attrs)

    def _new_channel(self, name: Json, kind: Json, host: str) -> str:
        """A channel for one subscription. Raises BadRequest where it would pass for the well-known one.

        Open over HTTP to another engine, and (its applications use it so) where the node is compatible.
        """
        tags = clean_tags((name, kind))
        if sorted(tags) == sorted(WELL_KNOWN_TAGS):
            raise BadRequest(
                "a subscription cannot be named like the well-known channel", "name it otherwise"
            )
        channel = self.pico.new_channel(
            tags,
            self.event_policy,
            self.query_policy,
            doors=(HTTP if host or self.pico.default_rulesets else DIDCOMM,),
        )
        return str(channel["id"])

    # -- approving ----------------------------------------------------------------------------------------

    @rule(when("wrangler:inbound_pending_subscription_added", where=_from_inside))
    def accept_by_itself(self, event: Event) -> None:
        if accepts(self.accepted_configs.values(), event.attrs):
            self.raise_event("wrangler:pending_subscription_approval", handed_on(event))
            self.raise_event("wrangler:auto_accepted_subscription_request", handed_on(event))

    @rule(when("wrangler:pending_subscription_approval"))
    def approve(self, event: Event) -> None:
        bus = self._meant(event, self.inbound_buses)
        if bus is not None:
            attrs = passed_on(event, Id=bus["Id"], Tx=bus["Rx"])
            attrs.pop("Rx", None)
            host = bus.get("Tx_host")
            if host:
                attrs["Tx_host"] = self.pico.base_url
            self._send(host, bus["Tx"], "wrangler:outbound_pending_subscription_approved", attrs)
            attrs = handed_on(event, Id=bus["Id"], Rx=bus["Rx"], Tx=bus["Tx"], bus=bus)
            self.raise_event("wrangler:inbound_pending_subscription_approved", attrs)

    @rule(when("wrangler:inbound_pending_subscription_approved", where=_from_inside))
    def establish_inbound(self, event: Event) -> None:
        bus = self._bus_of(event, self.inbound_buses)
        if bus is not None:
            del self.inbound_buses[bus["Rx"]]
            self._establish(bus)
            self.raise_event("wrangler:subscription_added", handed_on(event, bus=bus))

    @rule(when("wrangler:outbound_pending_subscription_approved"))
    def establish_outbound(self, event: Event) -> None:
        bus = self._meant(event, self.outbound_buses, step=True)
        if bus is not None:
            tx = required_text(event, "Tx")
            del self.outbound_buses[bus["Rx"]]
            bus = FrozenMap({**{key: bus[key] for key in bus if key != "wellKnown_Tx"}, "Tx": tx})
            self._establish(bus)
            self.raise_event("wrangler:subscription_added", handed_on(event, bus=bus))

    def _establish(self, bus: FrozenMap) -> None:
        """From now on only the other side may use our channel."""
        self.pico.put_channel(bus["Rx"], peer=bus["Tx"])
        self.established_buses[bus["Rx"]] = bus

    # -- the node's connections ---------------------------------------------------------------------------

    @rule(when("connection:established", where=_from_inside))
    def take_connection(self, event: Event) -> None:
        rx = required_text(event, "Rx")
        if rx not in self.established_buses:
            bus = {
                "Id": required_text(event, "id"),
                "Rx": rx,
                "Tx": required_text(event, "Tx"),
                **_roles(event),
            }
            self.established_buses[rx] = bus
            self.connections[rx] = True
            names = ("name", "label", "channel_type")
            told = {name: event.attr(name) for name in names if event.attr(name) is not None}
            self.raise_event("wrangler:subscription_added", told, bus=bus, Id=bus["Id"])

    @rule(when("connection:ended", where=_from_inside))
    def end_connection(self, event: Event) -> None:
        """The other side ended it, or its pico was deleted."""
        bus = self.established_buses.get(event.attr("Rx"))
        if bus is not None and bus["Tx"] == event.attr("Tx"):
            attrs = {"Id": bus["Id"], "Rx": bus["Rx"], "reason": event.attr("reason")}
            self.raise_event("wrangler:established_removal", attrs)

    # -- ending -------------------------------------------------------------------------------------------

    @rule(when("wrangler:subscription_cancellation"))
    def cancel_established(self, event: Event) -> None:
        bus = self._meant(event, self.established_buses)
        if bus is not None:
            attrs = passed_on(event, Id=bus["Id"], Rx=bus["Tx"], Tx=bus["Rx"])
            if bus["Rx"] not in self.connections:
                self._send(bus.get("Tx_host"), bus["Tx"], "wrangler:established_removal", attrs)
            attrs = handed_on(event, Id=bus["Id"], Rx=bus["Rx"], Tx=bus["Tx"])
            self.raise_event("wrangler:established_removal", attrs)

    @rule(when("wrangler:established_removal"))
    def remove_established(self, event: Event) -> None:
        if self._remove(event, self.established_buses, "wrangler:subscription_removed") is None:
            self.log.info("established_removal: removed already", {"Id": event.attr("Id")})

    @rule(when("wrangler:inbound_rejection"))
    def reject_inbound(self, event: Event) -> None:
        bus = self._meant(event, self.inbound_buses)
        if bus is not None:
            attrs = passed_on(event, Id=bus["Id"])
            self._send(bus.get("Tx_host"), bus["Tx"], "wrangler:outbound_removal", attrs)
            self.raise_event("wrangler:inbound_removal", handed_on(event, Id=bus["Id"]))

    @rule(when("wrangler:inbound_removal"))
    def remove_inbound(self, event: Event) -> None:
        """The other side takes its request back, perhaps while our approval is on its way."""
        bus = self._remove(event, self.inbound_buses, "wrangler:inbound_subscription_cancelled")
        if bus is None and event.eci == self.well_known_eci:
            self._remove(event, self.established_buses, "wrangler:subscription_removed")

    @rule(when("wrangler:outbound_cancellation"))
    def cancel_outbound(self, event: Event) -> None:
        bus = self._meant(event, self.outbound_buses)
        if bus is not None:
            attrs = passed_on(event, Id=bus["Id"], Tx=bus["Rx"])
            self._send(bus.get("Tx_host"), bus["wellKnown_Tx"], "wrangler:inbound_removal", attrs)
            self.raise_event("wrangler:outbound_removal", handed_on(event, Id=bus["Id"]))

    @rule(when("wrangler:outbound_removal"))
    def remove_outbound(self, event: Event) -> None:
        self._remove(event, self.outbound_buses, "wrangler:outbound_subscription_cancelled")

    def _remove(self, event: Event, buses: Any, told: str) -> FrozenMap | None:
        """Forget the bus and delete our channel, if it is still there."""
        bus = self._bus_of(event, buses)
        if bus is not None:
            rx = bus["Rx"]
            del buses[rx]
            if rx in self.connections:
                del self.connections[rx]
            if self._pico.channels.get(rx) is not None:
                self.pico.delete_channel(rx)
            self.raise_event(told, handed_on(event, bus=bus))
        return bus

    @rule(when("wrangler:channel_deleted"))
    def follow_channel(self, event: Event) -> None:
        """Whose channel was deleted cannot go on."""
        eci = event.attr("eci")
        if not isinstance(eci, str) or self._pico.channels.get(eci) is not None:
            return
        for buses, cancel in (
            (self.established_buses, "subscription_cancellation"),
            (self.inbound_buses, "inbound_rejection"),
            (self.outbound_buses, "outbound_cancellation"),
        ):
            if eci in buses:
                self.raise_event(f"wrangler:{cancel}", Id=buses[eci]["Id"], Rx=eci)

    @rule(when("event:undeliverable", where=_from_inside))
    def clean_up(self, event: Event) -> None:
        """A step of the protocol, or the whole other side, is lost: leave no half of a subscription."""
        name = f"{event.attr('domain')}:{event.attr('type')}"
        sent, reason = event.attr("attrs"), event.attr("what")
        if name == "wrangler:new_subscription_request":
            self.raise_event("wrangler:outbound_removal", Id=sent.get("Id"), reason=reason)
        elif (
            name == "wrangler:outbound_pending_subscription_approved"
            or event.attr("code") == "unknown-channel"
        ):
            bus = _first(self.established_buses, Tx=event.attr("eci"))
            if bus is not None:
                attrs = {"Id": bus["Id"], "Rx": bus["Rx"], "reason": reason}
                self.raise_event("wrangler:established_removal", attrs)

    # -- ending all of them -------------------------------------------------------------------------------

    @rule(when("wrangler:rulesets_need_to_cleanup"))
    def cancel_for_cleanup(self, event: Event) -> None:
        self.raise_event("wrangler:cancel_subscriptions", handed_on(event))

    @rule(when("wrangler:cancel_subscriptions"))
    def cancel_all(self, event: Event) -> None:
        """So many in this turn; then the pico tells itself to go on."""
        room = CANCELLED_PER_TURN_MAX
        found = {}
        kinds = (
            ("established", self.established()),
            ("inbound", self.inbound()),
            ("outbound", self.outbound()),
        )
        for kind, buses in kinds:
            found[f"{kind}IDs"] = [bus["Id"] for bus in buses[:room]]
            room -= min(room, len(buses))
        self.raise_event("wrangler:cancel_relationships", handed_on(event, **found))
        if sum(len(buses) for _, buses in kinds) > CANCELLED_PER_TURN_MAX:
            self.send(self.pico.self_eci, "wrangler:cancel_subscriptions", passed_on(event))

    @rule(when("wrangler:cancel_relationships", where=_from_inside))
    def cancel_each(self, event: Event) -> None:
        kinds = {
            "establishedIDs": "wrangler:subscription_cancellation",
            "inboundIDs": "wrangler:inbound_rejection",
            "outboundIDs": "wrangler:outbound_cancellation",
        }
        rest = {name: value for name, value in handed_on(event).items() if name not in kinds}
        for name, cancel in kinds.items():
            for bus_id in event.attr(name, ()):
                self.raise_event(cancel, {**rest, "Id": bus_id})

    @rule(when("wrangler:intent_to_delete"))
    def leave_for_good(self, event: Event) -> None:
        bus = self._meant(event, self.established_buses)
        if bus is not None:
            self.raise_event("wrangler:subscription_cancellation", handed_on(event, Id=bus["Id"]))
            self.raise_event("wrangler:ready_for_deletion")

    # -- using them ---------------------------------------------------------------------------------------

    @rule(when("wrangler:send_event_on_subs"))
    def choose_receivers(self, event: Event) -> None:
        """Those with this Id, this Tx_role, or this Rx_role; each once."""
        chosen: dict[str, FrozenMap] = {}
        for attribute, key in (("subID", "Id"), ("Tx_role", "Tx_role"), ("Rx_role", "Rx_role")):
            if event.attr(attribute):
                chosen |= {bus["Rx"]: bus for bus in self.established(key, event.attr(attribute))}
        if chosen and event.attr("domain") and event.attr("type"):
            self.raise_event("wrangler:send_event_to_subs", handed_on(event, subs=list(chosen.values())))
        else:
            found = {
                "foundSubsToSendTo": bool(chosen),
                "domainGiven": bool(event.attr("domain")),
                "typeGiven": bool(event.attr("type")),
            }
            self.raise_event("wrangler:failed_to_send_event_to_sub", handed_on(event, **found))

    @rule(when("wrangler:send_event_to_subs", where=_from_inside))
    def send_to_receivers(self, event: Event) -> None:
        name = f"{event.attr('domain')}:{event.attr('type')}"
        for bus in event.attr("subs"):
            self._send(bus.get("Tx_host"), bus["Tx"], name, dict(event.attr("attrs") or {}))

    # -- accepting without being asked --------------------------------------------------------------------

    @rule(when("wrangler:autoAcceptConfigUpdate"))
    def update_auto_accept(self, event: Event) -> None:
        try:
            name, given = read_config(event)
        except BadRequest as error:
            self.log.warning(f"autoAcceptConfigUpdate: {error.what}")
            self.raise_event("wrangler:autoAcceptConfigUpdate_failure", handed_on(event, reason=error.what))
            return
        if given is not None:
            self.accepted_configs[name] = given
        elif name in self.accepted_configs:
            del self.accepted_configs[name]
        self.raise_event("wrangler:auto_accept_config_updated", handed_on(event))


def _filtered(buses: Iterable[FrozenMap], key: str, value: Json) -> list[FrozenMap]:
    return [bus for bus in buses if not (key and value) or bus.get(key) == value]


def _fits(bus: FrozenMap, wanted: dict[str, Json]) -> bool:
    """Is it this bus that is named? A pico subscribed to itself has two with the same Id."""
    common = wanted.keys() & bus.keys()
    return bool(common) and all(bus[key] == wanted[key] for key in common)


def _first(buses: Any, **wanted: Json) -> FrozenMap | None:
    """The bus that has all of these."""
    rows = (bus for bus in buses.values() if all(bus.get(key) == value for key, value in wanted.items()))
    return next(rows, None)


def _roles(event: Event) -> dict[str, Json]:
    names = ("Rx_role", "Tx_role")
    return {name: _short(event, name) for name in names if event.attr(name) is not None}


def _short(event: Event, name: str) -> str | None:
    value = event.attr(name)
    if value is not None and (not isinstance(value, str) or len(value) > NAME_MAX_CHARS):
        raise BadRequest(f"{name} of {event.name} is text of at most {NAME_MAX_CHARS} characters")
    return value


def _check_room(buses: Any) -> None:
    if len(buses) >= PENDING_MAX:
        raise BadRequest(
            f"{PENDING_MAX} subscriptions are pending already", "approve, reject or cancel some of them"
        )
