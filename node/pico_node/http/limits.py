"""Every limit of the HTTP doors, with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Limits per server; docs/reference/http.md lists them."""

    body_max_bytes: int = 1_048_576
    """One request's body: an event's attributes may be as large, and more would be refused behind it."""
    request_line_max_bytes: int = 16_384
    """Method, path and query string: old clients put an event's attributes into the query string."""
    header_max_bytes: int = 8_192
    """One header field; what browsers send stays well below."""
    headers_max: int = 64
    """Header fields of one request; browsers send about twenty."""
    form_fields_max: int = 1_000
    """Pairs in a query string or urlencoded body: each costs more memory than its bytes."""
    connections_max: int = 512
    """Open connections: half of the 1,024 file descriptors that a process commonly has."""
    didcomm_sockets_max: int = 128
    """WebSockets of other agents: a quarter of all connections, which they keep for long."""
    didcomm_socket_messages_max: int = 64
    """Messages that wait to be written to one of them; whoever reads more slowly loses the connection."""
    keep_alive_s: int = 60
    """An idle connection, or one whose request head is not complete, is closed after this time."""
    body_read_max_s: int = 30
    """How long a request's body may take to arrive: frees what slow clients hold."""
    answer_write_max_s: int = 30
    """How long a client may leave a large answer unread before its connection is cut."""
    unread_answer_max_bytes: int = 262_144
    """Answers that wait for a slow reader; beyond it the connection's next request waits too."""
    shutdown_max_s: int = 5
    """How long requests in progress may take to end when the server stops."""
