"""Who may enter: from a message to the pico it leads to, or to the error that refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pico_engine.channels import DIDCOMM, FAMILY, HTTP, Channel
from pico_engine.errors import BadRequest, Busy, DeniedByPolicy, LimitExceeded, UnknownChannel
from pico_engine.events import check_name
from pico_engine.messages import DIDCOMM_DOOR, HTTP_DOOR, INSIDE_DOORS, LOCAL_DOOR, QueryMessage
from pico_engine.values import EMPTY_MAP, FrozenMap, Json, encode, freeze

if TYPE_CHECKING:
    from pico_engine.engine import Engine
    from pico_engine.limits import EngineLimits
    from pico_engine.messages import EventMessage
    from pico_engine.pico import Pico


UNCOUNTED_MAX_BYTES: Final = 1_024
"""Messages that carry no more than this are not counted in bytes: `queue_max_messages` bounds them."""
ADMITTED_MAX_ENTRIES: Final = 1_000
"""Admissions that are remembered; each keeps its pico in memory."""


def check_attributes(attrs: Json, name: str, limits: EngineLimits) -> int:
    """How many bytes the (frozen) attributes of the event `name` count for its queue.

    Raises LimitExceeded when they are too large.
    """
    if not attrs:
        return 0
    size = len(encode(attrs))
    if size > limits.attributes_max_bytes:
        raise LimitExceeded(
            f"the attributes of {name} have {size:,} bytes; "
            f"attributes_max_bytes is {limits.attributes_max_bytes:,}"
        )
    return size if size > UNCOUNTED_MAX_BYTES else 0


def weight_of(carried: Json) -> int:
    """How many bytes attributes or arguments that were checked before count for their queue."""
    size = len(encode(carried)) if carried else 0
    return size if size > UNCOUNTED_MAX_BYTES else 0


class Admission:
    """The checks at an engine's doors: channel, door, policy, size, hops, queue. In this order."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._admitted: dict[tuple[str, str, str], tuple[Pico, Channel]] = {}

    def http_event(self, message: EventMessage) -> Pico:
        """`door` for an event over HTTP, remembering what was admitted: the way of most events."""
        key = (message.eci, message.domain, message.type)
        known = self._admitted.get(key)
        if known is not None:
            pico, channel = known
            if pico.channels.rows.get(message.eci) is channel and not pico.is_gone:
                return pico
        pico = self.door(message)
        self._engine.disk.check()
        if len(self._admitted) >= ADMITTED_MAX_ENTRIES:
            self._admitted.clear()
        self._admitted[key] = (pico, pico.channels.rows[message.eci])
        return pico

    def forget(self) -> None:
        """Forget what was admitted: it is checked anew."""
        self._admitted.clear()

    def find_channel(self, eci: str) -> tuple[Pico, Channel]:
        """The channel and its pico. Raises UnknownChannel."""
        engine = self._engine
        pico = engine.loaded_or_stored(engine.index.get(eci))
        channel = pico.channels.rows.get(eci) if pico is not None else None
        if pico is None or channel is None:
            raise UnknownChannel(f"no channel {eci} lives here")
        return pico, channel

    def door(self, message: EventMessage | QueryMessage) -> Pico:
        """The pico that the message leads to, if it may enter. Raises UnknownChannel, DeniedByPolicy."""
        limits = self._engine.limits
        if isinstance(message, QueryMessage):
            check_name(message.rid, message.name, limits.name_max_chars)
        else:
            check_name(message.domain, message.type, limits.name_max_chars)
        if message.door in INSIDE_DOORS:
            return self._engine.pico(message.eci)
        pico, channel = self.find_channel(message.eci)
        if not self._may_enter(channel, message):
            raise DeniedByPolicy(f"channel {message.eci} is not open to this sender")
        if isinstance(message, QueryMessage):
            if not channel.admits_query(message.rid, message.name):
                says = channel.query_policy.refusal(message.rid, message.name)
                raise DeniedByPolicy(f"the channel's policy {says} the query {message.rid}/{message.name}")
        elif not channel.admits_event(message.domain, message.type):
            says = channel.event_policy.refusal(message.domain, message.type)
            raise DeniedByPolicy(f"the channel's policy {says} {message.domain}:{message.type}")
        return pico

    def _may_enter(self, channel: Channel, message: EventMessage | QueryMessage) -> bool:
        door, doors = message.door, channel.doors
        if door == HTTP_DOOR:
            return HTTP in doors
        if door == DIDCOMM_DOOR:
            return DIDCOMM in doors and channel.peer is not None and message.sender == channel.peer
        if door != LOCAL_DOOR:
            return False
        if FAMILY in doors:
            return message.sender == channel.family
        if HTTP in doors or channel.peer is None:
            return True
        owner: str | None = self._engine.index.get(channel.peer)
        if owner is None:
            return self._has_just_closed(message.sender, channel.peer)
        return owner == message.sender

    def _has_just_closed(self, sender: str | None, eci: str) -> bool:
        """A turn may say good-bye on a channel and delete its own end of it."""
        pico = self._engine.loaded_or_stored(sender)
        return pico is not None and pico.turn is not None and eci in pico.turn.closed

    def check_event(self, message: EventMessage) -> None:
        """Freeze the attributes; raises LimitExceeded, BadRequest."""
        limits = self._engine.limits
        attrs = message.attrs
        if attrs is not EMPTY_MAP:
            attrs = message.attrs = freeze(attrs)
            if type(attrs) is not FrozenMap:
                raise BadRequest("an event's attributes must be a map", "send an object of names and values")
            message.weight = check_attributes(attrs, f"{message.domain}:{message.type}", limits)
        if message.hops > limits.hops_max:
            raise LimitExceeded(
                f"the event passed through more than {limits.hops_max} picos (hops_max)",
                "look for picos that send an event to each other without end",
            )

    def check_room(self, pico: Pico, weight: int = 0) -> None:
        """Raises Busy when too much waits for the pico already, for a message that counts `weight` bytes."""
        limits = self._engine.limits
        if len(pico.inbox) >= limits.queue_max_messages:
            raise Busy(f"pico {pico.did} has {len(pico.inbox)} messages waiting (queue_max_messages)")
        if weight and pico.inbox_bytes + weight > limits.queue_max_bytes:
            pico.inbox_bytes = sum(message.weight for message in pico.inbox)  # many of them may be done
            if pico.inbox_bytes + weight > limits.queue_max_bytes:
                raise Busy(
                    f"pico {pico.did} has messages of {pico.inbox_bytes:,} bytes waiting, and no room for "
                    f"{weight:,} more (queue_max_bytes)"
                )
