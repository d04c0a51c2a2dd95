"""Carries out what turns ask of the world outside, and hands the answers back to them."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pico_engine.errors import Busy, EgressDenied, EngineError, FetchFailed, LimitExceeded
from pico_engine.messages import HttpCall, RulesetCall, WaitAnswer
from pico_engine.values import Json
from pico_node.agent.messages import Message
from pico_node.outside.client import Answer, Client
from pico_node.outside.letters import Carry, Letters
from pico_node.outside.limits import OutsideLimits
from pico_node.outside.link import MediatorLink
from pico_node.outside.policy import EgressPolicy

COUNTED = ("requests", "failed", "denied", "refused")
log = logging.getLogger("picomesh.outside")


class _Line:
    """The requests of one pico: so many at a time, the others wait."""

    __slots__ = ("gate", "length")

    def __init__(self, width: int) -> None:
        self.gate = asyncio.Semaphore(width)
        self.length = 0


class OutsideEdge:
    """The world outside, for a driver: `call` an effect, and `answer` is called with what came of it."""

    def __init__(
        self,
        answer: Callable[[WaitAnswer], None],
        policy: EgressPolicy | None = None,
        limits: OutsideLimits | None = None,
        *,
        carry: Carry | None = None,
        hand_in: Callable[[Message], None] = lambda _: None,
    ) -> None:
        self._answer = answer
        self.policy = policy or EgressPolicy()
        self.limits = limits or OutsideLimits()
        self.client = Client(self.policy, self.limits)
        self.letters = Letters(self.client, carry, hand_in)
        self.link = MediatorLink(self.client, hand_in)
        self.counters = Counter(dict.fromkeys(COUNTED, 0))
        self._lines: dict[str, _Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> int:
        """Requests that are under way or wait in line."""
        return len(self._tasks)

    def metrics(self) -> dict[str, float]:
        """What was counted, and what is under way."""
        counted = {f"outside_{name}": value for name, value in self.counters.items()}
        return {**counted, "outside_open": self.open, **self.letters.metrics()}

    def call(self, effect: HttpCall | RulesetCall) -> None:
        """Begin with what a turn asked for."""
        line = self._lines.setdefault(effect.pico, _Line(self.limits.open_per_pico_max))
        if line.length >= self.limits.line_per_pico_max:
            self.counters["refused"] += 1
            busy = Busy(f"{line.length} requests of pico {effect.pico} wait already (line_per_pico_max)")
            self._answer(WaitAnswer(effect.wait, error=busy))
            return
        line.length += 1
        task = asyncio.get_running_loop().create_task(self._carry_out(effect, line))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def forget(self) -> None:
        """Nobody waits for the answers any more."""
        self.link.forget()
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """End everything that is under way."""
        self.forget()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.letters.close()
        await self.link.close()
        await self.client.close()

    async def _carry_out(self, effect: HttpCall | RulesetCall, line: _Line) -> None:
        value: Json = None
        error: EngineError | None = None
        try:
            async with line.gate:
                self.counters["requests"] += 1
                if isinstance(effect, HttpCall):
                    value = await self._http(effect)
                else:
                    value = await self._ruleset(effect)
        except EngineError as failed:
            error = failed
        except Exception as failed:  # a defect must not leave the turn waiting
            log.exception("a request to the world outside failed; this is a defect of the node")
            error = FetchFailed(f"the node failed at this request: {type(failed).__name__}")
        finally:
            line.length -= 1
            if line.length == 0:
                self._lines.pop(effect.pico, None)
        if error is not None:
            self.counters["denied" if isinstance(error, EgressDenied) else "failed"] += 1
        self._answer(WaitAnswer(effect.wait, value, error))

    async def _http(self, call: HttpCall) -> Json:
        answer = await self.client.request(
            call.method, call.url, call.headers, call.body, follow_redirects=call.follow_redirects
        )
        return _told(answer)

    async def _ruleset(self, call: RulesetCall) -> str:
        if call.url.startswith("file:"):
            return await asyncio.to_thread(self._file, call.url, call.granted)
        answer = await self.client.request(
            "GET", call.url, {"Accept": "text/plain, */*"}, granted=call.granted
        )
        if answer.status != 200:
            raise FetchFailed(f"{call.url} answers {answer.status} {answer.reason}")
        return _source(answer.body, call.url)

    def _file(self, url: str, granted: bool) -> str:
        """The text of a file. Raises EgressDenied, FetchFailed, LimitExceeded."""
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost"):
            raise EgressDenied(f"{url} is a file of another machine")
        path = Path(unquote(parts.path)).resolve()  # what is opened is what was judged, not a link to it
        if not (granted or self.policy.admits_file(path)):
            raise EgressDenied(f"{path} is in no folder that rulesets may come from")
        most = self.limits.answer_max_bytes
        try:
            # without waiting: opening a pipe would wait for whoever writes it
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise FetchFailed(f"{path} is no plain file")
                data = file.read(most + 1)
        except (OSError, ValueError) as error:
            raise FetchFailed(f"{path} cannot be read: {getattr(error, 'strerror', error)}") from None
        if len(data) > most:
            raise LimitExceeded(f"{path} is larger than answer_max_bytes, {most:,}")
        return _source(data, url)


def _source(data: bytes, url: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FetchFailed(f"{url} is not UTF-8 text: byte {error.start}", "save it as UTF-8") from None


def _told(answer: Answer) -> dict[str, Any]:
    """An answer as rulesets see it (HttpCall)."""
    return {
        "status_code": answer.status,
        "status_line": answer.reason,
        "headers": answer.headers,
        "content": answer.text,
        "content_type": answer.headers.get("content-type"),
        "content_length": len(answer.body),
    }
