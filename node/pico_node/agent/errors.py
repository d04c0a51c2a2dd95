"""What can go wrong with connections. Branches of the engine's tree, so that doors need to know one tree.

CallerError
└── BadInvitation        400  an invitation that cannot be read, is not signed, or has expired
EngineError
├── PeerUnreachable      504  the other node is not connected
├── RemoteError          502  the other side of a connection could not answer a query
└── HostRefused          502  another engine did not take an event by HTTP
"""

from __future__ import annotations

from pico_engine.errors import CallerError, EngineError


class BadInvitation(CallerError):
    """The invitation cannot be used."""

    code = "bad-invitation"
    default_hint = "ask for a new invitation, and copy the whole link"


class PeerUnreachable(EngineError):
    """The other node cannot be reached."""

    code = "peer-unreachable"
    status = 504
    default_hint = "the other node may be down or offline; events wait for it, queries do not"


class HostRefused(EngineError):
    """The other engine did not take the event."""

    code = "host-refused"
    status = 502
    default_hint = "the channel may be gone, or its policy may not allow the event"


class RemoteError(EngineError):
    """The other side could not answer; `remote_code` is its own code for why."""

    code = "remote-error"
    status = 502

    def __init__(self, what: str = "", hint: str = "", remote_code: str = "") -> None:
        super().__init__(what, hint)
        self.remote_code = remote_code
