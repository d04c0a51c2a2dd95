"""An event as rules see it."""

from __future__ import annotations

from typing import Any

from pico_engine.errors import BadRequest, LimitExceeded
from pico_engine.values import EMPTY_MAP, Json


class Event:
    """One event of a turn.

    `attrs` is an unchangeable map. `eci` is the channel it came in on ("" for a system event), `sender` the
    proven other side (a pico's or a channel's DID) where there is one. `time_ms` is the time of the turn.
    """

    __slots__ = ("attrs", "domain", "eci", "eid", "for_rid", "sender", "time_ms", "type")

    def __init__(
        self,
        domain: str,
        type: str,
        attrs: Json = EMPTY_MAP,
        eid: str = "",
        time_ms: int = 0,
        eci: str = "",
        sender: str | None = None,
        for_rid: str | None = None,
    ) -> None:
        self.domain = domain
        self.type = type
        self.attrs = attrs
        self.eid = eid
        self.time_ms = time_ms
        self.eci = eci
        self.sender = sender
        self.for_rid = for_rid

    def __repr__(self) -> str:
        return f"Event({self.name}, {self.attrs!r}, eid={self.eid!r}, sender={self.sender!r})"

    @property
    def name(self) -> str:
        """`domain:type`."""
        return f"{self.domain}:{self.type}"

    def attr(self, name: str, default: Json = None) -> Any:
        """One attribute; `default` when the event has none of this name."""
        return self.attrs.get(name, default)


def split_name(name: str) -> tuple[str, str]:
    """(domain, type) of `domain:type`. Raises BadRequest when it is not of this form."""
    domain, colon, kind = name.partition(":")
    if not colon or not domain or not kind or ":" in kind:
        raise BadRequest(f"{name!r} is not an event's name", "write domain:type, as in sensor:reading")
    return domain, kind


def check_name(domain: str, kind: str, most: int) -> None:
    """Raises LimitExceeded when the two parts of a name have more than `most` characters together."""
    if len(domain) + len(kind) > most:
        raise LimitExceeded(
            f"the name {domain[:40]}:{kind[:40]}… has {len(domain) + len(kind):,} characters; "
            f"name_max_chars is {most:,}",
            "send what is not a name as an attribute",
        )
