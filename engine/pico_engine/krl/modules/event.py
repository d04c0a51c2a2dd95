"""The module `event`: the event at hand, and sending events to other picos."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pico_engine.admission import check_attributes
from pico_engine.krl.directives import writing_turn
from pico_engine.krl.errors import KrlRuntimeError, type_error
from pico_engine.krl.jsontext import encode
from pico_engine.krl.modules.member import Member
from pico_engine.krl.raising import attributes, checked_name
from pico_engine.krl.values import UNDEFINED, to_string, truth
from pico_engine.turn import Post, Send
from pico_engine.values import EMPTY_MAP, freeze

if TYPE_CHECKING:
    from pico_engine.events import Event
    from pico_engine.krl.instance import Instance
    from pico_engine.krl.values import Value


def _property(read: Callable[[Event], Value]) -> Member:
    def call(run: Instance) -> Value:
        return None if run.event is None else read(run.event)

    return Member("property", call)


def _eci(run: Instance) -> Value:
    return None if run.event is None else run.eci


def _attr(run: Instance, name: Value = UNDEFINED) -> Value:
    if run.event is None:
        return None
    return run.event.attrs.get(to_string(name), UNDEFINED)


def _send(run: Instance, options: Value = UNDEFINED, host: Value = UNDEFINED) -> Value:
    """Sends an event to the pico that `eci`, `did` or the subscription `sub` leads to."""
    if not isinstance(options, dict):
        raise type_error("event:send expects a map with eci, domain, type and attrs")
    eci = options.get("eci", UNDEFINED)
    kind = options.get("name", UNDEFINED)
    name = (options.get("domain", UNDEFINED), kind if truth(kind) else options.get("type", UNDEFINED))
    subscription = options.get("sub", UNDEFINED)
    if not truth(eci) and isinstance(subscription, dict):
        eci, host = subscription.get("Tx", UNDEFINED), subscription.get("Tx_host", UNDEFINED)
    elif not truth(eci) and truth(options.get("did", UNDEFINED)):
        eci = options["did"]  # the other side of a connection: its channel's name is its DID
    if type(eci) is not str:
        raise type_error(f"eci was {to_string(eci)} instead of a string")
    try:
        return send_event(run, eci, name, options.get("attrs", UNDEFINED), host)
    except KrlRuntimeError as error:  # what is no event is told to the author and does not stop the rule
        run.log("error", f"event:send: {error.what}", None)
        return UNDEFINED


def send_event(run: Instance, eci: Value, name: tuple[Value, Value], attrs: Value, host: Value) -> Value:
    """Sends an event when the turn commits, to `host` over HTTP if that is given. Answers the event's id."""
    turn = writing_turn(run)
    if type(eci) is not str:
        raise type_error(f"eci was {to_string(eci)} instead of a string")
    domain, kind = checked_name(name)
    kept = attributes(run, attrs)
    check_attributes(kept, f"{domain}:{kind}", turn.engine.limits)
    if not truth(host) or to_string(host).rstrip("/") == turn.engine.port.base_url:
        turn.send(Send(eci, domain, kind, kept, run.rid))
        return turn.eid
    turn.engine.waiting.check_may_call(run.pico)
    turn.count_call()
    base = to_string(host).rstrip("/")
    url = f"{base}/c/{quote(eci, ':')}/event/{quote(domain, '')}/{quote(kind, '')}"
    headers = freeze({"content-type": "application/json"})
    turn.send(Post("", domain, kind, EMPTY_MAP, run.rid, "POST", url, headers, encode(run, kept)))
    return UNDEFINED


MEMBERS: Final[Mapping[str, Member]] = MappingProxyType(
    {
        "eci": Member("property", _eci),
        "domain": _property(lambda event: event.domain),
        "name": _property(lambda event: event.type),
        "attrs": _property(lambda event: event.attrs),
        "eid": _property(lambda event: event.eid),
        "time": _property(lambda event: event.time_ms),
        "attr": Member("function", _attr),
        "send": Member("action", _send),
    }
)
