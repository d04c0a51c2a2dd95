"""Which sessions there are: keeps wanted peers connected, and lets exactly one session per pair survive.

Who decides. Both nodes may dial at the same moment. Of the two, the one with the smaller peer id is the
*leader*: only it says ACCEPT, the other one follows, so both always agree. The leader accepts a candidate
when it holds no session with this peer; when the peer has restarted (its HELLO shows another instance); or
when the session it holds is older than `duplicate_window_s`: an honest peer dials only when it has no
session, so the old one must be dead and we have not noticed yet. Otherwise both dialed at once, and the
leader declines the second candidate.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

import trio

from pico_node.peers.contract import PeerEvents
from pico_node.peers.counters import Counters
from pico_node.peers.errors import Misbehaved, PeerError
from pico_node.peers.frames import Hello
from pico_node.peers.limits import PeerLimits
from pico_node.peers.session import Session, Wire

log = logging.getLogger("picomesh.peers")

DROP_TIMEOUT_S = 1.0  # closing a socket does not wait for the peer


@dataclass(slots=True)
class Carrier:
    """A stream that may become a session, and how to drop the connection under it."""

    wire: Wire
    drop: Callable[[], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Link:
    """What we know of one peer."""

    peer_id: str
    wanted: bool = False
    paused: bool = False
    kept: bool = False  # a task keeps the session alive
    candidates: int = 0  # streams that may become the session
    addresses: tuple[str, ...] = ()
    session: Session | None = None
    dialing: trio.CancelScope | None = None
    changed: trio.Event = field(default_factory=trio.Event)

    def signal(self) -> None:
        """Wake whoever waits for something about this peer to change."""
        self.changed.set()
        self.changed = trio.Event()


class Links:
    """All sessions of this node. `dial` opens a connection and the stream for frames on it."""

    def __init__(
        self,
        peer_id: str,
        hello: Hello,
        limits: PeerLimits,
        counters: Counters,
        events: PeerEvents,
        dial: Callable[[str, Sequence[str]], Awaitable[Carrier]],
    ) -> None:
        self._peer_id = peer_id
        self._hello = hello
        self._limits = limits
        self._counters = counters
        self._events = events
        self._dial = dial
        self._links: dict[str, Link] = {}
        self._numbers = count(1)
        self._nursery: trio.Nursery | None = None
        self._dials = trio.CapacityLimiter(limits.dials_at_once_max)
        self._closing = False

    # What the driver asks for

    def connect(self, peer_id: str, addresses: Sequence[str]) -> None:
        link = self._link(peer_id)
        link.wanted = True
        if link.addresses != tuple(addresses):
            link.addresses = tuple(addresses)
            if link.dialing is not None:
                link.dialing.cancel()
            link.signal()
        self._start_keeping(link)

    def hint(self, peer_id: str) -> None:
        """This peer was just seen: a good moment to try again."""
        link = self._links.get(peer_id)
        if link is not None and link.wanted and link.session is None:
            link.signal()

    def forget(self, peer_id: str) -> None:
        link = self._links.get(peer_id)
        if link is None:
            return
        link.wanted = False
        if link.dialing is not None:
            link.dialing.cancel()
        if link.session is not None:
            link.session.say_goodbye("forgotten")
        link.signal()
        self._tidy(link)

    def is_wanted(self, peer_id: str) -> bool:
        link = self._links.get(peer_id)
        return link is not None and link.wanted

    def session(self, peer_id: str, number: int) -> Session | None:
        link = self._links.get(peer_id)
        if link is None or link.session is None or link.session.number != number:
            return None
        return link.session

    def pause(self, peer_id: str, paused: bool) -> None:
        link = self._link(peer_id) if paused else self._links.get(peer_id)
        if link is None:
            return
        link.paused = paused
        if link.session is not None:
            if paused:
                link.session.pause()
            else:
                link.session.resume()
        self._tidy(link)

    # Running

    async def run(self) -> None:
        """Keep wanted peers connected until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                for link in self._links.values():
                    if link.wanted:
                        self._start_keeping(link)
                await trio.sleep_forever()
            finally:
                self._nursery = None

    def _start_keeping(self, link: Link) -> None:
        if self._nursery is not None and not link.kept:
            link.kept = True
            self._nursery.start_soon(self._keep, link)

    async def close(self, reason: str) -> None:
        """Say goodbye on all sessions, give their queues a moment to drain, and open no more."""
        self._closing = True
        for link in list(self._links.values()):
            if link.dialing is not None:
                link.dialing.cancel()
            if link.session is not None:
                link.session.say_goodbye(reason)
        with trio.move_on_after(self._limits.goodbye_timeout_s):
            for link in list(self._links.values()):
                while link.session is not None:
                    await link.changed.wait()

    def abandon(self, reason: str) -> None:
        """Report every session down that is not yet: nothing runs any more."""
        for link in list(self._links.values()):
            if link.session is not None:
                self._down(link, link.session, reason)

    async def serve(self, peer_id: str, carrier: Carrier) -> None:
        """A peer opened a stream for frames: run it to its end."""
        if self._closing:
            return
        if peer_id == self._peer_id:
            return  # somebody has a copy of our key, or we dialed ourselves: no session either way
        link = self._link(peer_id)
        link.candidates += 1
        try:
            session = await self._open(link, carrier)
        finally:
            link.candidates -= 1
            self._tidy(link)
        if session is not None:
            await self._drive(link, session, carrier)

    async def _keep(self, link: Link) -> None:
        delay_s = self._limits.redial_first_s
        try:
            while link.wanted and not self._closing:
                changed, addresses, session = link.changed, link.addresses, link.session
                if session is not None or not addresses:
                    await changed.wait()
                    if session is None or link.session is not None:
                        continue
                    if trio.current_time() - session.opened_at >= self._limits.dead_after_s:
                        delay_s = self._limits.redial_first_s
                    await self._rest(link.changed, delay_s)
                else:
                    await self._try(link)
                    if link.session is None:
                        await self._rest(changed, delay_s)
                    moved = link.addresses != addresses
                    delay_s = (
                        self._limits.redial_first_s if moved else min(delay_s * 2, self._limits.redial_most_s)
                    )
        finally:
            link.kept = False
            self._tidy(link)

    async def _rest(self, changed: trio.Event, delay_s: float) -> None:
        with trio.move_on_after(delay_s * random.uniform(0.75, 1.25)):  # noqa: S311 - spreads load, no secret
            await changed.wait()

    async def _try(self, link: Link) -> None:
        """One attempt to open a session by dialing."""
        carrier: Carrier | None = None
        with trio.CancelScope() as scope:
            link.dialing = scope
            try:
                async with self._dials:
                    self._counters.dials += 1
                    carrier = await self._dial(link.peer_id, link.addresses)
                    session = await self._open(link, carrier)
                if session is not None and self._nursery is not None:
                    self._nursery.start_soon(self._drive, link, session, carrier)
                    carrier = None
            except PeerError as error:
                self._counters.dials_failed += 1
                log.debug("no session with %s: %s", link.peer_id, error)
            finally:
                link.dialing = None
                if carrier is not None:
                    await _drop(carrier)

    async def _open(self, link: Link, carrier: Carrier) -> Session | None:
        """Agree with the peer whether this stream is the session. None: it is not."""
        session = Session(carrier.wire, self._limits, self._counters)
        leader = self._peer_id < link.peer_id
        try:
            with trio.fail_after(self._limits.handshake_timeout_s):
                await session.greet(self._hello)
                if not leader:
                    await session.accepted()
                elif not self._may_replace(link, session):
                    self._counters.duplicates_declined += 1
                    await session.decline("duplicate")
                    return None
        except Misbehaved as error:
            self._counters.garbage += 1
            log.debug("%s opened no session: %s", link.peer_id, error)
            return None
        except Exception as error:  # noqa: BLE001 - whatever a broken stream raises
            log.debug("no session with %s: %s", link.peer_id, str(error) or type(error).__name__)
            return None
        if leader:
            session.accept()
        self._establish(link, session)
        return session

    def _may_replace(self, link: Link, candidate: Session) -> bool:
        held = link.session
        if held is None or held.remote.instance != candidate.remote.instance:
            return True
        return trio.current_time() - held.opened_at >= self._limits.duplicate_window_s

    def _establish(self, link: Link, session: Session) -> None:
        held = link.session
        if held is not None:
            self._down(link, held, "replaced by a newer session")
            held.cancel()
        session.number = next(self._numbers)
        session.opened_at = trio.current_time()
        link.session = session
        if link.paused:
            session.pause()
        self._counters.sessions += 1
        self._counters.sessions_opened += 1
        self._tell(self._events.peer_up, link.peer_id, session.number)
        link.signal()

    async def _drive(self, link: Link, session: Session, carrier: Carrier) -> None:
        def deliver(frames: list[bytes]) -> None:
            if link.session is session:
                self._tell(self._events.frames, link.peer_id, session.number, frames)

        if link.dialing is not None:
            link.dialing.cancel()  # the peer's own dial was faster
        reason = "lost"
        try:
            reason = await session.run(deliver)
        finally:
            self._down(link, session, reason)
            await _drop(carrier)

    def _down(self, link: Link, session: Session, reason: str) -> None:
        if link.session is not session:
            return
        link.session = None
        self._counters.sessions -= 1
        self._counters.sessions_lost += 1
        self._tell(self._events.peer_down, link.peer_id, session.number, reason)
        link.signal()
        self._tidy(link)

    def _tell(self, callback: Callable[..., None], *args: object) -> None:
        try:
            callback(*args)
        except Exception:
            self._counters.handler_errors += 1
            log.exception("the driver failed in %s", getattr(callback, "__name__", callback))

    def _link(self, peer_id: str) -> Link:
        link = self._links.get(peer_id)
        if link is None:
            link = self._links[peer_id] = Link(peer_id)
        return link

    def _tidy(self, link: Link) -> None:
        """Strangers come and go: keep nothing of them."""
        used = link.wanted or link.kept or link.paused or link.candidates
        if not used and link.session is None:
            self._links.pop(link.peer_id, None)


async def _drop(carrier: Carrier) -> None:
    with trio.CancelScope(shield=True), trio.move_on_after(DROP_TIMEOUT_S):
        await carrier.drop()
