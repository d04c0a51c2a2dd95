"""Listening sockets: open before libp2p is loaded, so that who dials meanwhile only waits for a moment."""

from __future__ import annotations

import errno
from collections.abc import Sequence

import trio

from pico_node.peers.errors import AddressTaken, BadAddress

LISTEN_BACKLOG = 256  # a burst of connections while this process is busy for a moment
CLOSE_TIMEOUT_S = 1.0  # closing sockets does not wait for peers
_TAKEN = {errno.EADDRINUSE}


async def open_listeners(listen: Sequence[tuple[str, int]]) -> list[trio.SocketListener]:
    """Listening sockets, all or none. Raises AddressTaken and BadAddress."""
    listeners: list[trio.SocketListener] = []
    try:
        for host, port in listen:
            try:
                listeners += await trio.open_tcp_listeners(port, host=host, backlog=LISTEN_BACKLOG)
            except OSError as error:
                where = f"{host} port {port}"
                if error.errno in _TAKEN:
                    raise AddressTaken(f"another process listens on {where}") from None
                raise BadAddress(f"cannot listen on {where}: {error.strerror or error}") from None
    except BaseException:
        for listener in listeners:
            listener.socket.close()
        raise
    return listeners
