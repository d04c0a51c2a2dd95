"""Sockets that listen: all of them or none."""

from __future__ import annotations

import socket

import pytest

from pico_node.peers.errors import AddressTaken, BadAddress
from pico_node.peers.guest import Guest
from pico_node.peers.listening import open_listeners


async def opened(*where: tuple[str, int]) -> list[int]:
    """Opens, and closes again; answers the ports."""
    guest = await Guest.join()
    try:
        listeners = await guest.call(open_listeners, where)
        ports = [listener.socket.getsockname()[1] for listener in listeners]
        for listener in listeners:
            listener.socket.close()
        return ports
    finally:
        await guest.leave()


async def test_the_system_chooses_a_port_for_zero() -> None:
    ports = await opened(("127.0.0.1", 0), ("::1", 0))
    assert len(set(ports)) == 2
    assert await opened() == []


async def test_all_or_none() -> None:
    with socket.socket() as other, socket.socket() as free:
        other.bind(("127.0.0.1", 0))
        other.listen()
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        with pytest.raises(AddressTaken, match=str(other.getsockname()[1])):
            await opened(("127.0.0.1", port), other.getsockname())
        assert await opened(("127.0.0.1", port)) == [port]
    with pytest.raises(BadAddress, match=r"203\.0\.113\.1"):
        await opened(("203.0.113.1", 0))
