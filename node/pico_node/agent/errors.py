"""What can go wrong with connections. Branches of the engine's tree, so that doors need to know one tree.

CallerError
└── BadInvitation        400  an invitation that cannot be read, is not signed, or has expired
EngineError
└── PeerUnreachable      504  the other node is not connected
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
