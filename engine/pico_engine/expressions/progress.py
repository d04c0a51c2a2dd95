"""How far a pico has come with one rule's event expression: a small value that is stored with the pico."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from pico_engine.errors import StoreCorrupt

NOTHING: Mapping[str, Any] = MappingProxyType({})
NO_WINDOWS: Mapping[int, tuple[Any, ...]] = MappingProxyType({})


class Progress(NamedTuple):
    """`None` stands for a machine at its start; a Progress is everything else. Never change its mappings.

    `machine` is the fingerprint of the machine it belongs to: a machine ignores the progress of another one,
    which is how the progress of a rule that was since rewritten is dropped.
    """

    machine: str
    states: tuple[int, ...]
    started_ms: int | None = None
    """When the clock of `within` started; None without one."""
    settings: Mapping[str, Any] = NOTHING
    windows: Mapping[int, tuple[Any, ...]] = NO_WINDOWS
    """Per aggregate the values it works on, oldest first."""

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form without what is empty."""
        data: dict[str, Any] = {"machine": self.machine, "states": list(self.states)}
        if self.started_ms is not None:
            data["started_ms"] = self.started_ms
        if self.settings:
            data["settings"] = dict(self.settings)
        if self.windows:
            data["windows"] = [[index, list(values)] for index, values in sorted(self.windows.items())]
        return data

    @classmethod
    def from_json(cls, data: Any) -> Progress:
        """The reverse of `to_json`; raises StoreCorrupt for anything `to_json` never wrote."""
        try:
            progress = cls(
                machine=data["machine"],
                states=tuple(data["states"]),
                started_ms=data.get("started_ms"),
                settings=dict(data.get("settings", NOTHING)) or NOTHING,
                windows={index: tuple(values) for index, values in data.get("windows", ())} or NO_WINDOWS,
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            raise StoreCorrupt(f"event-expression progress that cannot be read: {str(data)[:200]}") from None
        whole: tuple[object, ...] = (*progress.states, *progress.windows, progress.started_ms or 0)
        words: tuple[object, ...] = (progress.machine, *progress.settings)
        if (
            not progress.states
            or any(type(number) is not int for number in whole)
            or any(type(word) is not str for word in words)
        ):
            raise StoreCorrupt(f"event-expression progress that cannot be read: {str(data)[:200]}")
        return progress
