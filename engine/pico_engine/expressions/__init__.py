"""Event expressions: what a rule selects on, compiled to a state machine whose progress is plain data."""

from pico_engine.expressions.build import (
    EventExpression,
    any_of,
    average_of,
    list_of,
    max_of,
    min_of,
    sum_of,
    when,
)
from pico_engine.expressions.machine import Machine, Outcome, compile_select
from pico_engine.expressions.patterns import (
    anything,
    boolean,
    equals,
    integer,
    matches,
    number,
    one_of,
    present,
    text,
)
from pico_engine.expressions.progress import Progress

__all__ = [
    # a rule's author
    "when", "any_of", "EventExpression",
    "max_of", "min_of", "sum_of", "average_of", "list_of",
    "text", "number", "integer", "boolean", "matches", "equals", "one_of", "present", "anything",
    # the engine
    "compile_select", "Machine", "Outcome", "Progress",
]  # fmt: skip
