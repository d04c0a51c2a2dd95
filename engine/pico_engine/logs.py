"""A pico's log: the newest entries, kept with the pico."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pico_engine.errors import EngineError
from pico_engine.values import FrozenList, FrozenMap, Json, encode, freeze, printable

if TYPE_CHECKING:
    from pico_engine.limits import EngineLimits
    from pico_engine.messages import LogLine
    from pico_engine.pico import Pico


def loggable(data: Json) -> Json:
    """`data` as a log entry can hold it: a rule must not fail because it logged something odd."""
    try:
        return freeze(data)
    except EngineError as error:
        return f"left out: {printable(str(error))}"


def append_log(pico: Pico, line: LogLine, limits: EngineLimits) -> None:
    """Add an entry, in the turn at hand; the oldest goes when there are `log_entries_max`."""
    first, following = pico.info.get("logs", (0, 0))
    most = limits.log_entry_max_bytes
    data = line.data
    if data is not None and len(encode(data)) > most:
        data = f"left out: more than {most:,} bytes"
    entry = {
        "time": line.time_ms,
        "level": line.level,
        "rid": line.rid,
        "text": printable(line.text, most),
        "data": data,
    }
    pico.logs.put(f"{following:012x}", FrozenMap(entry))
    following += 1
    if following - first > limits.log_entries_max:
        pico.logs.delete(f"{first:012x}")
        first += 1
    pico.info.put("logs", FrozenList((first, following)))


def newest_logs(pico: Pico, most: int) -> list[Json]:
    """At most so many of the newest entries, oldest of them first: time, level, rid, text, data."""
    first, following = pico.info.get("logs", (0, 0))
    keys = (f"{number:012x}" for number in range(max(first, following - most), following))
    return [entry for entry in map(pico.logs.get, keys) if entry is not None]
