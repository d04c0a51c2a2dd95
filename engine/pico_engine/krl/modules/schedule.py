"""The module `schedule`: the scheduled events of the ruleset. The postlude's `schedule` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pico_engine.krl.directives import writing_turn
from pico_engine.krl.modules.member import Member
from pico_engine.krl.raising import scheduled
from pico_engine.krl.values import UNDEFINED, to_string

if TYPE_CHECKING:
    from pico_engine.krl.instance import Instance
    from pico_engine.krl.values import Value


_STEPS_PER_ENTRY: Final = 10
_BYTES_PER_ENTRY: Final = 1_000
"""Each is told as a map with the event in it."""


def _list(run: Instance) -> Value:
    rows = run.pico.engine.schedules.list_of(run.pico, run.rid)
    run.step(_STEPS_PER_ENTRY * len(rows))
    run.grow(_BYTES_PER_ENTRY * len(rows))
    return [scheduled(run, row["id"], row) for row in rows]


def _get(run: Instance, id: Value = UNDEFINED) -> Value:
    wanted = to_string(id)
    row = run.pico.schedule.get(wanted)
    return scheduled(run, wanted, row) if row is not None and row["rid"] == run.rid else None


def _remove(run: Instance, id: Value = UNDEFINED) -> Value:
    """By its id, or as an entry: applications hand over what `schedule` set or `list` gave."""
    wanted = id.get("id", UNDEFINED) if isinstance(id, dict) else id
    writing_turn(run).engine.schedules.remove(run.pico, to_string(wanted), run.rid)
    return UNDEFINED


def _clear(run: Instance) -> Value:
    writing_turn(run).engine.schedules.remove_all(run.pico, run.rid)
    return UNDEFINED


MEMBERS: Final[Mapping[str, Member]] = MappingProxyType(
    {
        "list": Member("function", _list),
        "get": Member("function", _get),
        "remove": Member("action", _remove),
        "clear": Member("action", _clear),
    }
)
