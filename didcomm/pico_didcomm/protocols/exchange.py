"""Requests of ours that wait for their answers: one machine for every two-step exchange of every protocol.

An answer counts when it is in the request's thread, of a type that the protocol's table has, and proven to be
from whom the request was for. A problem report in the thread fails the request, silence does so at its
deadline.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pico_didcomm.did.document import canonical_did
from pico_didcomm.errors import LimitExceeded, UnexpectedMessage
from pico_didcomm.message import Message
from pico_didcomm.protocols.problem_report import PROBLEM_REPORT_TYPE, ProblemReport, parse_problem_report
from pico_didcomm.protocols.tables import Table
from pico_didcomm.unpack import Unpacked

EXCHANGES_MAX: Final = 1_000
"""Requests that wait at the same time; each holds its message, about 1 KiB."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a request: an answer, a problem that was reported, or neither when its time is up."""

    request: Message
    answer: Unpacked | None = None
    problem: ProblemReport | None = None


@dataclass(slots=True)
class _Waiting:
    table: Table
    state: str
    request: Message
    deadline_ms: int


class Exchanges:
    """The requests of one agent.

    `begin` says that a request was sent, `receive` takes every message that proved its sender, and tells
    whether it belonged to a request; `next_effect` gives what was settled, in order.
    """

    def __init__(self, *, exchanges_max: int = EXCHANGES_MAX) -> None:
        self._waiting: dict[str, _Waiting] = {}
        self._effects: deque[Settled] = deque()
        self._max = exchanges_max

    def begin(self, table: Table, request: Message, now_ms: int, timeout_ms: int) -> None:
        """A request was sent, to be answered by one of the answers in `table` before its time is up."""
        if not request.to:
            raise UnexpectedMessage("a request that is for nobody cannot be answered")
        if request.id not in self._waiting and len(self._waiting) >= self._max:
            raise LimitExceeded(f"{self._max} requests wait for an answer already")
        state = table.after(table.initial, f"send {_name(request.type)}")
        self._waiting[request.id] = _Waiting(table, state, request, now_ms + timeout_ms)

    def receive(self, unpacked: Unpacked, now_ms: int) -> bool:
        """Whether the message settled a request."""
        message = unpacked.message
        if message.type == PROBLEM_REPORT_TYPE:
            return self._take(message.pthid, unpacked, now_ms, "receive problem-report", parse_problem_report)
        return self._take(message.thid, unpacked, now_ms, f"receive {_name(message.type)}", None)

    def next_timer(self) -> int | None:
        """When `handle_timer` is wanted."""
        return min((waiting.deadline_ms for waiting in self._waiting.values()), default=None)

    def handle_timer(self, now_ms: int) -> None:
        """Give up what nobody answered in time."""
        for thread, waiting in list(self._waiting.items()):
            if waiting.deadline_ms <= now_ms:
                waiting.table.after(waiting.state, "time out")
                del self._waiting[thread]
                self._effects.append(Settled(waiting.request))

    def next_effect(self) -> Settled | None:
        """What was settled next."""
        return self._effects.popleft() if self._effects else None

    def _take(
        self,
        thread: str | None,
        unpacked: Unpacked,
        now_ms: int,
        happening: str,
        problem_of: Callable[[Message], ProblemReport] | None,
    ) -> bool:
        waiting = self._waiting.get(thread) if thread is not None else None
        if waiting is None or waiting.deadline_ms <= now_ms:
            return False  # what comes too late is nobody's answer any more
        if unpacked.sender not in {canonical_did(did) for did in waiting.request.to}:
            return False
        if _protocol(waiting.request.type) != _protocol(unpacked.message.type) and problem_of is None:
            return False
        waiting.table.after(waiting.state, happening)  # raises for what answers something else
        problem = problem_of(unpacked.message) if problem_of is not None else None
        del self._waiting[waiting.request.id]
        answer = unpacked if problem is None else None
        self._effects.append(Settled(waiting.request, answer, problem))
        return True


def _name(type_uri: str) -> str:
    return type_uri.rpartition("/")[2]


def _protocol(type_uri: str) -> str:
    return type_uri.rpartition("/")[0]
