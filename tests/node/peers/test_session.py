"""A session over a pipe in memory, under a clock that jumps: heartbeat, backpressure, farewell."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from pico_node.peers.counters import Counters
from pico_node.peers.errors import FrameTooLarge, Misbehaved
from pico_node.peers.frames import INSTANCE_BYTES, PREAMBLE, Hello, Kind, encode, header
from pico_node.peers.limits import PeerLimits
from pico_node.peers.session import Ended, Session
from tests.node.peers.helpers import Pipe, pipe

LIMITS = PeerLimits(frame_bytes_max=1000, outgoing_bytes_max=10_000)
HELLO = Hello(bytes(INSTANCE_BYTES), 1000)


def simulated(test):
    """Run an async test under trio with a clock that jumps over every pause."""

    def run():
        trio.run(test, clock=trio.testing.MockClock(autojump_threshold=0))

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


async def opened(window: int = 256 * 1024) -> tuple[Session, Pipe, Session, Pipe]:
    wire_a, wire_b = pipe(window)
    a, b = Session(wire_a, LIMITS, Counters()), Session(wire_b, LIMITS, Counters())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(a.greet, HELLO)
        nursery.start_soon(b.greet, HELLO)
    a.accept()
    a_writes = encode(Kind.ACCEPT)  # what `run` would write first
    a._control.clear()
    await wire_a.write(a_writes)
    await b.accepted()
    return a, wire_a, b, wire_b


class Run:
    """A session that runs; `reason` is set when it is over."""

    def __init__(self, session: Session, nursery: trio.Nursery) -> None:
        self.received: list[bytes] = []
        self.reason: str | None = None
        self.ended_at = 0.0
        self._session = session
        nursery.start_soon(self._run)

    async def _run(self) -> None:
        self.reason = await self._session.run(self.received.extend)
        self.ended_at = trio.current_time()


@simulated
async def test_frames_arrive_in_order_and_together():
    a, wire_a, b, _ = await opened()
    async with trio.open_nursery() as nursery:
        run_a, run_b = Run(a, nursery), Run(b, nursery)
        before = wire_a.written
        assert a.queue([b"one", b"two"])
        assert a.queue([b"three"])
        await trio.testing.wait_all_tasks_blocked()
        assert run_b.received == [b"one", b"two", b"three"]
        assert wire_a.written - before == len(b"onetwothree") + 3 * len(header(Kind.DATA, 0))
        assert not run_a.received
        nursery.cancel_scope.cancel()


@simulated
async def test_a_quiet_session_lives_and_a_silent_peer_is_noticed():
    a, _, b, _ = await opened()
    async with trio.open_nursery() as nursery:
        run_a = Run(a, nursery)
        with trio.CancelScope() as other_side:
            async with trio.open_nursery() as far:
                Run(b, far)
                await trio.sleep(3600)
                assert run_a.reason is None
                other_side.cancel()
        since = trio.current_time()
        while run_a.reason is None:
            await trio.sleep(0.1)
        assert "silent" in run_a.reason
        assert LIMITS.dead_after_s - LIMITS.ping_after_s <= run_a.ended_at - since <= LIMITS.dead_after_s + 1


@simulated
async def test_frames_alone_keep_a_session_alive():
    a, _, _, wire_b = await opened()
    async with trio.open_nursery() as nursery:
        run_a = Run(a, nursery)
        for _ in range(60):  # the other side never answers a PING, but talks
            await wire_b.write(encode(Kind.DATA, b"tick"))
            await trio.sleep(4)
        assert run_a.reason is None
        nursery.cancel_scope.cancel()


@simulated
async def test_a_paused_session_outlives_any_silence_and_goes_on():
    a, _, b, _ = await opened(window=2000)
    async with trio.open_nursery() as nursery:
        run_a, run_b = Run(a, nursery), Run(b, nursery)
        b.pause()
        sent = 0
        while a.queue([bytes(900)]):
            sent += 1
            await trio.sleep(0.01)
        assert not a.writable
        assert sent >= LIMITS.outgoing_bytes_max // 1000
        await trio.sleep(600)
        assert run_a.reason is None
        assert run_b.reason is None
        b.resume()
        await trio.sleep(5)
        assert len(run_b.received) == sent
        assert a.writable
        nursery.cancel_scope.cancel()


@simulated
async def test_all_frames_of_a_call_are_queued_or_none():
    a, _, b, _ = await opened(window=100)
    b.pause()
    assert a.queue([bytes(900)] * 10)
    assert not a.queue([bytes(900)] * 2)
    assert a.queue([bytes(100)])
    with pytest.raises(FrameTooLarge):
        a.queue([b"fine", bytes(1001)])
    assert a._queued_bytes == 9000 + 100 + 11 * len(header(Kind.DATA, 0))


@simulated
async def test_one_call_may_be_larger_than_the_queue_when_it_is_empty():
    a, _, _, _ = await opened()
    assert a.queue([bytes(1000)] * 20)
    assert not a.queue([b"x"])


@simulated
async def test_goodbye_lets_the_queue_drain_and_says_why():
    a, _, b, _ = await opened()
    async with trio.open_nursery() as nursery:
        run_a, run_b = Run(a, nursery), Run(b, nursery)
        assert a.queue([b"last"])
        a.say_goodbye("closing time")
        assert not a.queue([b"later"])
        await trio.sleep(0.1)
        assert run_b.received == [b"last"]
        assert run_a.reason == "closing time"
        assert run_b.reason == "the peer said: closing time"


@simulated
async def test_goodbye_does_not_wait_for_a_peer_that_takes_nothing():
    a, _, _, _ = await opened(window=100)
    async with trio.open_nursery() as nursery:
        run_a = Run(a, nursery)
        assert a.queue([bytes(900)])
        await trio.sleep(1)
        a.say_goodbye("closing time")
        await trio.sleep(LIMITS.goodbye_timeout_s + 0.1)
        assert run_a.reason == "closing time"


@simulated
async def test_pings_of_a_peer_that_takes_nothing_do_not_pile_up():
    a, _, _, wire_b = await opened(window=200)
    async with trio.open_nursery() as nursery:
        run_a = Run(a, nursery)
        assert a.queue([bytes(900)])
        for _ in range(500):
            await wire_b.write(encode(Kind.PING))
            await trio.sleep(0.1)
        assert run_a.reason is None
        assert len(a._control) <= 2
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("kind", [Kind.HELLO, Kind.ACCEPT])
def test_a_second_opening_ends_the_session(kind):
    async def main():
        a, _, _, wire_b = await opened()
        async with trio.open_nursery() as nursery:
            run_a = Run(a, nursery)
            await wire_b.write(encode(Kind.DATA, b"first") + encode(kind, HELLO.encode()))
            await trio.testing.wait_all_tasks_blocked()
            assert run_a.received == [b"first"]
            assert kind.name in run_a.reason
        assert a._counters.garbage == 1

    trio.run(main)


@simulated
async def test_a_farewell_in_place_of_accept_is_no_session():
    wire_a, wire_b = pipe()
    session = Session(wire_a, LIMITS, Counters())
    await wire_b.write(PREAMBLE + encode(Kind.HELLO, HELLO.encode()) + encode(Kind.BYE, b"dup\x1b[31m"))
    await session.greet(HELLO)
    with pytest.raises(Ended, match=r"the peer said: dup\?"):
        await session.accepted()


@simulated
async def test_anything_else_in_place_of_hello_is_refused():
    wire_a, wire_b = pipe()
    await wire_b.write(PREAMBLE + encode(Kind.PING))
    with pytest.raises(Misbehaved):
        await Session(wire_a, LIMITS, Counters()).greet(HELLO)


@simulated
async def test_the_end_of_the_stream_is_the_end_of_the_session():
    a, _, _, wire_b = await opened()
    async with trio.open_nursery() as nursery:
        run_a = Run(a, nursery)
        await trio.testing.wait_all_tasks_blocked()
        wire_b.close()
        await trio.testing.wait_all_tasks_blocked()
        assert run_a.reason == "the stream ended"
