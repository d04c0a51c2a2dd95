"""What goes into an agent and what comes out, besides the engine's own messages and effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pico_engine.errors import EngineError
from pico_engine.messages import Effect as EngineEffect
from pico_engine.messages import Message as EngineMessage
from pico_engine.values import Json


@dataclass(slots=True)
class Command:
    """An owner's command (docs/reference/commands.md); answered by CommandAnswer or the engine's Failed."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reply: Any = None


@dataclass(slots=True)
class PeerUp:
    """A session with another node is open. Sessions are numbered by whoever runs the network."""

    peer_id: str
    session: int


@dataclass(slots=True)
class PeerDown:
    peer_id: str
    session: int
    reason: str = ""


@dataclass(slots=True)
class PeerFrames:
    """Frames from a session, in the order in which they came."""

    peer_id: str
    session: int
    frames: Sequence[bytes]


@dataclass(slots=True)
class ForeignMessage:
    """One DIDComm message of an agent that does not speak our frames.

    `peer_id` is "" where it came by HTTP; then `reply` is answered by ForeignAnswer.
    """

    peer_id: str
    message: bytes
    reply: Any = None


@dataclass(slots=True)
class PeerFound:
    """A node was discovered: where it can be reached."""

    peer_id: str
    addresses: Sequence[str]


Message = EngineMessage | Command | PeerUp | PeerDown | PeerFrames | ForeignMessage | PeerFound


@dataclass(slots=True)
class CommandAnswer:
    reply: Any
    value: Json


@dataclass(slots=True)
class SendFrames:
    """Send on this session; if it is gone the agent hears so by PeerDown and sends again on the next."""

    peer_id: str
    session: int
    frames: list[bytes]


@dataclass(slots=True)
class Connect:
    """Keep a session with this node alive from now on; the addresses replace those known before."""

    peer_id: str
    addresses: tuple[str, ...]


@dataclass(slots=True)
class Forget:
    """No session with this node is wanted any more."""

    peer_id: str


@dataclass(slots=True)
class SendForeign:
    """Hand one message to an agent by `didcomm/v2`; nobody tells whether it arrived."""

    peer_id: str
    addresses: tuple[str, ...]
    message: bytes


@dataclass(slots=True)
class PostMessage:
    """Post an encrypted message to a URL, under the egress policy; nobody tells whether it arrived."""

    url: str
    message: bytes


@dataclass(slots=True)
class ForeignAnswer:
    """What may go back to where a ForeignMessage came from; None when nothing will."""

    reply: Any
    message: bytes | None


Effect = (
    EngineEffect | CommandAnswer | SendFrames | Connect | Forget | SendForeign | PostMessage | ForeignAnswer
)

__all__ = [
    "Command",
    "CommandAnswer",
    "Connect",
    "Effect",
    "EngineError",
    "Forget",
    "ForeignAnswer",
    "ForeignMessage",
    "Message",
    "PeerDown",
    "PeerFound",
    "PeerFrames",
    "PeerUp",
    "PostMessage",
    "SendForeign",
    "SendFrames",
]
