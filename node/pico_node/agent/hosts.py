"""Events to picos of the existing engine: by HTTP to its channel URLs, sent again until somebody takes them.

Theory of operation. A turn that sends an event to a host writes a row in its own commit (`j/NUMBER`, of the
node); so the event is not lost whatever happens to this process. Rows of one host go out one at a time, in
order, and a row is deleted when the host has answered. No answer, or one that says to try later, is tried
again with growing pauses. What the host refuses, or has not taken within `outbox_max_age_ms`, comes back to
its pico as `event:undeliverable`. The existing engine knows no numbers: when its answer is lost it gets the
event twice.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from pico_engine.errors import Busy, EgressDenied, EngineError, FetchFailed
from pico_engine.messages import HttpCall, WaitAnswer
from pico_engine.turn import Post, Send
from pico_engine.values import EMPTY_MAP, decode, freeze
from pico_node.agent.errors import HostRefused

if TYPE_CHECKING:
    from pico_engine.pico import Pico
    from pico_node.agent.agent import Agent

EVENT_PATH: Final = "/c/"
TRY_LATER: Final = frozenset({408, 425, 429})
"""Answers that promise nothing, as do those from 500 on."""


class _Host:
    """What waits for one host, oldest first."""

    __slots__ = ("open", "pause_ms", "queue", "try_at_ms")

    def __init__(self) -> None:
        self.queue: deque[int] = deque()
        self.open = False
        self.pause_ms = 0
        self.try_at_ms = 0


class Hosts:
    """The events of an agent's picos that go to other engines by HTTP."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._hosts: dict[str, _Host] = {}
        self._last = 0
        self._waiting = 0

    def start(self) -> None:
        """Take up what was not taken when the node last stopped."""
        for key, row in self._agent.node.posts.scan():
            self._last = max(self._last, int(key, 16))
            self._add(row["host"], int(key, 16))

    def _add(self, host: str, number: int) -> None:
        self._hosts.setdefault(host, _Host()).queue.append(number)
        self._waiting += 1

    def takes(self, post: Post) -> bool:
        """Is this an event for a host, and no other request?"""
        return post.eci == "" and post.method == "POST" and urlsplit(post.url).path.startswith(EVENT_PATH)

    def take(self, pico: Pico, post: Post) -> None:
        """Write an event down, in the commit of the turn that sends it. Raises Busy."""
        agent = self._agent
        if self._waiting >= agent.limits.posts_max:
            raise Busy(f"{self._waiting:,} events wait for other engines already (posts_max)")
        parts = urlsplit(post.url)
        host = f"{parts.scheme}://{parts.netloc}"
        self._last += 1
        row = {
            "pico": pico.did,
            "rid": post.rid,
            "host": host,
            "url": post.url,
            "domain": post.domain,
            "type": post.type,
            "body": post.body or "{}",
            "created": agent.now,
        }
        agent.node.posts.put(f"{self._last:016x}", freeze(row))
        self._add(host, self._last)

    def flush(self) -> None:
        """Send what may be sent now; only after the turns at hand have ended."""
        for host, line in list(self._hosts.items()):
            if not line.queue:
                del self._hosts[host]
            elif not line.open and line.try_at_ms <= self._agent.now:
                self._send(line)

    def _send(self, line: _Host) -> None:
        number = line.queue[0]
        row = self._agent.node.posts.get(f"{number:016x}")
        if row is None:  # the turn that sent it was undone
            line.queue.popleft()
            self._waiting -= 1
            return
        headers = freeze({"content-type": "application/json"})
        call = HttpCall(-number, row["pico"], row["rid"], "POST", row["url"], headers, row["body"])
        call.waits = False
        line.open = True
        self._agent.effect(call)

    def answered(self, answer: WaitAnswer) -> None:
        """What became of the request for row number `-answer.wait`."""
        key = f"{-answer.wait:016x}"
        row = self._agent.node.posts.get(key)
        line = self._hosts.get(row["host"]) if row is not None else None
        if row is None or line is None:
            return
        line.open = False
        error = _problem(answer)
        old = row["created"] <= self._agent.now - self._agent.limits.outbox_max_age_ms
        if isinstance(error, FetchFailed | Busy) and not old:
            limits = self._agent.limits
            line.pause_ms = min(max(2 * line.pause_ms, limits.retry_first_ms), limits.retry_max_ms)
            line.try_at_ms = self._agent.now + line.pause_ms
            return
        line.pause_ms = line.try_at_ms = 0
        line.queue.popleft()
        self._waiting -= 1
        self._agent.node.posts.delete(key)
        if error is not None:
            self._give_back(row, error)
        self._agent.engine.ledger.commit()

    def _give_back(self, row: Any, error: EngineError) -> None:
        pico = self._agent.engine.loaded_or_stored(row["pico"])
        if pico is not None:
            self._agent.engine.delivery.undeliverable(pico, _send_of(row), error)

    def refuse(self, pico: Pico, post: Post, error: EngineError) -> None:
        """Give back an event that was not taken at all."""
        row = {"url": post.url, "domain": post.domain, "type": post.type, "body": post.body, "rid": post.rid}
        self._agent.engine.delivery.undeliverable(pico, _send_of(row), error)

    def next_timer(self) -> int | None:
        lines = self._hosts.values()
        return min((line.try_at_ms for line in lines if line.queue and not line.open), default=None)


def _send_of(row: Any) -> Send:
    """The event that was to be delivered."""
    eci = unquote(urlsplit(row["url"]).path.split("/")[2])
    attrs = freeze(decode((row["body"] or "{}").encode()))
    return Send(eci, row["domain"], row["type"], attrs or EMPTY_MAP, row["rid"])


def _problem(answer: WaitAnswer) -> EngineError | None:
    """Why the event was not taken; None when it was. FetchFailed and Busy: it may be later."""
    if answer.error is not None:
        temporary = isinstance(answer.error, FetchFailed | Busy)
        return answer.error if temporary else EgressDenied(answer.error.what, answer.error.hint)
    status, content = answer.value["status_code"], answer.value["content"]
    if status >= 500 or status in TRY_LATER:
        return FetchFailed(f"the other engine answers {status}")
    if status >= 300:
        return HostRefused(f"the other engine answers {status} {answer.value['status_line']}")
    if content.startswith('{"error"'):  # with status 200, as the existing engine tells all its errors
        return HostRefused(f"the other engine answers {content[:500]}")
    return None
