"""Every limit of the network edge, with its unit in its name and its reason beside it."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
YAMUX_UNREAD_BYTES_MIN = MIB  # twice the largest window must fit: yamux opens with 256 KiB a stream


@dataclass(frozen=True, slots=True)
class PeerLimits:
    """Tests shorten the times; a node normally runs with the defaults."""

    # Sessions
    frame_bytes_max: int = MIB + 64 * KIB  # a message of 1 MiB and what wraps it
    outgoing_bytes_max: int = 8 * MIB  # a slow peer costs this much memory, then `send` says no
    ping_after_s: float = 5.0  # silence after which we ask whether the peer is still there
    dead_after_s: float = 15.0  # silence after which it is gone: two lost pings on a slow link are forgiven
    handshake_timeout_s: float = 5.0  # opening a session takes two round trips
    duplicate_window_s: float = 2.0  # a second session this soon is a simultaneous dial, later a lost session
    goodbye_timeout_s: float = 0.5  # how long stopping waits for queues to drain

    # Dialing
    dial_timeout_s: float = 10.0  # for one address: connect, encrypt, multiplex
    dial_stagger_s: float = 0.25  # head start of one address over the next (RFC 8305 section 5)
    dials_at_once_max: int = 16  # a handshake costs milliseconds of CPU; more at once only delay each other
    redial_first_s: float = 0.1
    redial_most_s: float = 30.0  # a peer that comes back is found within half a minute, and dials by itself

    # Whoever comes in
    half_open_max: int = 128  # connections that have not proven who they are; the oldest gives way
    upgrade_timeout_s: float = 5.0  # proving who one is takes four round trips
    inbound_max: int = 200  # proven connections that others opened
    inbound_per_ip_max: int = 64  # many nodes behind one address are normal, hundreds are not
    inbound_per_peer_max: int = 4  # one session, one being replaced, messages by didcomm/v2
    inbound_idle_s: float = 10.0  # a connection that carries nothing holds a slot no longer than this
    streams_per_connection_max: int = 16  # we need one for frames, others come and go
    unread_bytes_max: int = 4 * MIB  # per connection; the flow-control window is half of this

    # Messages of other agents (`didcomm/v2`)
    foreign_message_bytes_max: int = MIB
    foreign_timeout_s: float = 10.0  # for one message, from opening the stream to its last byte
    foreign_per_peer_per_s: float = 10.0  # people's agents talk at the pace of people
    foreign_per_peer_burst: int = 50
    foreign_total_per_s: float = 200.0  # what strangers may cost all together: each message means decryption
    foreign_total_burst: int = 400

    def __post_init__(self) -> None:
        if not 0 < self.ping_after_s < self.dead_after_s:
            raise ValueError(
                "a silent peer must be asked (ping_after_s) before it is given up (dead_after_s)"
            )
        if self.unread_bytes_max < YAMUX_UNREAD_BYTES_MIN:
            raise ValueError(f"unread_bytes_max must be at least {YAMUX_UNREAD_BYTES_MIN}")
        if min(self.frame_bytes_max, self.outgoing_bytes_max, self.half_open_max) <= 0:
            raise ValueError("a limit of nothing at all stops everything")
