"""The driver with agents of other makes: messages by HTTP, letters to them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pico_engine.errors import FetchFailed
from pico_node.agent.messages import ForeignAnswer, ForeignMessage, PostMessage, SendForeign
from pico_node.foreign_door import ForeignDoor


class Letters:
    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, effect: Any) -> None:
        self.sent.append(effect)


class Outside:
    letters = Letters()


class Peers:
    def __init__(self) -> None:
        self.got: list[Any] = []

    async def send_foreign(self, *what: Any) -> None:
        self.got.append(what)


class Door(ForeignDoor):
    """The part of the driver by itself."""

    def __init__(self, peers: Peers | None) -> None:
        self.peers: Any = peers
        self.outside: Any = Outside()
        self.asked: list[Any] = []
        self._callers = set()

    def _ask(self, message: Any) -> Any:  # type: ignore[override]  # a method does for a callable
        message.reply = asyncio.get_running_loop().create_future()
        self._callers.add(message.reply)
        self.asked.append(message)
        return message.reply

    def carry_out(self, effect: Any) -> None:
        self.foreign_effects[type(effect)](self, effect)


async def test_a_message_by_http_and_its_answer() -> None:
    door = Door(None)
    waiting = door.didcomm(b"m")
    (message,) = door.asked
    assert isinstance(message, ForeignMessage)
    assert (message.peer_id, message.message) == ("", b"m")
    door.carry_out(ForeignAnswer(message.reply, b"a"))
    assert await waiting == b"a"
    assert not door._callers


async def test_nobody_waits_any_more() -> None:
    door = Door(None)
    waiting = door.didcomm(b"m")
    waiting.cancel()
    door.carry_out(ForeignAnswer(door.asked[0].reply, None))
    assert waiting.cancelled()


async def test_letters_go_out() -> None:
    peers = Peers()
    door = Door(peers)
    letters = [PostMessage("https://a.example", b"m"), SendForeign("peer", (), b"m")]
    for letter in letters:
        door.carry_out(letter)
    assert door.outside.letters.sent == letters
    await door.carry("peer", ("/a",), b"m")
    assert peers.got == [("peer", ("/a",), b"m")]
    with pytest.raises(FetchFailed, match="no libp2p"):
        await Door(None).carry("peer", (), b"m")
