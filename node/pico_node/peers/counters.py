"""What the network edge counts, for monitoring."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counters:
    """`sessions` and `half_open` go up and down; all others only up."""

    dials: int = 0
    dials_failed: int = 0
    sessions: int = 0
    sessions_opened: int = 0
    sessions_lost: int = 0
    duplicates_declined: int = 0
    inbound: int = 0  # connections that came in
    inbound_refused: int = 0  # proven, but over a limit
    inbound_timed_out: int = 0  # silent, or slower than the limit, before proving who they are
    inbound_crowded_out: int = 0  # half-open ones that gave way to a newer one
    inbound_idle: int = 0  # proven, but carried nothing
    half_open: int = 0
    garbage: int = 0  # connections or streams closed for what they sent
    streams_refused: int = 0
    floods: int = 0  # connections dropped for ignoring flow control
    frames_in: int = 0
    frames_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    stalls: int = 0  # times a session waited because its peer took nothing
    pauses: int = 0  # times reading waited because the driver was busy
    handler_errors: int = 0  # exceptions in the driver's callbacks or in a stream handler
    edge_restarts: int = 0
    foreign_in: int = 0
    foreign_out: int = 0
    foreign_refused: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)
