"""What fits into one message to another node or agent, checked before it is promised to anybody."""

from __future__ import annotations

from typing import Any

from pico_didcomm.encoding import JSON_DEPTH_MAX
from pico_didcomm.protocols.events import Answer, QueryError
from pico_engine.errors import EngineError, LimitExceeded
from pico_engine.messages import Failed, QueryAnswer
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


def answer_to(message_id: str, effect: QueryAnswer | Failed, bytes_max: int) -> Answer:
    """What the other side hears of its query: the value, or why there is none."""
    try:
        if isinstance(effect, Failed):
            raise effect.error
        check_carriable(effect.value, "the answer of a query", bytes_max)
    except EngineError as error:
        return Answer(message_id, error=QueryError(error.code, error.what, error.hint))
    return Answer(message_id, effect.value)


def _levels(value: Any) -> int:
    levels, row = 0, [value]
    while row := [one for one in row if isinstance(one, dict | list)]:
        levels += 1
        row = [inner for one in row for inner in (one.values() if isinstance(one, dict) else one)]
    return levels
