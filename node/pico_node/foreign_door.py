"""What a driver does with agents of other makes: their messages in by HTTP, ours out to them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from pico_engine.errors import FetchFailed
from pico_node.agent.messages import (
    FetchDocument,
    ForeignAnswer,
    ForeignMessage,
    Message,
    OpenLink,
    PostMessage,
    SendForeign,
    SendLink,
    SendSocket,
    SocketDown,
    SocketUp,
)

if TYPE_CHECKING:
    from pico_node.agent import Agent
    from pico_node.outside import OutsideEdge
    from pico_node.peers import PeersFace


class ForeignDoor:
    """A part of the driver, which has `peers`, `outside`, and `_ask` for what is answered later."""

    peers: PeersFace | None
    outside: OutsideEdge
    _ask: Callable[[Any], asyncio.Future[Any]]
    submit: Callable[[Message], None]
    _now: Callable[[], int]
    _callers: set[asyncio.Future[Any]]
    sockets: dict[int, Callable[[bytes], None]]
    _numbers = count(1)

    def didcomm(self, message: bytes, socket: int = 0) -> Awaitable[bytes | None]:
        """A DIDComm message that came by HTTP; answered with what may go back as its answer, if anything."""
        return self._ask(ForeignMessage("", message, socket=socket))

    def foreign_message(self, peer_id: str, message: bytes) -> None:
        """A DIDComm message that came by libp2p (PeerEvents)."""
        self.submit(ForeignMessage(peer_id, message))

    def socket_opened(self, send: Callable[[bytes], None]) -> int:
        """Somebody has opened a WebSocket, on which `send` sends; its number."""
        number = next(self._numbers)
        self.sockets[number] = send
        self.submit(SocketUp(number))
        return number

    def tell_sockets(self, agent: Agent) -> None:
        """A new agent hears which WebSockets are open."""
        for socket in self.sockets:
            agent.receive(SocketUp(socket), self._now())

    def socket_closed(self, socket: int) -> None:
        """It is gone."""
        self.sockets.pop(socket, None)
        self.submit(SocketDown(socket))

    async def carry(self, peer_id: str, addresses: Sequence[str], message: bytes) -> None:
        """Hand a message to an agent by libp2p. Raises FetchFailed without peers, and what they raise."""
        if self.peers is None:
            raise FetchFailed("this node has no libp2p")
        await self.peers.send_foreign(peer_id, addresses, message)

    def _send_letter(self, effect: PostMessage | SendForeign | FetchDocument) -> None:
        self.outside.letters.send(effect)

    def _send_socket(self, effect: SendSocket) -> None:
        send = self.sockets.get(effect.socket)
        if send is not None:
            send(effect.message)

    def _open_link(self, effect: OpenLink) -> None:
        self.outside.link.open(effect.url)

    def _send_link(self, effect: SendLink) -> None:
        self.outside.link.send(effect.message)

    def _foreign_answer(self, effect: ForeignAnswer) -> None:
        reply = effect.reply
        self._callers.discard(reply)
        if not reply.done():  # whoever asked may be gone
            reply.set_result(effect.message)

    foreign_effects: Final[Mapping[type, Callable[[Any, Any], None]]] = {
        PostMessage: _send_letter,
        SendForeign: _send_letter,
        FetchDocument: _send_letter,
        SendSocket: _send_socket,
        OpenLink: _open_link,
        SendLink: _send_link,
        ForeignAnswer: _foreign_answer,
    }


__all__ = ["ForeignDoor"]
