"""What can go wrong at the network edge.

EngineError
└── PeerError               500
    ├── BadAddress          400  an address that cannot be listened on or dialed
    ├── AddressTaken        500  another process listens there
    ├── FrameTooLarge       413  a frame or message that can never be sent
    ├── NotRunning          503  used before start or after stop
    ├── Unreachable         502  no address of the peer answered
    └── Misbehaved          502  the peer sent something that no honest peer sends
"""

from __future__ import annotations

from pico_engine.errors import EngineError


class PeerError(EngineError):
    """The network edge failed."""

    code = "peer-error"


class BadAddress(PeerError):
    """An address that cannot be listened on or dialed."""

    code = "bad-address"
    status = 400
    default_hint = "write it like /ip4/192.0.2.7/tcp/7461 (a peer's address ends in /p2p/<peer id>)"


class AddressTaken(PeerError):
    """Another process listens on this address."""

    code = "address-taken"
    default_hint = "stop the other process, or listen on another port"


class FrameTooLarge(PeerError):
    """A frame or message is larger than the limit."""

    code = "frame-too-large"
    status = 413
    default_hint = "split it; docs/reference/limits.md names every limit"


class NotRunning(PeerError):
    """The network edge is not running."""

    code = "peers-not-running"
    status = 503
    default_hint = "start it first"


class Unreachable(PeerError):
    """No address of the peer answered."""

    code = "peer-unreachable"
    status = 502
    default_hint = "check that the peer runs and that its address is current; `picomesh connections` shows it"


class Misbehaved(PeerError):
    """The peer sent something that no honest peer sends."""

    code = "peer-misbehaved"
    status = 502
    default_hint = "nothing to do here: the session was closed; the peer may run other software"
