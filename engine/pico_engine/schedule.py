"""Scheduled events: kept with the pico, found through one global list in the order of time.

Each entry is a row of its pico's `schedule` section and a row `t/TIME/DID/ID` in the room of timers. The
engine reads timers a window at a time, so a million of them cost nothing at start-up. An entry and its
timer change in the same commit as the turn that it causes: it fires exactly once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from heapq import heappop, heappush
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from pico_engine.errors import BadRequest, LimitExceeded
from pico_engine.events import check_name
from pico_engine.ledger import DELETED, Section
from pico_engine.values import FrozenMap, Json, encode, freeze

if TYPE_CHECKING:
    from pico_engine.engine import Engine
    from pico_engine.pico import Pico

ROOM = b"t/"
WINDOW_MS = 600_000
"""Timers up to this far ahead are held in memory."""
REMOVED_MAX_ENTRIES = 10_000
"""So many timers may be removed before the memory that they take is given back."""
_TIME_MAX_MS = 253_402_300_799_000
"""The year 9999: the last time that a datetime can tell."""


def timer_key(at_ms: int, did: str, schedule_id: str) -> str:
    return f"{at_ms:015d}/{did}/{schedule_id}"


class Schedules:
    """All scheduled events of an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._timers = Section(engine.ledger, ROOM, lazy=True)
        self._heap: list[tuple[int, str, str]] = []
        self._horizon = 0
        self._removed = 0
        """Entries of the heap, at most, that are of no use any more."""

    # -- what rulesets do ---------------------------------------------------------------------------------

    def add_at(
        self, pico: Pico, rid: str, at_ms: int, event: tuple[str, str], attrs: Json, data: Json = None
    ) -> str:
        """`data`: the event's data as KRL tells it, where that is not `{attrs}`: none were given, or null."""
        if type(at_ms) is not int or not 0 <= at_ms <= _TIME_MAX_MS:
            raise BadRequest(f"{at_ms} is not a time: it must be milliseconds since 1970, up to 9999")
        return self._add(pico, rid, {"type": "at", "time": at_ms}, at_ms, event, attrs, data)

    def add_cron(
        self,
        pico: Pico,
        rid: str,
        expression: str,
        timezone: str,
        event: tuple[str, str],
        attrs: Json,
        data: Json = None,
    ) -> str:
        """`data` as for `add_at`."""
        first = next_cron_ms(expression, timezone, self._engine.now)
        period = next_cron_ms(expression, timezone, first) - first
        if period < self._engine.limits.cron_period_min_ms:
            raise LimitExceeded(f"{expression!r} repeats more often than once a second")
        row = {"type": "repeat", "cron": expression, "timezone": timezone}
        return self._add(pico, rid, row, first, event, attrs, data)

    def _add(
        self,
        pico: Pico,
        rid: str,
        row: dict[str, Json],
        at_ms: int,
        event: tuple[str, str],
        attrs: Json,
        data: Json,
    ) -> str:
        limit = self._engine.limits.schedules_max
        if len(pico.schedule.rows) >= limit:
            raise LimitExceeded(
                f"pico {pico.did} has {limit} scheduled events already (schedules_max)",
                "remove some with unschedule()",
            )
        attrs_max = self._engine.limits.attributes_max_bytes
        if len(encode(attrs)) > attrs_max:
            raise LimitExceeded(
                f"the attributes of a scheduled event exceed attributes_max_bytes, {attrs_max:,}"
            )
        domain, kind = event
        check_name(domain, kind, self._engine.limits.name_max_chars)
        self._engine.disk.check()
        schedule_id = self._engine.entropy(8).hex()
        entry = {**row, "next": at_ms, "rid": rid, "domain": domain, "event": kind, "attrs": attrs}
        if data is not None:
            entry["data"] = data
        pico.schedule.put(schedule_id, freeze(entry))
        self._put_timer(at_ms, pico.did, schedule_id)
        return schedule_id

    def list_of(self, pico: Pico, rid: str | None) -> list[Json]:
        """Entries of one ruleset (None: of all), soonest first."""
        entries = [
            FrozenMap({"id": key, **row})
            for key, row in pico.schedule.items()
            if rid is None or row["rid"] == rid
        ]
        return sorted(entries, key=lambda entry: (entry["next"], entry["id"]))

    def remove(self, pico: Pico, schedule_id: str, rid: str | None = None) -> bool:
        row = pico.schedule.get(schedule_id)
        if row is None or (rid is not None and row["rid"] != rid):
            return False
        pico.schedule.delete(schedule_id)
        self._timers.delete(timer_key(row["next"], pico.did, schedule_id))
        self._removed += 1
        if self._removed > max(REMOVED_MAX_ENTRIES, len(self._heap) // 2):
            self.read_again()
        return True

    def remove_all(self, pico: Pico, rid: str | None = None) -> None:
        for schedule_id, row in pico.schedule.items():
            if rid is None or row["rid"] == rid:
                self.remove(pico, schedule_id)

    # -- what the engine does -----------------------------------------------------------------------------

    def _put_timer(self, at_ms: int, did: str, schedule_id: str) -> None:
        self._timers.put(timer_key(at_ms, did, schedule_id), 1)
        if at_ms <= self._horizon:
            heappush(self._heap, (at_ms, did, schedule_id))

    def next_timer(self) -> int:
        """When `due` has something to do: a timer, or the next window to read."""
        return min(self._heap[0][0], self._horizon) if self._heap else self._horizon

    def due(self, now: int) -> list[tuple[str, str]]:
        """(pico DID, schedule id) whose time has come; each is told once (until the node starts again)."""
        if now >= self._horizon:
            self._read_window(now)
        found = []
        while self._heap and self._heap[0][0] <= now:
            _, did, schedule_id = heappop(self._heap)
            found.append((did, schedule_id))
        return found

    def _read_window(self, now: int) -> None:
        start, self._horizon = self._horizon, now + WINDOW_MS
        low = ROOM + f"{start + 1 if start else 0:015d}".encode()
        high = ROOM + f"{self._horizon + 1:015d}".encode()
        found = [full[len(ROOM) :].decode() for full, _ in self._engine.ledger.scan(low, high)]
        # those of a turn that waits are in memory only, and nobody will look for them later
        found += [key for key, value in self._timers.rows.items() if value is not DELETED]
        known = set(self._heap)
        for key in found:
            at_text, did, schedule_id = key.split("/")
            timer = (int(at_text), did, schedule_id)
            if timer[0] <= self._horizon and timer not in known:
                known.add(timer)
                heappush(self._heap, timer)

    def read_again(self) -> None:
        """Forget which timers were found, those that were told too: whoever is due is told again."""
        self._heap.clear()
        self._horizon = self._removed = 0

    def begin(self, pico: Pico, schedule_id: str, now: int) -> FrozenMap | None:
        """The turn of a due entry begins: move the entry on. None when it is gone or not due any more."""
        row: FrozenMap | None = pico.schedule.get(schedule_id)
        if row is None or row["next"] > now:
            return None
        self._timers.delete(timer_key(row["next"], pico.did, schedule_id))
        following = None if row["type"] == "at" else self._following(pico, row, now)
        if following is None:
            pico.schedule.delete(schedule_id)
        else:
            pico.schedule.put(schedule_id, FrozenMap({**row, "next": following}))
            self._put_timer(following, pico.did, schedule_id)
        return row

    def _following(self, pico: Pico, row: FrozenMap, now: int) -> int | None:
        try:
            return next_cron_ms(row["cron"], row["timezone"], now)
        except BadRequest as error:  # it was good once, but time zones change and years end
            text = f"the scheduled event {row['domain']}:{row['event']} is not repeated any more: {error}"
            self._engine.log(pico, "error", row["rid"], text, now)
            return None

    def forget(self) -> None:
        """Drop what is held of the timers' rows; they are read again when needed."""
        self._timers.forget()


def next_cron_ms(expression: str, timezone: str, after_ms: int) -> int:
    """The first time after `after_ms` that a cron expression of five or six fields names.

    Six fields have seconds first, as the existing engine writes them. Raises BadRequest.
    """
    try:
        zone = ZoneInfo(timezone)
        start = datetime.fromtimestamp(after_ms / 1000, UTC).astimezone(zone)
        following = next(CronSim(expression, start))
    except (CronSimError, StopIteration, AttributeError):
        raise BadRequest(
            f"{expression!r} is not a cron expression that ever fires",
            "write five fields (minute hour day month weekday), or six with seconds first",
        ) from None
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise BadRequest(
            f"{timezone!r} is not a time zone", "write a name such as UTC or Europe/Berlin"
        ) from None
    return round(following.timestamp() * 1000)
