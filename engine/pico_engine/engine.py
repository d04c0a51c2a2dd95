"""The engine: hosts picos, gives each message its turn, and says what is to be done outside.

Theory of operation. The engine is a machine without I/O. The driver hands it messages (`receive`), lets it
work (`handle_timer`, due whenever `next_timer` says so), and carries out what `next_effect` returns. Changes
gather in the ledger; the driver takes them as one batch (`take_batch`), makes it durable, says so
(`durable`), and only then carries out the effects that were returned before.

A pico handles one message at a time. Turns run on a worker greenlet. A turn that waits for an answer from
elsewhere leaves its worker behind, and another worker goes on with other picos; when the answer comes the
worker is resumed in the middle of the rule. So rules are plain synchronous code, and there are no threads.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, Final

from pico_engine.admission import Admission, weight_of
from pico_engine.delivery import Delivery
from pico_engine.disk import DiskRoom
from pico_engine.errors import EngineError, QueryMayNotWrite, UnknownPico
from pico_engine.family import FamilyAffairs
from pico_engine.identities import Entropy, Identities
from pico_engine.installing import Installing
from pico_engine.ledger import Ledger, Section
from pico_engine.library import Library
from pico_engine.limits import EngineLimits
from pico_engine.logs import append_log, loggable, newest_logs
from pico_engine.messages import (
    HTTP_DOOR,
    SYSTEM_DOOR,
    Accepted,
    Effect,
    EventMessage,
    Failed,
    LogLine,
    Message,
    OperationMessage,
    QueryMessage,
    WaitAnswer,
)
from pico_engine.pico import Pico
from pico_engine.port import Port
from pico_engine.queue import enqueue_row, queued_messages
from pico_engine.registry import Registry
from pico_engine.runner import Runner
from pico_engine.schedule import Schedules
from pico_engine.slices import Slices
from pico_engine.store import Batch, StoreReader
from pico_engine.trace import Traces
from pico_engine.values import EMPTY_MAP, Json, freeze
from pico_engine.waiting import Waiting

INDEX_ROOM: Final = b"e/"
"""ECI → DID of the pico it leads to."""
BUSY_ROOM: Final = b"b/"
"""DIDs of picos with queued messages: what is to be done after a restart."""
ROOT_ROOM: Final = b"a/"
"""What the engine itself keeps: the root pico's DID."""


