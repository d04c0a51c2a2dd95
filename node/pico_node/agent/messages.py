"""What goes into an agent and what comes out, besides the engine's own messages and effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pico_didcomm.media import MEDIA_TYPES
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

    `peer_id` is "" where it came by HTTP; then `reply`, if any, is answered by ForeignAnswer. `socket` is the
    number of the WebSocket on which it came, else 0: what goes back does so by SendSocket.
    """

    peer_id: str
    message: bytes
    reply: Any = None
    socket: int = 0


@dataclass(slots=True)
class SocketUp:
    """Somebody has opened a WebSocket to this node. Sockets are numbered by whoever runs the server."""

    socket: int


@dataclass(slots=True)
class SocketDown:
    """It is gone."""

    socket: int


@dataclass(slots=True)
class LinkUp:
    """The WebSocket to this node's mediator is open; what comes on it are ForeignMessages."""


@dataclass(slots=True)
class LinkDown:
    """It is not, or not any more; whoever runs it tries again."""


@dataclass(slots=True)
class PostAnswered:
    """What answered a PostMessage with a `tag`; None when nothing did."""

    tag: str
    body: bytes | None


@dataclass(slots=True)
class DocumentFetched:
    """What was found at the URL of a did:web, or why nothing was; it counts for so long."""

    did: str
    body: bytes | None
    why: str
    lifetime_ms: int


@dataclass(slots=True)
class PeerFound:
    """A node was discovered: where it can be reached."""

    peer_id: str
    addresses: Sequence[str]


Message = (
    EngineMessage
    | Command
    | PeerUp
    | PeerDown
    | PeerFrames
    | ForeignMessage
    | PeerFound
    | SocketUp
    | SocketDown
    | LinkUp
    | LinkDown
    | PostAnswered
    | DocumentFetched
)


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
    """Hand one message to an agent by `didcomm/v2`; nobody tells whether it arrived.

    `otherwise` is the next of the ways to the same agent, for when this one fails.
    """

    peer_id: str
    addresses: tuple[str, ...]
    message: bytes
    otherwise: SendForeign | PostMessage | None = None


@dataclass(slots=True)
class PostMessage:
    """Post an encrypted message to a URL, under the egress policy; nobody tells whether it arrived.

    An encrypted answer is handed in as a ForeignMessage. With a `tag` any answer comes as PostAnswered.
    `granted`: the owner named the URL, which the policy need not allow. `otherwise` as in SendForeign.
    """

    url: str
    message: bytes
    media_type: str = MEDIA_TYPES["encrypted"]
    tag: str = ""
    granted: bool = False
    otherwise: SendForeign | PostMessage | None = None


@dataclass(slots=True)
class SendSocket:
    """Send a message on a WebSocket that somebody has opened; nothing happens if it is gone."""

    socket: int
    message: bytes


@dataclass(slots=True)
class OpenLink:
    """Keep a WebSocket to this URL open, that of the mediator which the owner named."""

    url: str


@dataclass(slots=True)
class SendLink:
    """Send a message on it; nothing happens if it is not open."""

    message: bytes


@dataclass(slots=True)
class FetchDocument:
    """Fetch the document of a did:web, under the egress policy; answered by DocumentFetched."""

    did: str
    url: str


@dataclass(slots=True)
class ForeignAnswer:
    """What may go back to where a ForeignMessage came from; None when nothing will."""

    reply: Any
    message: bytes | None


Effect = (
    EngineEffect
    | CommandAnswer
    | SendFrames
    | Connect
    | Forget
    | SendForeign
    | PostMessage
    | ForeignAnswer
    | SendSocket
    | OpenLink
    | SendLink
    | FetchDocument
)

__all__ = [
    "Command",
    "CommandAnswer",
    "Connect",
    "DocumentFetched",
    "Effect",
    "EngineError",
    "FetchDocument",
    "ForeignAnswer",
    "ForeignMessage",
    "Forget",
    "LinkDown",
    "LinkUp",
    "Message",
    "OpenLink",
    "PeerDown",
    "PeerFound",
    "PeerFrames",
    "PeerUp",
    "PostAnswered",
    "PostMessage",
    "SendForeign",
    "SendFrames",
    "SendLink",
    "SendSocket",
    "SocketDown",
    "SocketUp",
]
