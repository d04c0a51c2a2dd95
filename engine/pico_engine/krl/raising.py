"""Statements of a postlude that reach beyond the ruleset: raise, schedule, error, last."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pico_engine.admission import check_attributes
from pico_engine.events import Event
from pico_engine.krl.directives import writing_turn
from pico_engine.krl.errors import KrlRuntimeError, type_error
from pico_engine.krl.values import UNDEFINED, Action, Function, is_number, isnull, to_json, to_string, typeof
from pico_engine.values import EMPTY_MAP, FrozenMap, Json, freeze

if TYPE_CHECKING:
    from pico_engine.krl.instance import Instance
    from pico_engine.krl.values import Value


def split_event_name(_run: Instance, name: Value) -> tuple[str, str]:
    """Domain and type of `"domain:type"`, spaces aside; what follows a second colon belongs to the type."""
    domain, _, kind = "".join(to_string(name).split()).partition(":")
    return domain, kind


def checked_name(name: tuple[Value, Value]) -> tuple[str, str]:
    """Domain and type, as texts with something in them. Raises KrlRuntimeError."""
    for word, part in zip(("domain", "name"), name, strict=True):
        if type(part) is not str or not part.strip():
            raise KrlRuntimeError("Error", f"missing event.{word}", "an event needs a domain and a type")
    return freeze(name[0].strip()), freeze(name[1].strip())


_STEPS_PER_SCHEDULE = 100
"""To keep an event for later takes as long as so many calls."""


def attributes(run: Instance, value: Value) -> Json:
    """An event's attributes: a map, or none. Raises KrlRuntimeError for anything else."""
    if value is UNDEFINED or value is None or isinstance(value, Function | Action):
        return EMPTY_MAP
    kept = freeze(to_json(value, run))
    if not isinstance(kept, dict):
        raise KrlRuntimeError("Error", "Expected a JSON map for event.data.attrs", "write attributes {…}")
    return kept


def raise_event(run: Instance, name: tuple[Value, Value], attrs: Value, for_rid: Value = UNDEFINED) -> None:
    """`raise`: the event is handled later in this turn; `for_rid`: by this ruleset alone."""
    turn = writing_turn(run)
    domain, kind = checked_name(name)
    kept = attributes(run, attrs)
    check_attributes(kept, f"{domain}:{kind}", turn.engine.limits)
    if not isnull(for_rid) and type(for_rid) is not str:
        raise type_error(f"raise … for expected a ruleset id but got {typeof(for_rid)}")
    now = turn.event
    eci, sender = (now.eci, now.sender) if now is not None else ("", None)
    rid = None if isnull(for_rid) else for_rid
    turn.raise_event(Event(domain, kind, kept, turn.eid, turn.now, eci, sender, rid))


def time_ms(value: Value) -> int | None:
    """A point in time, as a number of milliseconds since 1970 or a text of ISO 8601; None when it is none."""
    if is_number(value):
        number: int = round(value)
        return number
    if type(value) is not str:
        return None
    try:
        when = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return round(when.timestamp() * 1_000)


def scheduled(run: Instance, schedule_id: str, row: Json) -> Json:
    """An entry of the schedule as KRL sees it."""
    is_once = row["type"] == "at"
    return {
        "id": schedule_id,
        "type": row["type"],
        **({"time": row["next"]} if is_once else {"timespec": row["cron"]}),
        "event": {
            "eci": run.own_eci,
            "domain": row["domain"],
            "name": row["event"],
            "data": row.get("data", {"attrs": row["attrs"]}),
            "time": 0,
        },
    }


def _told_data(attrs: Value) -> Json:
    """The data of an entry that was made without a map of attributes, as the existing engine tells it."""
    if attrs is None:
        return FrozenMap({"attrs": None})
    return None if isinstance(attrs, dict) else EMPTY_MAP


def _entry(run: Instance, schedule_id: str) -> Json:
    return scheduled(run, schedule_id, run.pico.schedule.get(schedule_id))


def schedule_at(run: Instance, time: Value, name: tuple[Value, Value], attrs: Value) -> Value:
    """`schedule … at`; answers the entry, whose `id` schedule:remove takes."""
    turn = writing_turn(run)
    when = time_ms(time)
    if when is None:
        raise type_error(f"schedule .. at expected a timestamp but got {typeof(time)}")
    run.step(_STEPS_PER_SCHEDULE)
    event, kept = checked_name(name), attributes(run, attrs)
    made = turn.engine.schedules.add_at(run.pico, run.rid, when, event, kept, _told_data(attrs))
    return _entry(run, made)


def schedule_repeat(run: Instance, cron: Value, name: tuple[Value, Value], attrs: Value) -> Value:
    """`schedule … repeat`: a cron expression in UTC."""
    turn = writing_turn(run)
    run.step(_STEPS_PER_SCHEDULE)
    event, kept = checked_name(name), attributes(run, attrs)
    data = _told_data(attrs)
    made = turn.engine.schedules.add_cron(run.pico, run.rid, to_string(cron), "UTC", event, kept, data)
    return _entry(run, made)


def error(run: Instance, level: str, value: Value) -> None:
    """`error LEVEL value`: raises system:error here; level `error` also ends the turn's rest."""
    writing_turn(run).declare_error(level, freeze(to_json(value, run)))


def last(run: Instance) -> None:
    """`last`: no later rule of this ruleset runs for this event."""
    writing_turn(run).stop(run.rid)
