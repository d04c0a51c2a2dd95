"""Looks at the free space of the disk under the store, and tells the engine."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pico_engine.engine import Engine

log = logging.getLogger("picomesh.disk")

LOOK_EVERY_S: Final = 5.0
"""In this time no machine writes as much as `disk_free_min_bytes` by way of picos."""


class DiskWatch:
    """Watches the disk that `folder` is on for the engine that `engine()` answers."""

    def __init__(self, engine: Callable[[], Engine | None], folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self._timer: asyncio.TimerHandle | None = None
        self._was_full = False

    def start(self) -> None:
        """Look now, and every LOOK_EVERY_S on the running loop."""
        self._look()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look)
        engine = self._engine()
        if engine is None:
            return
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError as error:
            log.warning("the free space of the disk cannot be read: %s", error)
            return
        engine.disk.has_free(free)
        if engine.disk.is_full is not self._was_full:
            self._was_full = engine.disk.is_full
            if self._was_full:
                log.warning("the disk has %s bytes free: picos keep no more than they do", f"{free:,}")
            else:
                log.info("the disk has room again")
