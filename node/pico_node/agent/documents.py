"""DID documents that have to be fetched: did:web's, by the edge, while whoever needs one waits.

What needs a document that is not there raises NotFetched; `wait` asks the edge for it, once, and does the
work again when the answer is in, whatever that is: a failure is remembered, too, and is an error like others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pico_didcomm import DidcommError, Resolver
from pico_didcomm.did.document import DidDocument
from pico_didcomm.did.resolver import DidResolver
from pico_didcomm.did.web import PREFIX
from pico_didcomm.errors import NotFetched
from pico_engine.errors import Busy
from pico_node.agent.messages import DocumentFetched, FetchDocument

if TYPE_CHECKING:
    from pico_node.agent.agent import Agent

WAITING_MAX: Final = 64
"""Messages that wait for a document at the same time: each may be 1 MiB, and strangers send them."""

LIFETIME_MIN_MS: Final = 10_000
"""However short its lifetime, a document serves the message for which it was fetched."""


class Documents:
    """The documents of did:web that an agent knows, and who waits for more."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._resolver = Resolver()
        self._waiting: dict[str, list[Callable[[], None]]] = {}
        self._count = 0

    def beside(self, others: Resolver) -> DidResolver:
        """A resolver of this moment: did:web from here, everything else from `others`."""
        return _Both(self._resolver, others, self._agent.now)

    def always_beside(self, others: Resolver) -> Resolver:
        """The same for whoever asks for the resolver of a moment itself (`Resolver.at`)."""
        return _Always(self._resolver, others)

    def wait(self, error: NotFetched, then: Callable[[], None]) -> None:
        """Do `then` when the document is there, or is known not to be. Raises Busy."""
        if self._count >= WAITING_MAX:
            raise Busy(f"{self._count} messages wait for DID documents already")
        self._count += 1
        waiting = self._waiting.setdefault(error.did, [])
        waiting.append(then)
        if len(waiting) == 1:
            self._agent.effect(FetchDocument(error.did, error.url))

    def fetched(self, message: DocumentFetched) -> None:
        """The edge has tried."""
        now, lifetime = self._agent.now, max(message.lifetime_ms, LIFETIME_MIN_MS)
        try:
            if message.body is None:
                self._resolver.learn_failure(message.did, message.why, now, lifetime)
            else:
                self._resolver.learn_document(message.did, message.body, now, lifetime)
        except DidcommError as error:
            self._agent.note("warning", f"what was found for {message.did} is of no use: {error}")
        waiting = self._waiting.pop(message.did, [])
        self._count -= len(waiting)
        for then in waiting:
            then()


class _Always(Resolver):
    """A resolver whose moments are as `_Both`."""

    def __init__(self, fetched: Resolver, others: Resolver) -> None:
        super().__init__()
        self._web = fetched
        self._others = others

    def at(self, now_ms: int) -> DidResolver:
        return _Both(self._web, self._others, now_ms)

    def resolve(self, did: str) -> DidDocument:
        return self._others.resolve(did)


class _Both:
    """Resolves did:web from what was fetched, everything else by itself."""

    def __init__(self, fetched: Resolver, others: Resolver, now_ms: int) -> None:
        self._fetched = fetched
        self._others = others
        self._now_ms = now_ms

    def resolve(self, did: str) -> DidDocument:
        if did.startswith(PREFIX):
            return self._fetched.resolve_at(did, self._now_ms)
        return self._others.resolve(did)
