"""What an engine asks of whoever connects its picos to other engines; the agent implements it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pico_engine.errors import BadRequest

if TYPE_CHECKING:
    from pico_engine.messages import EventMessage
    from pico_engine.pico import Pico
    from pico_engine.turn import Post
    from pico_engine.values import Json


class Port:
    """An engine alone in the world. All methods are called inside a turn; what they write commits with it."""

    base_url = ""
    """Where the engine's picos can be reached over HTTP, without a slash at its end; "" for nowhere."""

    def send_event(self, pico: Pico, event: EventMessage) -> bool:
        """Take an event for a channel that is not in this engine; False when there is no way to it."""
        del pico, event
        return False

    def send_message(self, pico: Pico, did: str, message: Json) -> bool:
        """Take a DIDComm message for the agent of another make at the other side of a connection.

        It is in plain text, as JSON; the connection says from whom and to whom it is. False: there is no such
        connection. Raises EngineError for what is no message.
        """
        del pico, did, message
        return False

    def can_query(self, pico: Pico, eci: str) -> bool:
        """Is there a way to ask this channel, which is not in this engine?"""
        del pico, eci
        return False

    def take_post(self, pico: Pico, post: Post) -> bool:
        """Take an HTTP request that nobody waits for, and see to it durably; False: it is made once."""
        del pico, post
        return False

    def can_call(self, pico: Pico) -> bool:
        """May this pico's rulesets ask the world outside? See HttpCall and RulesetCall."""
        del pico
        return False

    def invite(self, pico: Pico, label: str) -> dict[str, Json]:
        """Make a channel of the pico and an invitation to connect to it: `{id, url, eci, expires}`, in ms."""
        del pico, label
        raise BadRequest("this engine makes no connections")

    def accept(self, pico: Pico, url: str) -> dict[str, Json]:
        """Answer an invitation; what is told of the connection that begins."""
        del pico, url
        raise BadRequest("this engine makes no connections")

    def partners(self, pico: Pico) -> dict[str, str]:
        """The pico's own channel by the other side's, for each established connection."""
        del pico
        return {}

    def channel_deleted(self, pico: Pico, eci: str) -> None:
        """A channel of this pico is about to go."""

    def pico_deleted(self, pico: Pico) -> None:
        """A pico is about to go, with all its channels."""

    def may_put_away(self, pico: Pico) -> bool:
        """May an idle pico leave the memory now?"""
        del pico
        return True
