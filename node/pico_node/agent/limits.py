"""Every limit of the agent, with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AgentLimits:
    """Limits of connections; docs/reference/limits.md lists them."""

    outbox_max_messages: int = 100_000
    """Events that wait for one connection's other side: a disk is finite, a peer may be gone for good."""
    outbox_max_age_ms: int = 7 * 24 * 3_600_000
    """After a week an event that could not be delivered is given back to its pico."""
    window_max_messages: int = 512
    """Messages on their way on one connection before the first is acknowledged."""
    window_max_bytes: int = 4 * 1_048_576
    """Likewise in bytes, passed by one message at most: half of what one session's queue takes."""
    reorder_max_messages: int = 256
    """Messages of one connection that came too early and are kept until the missing one comes."""
    retry_first_ms: int = 2_000
    """Silence after which unacknowledged messages are sent again; doubles up to `retry_max_ms`."""
    retry_max_ms: int = 60_000
    query_retry_ms: int = 1_000
    """A query without an answer is asked again this often until its turn's deadline."""
    queries_max: int = 1_000
    """Queries to other nodes that wait for an answer at the same time."""
    invitation_max_age_ms: int = 366 * 24 * 3_600_000
    """No invitation is good for longer than a year."""
    invitations_max: int = 1_000
    """Open invitations per pico."""
    peers_connected_max: int = 256
    """Nodes that are called again when this node starts; the others are called when there is news."""
    posts_max: int = 10_000
    """Events that wait for engines which take them by HTTP only."""
    taken_max_messages: int = 1_024
    """Ids of another agent's messages that are remembered, per connection: more than it can have sent that it
    did not hear of (64 on their way at once, a mediator's 32)."""
    addresses_max: int = 16
    """Addresses kept per node."""
