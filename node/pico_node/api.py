"""What the doors (HTTP, command line) ask of a running node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol

from pico_engine.messages import EventMessage, QueryMessage
from pico_engine.values import Json


class EventResult(NamedTuple):
    """The answer to an event: its id and the directives of its turn (maps of the existing engine's shape)."""

    eid: str
    directives: list[Json]


class NodeApi(Protocol):
    """A node, seen from its doors. Every method raises EngineError subclasses, nothing else.

    What a method returns is durable: it was committed before the answer.
    """

    def event(
        self, eci: str, domain: str, type: str, attrs: Mapping[str, Json], *, door: str = "http"
    ) -> Awaitable[EventResult]:
        """Send an event to a channel and wait until its turn has ended."""
        ...

    def event_queued(self, eci: str, domain: str, type: str, attrs: Mapping[str, Json]) -> Awaitable[str]:
        """Send an event to a channel; answers its id as soon as it is sure to be processed."""
        ...

    def event_then_query(
        self, eci: str, domain: str, type: str, attrs: Mapping[str, Json], rid: str, name: str
    ) -> Awaitable[Json]:
        """An event, and behind it a query on the same channel with the same arguments."""
        ...

    def query(
        self, eci: str, rid: str, name: str, args: Mapping[str, Json] | list[Json], *, door: str = "http"
    ) -> Awaitable[Json]:
        """Ask a shared query over a channel."""
        ...

    def ask(self, message: EventMessage | QueryMessage) -> Awaitable[Any]:
        """Give a pico a message as it is, for what the methods above do not offer; answers as they do."""
        ...

    def command(self, name: str, /, **parameters: Any) -> Awaitable[Json]:
        """An owner's command; docs/reference/commands.md lists them with parameters and answers."""
        ...

    def didcomm(self, message: bytes, socket: int = 0) -> Awaitable[bytes | None]:
        """A DIDComm message of an agent of another make; answered with what may go back at once, if any.

        Of one on a WebSocket nothing goes back so, but as the socket's own messages. Nothing is raised for
        what the message is: whoever sends it does not learn who lives here.
        """
        ...

    def socket_opened(self, send: Callable[[bytes], None]) -> int:
        """A WebSocket for DIDComm was opened; `send` queues a message on it. Answers its number."""
        ...

    def socket_closed(self, socket: int) -> None:
        """It is gone."""
        ...

    def metrics(self) -> Mapping[str, float]:
        """Counters and gauges by name."""
        ...

    def health(self) -> Json:
        """`{"ok": bool, "store": "ok" | what is wrong, "peers": number of sessions, …}`."""
        ...
