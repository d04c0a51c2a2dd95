"""What fits into one message to another node, checked before it is promised to anybody."""

from __future__ import annotations

from typing import Any

from pico_didcomm.encoding import JSON_DEPTH_MAX
from pico_engine.errors import LimitExceeded
from pico_engine.values import Json, encode

DEPTH_MAX_LEVELS = JSON_DEPTH_MAX - 2
"""What is carried stands two levels deep in its message: in the body, as one of its members."""


def check_carriable(value: Json, what: str, bytes_max: int) -> None:
    """Raises LimitExceeded for what the other side's reader would refuse, however often it was sent."""
    data = encode(value)
    if len(data) > bytes_max:
        raise LimitExceeded(f"{what}: {len(data):,} bytes; attributes_max_bytes is {bytes_max:,}")
    # Few brackets cannot be deep: nearly everything passes here.
    if data.count(b"{") + data.count(b"[") > DEPTH_MAX_LEVELS and _levels(value) > DEPTH_MAX_LEVELS:
        raise LimitExceeded(f"{what}: nested deeper than the {DEPTH_MAX_LEVELS} levels a message can carry")


def _levels(value: Any) -> int:
    levels, row = 0, [value]
    while row := [one for one in row if isinstance(one, dict | list)]:
        levels += 1
        row = [inner for one in row for inner in (one.values() if isinstance(one, dict) else one)]
    return levels
