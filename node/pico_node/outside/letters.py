"""Carries DIDComm messages to agents of other makes: by libp2p or by HTTP, once each.

Nobody waits for them and nobody hears of a failure: what must arrive is sent again by who wants its answer.
POSTs obey the egress policy, as every request of the node does.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from pico_didcomm.media import MEDIA_TYPES
from pico_engine.errors import EgressDenied, EngineError, FetchFailed
from pico_node.agent.messages import PostMessage, SendForeign
from pico_node.outside.client import Answer, Client

OPEN_MAX: Final = 64
"""Messages on their way at the same time: each holds a connection and up to 1 MiB."""

LINE_MAX: Final = 1_024
"""Messages that are on their way or wait in line; beyond it they are dropped, and counted."""

COUNTED: Final = ("sent", "failed", "denied", "dropped")
log = logging.getLogger("picomesh.letters")

Carry = Callable[[str, Sequence[str], bytes], Awaitable[None]]
"""Hands a message to a libp2p peer at addresses; whatever goes wrong it raises an EngineError or OSError."""


class Letters:
    """The messages of one driver that are on their way."""

    def __init__(self, client: Client, carry: Carry | None) -> None:
        self._client = client
        self._carry = carry
        self._gate = asyncio.Semaphore(OPEN_MAX)
        self._tasks: set[asyncio.Task[None]] = set()
        self.counters = Counter(dict.fromkeys(COUNTED, 0))

    def send(self, effect: PostMessage | SendForeign) -> None:
        """Begin to carry a message."""
        if len(self._tasks) >= LINE_MAX:
            self.counters["dropped"] += 1
            return
        task = asyncio.get_running_loop().create_task(self._carry_out(effect))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def metrics(self) -> dict[str, float]:
        """What was counted, and what is on its way."""
        counted = {f"outside_letters_{name}": value for name, value in self.counters.items()}
        return {**counted, "outside_letters_open": len(self._tasks)}

    async def close(self) -> None:
        """Give up what is on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry_out(self, effect: PostMessage | SendForeign) -> None:
        where = effect.url if isinstance(effect, PostMessage) else effect.peer_id
        try:
            async with self._gate:
                if isinstance(effect, PostMessage):
                    await self._post(effect)
                elif self._carry is not None:
                    await self._carry(effect.peer_id, effect.addresses, effect.message)
                else:
                    raise FetchFailed("this node has no libp2p")
        except EgressDenied as error:
            self.counters["denied"] += 1
            log.warning("no DIDComm message to %s: %s", where, error)
        except (EngineError, OSError) as error:
            self.counters["failed"] += 1
            log.info("a DIDComm message to %s was not delivered: %s", where, error)
        except Exception:  # a defect of ours must not end the node
            self.counters["failed"] += 1
            log.exception("a DIDComm message could not be sent; this is a defect of the node")
        else:
            self.counters["sent"] += 1

    async def _post(self, effect: PostMessage) -> None:
        answer = await self._once(effect.url, effect.message)
        moved = answer.headers.get("location")
        if answer.status == 307 and moved:  # the only redirect that a message follows (v2.1, "HTTPS")
            answer = await self._once(moved, effect.message)
        if not 200 <= answer.status < 300:
            raise FetchFailed(f"{effect.url} answers {answer.status} {answer.reason}")

    async def _once(self, url: str, message: bytes) -> Answer:
        headers = {"Content-Type": MEDIA_TYPES["encrypted"]}
        return await self._client.request("POST", url, headers, message.decode(), follow_redirects=False)
