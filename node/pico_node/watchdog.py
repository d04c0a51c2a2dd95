"""Interrupts rules that compute too long.

A rule runs on the event loop's thread, so while it loops nothing else does. A second thread looks now and
then whether the same rule still runs; if it does after `turn_max_ms`, it sends the process a signal, whose
handler runs between two instructions of the rule and raises there. The engine drops what the rule did.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pico_engine.turn import TurnOverdueError

if TYPE_CHECKING:
    from pico_engine.engine import Engine

SIGNAL = signal.SIGUSR2
"""Not used by asyncio, trio or libp2p."""


class Watchdog:
    """Watches the engine that `engine()` answers. Start and stop it on the main thread."""

    def __init__(self, engine: Callable[[], Engine | None], limit_ms: int) -> None:
        self._engine = engine
        self._limit_s = limit_ms / 1_000
        self._stop = threading.Event()
        self._overdue_serial: int | None = None
        self._previous: Any = None
        self._thread = threading.Thread(target=self._watch, name="picomesh-watchdog", daemon=True)

    def start(self) -> None:
        """Raises ValueError when this is not the main thread, which alone can be interrupted."""
        self._previous = signal.signal(SIGNAL, self._interrupt)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        signal.signal(SIGNAL, self._previous)

    def _watch(self) -> None:
        serial, since = -1, 0.0
        main = threading.main_thread().ident
        assert main is not None, "the main thread runs"
        while not self._stop.wait(self._limit_s / 4):
            engine = self._engine()
            if engine is None or not engine.rule_running:
                serial = -1
            elif engine.turn_serial != serial:
                serial, since = engine.turn_serial, time.monotonic()
            elif time.monotonic() - since >= self._limit_s:
                self._overdue_serial = serial
                signal.pthread_kill(main, SIGNAL)

    def _interrupt(self, _number: int, _frame: object) -> None:
        engine = self._engine()
        if engine is not None and engine.rule_running and engine.turn_serial == self._overdue_serial:
            self._overdue_serial = None
            raise TurnOverdueError
