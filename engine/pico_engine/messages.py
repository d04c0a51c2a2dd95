"""What goes into an engine and what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Protocol

from pico_engine.event_message import DIDCOMM_DOOR as DIDCOMM_DOOR
from pico_engine.event_message import HTTP_DOOR as HTTP_DOOR
from pico_engine.event_message import INSIDE_DOORS as INSIDE_DOORS
from pico_engine.event_message import LOCAL_DOOR as LOCAL_DOOR
from pico_engine.event_message import OWNER as OWNER
from pico_engine.event_message import SYSTEM_DOOR as SYSTEM_DOOR
from pico_engine.event_message import EventMessage as EventMessage
from pico_engine.values import EMPTY_MAP, Json

if TYPE_CHECKING:
    from pico_engine.errors import EngineError
    from pico_engine.pico import Pico


class Receipt(Protocol):
    """Something to be written in the same commit as the turn of a message (a connection's cursor)."""

    def apply(self, pico: Pico) -> bool:
        """Write it; False when the message was applied before and must not be applied again."""
        ...


@dataclass(slots=True)
class QueryMessage:
    """A query: the function `name` that the ruleset `rid` shares. `chain`: picos that wait for its answer."""

    eci: str
    rid: str
    name: str
    args: Json = EMPTY_MAP
    door: str = HTTP_DOOR
    sender: str | None = None
    reply: Any = None
    chain: tuple[str, ...] = ()
    marks_undefined: bool = False
    """Whoever asks tells KRL's undefined (answered as NO_VALUE) from null."""
    weight: int = 0
    """Bytes of its arguments as JSON, where they count for the queue that it waits in."""


class NoValue:
    """The type of NO_VALUE."""

    def __repr__(self) -> str:
        return "NO_VALUE"


NO_VALUE: Final = NoValue()
"""Answers a query whose value is KRL's undefined, to those who tell it from null."""


@dataclass(slots=True)
class WaitAnswer:
    """The answer that a waiting turn asked for: a value, or an error."""

    wait: int
    value: Json = None
    error: EngineError | None = None
    weight: ClassVar[int] = 0


@dataclass(slots=True)
class OperationMessage:
    """Something that the node itself wants of a pico: `run(pico)` is its first act, `finish(pico)` its last.

    What `finish` returns (without it, what `run` returned) is the answer. It is a turn like any other: the
    events that `run` raises are handled in it, and all of it is kept or dropped.
    """

    pico: str
    name: str
    run: Callable[[Pico], Json]
    finish: Callable[[Pico], Json] | None = None
    reply: Any = None
    queue_key: None = None
    weight: ClassVar[int] = 0


Message = EventMessage | QueryMessage | OperationMessage | WaitAnswer

# -- what comes out -----------------------------------------------------------------------------------------


class EventAnswer(NamedTuple):
    """The turn of an event has ended; `directives` are maps of the existing engine's shape."""

    reply: Any
    eid: str
    directives: list[Json]


@dataclass(slots=True)
class Accepted:
    """A durable event will be processed, whatever happens."""

    reply: Any
    eid: str


@dataclass(slots=True)
class QueryAnswer:
    reply: Any
    value: Json


@dataclass(slots=True)
class OperationAnswer:
    reply: Any
    value: Json


@dataclass(slots=True)
class Failed:
    """An event or query could not be served."""

    reply: Any
    error: EngineError


@dataclass(slots=True)
class RemoteQuery:
    """A turn of `pico` waits for the answer of a channel that is not here; answer with WaitAnswer(wait)."""

    wait: int
    pico: str
    eci: str
    rid: str
    name: str
    args: Json
    chain: tuple[str, ...] = ()


@dataclass(slots=True)
class HttpCall:
    """A ruleset of `pico` makes an HTTP request; answer with WaitAnswer(wait), as soon as there is an answer.

    The value of the answer is a map: status_code (number), status_line (text, as "Not Found"), headers (map
    of text, names in lower case), content (text), content_type (text or None), content_length (number). What
    failed before there was an answer is its error. `body` is text or None. `waits`: a turn waits for it; else
    it left with the commit of its turn, and the engine passes the answer on by itself.
    """

    wait: int
    pico: str
    rid: str
    method: str
    url: str
    headers: Json = EMPTY_MAP
    body: str | None = None
    follow_redirects: bool = True
    waits: bool = True


@dataclass(slots=True)
class RulesetCall:
    """A turn of `pico` needs the source of the ruleset at a URL; answer with WaitAnswer(wait, text).

    `granted`: the node's owner named this very URL, so that it may lead where rulesets may not ask.
    """

    wait: int
    pico: str
    url: str
    granted: bool = False


@dataclass(slots=True)
class LogLine:
    """A ruleset or the engine has something to say to the node's owner."""

    level: str
    pico: str
    rid: str
    text: str
    time_ms: int
    data: Json = field(default=None)


Effect = (
    EventAnswer
    | Accepted
    | QueryAnswer
    | OperationAnswer
    | Failed
    | RemoteQuery
    | HttpCall
    | RulesetCall
    | LogLine
)
