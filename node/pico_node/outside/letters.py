"""Carries DIDComm messages to agents of other makes: by libp2p or by HTTP, once each.

Nobody waits for them and nobody hears of a failure: what must arrive is sent again by who wants its answer.
Where a message has several ways they are tried in order, until one takes it: an answer that gets lost may so
make it arrive twice, with the same id.
POSTs obey the egress policy, as every request of the node does. An encrypted message that answers a POST is
handed to the node as if it had been posted here; so is what is found at the URL of a did:web.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

from pico_didcomm.did.web import DOCUMENT_BYTES_MAX
from pico_didcomm.media import MEDIA_TYPES, full_media_type
from pico_engine.errors import EgressDenied, EngineError, FetchFailed
from pico_node.agent.messages import (
    DocumentFetched,
    FetchDocument,
    ForeignMessage,
    Message,
    PostAnswered,
    PostMessage,
    SendForeign,
)
from pico_node.outside.client import Answer, Client

OPEN_MAX: Final = 64
"""Messages on their way at the same time: each holds a connection and up to 1 MiB."""

LINE_MAX: Final = 1_024
"""Messages that are on their way or wait in line; beyond it they are dropped, and counted."""

DOCUMENT_LIFETIME_MS: Final = 3_600_000
"""Of a did:web's document whose server says nothing: an hour, after which a withdrawn key is noticed."""

FAILURE_LIFETIME_MS: Final = 60_000
"""How soon a document that could not be had is asked for again: strangers decide which are asked for."""

DOCUMENT_TYPES: Final = frozenset(
    f"application/{name}" for name in ("did", "did+json", "did+ld+json", "json", "ld+json")
)
"""Media types of a DID document (DID Core, 6; did:web, 2.5.2). A page that says what was not found, or what
somebody put on a server under the name did.json, is of others."""

COUNTED: Final = ("sent", "failed", "denied", "dropped")
log = logging.getLogger("picomesh.letters")

Letter = PostMessage | SendForeign | FetchDocument
"""What is carried; a message with the other ways that it has."""

Carry = Callable[[str, Sequence[str], bytes], Awaitable[None]]
"""Hands a message to a libp2p peer at addresses; whatever goes wrong it raises an EngineError or OSError."""


class Letters:
    """The messages of one driver that are on their way."""

    def __init__(
        self, client: Client, carry: Carry | None, hand_in: Callable[[Message], None] = lambda _: None
    ) -> None:
        self._client = client
        self._carry = carry
        self._hand_in = hand_in
        self._gate = asyncio.Semaphore(OPEN_MAX)
        self._tasks: set[asyncio.Task[None]] = set()
        self.counters = Counter(dict.fromkeys(COUNTED, 0))

    def send(self, effect: Letter) -> None:
        """Begin to carry a message, or to fetch a document."""
        if len(self._tasks) >= LINE_MAX:
            self.counters["dropped"] += 1
            self._failed(effect, "too many messages are on their way")
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

    async def _carry_out(self, effect: Letter) -> None:
        outcome = problem = ""
        for way in _ways(effect):
            outcome, problem = await self._try(way)
            if outcome == "sent":
                break
        self.counters[outcome] += 1
        if outcome != "sent":
            self._failed(effect, problem)

    async def _try(self, way: Letter) -> tuple[str, str]:
        """One way: what it is counted as, and the problem if there is one."""
        where = way.peer_id if isinstance(way, SendForeign) else way.url
        try:
            async with self._gate:
                if isinstance(way, PostMessage):
                    await self._post(way)
                elif isinstance(way, FetchDocument):
                    await self._fetch(way)
                elif self._carry is not None:
                    await self._carry(way.peer_id, way.addresses, way.message)
                else:
                    raise FetchFailed("this node has no libp2p")
        except EgressDenied as error:
            log.warning("no DIDComm message to %s: %s", where, error)
            return "denied", str(error)
        except (EngineError, OSError) as error:
            log.info("a DIDComm message to %s was not delivered: %s", where, error)
            return "failed", str(error)
        except Exception:  # a defect of ours must not end the node
            log.exception("a DIDComm message could not be sent; this is a defect of the node")
            return "failed", "a defect of the node"
        return "sent", ""

    def _failed(self, effect: Letter, problem: str) -> None:
        """Tell whoever waits."""
        if isinstance(effect, FetchDocument):
            self._hand_in(DocumentFetched(effect.did, None, problem, FAILURE_LIFETIME_MS))
            return
        tags = {one.tag for one in _ways(effect) if isinstance(one, PostMessage) and one.tag}
        for tag in tags:
            self._hand_in(PostAnswered(tag, None))

    async def _post(self, effect: PostMessage) -> None:
        answer = await self._once(effect, effect.url, granted=effect.granted)
        moved = answer.headers.get("location")
        if answer.status == 307 and moved:  # the only redirect that a message follows (v2.1, "HTTPS")
            answer = await self._once(effect, moved, granted=False)
        if not 200 <= answer.status < 300:
            raise FetchFailed(f"{effect.url} answers {answer.status} {answer.reason}")
        if effect.tag:
            self._hand_in(PostAnswered(effect.tag, answer.body))
        elif full_media_type(answer.headers.get("content-type", "")) == MEDIA_TYPES["encrypted"]:
            self._hand_in(ForeignMessage("", answer.body))

    async def _once(self, effect: PostMessage, url: str, *, granted: bool) -> Answer:
        headers = {"Content-Type": effect.media_type}
        return await self._client.request(
            "POST", url, headers, effect.message.decode(), follow_redirects=False, granted=granted
        )

    async def _fetch(self, effect: FetchDocument) -> None:
        headers = {"Accept": "application/did+json, application/did+ld+json, application/json"}
        answer = await self._client.request(
            "GET", effect.url, headers, follow_redirects=False, bytes_max=DOCUMENT_BYTES_MAX
        )
        if answer.status != 200:
            raise FetchFailed(f"{effect.url} answers {answer.status} {answer.reason}")
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in DOCUMENT_TYPES:
            raise FetchFailed(f"{effect.url} is {media_type[:80] or 'of no media type'}, no DID document")
        lifetime = _lifetime_ms(answer.headers.get("cache-control", ""))
        self._hand_in(DocumentFetched(effect.did, answer.body, "", lifetime))


def _ways(effect: Letter) -> Iterator[Letter]:
    """A message's ways, first to last."""
    way: Letter | None = effect
    while way is not None:
        yield way
        way = None if isinstance(way, FetchDocument) else way.otherwise


def _lifetime_ms(cache_control: str) -> int:
    """How long an answer counts (RFC 9111, 5.2.2); the resolver bounds it."""
    for part in cache_control.lower().split(","):
        name, _, value = part.strip().partition("=")
        if name in ("no-store", "no-cache"):
            return 0
        if name == "max-age" and value.isascii() and value.isdecimal() and len(value) < 12:
            return int(value) * 1_000
    return DOCUMENT_LIFETIME_MS
