"""What a driver does with agents of other makes: their messages in by HTTP, ours out to them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pico_node.agent.messages import ForeignAnswer, ForeignMessage, PostMessage, SendForeign

if TYPE_CHECKING:
    from pico_node.outside import OutsideEdge
    from pico_node.peers import PeersFace


class ForeignDoor:
    """A part of the driver, which has `peers`, `outside`, and `_ask` for what is answered later."""

    peers: PeersFace | None
    outside: OutsideEdge
    _ask: Callable[[Any], asyncio.Future[Any]]
    _callers: set[asyncio.Future[Any]]

    def didcomm(self, message: bytes) -> Awaitable[bytes | None]:
        """A DIDComm message that came by HTTP; answered with what may go back as its answer, if anything."""
        return self._ask(ForeignMessage("", message))

    async def carry(self, peer_id: str, addresses: Sequence[str], message: bytes) -> None:
        """Hand a message to an agent by libp2p; nothing happens without peers."""
        if self.peers is not None:
            await self.peers.send_foreign(peer_id, addresses, message)

    def _send_letter(self, effect: PostMessage | SendForeign) -> None:
        self.outside.letters.send(effect)

    def _foreign_answer(self, effect: ForeignAnswer) -> None:
        reply = effect.reply
        self._callers.discard(reply)
        if not reply.done():  # whoever asked may be gone
            reply.set_result(effect.message)

    foreign_effects: Final[Mapping[type, Callable[[Any, Any], None]]] = {
        PostMessage: _send_letter,
        SendForeign: _send_letter,
        ForeignAnswer: _foreign_answer,
    }


__all__ = ["ForeignDoor"]