class Engine:
    """Hosts picos. `receive`, `next_timer`, `handle_timer`, `next_effect`, `take_batch`, `durable`.

    `port` is told what leaves the engine; `entropy` and every `now` come from outside.
    """

    def __init__(
        self,
        store: StoreReader,
        registry: Registry,
        identities: Identities,
        entropy: Entropy,
        *,
        port: Port | None = None,
        limits: EngineLimits | None = None,
    ) -> None:
        self.ledger = Ledger(store)
        self.registry = registry
        self.identities = identities
        self.entropy = entropy
        self.limits = limits or EngineLimits()
        self.port = port or Port()
        self.default_rulesets: tuple[str, ...] = ()
        """Given to new picos beside those that every pico has."""
        self.now = 0
        self.admission = Admission(self)
        self.disk = DiskRoom(self.limits.disk_free_min_bytes, self.admission.forget)
        self.family = FamilyAffairs(self)
        self.library = Library(self.ledger, registry, self.limits)
        self.installing = Installing(self)
        self.traces = Traces(self.limits.traces_max, self.limits.traces_max_bytes)
        self.delivery = Delivery(self)
        self.slices = Slices(self)
        self.runner = Runner(self)
        self.schedules = Schedules(self)
        self.waiting = Waiting(self)
        self.index = Section(self.ledger, INDEX_ROOM, lazy=True)
        self.own = Section(self.ledger, ROOT_ROOM, lazy=True)
        self.counters: Counter[str] = Counter()
        self.turns = 0
        self.turn_serial = 0
        self._eid_prefix = entropy(8).hex()
        self._last_eid = 0
        self.rule_running = False
        self._busy = Section(self.ledger, BUSY_ROOM, lazy=True)
        self.queue_changed: set[Pico] = set()
        self._picos: dict[str, Pico] = {}
        self.effects: deque[Effect] = deque()
        """What `next_effect` answers next."""
        self._next_sweep = 0

    # -- the machine's face -------------------------------------------------------------------------------

    def start(self, now: int) -> None:
        """Take up what was left: messages that were queued when the engine last stopped."""
        self.now = now
        for full, _ in list(self.ledger.scan(BUSY_ROOM, BUSY_ROOM + b"\xff")):
            self._wake(full[len(BUSY_ROOM) :].decode())
        self.ledger.commit()

    def registry_changed(self, now: int) -> None:
        """Rulesets were added to the registry, or replaced: take up what waited for them."""
        self.now = now
        self.library.forget_problems()
        for pico in list(self._picos.values()):
            pico.forget_dispatch()
            at_hand = [pico.turn.message] if pico.turn is not None else []
            known = {getattr(message, "queue_key", None) for message in (*at_hand, *pico.inbox)}
            held = [message for message in queued_messages(pico) if message.queue_key not in known]
            if held:
                pico.inbox.extendleft(reversed(held))
                self.runner.make_ready(pico)
        self.start(now)
        self.schedules.read_again()

    def _wake(self, did: str) -> None:
        """Load a pico that has something to do. One that cannot be loaded must not hold up the others."""
        try:
            if self.loaded_or_stored(did) is None:
                self._busy.delete(did)
        except EngineError as error:
            self.effect(LogLine("error", did, "", f"pico {did} cannot be loaded: {error}", self.now))

    def receive(self, message: Message, now: int) -> None:
        """Take a message. Nothing is refused by raising: what cannot be served is answered with `Failed`."""
        self.now = now
        if type(message) is EventMessage:
            self._receive_event(message)
            return
        try:
            self._admit(message)
        except EngineError as error:
            self._refuse(message, error)

    def receive_events(self, messages: deque[Any], now: int) -> None:
        """`receive` what most messages are: events, from the left, until something else is the next."""
        self.now = now
        while messages:
            message = messages[0]
            if type(message) is not EventMessage:
                break
            messages.popleft()
            self._receive_event(message)

    def _receive_event(self, message: EventMessage) -> None:
        try:
            self._admit_event(message)
        except EngineError as error:
            self._refuse(message, error)

    def next_timer(self) -> int | None:
        """When `handle_timer` is wanted; a time that has passed means at once."""
        if self.runner.ready or self.waiting.resumable or self.slices.has_work:
            return 0
        timer = min(self.schedules.next_timer(), self.waiting.next_deadline())
        return min(timer, self._next_sweep) if self._picos else timer

    def handle_timer(self, now: int) -> None:
        """Do what is due: up to `turns_per_tick_max` turns, schedules, deadlines, putting idle picos away."""
        self.now = now
        if now >= self.schedules.next_timer():
            for did, schedule_id in self.schedules.due(now):
                self._receive_scheduled(did, schedule_id)
        self.waiting.expire(now)
        self.runner.work()
        if now >= self._next_sweep:
            self._sweep(now)

    def next_effect(self) -> Effect | None:
        """What is to be done outside, in order; only after the batch taken next is durable."""
        return self.effects.popleft() if self.effects else None

    def take_effects(self) -> deque[Effect]:
        """All that `next_effect` would answer, at once."""
        taken, self.effects = self.effects, deque()
        return taken

    @property
    def has_changes(self) -> bool:
        return self.ledger.has_changes or bool(self.queue_changed)

    @property
    def has_unfinished_turns(self) -> bool:
        """Are there turns that wait, were put aside, or have their answer and were not resumed yet?

        Their changes are in memory only: what is read on demand must not be forgotten now.
        """
        return bool(self.waiting.turns or self.waiting.resumable or self.slices.paused)

    def take_batch(self) -> tuple[int, Batch]:
        """Everything that was committed since the last call, as one batch, and its number."""
        for pico in self.queue_changed:
            busy = bool(pico.queue.rows)
            if busy != pico.is_marked_busy:
                pico.is_marked_busy = busy
                if busy:
                    self._busy.put(pico.did, 1)
                else:
                    self._busy.delete(pico.did)
        self.queue_changed.clear()
        self.ledger.commit()
        taken = self.ledger.take_batch()
        if not self.has_unfinished_turns:
            for section in (self.index, self._busy, self.own, self.library.users):
                section.forget()
            self.schedules.forget()
        return taken

    def durable(self, number: int) -> None:
        """All batches up to `number` are on disk."""
        self.ledger.durable(number)

    # -- picos --------------------------------------------------------------------------------------------

    def new_root(self, name: str, rulesets: tuple[str, ...], now: int) -> Pico:
        """Make the root pico. Call once on an empty store; `root` answers it later."""
        self.now = now
        pico = self.family.new_root(name, rulesets)
        self.own.put("root", pico.did)
        self.ledger.commit()
        self.receive(EventMessage(pico.did, "wrangler", "root_created", door=SYSTEM_DOOR), now)
        return pico

    @property
    def root(self) -> str | None:
        """The root pico's DID; None on an empty store."""
        did: str | None = self.own.get("root")
        return did

    def loaded_or_stored(self, did: str | None) -> Pico | None:
        """The pico, loaded if need be; None when there is none here."""
        if did is None:
            return None
        pico = self._picos.get(did)
        if pico is None:
            if "/" in did or not did.isascii():
                return None  # no DID, and no part of a key
            pico = Pico(self, did)
            if not pico.load():
                return None
            self.adopt(pico)
            for message in queued_messages(pico):
                self.enqueue(pico, message)
        return pico

    def adopt(self, pico: Pico) -> None:
        """A pico is in memory from now on."""
        pico.last_used_ms = self.now
        self._picos[pico.did] = pico
        if len(self._picos) > self.limits.loaded_picos_max:
            self._put_away_longest_idle(pico)

    def forget_unmade(self, pico: Pico) -> None:
        """After a change of a new pico's facts: when it lost them again, its making was undone."""
        if not pico.info.rows:
            self._drop(pico)

    def pico(self, did: str) -> Pico:
        """Like `loaded_or_stored`; raises UnknownPico."""
        pico = self.loaded_or_stored(did)
        if pico is None:
            raise UnknownPico(f"no pico {did} lives here")
        return pico

    @property
    def loaded_count(self) -> int:
        return len(self._picos)

    def _sweep(self, now: int) -> None:
        self._next_sweep = now + self.limits.idle_max_ms // 2
        before = now - self.limits.idle_max_ms
        unfinished = self.waiting.unfinished_prefixes()
        for pico in [pico for pico in self._picos.values() if pico.last_used_ms <= before]:
            self._put_away(pico, unfinished)
        if not self.has_unfinished_turns:
            self.index.forget()
            self.library.prune(now)

    def _put_away_longest_idle(self, newest: Pico) -> None:
        """Make room for about a tenth of the limit at once, so that this is not done for every pico."""
        goal = self.limits.loaded_picos_max * 9 // 10
        unfinished = self.waiting.unfinished_prefixes()
        for pico in sorted(self._picos.values(), key=lambda one: one.last_used_ms):
            if len(self._picos) <= goal:
                break
            if pico is not newest:
                self._put_away(pico, unfinished)

    def _put_away(self, pico: Pico, unfinished: set[bytes]) -> None:
        """Put away an idle pico, unless an unfinished turn (of another one) has changed something of it."""
        if pico.is_idle and pico.prefix not in unfinished and self.port.may_put_away(pico):
            self.ledger.settle()
            self._drop(pico)

    def _drop(self, pico: Pico) -> None:
        """A pico is not in memory any more."""
        pico.is_gone = True
        self._picos.pop(pico.did, None)

    def delete_pico(self, did: str) -> None:
        """Remove a pico with all its rows, and first whatever is below it, however deep."""
        for one in reversed(self.family.descendants(did)):
            pico = self.loaded_or_stored(one)
            if pico is not None:
                self._delete_one(pico)

    def _delete_one(self, pico: Pico) -> None:
        did = pico.did
        self.port.pico_deleted(pico)
        self._tell_peers_of_deletion(pico)
        self.waiting.abandon(pico)
        parent = self.loaded_or_stored(pico.parent)
        if parent is not None and did in parent.children.rows:
            parent.children.delete(did)
        while pico.inbox:
            message, gone = pico.inbox.popleft(), UnknownPico(f"pico {did} was deleted")
            if type(message) is QueryMessage:
                self.runner.reply(message.reply, Failed(message.reply, gone))
            else:
                self._fail(message, gone)
        for eci in pico.channels.rows:
            self.index.delete(eci)
        for rid, row in pico.installed.rows.items():
            if "url" in row:
                self.library.leave(did, rid, row["url"])
        self.schedules.remove_all(pico)
        self._busy.delete(did)
        self.queue_changed.discard(pico)
        self._drop(pico)
        self.ledger.commit()
        self.ledger.drop_prefix(pico.prefix)

    def _tell_peers_of_deletion(self, pico: Pico) -> None:
        """`connection:ended` to each pico of this engine that a channel of this one was connected with."""
        for channel in list(pico.channels.rows.values()):
            did = self.index.get(channel.peer) if channel.peer is not None else None
            peer = self.loaded_or_stored(did) if did != pico.did else None
            if peer is not None:
                attrs = freeze({"Rx": channel.peer, "Tx": channel.eci, "reason": "pico-deleted"})
                self.tell(peer, "connection", "ended", attrs)

    def tell(self, pico: Pico, domain: str, kind: str, attrs: Json) -> None:
        """Let a pico know something from the engine itself, durably, in the commit of the turn at hand."""
        event = EventMessage(pico.did, domain, kind, attrs, door=SYSTEM_DOOR, eid=self.new_eid())
        enqueue_row(pico, event)
        self.queue_changed.add(pico)
        self.enqueue(pico, event)

    # -- messages in --------------------------------------------------------------------------------------

    def _admit(self, message: Message) -> None:
        if isinstance(message, WaitAnswer):
            self.waiting.answered(message)
            return
        if isinstance(message, OperationMessage):
            pico = self.pico(message.pico)
        else:
            assert not isinstance(message, EventMessage), "events have a way of their own"
            pico = self.admission.door(message)
            message.weight = weight_of(message.args)
            if message.chain:
                self.waiting.check_chain(message.chain, pico)
        self.admission.check_room(pico, message.weight)
        self.enqueue(pico, message)

    def _admit_event(self, message: EventMessage) -> None:
        admission = self.admission
        pico = admission.http_event(message) if message.door == HTTP_DOOR else admission.door(message)
        inbox = pico.inbox
        if len(inbox) >= self.limits.queue_max_messages:
            admission.check_room(pico)
        if message.attrs is not EMPTY_MAP or message.hops:
            admission.check_event(message)
            if message.weight:
                admission.check_room(pico, message.weight)
                pico.inbox_bytes += message.weight
        if not message.eid:
            self._last_eid = last = self._last_eid + 1
            message.eid = f"{self._eid_prefix}{last}"
        if message.durable:
            enqueue_row(pico, message)
            self.queue_changed.add(pico)
            self.ledger.commit()
            self.effects.append(Accepted(message.reply, message.eid))
            message.reply = None
        inbox.append(message)
        if not pico.ready:
            self.runner.make_ready(pico)

    def new_eid(self) -> str:
        """A fresh id for an event: what begins it is random for each life of the engine."""
        self._last_eid += 1
        return f"{self._eid_prefix}{self._last_eid}"

    def _refuse(self, message: Message, error: EngineError) -> None:
        self.ledger.rollback()
        self._fail(message, error)

    def _fail(self, message: Message, error: EngineError) -> None:
        self.count(f"refused_{error.code}")
        reply = None if isinstance(message, WaitAnswer) else message.reply
        if reply is not None:
            self.runner.reply(reply, Failed(reply, error))
        elif isinstance(message, EventMessage):
            self.effect(LogLine("warning", message.eci, "", f"event refused: {error}", self.now))

    def enqueue(self, pico: Pico, message: Message) -> None:
        """The message is the pico's next after those that wait already."""
        pico.inbox.append(message)
        pico.inbox_bytes += message.weight
        self.runner.make_ready(pico)

    def _receive_scheduled(self, did: str, schedule_id: str) -> None:
        try:
            pico = self.loaded_or_stored(did)
        except EngineError as error:
            self.effect(LogLine("error", did, "", f"pico {did} cannot be loaded: {error}", self.now))
            return
        row = pico.schedule.get(schedule_id) if pico is not None else None
        if pico is None or row is None:
            return
        message = EventMessage(did, row["domain"], row["event"], row["attrs"], door=SYSTEM_DOOR)
        message.schedule_id = schedule_id
        message.eid = self.new_eid()
        self.enqueue(pico, message)

    # -- for rules ----------------------------------------------------------------------------------------

    def check_may_write(self, pico: Pico) -> None:
        if pico.turn is None or pico.turn.read_only:
            self.refuse_write(pico)

    def refuse_write(self, pico: Pico) -> None:
        raise QueryMayNotWrite(f"something tried to change pico {pico.did} outside of a rule's turn")

    def ask(self, pico: Pico, eci: str, rid: str, name: str, args: Json) -> Json:
        """A rule or query of `pico` asks another pico; see `Waiting`."""
        return self.waiting.ask(pico, eci, rid, name, args)

    def log(
        self,
        pico: Pico,
        level: Json,
        rid: str,
        text: Json,
        now: int,
        data: Json = None,
        *,
        by_ruleset: bool = True,
    ) -> None:
        """Keep a log entry with the pico, and tell the driver.

        What rulesets write beyond `log_entries_max` in one turn is left out; what the engine says of them is
        not.
        """
        turn, most = pico.turn, self.limits.log_entries_max
        if turn is not None and by_ruleset:
            turn.logged += 1
            if turn.logged > most:
                if turn.logged > most + 1:
                    return
                level, data = "warning", None
                text = f"what else this turn logs is left out: log_entries_max is {most:,}"
        line = LogLine(str(level), pico.did, rid, str(text), now, loggable(data))
        if pico.turn is not None and not pico.turn.read_only:
            append_log(pico, line, self.limits)
        self.effects.append(line)

    def journal_of(self, pico: Pico, most: int) -> list[Json]:
        return newest_logs(pico, most)

    def effect(self, effect: Effect) -> None:
        self.effects.append(effect)

    def count(self, name: str, amount: int = 1) -> None:
        self.counters[name] = self.counters.get(name, 0) + amount
