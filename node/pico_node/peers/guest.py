"""Trio as a guest of the asyncio loop: one run per loop, shared by everything that needs it.

py-libp2p is written for trio, the node runs on asyncio. In trio's guest mode both take turns on one thread,
so that either may call the other's synchronous functions directly: `trio.Event.set()` from asyncio, or
setting the result of an asyncio future from a trio task. No locks, no queues between threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import outcome
import trio

T = TypeVar("T")

_guests: WeakKeyDictionary[asyncio.AbstractEventLoop, Guest] = WeakKeyDictionary()


class Guest:
    """One trio run within one asyncio loop. Get it with `Guest.join()`, give it back with `leave()`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._members = 0
        self._ready: asyncio.Future[None] = loop.create_future()
        self._done: asyncio.Future[outcome.Outcome[None]] = loop.create_future()
        self._stop = trio.Event()
        self._nursery: trio.Nursery | None = None

    @classmethod
    async def join(cls) -> Guest:
        """The guest of the running loop, started if there is none yet."""
        loop = asyncio.get_running_loop()
        guest = _guests.get(loop)
        if guest is None:
            guest = _guests[loop] = cls(loop)
            guest._start()
        guest._members += 1
        await asyncio.shield(guest._ready)
        return guest

    async def leave(self) -> None:
        """Give the guest back; the last one to leave waits until trio has ended."""
        self._members -= 1
        if self._members:
            return
        if _guests.get(self._loop) is self:
            del _guests[self._loop]
        self._stop.set()
        (await asyncio.shield(self._done)).unwrap()

    def spawn(self, function: Callable[..., Awaitable[Any]], *args: Any) -> None:
        """Start a trio task. It must not raise: there is nobody to tell but the whole guest run."""
        if self._nursery is None:
            raise RuntimeError("the trio guest run has ended")
        self._nursery.start_soon(function, *args)

    async def call(self, function: Callable[..., Awaitable[T]], *args: Any) -> T:
        """Run a trio function and wait for its result from asyncio; cancelling one cancels the other."""
        result: asyncio.Future[T] = self._loop.create_future()
        scope = trio.CancelScope()

        async def run() -> None:
            try:
                with scope:
                    value = await function(*args)
                    if not result.done():
                        result.set_result(value)
            except Exception as error:  # noqa: BLE001 - handed to the asyncio caller
                if not result.done():
                    result.set_exception(error)
            finally:
                result.cancel()  # does nothing when it is done

        self.spawn(run)
        try:
            return await result
        finally:
            scope.cancel()

    def _start(self) -> None:
        def soon_threadsafe(function: Callable[[], object]) -> None:
            self._loop.call_soon_threadsafe(function)

        def soon(function: Callable[[], object]) -> None:
            self._loop.call_soon(function)

        trio.lowlevel.start_guest_run(
            self._main,
            run_sync_soon_threadsafe=soon_threadsafe,
            run_sync_soon_not_threadsafe=soon,
            done_callback=self._ended,
            host_uses_signal_set_wakeup_fd=True,  # asyncio has it, to wake up for signals
        )

    async def _main(self) -> None:
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            self._ready.set_result(None)
            await self._stop.wait()
            nursery.cancel_scope.cancel()

    def _ended(self, result: outcome.Outcome[None]) -> None:
        self._nursery = None
        if _guests.get(self._loop) is self:
            del _guests[self._loop]  # it died by itself: the next to join starts a new one
        if not self._ready.done():
            self._ready.cancel()
        if not self._done.done():
            self._done.set_result(result)
