"""The pico engine: messages in, effects out; no I/O.

A ruleset's author needs `Ruleset`, `ent`, `config`, `rule`, `query`, `provides`, `when` and the attribute
patterns; `pico_engine.harness` runs a ruleset in a unit test. Who embeds the engine begins at `Engine`.
"""

import pico_native  # noqa: F401 - before all others: it finds those of them that were compiled

# isort: split
from pico_engine.errors import EngineError
from pico_engine.events import Event
from pico_engine.expressions import (
    EventExpression,
    any_of,
    anything,
    average_of,
    boolean,
    equals,
    integer,
    list_of,
    matches,
    max_of,
    min_of,
    number,
    one_of,
    present,
    sum_of,
    text,
    when,
)
from pico_engine.ruleset import Ruleset, config, ent, provides, query, rule

__all__ = [
    "EngineError", "Event", "EventExpression", "Ruleset",
    "any_of", "anything", "average_of", "boolean", "config", "ent", "equals", "integer", "list_of", "matches",
    "max_of", "min_of", "number", "one_of", "present", "provides", "query", "rule", "sum_of", "text", "when",
]  # fmt: skip
