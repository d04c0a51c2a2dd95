"""Trio as a guest: started once per loop, shared, ended by the last to leave."""

from __future__ import annotations

import asyncio

import pytest
import trio
import uvloop

from pico_node.peers.guest import Guest


async def double(n: int) -> int:
    await trio.sleep(0.001)
    return 2 * n


async def fail() -> None:
    raise ValueError("in trio")


async def share() -> None:
    first, second = await asyncio.gather(Guest.join(), Guest.join())
    assert first is second
    assert await asyncio.gather(*(first.call(double, n) for n in range(5))) == [0, 2, 4, 6, 8]
    with pytest.raises(ValueError, match="in trio"):
        await first.call(fail)
    await first.leave()
    assert await second.call(double, 21) == 42
    await second.leave()
    again = await Guest.join()
    assert again is not first
    await again.leave()
    with pytest.raises(RuntimeError):
        again.spawn(double, 1)


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_one_guest_for_all_of_a_loop(loop_factory):
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(share())


async def test_cancelling_the_waiting_task_cancels_the_trio_task():
    guest, cancelled = await Guest.join(), asyncio.Event()

    async def wait() -> None:
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()

    task = asyncio.create_task(guest.call(wait))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait_for(cancelled.wait(), 1)
    with pytest.raises(asyncio.CancelledError):
        await task
    await guest.leave()


async def test_asyncio_may_use_trios_synchronous_functions():
    guest, event, done = await Guest.join(), trio.Event(), asyncio.Event()

    async def wait() -> None:
        await event.wait()
        done.set()

    guest.spawn(wait)
    await asyncio.sleep(0.01)
    assert not done.is_set()
    event.set()
    await asyncio.wait_for(done.wait(), 1)
    await guest.leave()


async def test_when_the_guest_dies_who_waits_is_told_and_the_next_starts_anew():
    guest = await Guest.join()
    waiting = asyncio.create_task(guest.call(trio.sleep_forever))
    await asyncio.sleep(0)
    guest.spawn(fail)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(BaseExceptionGroup):
        await guest.leave()
    again = await Guest.join()
    assert await again.call(double, 1) == 2
    await again.leave()
