"""What most messages are: an event for a pico; and the doors through which messages come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pico_engine.values import EMPTY_MAP, Json

if TYPE_CHECKING:
    from pico_engine.messages import Receipt

# -- who is at the door -------------------------------------------------------------------------------------

OWNER: Final = "owner"
"""The node's owner: enters every pico, by its DID, past all policies."""
HTTP_DOOR: Final = "http"
LOCAL_DOOR: Final = "local"
"""Another pico of this engine; `sender` is its DID."""
DIDCOMM_DOOR: Final = "didcomm"
"""A channel elsewhere, proven by an envelope; `sender` is its DID."""
SYSTEM_DOOR: Final = "system"
"""The engine itself (a schedule, a system event)."""


INSIDE_DOORS: Final = frozenset({OWNER, SYSTEM_DOOR})
"""Doors that lead to a pico by its DID."""


class EventMessage:
    """An event for the pico that `eci` leads to (for OWNER and SYSTEM: the pico's own DID).

    `reply` is given back in the answer; None: nobody waits. `durable` events are answered (`Accepted`) as
    soon as they are sure to be processed; others when their turn has ended (`EventAnswer`). The defaults of
    the class are for what few events have: making a message is a good part of what an event costs.
    """

    hops = 0
    """How many picos its cause has passed through."""
    weight = 0
    """Bytes of its attributes as JSON, where they count for the queue that it waits in."""
    for_rid: str | None = None
    """The only ruleset that sees it."""
    receipt: Receipt | None = None
    queue_key: str | None = None
    """Its row in the pico's queue."""
    schedule_id: str | None = None
    then_query: tuple[str, str, Json] | None = None
    """(rid, name, args) of a query to answer with, instead of the directives."""
    compatible = False
    """Whoever asks is a client of the existing engine: the failure of a rule is the answer, and undefined (of
    `then_query`) is told from null."""

    def __init__(
        self,
        eci: str,
        domain: str,
        type: str,
        attrs: Json = EMPTY_MAP,
        door: str = HTTP_DOOR,
        sender: str | None = None,
        reply: Any = None,
        *,
        durable: bool = False,
        eid: str = "",
        **more: Any,
    ) -> None:
        """`more`: any of the class's attributes above."""
        self.eci = eci
        self.domain = domain
        self.type = type
        self.attrs = attrs
        self.door = door
        self.sender = sender
        self.reply = reply
        self.durable = durable
        self.eid = eid
        if more:
            assert all(hasattr(EventMessage, name) for name in more), f"unknown among {sorted(more)}"
            for name, value in more.items():
                setattr(self, name, value)
