"""The driver: the one loop that feeds the agent and carries out its effects.

A tick hands the agent what has arrived and lets it work. What came out waits in line for the batch that was
taken behind it. One batch is written at a time, in a thread of its own when there is much to do meanwhile;
while it is written further ticks gather the next one (group commit). When a batch is durable its effects are
let out: answers, frames to other nodes. Nothing overtakes.

When the store fails (a full disk, say) nothing of what was in memory can be relied on: everybody who waits is
told so, the agent is given up, and the driver opens the store again, now and then, until it takes a write.
Then it begins anew from what is durable. It does the same when the agent itself goes wrong.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from pico_engine.errors import EngineError, StoreError
from pico_engine.messages import (
    Accepted,
    EventAnswer,
    EventMessage,
    Failed,
    HttpCall,
    LogLine,
    OperationAnswer,
    QueryAnswer,
    QueryMessage,
    RulesetCall,
)
from pico_engine.store import Batch, Store
from pico_engine.turn import TurnOverdueError
from pico_engine.values import EMPTY_MAP, Json
from pico_node.agent.agent import Agent
from pico_node.agent.messages import (
    Command,
    CommandAnswer,
    Connect,
    Effect,
    Forget,
    Message,
    PeerDown,
    PeerFound,
    PeerFrames,
    PeerUp,
    SendFrames,
)
from pico_node.api import EventResult
from pico_node.foreign_door import ForeignDoor
from pico_node.measures import health_of, metrics_of
from pico_node.outside import EgressPolicy, OutsideEdge
from pico_node.peers.contract import PeersFace

log = logging.getLogger("picomesh.driver")
pico_log = logging.getLogger("picomesh.pico")

_new = tuple.__new__
"""Makes a named tuple in less than half the time; for what every event makes."""

INLINE_MAX_ROWS = 1_024
"""Larger batches are always written from the thread."""
INLINE_MAX_S = 0.001
"""On a disk that is faster than this, writing at once costs less than handing the batch to a thread and back;
a slower one is written to from the thread, so that it does not hold up the loop."""
THREAD_SWITCH_S = 0.0005
"""How long the loop may keep the thread that writes waiting (Python's own default is ten times as long)."""
REOPEN_EVERY_S = 1.0
"""How often a failed store is tried again."""
STOP_MAX_S = 10.0
"""How long a stop waits for the last batch."""


class DurableStore(Store, Protocol):
    """A store that can be opened again after it failed."""

    def reopen(self) -> None: ...


@dataclass(slots=True)
class _Stage:
    """Effects that may be let out when batch `number` is durable."""

    number: int
    effects: Sequence[Effect]


class Driver(ForeignDoor):
    """Runs one agent on the running asyncio loop. `make_agent(store)` begins from what the store holds."""

    def __init__(
        self,
        store: DurableStore,
        make_agent: Callable[[Store], Agent],
        peers: PeersFace | None = None,
        *,
        clock: Callable[[], float] = time.time,
        egress: EgressPolicy | None = None,
    ) -> None:
        self._store = store
        self._make_agent = make_agent
        self.peers = peers
        self._clock = clock
        self.outside = OutsideEdge(self.submit, egress, carry=self.carry, hand_in=self.submit)
        self.sockets: dict[int, Callable[[bytes], None]] = {}
        self.agent: Agent | None = None
        self.counters: Counter[str] = Counter()
        self.store_problem: EngineError | None = None
        self._inbox: deque[Message] = deque()
        self._staged: deque[_Stage] = deque()
        self._batches: deque[tuple[int, Batch]] = deque()
        self._newest = self._durable = 0
        self._writing = False
        self._callers: set[asyncio.Future[Any]] = set()
        self._inline_s = 0.0
        self._tick_scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="picomesh-store")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sessions: dict[str, int] = {}
        self._stopping = False
        self._idle = asyncio.Event()

    # -- life ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin. The peers, if any, must have been started: their addresses go into invitations."""
        self._loop = asyncio.get_running_loop()
        self._begin()

    def _begin(self) -> None:
        agent = self._make_agent(self._store)
        addresses = self.peers.addresses if self.peers is not None else ()
        agent.start(self._now(), addresses)
        self.agent = agent
        self._newest = self._durable = 0
        for peer_id, session in self._sessions.items():
            agent.receive(PeerUp(peer_id, session), self._now())
        self.tell_sockets(agent)
        self.wake()

    async def stop(self) -> None:
        """Finish what was begun and close the store. Who still waits is told that the node stops."""
        self._stopping = True
        if self._timer is not None:
            self._timer.cancel()
        try:
            async with asyncio.timeout(STOP_MAX_S):
                while self._writing or self._staged:
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            log.warning("the last writes did not finish within %s s", STOP_MAX_S)
        self._tell_callers(_stopping())
        await self.outside.close()
        self._executor.shutdown(wait=True)
        self._store.close()

    def _now(self) -> int:
        return int(self._clock() * 1_000)

    # -- the loop -----------------------------------------------------------------------------------------

    def submit(self, message: Message) -> None:
        """Hand a message to the agent, in the next tick."""
        self._inbox.append(message)
        if not self._tick_scheduled:
            self.wake()

    def wake(self) -> None:
        if not self._tick_scheduled and self._loop is not None:
            self._tick_scheduled = True
            self._loop.call_soon(self._tick)

    def _tick(self) -> None:
        self._tick_scheduled = False
        agent = self.agent
        if agent is None or self._stopping:
            self._refuse_inbox()
            return
        now = self._now()
        if self._survives(self._let_work, agent, now):
            self._schedule(agent, now)

    def _survives(self, work: Callable[..., None], *arguments: Any) -> bool:
        """Do some of the loop's work; False when it failed, and the agent was given up."""
        try:
            work(*arguments)
        except StoreError as error:
            self._store_failed(error)
        except (Exception, TurnOverdueError) as error:  # noqa: BLE001 - or somebody would wait for ever
            self._agent_failed(error)
        return self.agent is not None

    def _let_work(self, agent: Agent, now: int) -> None:
        agent.receive_all(self._inbox, now)
        if (timer := agent.next_timer()) is not None and timer <= now:
            agent.handle_timer(now)
        effects = agent.take_effects()
        self.counters["ticks"] += 1
        if agent.has_changes:
            number, batch = agent.take_batch()
            self._batches.append((number, batch))
            self._newest = number
        if effects:
            self._staged.append(_Stage(self._newest, effects))
        self._commit()

    def _schedule(self, agent: Agent, now: int) -> None:
        if self._tick_scheduled or self.agent is not agent:
            return
        timer = agent.next_timer()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if timer is not None and self._loop is not None:
            if timer <= now:
                self.wake()
            else:
                self._timer = self._loop.call_later(min((timer - now) / 1_000, 3_600), self.wake)

    # -- committing ---------------------------------------------------------------------------------------

    def _commit(self) -> None:
        """Write what is to be written, if nothing is being written; else the end of that calls again."""
        if self._writing:
            return
        while self._batches:
            numbers, batch = self._gather()
            if self._inline_s > INLINE_MAX_S or len(batch.rows) > INLINE_MAX_ROWS:
                self._write_in_thread(numbers, batch)
                return
            began = time.perf_counter()
            self._store.write(batch)
            self._inline_s = 0.8 * self._inline_s + 0.2 * (time.perf_counter() - began)
            self._written(numbers)
        self._let_out()

    def _gather(self) -> tuple[int, Batch]:
        """All batches that wait, as one."""
        number, batch = self._batches.popleft()
        while self._batches:
            number, following = self._batches.popleft()
            batch.rows.update(following.rows)
            batch.dropped_prefixes.extend(following.dropped_prefixes)
        return number, batch

    def _write_in_thread(self, number: int, batch: Batch) -> None:
        assert self._loop is not None, "the driver was started"
        self._writing = True
        began = time.perf_counter()
        future = self._loop.run_in_executor(self._executor, self._store.write, batch)

        def done(result: asyncio.Future[None]) -> None:
            self._writing = False
            error = result.exception()
            if self.agent is None:  # given up while this was being written
                self._idle.set()
                return
            if isinstance(error, StoreError):
                self._store_failed(error)
                return
            if isinstance(error, Exception):
                self._agent_failed(error)
                return
            self._inline_s = 0.8 * self._inline_s + 0.2 * min(time.perf_counter() - began, 0.9 * INLINE_MAX_S)
            self._written(number)
            self._survives(self._commit)

        future.add_done_callback(done)

    def _written(self, number: int) -> None:
        self.counters["batches"] += 1
        self._durable = number
        if self.agent is not None:
            self.agent.durable(number)
        self._let_out()

    def _let_out(self) -> None:
        """Carry out the effects whose batches are durable."""
        staged = self._staged
        while staged and staged[0].number <= self._durable:
            for effect in staged.popleft().effects:
                if type(effect) is EventAnswer:  # most effects; this cannot fail
                    self._event_answer(effect)
                else:
                    self._carry_out(effect)
        if not staged and not self._writing:
            self._idle.set()

    def _carry_out(self, effect: Effect) -> None:
        handler = self._handlers.get(type(effect))
        if handler is not None:
            try:
                handler(self, effect)
            except Exception:  # one effect that fails must not hold up those behind it
                self.counters["effects_failed"] += 1
                log.exception("could not carry out %s", type(effect).__name__)

    # -- effects ------------------------------------------------------------------------------------------

    def _event_answer(self, effect: EventAnswer) -> None:
        reply, eid, directives = effect
        self._callers.discard(reply)
        if not reply.done():
            reply.set_result(_new(EventResult, (eid, directives)))

    def _accepted(self, effect: Accepted) -> None:
        self._answer(effect.reply, effect.eid)

    def _value_answer(self, effect: QueryAnswer | OperationAnswer | CommandAnswer) -> None:
        self._answer(effect.reply, effect.value)

    def _answer(self, reply: asyncio.Future[Any] | None, value: Json) -> None:
        if reply is not None:
            self._callers.discard(reply)
            if not reply.done():
                reply.set_result(value)

    def _failed(self, effect: Failed) -> None:
        reply = effect.reply
        if reply is not None:
            self._callers.discard(reply)
            if not reply.done():
                reply.set_exception(effect.error)

    def _log_line(self, effect: LogLine) -> None:
        level = logging.getLevelNamesMapping().get(effect.level.upper(), logging.INFO)
        pico_log.log(level, "%s %s %s", effect.pico, effect.rid, effect.text)

    def _send_frames(self, effect: SendFrames) -> None:
        if self.peers is not None and not self.peers.send(effect.peer_id, effect.session, effect.frames):
            self.counters["frames_not_queued"] += len(effect.frames)

    def _connect(self, effect: Connect) -> None:
        if self.peers is not None:
            self.peers.connect(effect.peer_id, effect.addresses)

    def _forget(self, effect: Forget) -> None:
        if self.peers is not None:
            self.peers.forget(effect.peer_id)

    _handlers: Mapping[type, Callable[[Any, Any], None]] = {
        EventAnswer: _event_answer,
        Accepted: _accepted,
        QueryAnswer: _value_answer,
        OperationAnswer: _value_answer,
        CommandAnswer: _value_answer,
        Failed: _failed,
        LogLine: _log_line,
        SendFrames: _send_frames,
        Connect: _connect,
        Forget: _forget,
        **ForeignDoor.foreign_effects,
        HttpCall: lambda driver, call: driver.outside.call(call),
        RulesetCall: lambda driver, call: driver.outside.call(call),
    }

    # -- when the store fails -----------------------------------------------------------------------------

    def _store_failed(self, error: StoreError) -> None:
        log.error("the store failed: %s. %s", error.what, error.hint)
        self.counters[f"store_failures_{error.code}"] += 1
        self._give_up(error)

    def _agent_failed(self, error: BaseException) -> None:
        """A fault of the node itself: nothing in memory is to be trusted any more."""
        log.error("the node itself failed; it begins anew from what is durable", exc_info=error)
        self.counters["agent_failures"] += 1
        what = f"the node failed at this or another request: {type(error).__name__}: {error}"
        self._give_up(EngineError(what, "see the node's log, and report it"))

    def _give_up(self, error: EngineError) -> None:
        """Whoever waits is told; the agent and all that was not durable are dropped."""
        self.store_problem = error
        self.agent = None
        self.outside.forget()  # waits are numbered anew
        self._batches.clear()
        self._staged.clear()
        self._refuse_inbox()
        self._tell_callers(error)
        self._idle.set()
        self._retry_store_later()

    def _tell_callers(self, error: EngineError) -> None:
        """Everybody who waits for an answer gets this error: it will not be known what became of theirs."""
        callers, self._callers = self._callers, set()
        for reply in callers:
            if not reply.done():
                reply.set_exception(error)

    def _refuse_inbox(self) -> None:
        problem = self.store_problem or _stopping()
        while self._inbox:
            reply = getattr(self._inbox.popleft(), "reply", None)
            if isinstance(reply, asyncio.Future) and not reply.done():
                reply.set_exception(problem)

    def _retry_store_later(self) -> None:
        if self._loop is not None and not self._stopping:
            self._loop.call_later(REOPEN_EVERY_S, self._retry_store)

    def _retry_store(self) -> None:
        """Open the store again; a write that is needed anyway shows whether it works."""
        if self._stopping:
            return
        if self._writing:  # the disk still holds a write that was begun before
            self._retry_store_later()
            return
        try:
            self._store.reopen()
            self._store.write(Batch({b"a/reopened": str(self._now()).encode()}))
            self._begin()
        except StoreError as error:
            self.store_problem = error
            self._retry_store_later()
        except Exception as error:  # noqa: BLE001 - as in a tick
            self._agent_failed(error)
        else:
            self.store_problem = None
            log.warning("the store works again; going on from what is durable")

    # -- what other nodes do (PeerEvents) -----------------------------------------------------------------

    def peer_up(self, peer_id: str, session: int) -> None:
        self._sessions[peer_id] = session
        self.submit(PeerUp(peer_id, session))

    def peer_down(self, peer_id: str, session: int, reason: str) -> None:
        if self._sessions.get(peer_id) == session:
            del self._sessions[peer_id]
        self.submit(PeerDown(peer_id, session, reason))

    def frames(self, peer_id: str, session: int, frames: list[bytes]) -> None:
        self.submit(PeerFrames(peer_id, session, frames))

    def found(self, peer_id: str, addresses: list[str]) -> None:
        self.submit(PeerFound(peer_id, addresses))

    # -- what the doors want (NodeApi, without the process's own commands) --------------------------------

    def _ask(self, message: Any) -> asyncio.Future[Any]:
        """Submit a message; the future is answered when what it did is durable.

        A future and no coroutine: whoever asks most, asks for an event, and awaits nothing else.
        """
        assert self._loop is not None, "the driver was started"
        message.reply = reply = self._loop.create_future()
        self._callers.add(reply)
        self._inbox.append(message)
        if not self._tick_scheduled:
            self.wake()
        return reply

    def event(
        self, eci: str, domain: str, type: str, attrs: Mapping[str, Json], *, door: str = "http"
    ) -> asyncio.Future[EventResult]:
        return self._ask(EventMessage(eci, domain, type, attrs or EMPTY_MAP, door))

    def event_queued(
        self, eci: str, domain: str, type: str, attrs: Mapping[str, Json]
    ) -> asyncio.Future[str]:
        return self._ask(EventMessage(eci, domain, type, attrs or EMPTY_MAP, durable=True))

    def event_then_query(
        self, eci: str, domain: str, type: str, attrs: Mapping[str, Json], rid: str, name: str
    ) -> asyncio.Future[Json]:
        return self._ask(EventMessage(eci, domain, type, attrs or EMPTY_MAP, then_query=(rid, name, attrs)))

    def query(
        self, eci: str, rid: str, name: str, args: Mapping[str, Json] | list[Json], *, door: str = "http"
    ) -> asyncio.Future[Json]:
        return self._ask(QueryMessage(eci, rid, name, args, door))

    def ask(self, message: EventMessage | QueryMessage) -> asyncio.Future[Any]:
        return self._ask(message)

    def command(self, name: str, /, **parameters: Any) -> Awaitable[Json]:
        return self._ask(Command(name, parameters))

    def metrics(self) -> Mapping[str, float]:
        """Counters of driver, engine and peers; gauges of what is held at the moment."""
        return metrics_of(self, len(self._sessions))

    def health(self) -> Json:
        return health_of(self, len(self._sessions))


def _stopping() -> StoreError:
    return StoreError("the node is stopping", "start it again")
