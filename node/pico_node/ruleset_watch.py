"""`picomesh up --watch`: rulesets that came from files are flushed when the files change.

It looks at the files' times once a second; a few files are looked at, so that costs nothing to speak of and
works on every file system. A version that does not compile is told in the log, and the old one runs on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pico_engine.errors import EngineError
from pico_node.api import NodeApi

log = logging.getLogger("picomesh.rulesets")

LOOK_EVERY_S = 1.0
"""How often the files are looked at: quick enough for whoever saved one."""


class FileWatch:
    """Looks after the files of one node's rulesets."""

    def __init__(self, node: NodeApi, every_s: float = LOOK_EVERY_S) -> None:
        self._node = node
        self._every_s = every_s
        self._seen: dict[str, tuple[int, int] | None] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(EngineError):  # a store that fails for a while, say
                await self.look()
            await asyncio.sleep(self._every_s)

    async def look(self) -> None:
        """Flush what has changed since the last look, or since it was installed where we never looked."""
        editions: Any = await self._node.command("ruleset_urls")
        for one in editions:
            url = one["url"]
            if not url.startswith("file:"):
                continue
            stamp = await asyncio.to_thread(_stamp, url)
            is_known = url in self._seen
            before = self._seen.get(url)
            self._seen[url] = stamp
            if stamp is None or (is_known and stamp == before):
                continue
            if not is_known and one.get("hash") in (None, await asyncio.to_thread(_hash, url)):
                continue
            try:
                told: Any = await self._node.command("ruleset_flush", url=url)
            except EngineError as error:
                log.error("%s: the old version runs on\n%s", url, error)  # noqa: TRY400 - no fault of ours
            else:
                log.info("%s has changed: %s is taken", url, told["rid"])


def _stamp(url: str) -> tuple[int, int] | None:
    """When the file was changed, and its size; None while it is not there (editors replace files)."""
    try:
        found = Path(unquote(urlsplit(url).path)).stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size


def _hash(url: str) -> str | None:
    """The hash that a ruleset's edition has; None while the file cannot be read."""
    try:
        return sha256(Path(unquote(urlsplit(url).path)).read_bytes()).hexdigest()
    except (OSError, ValueError):
        return None
