"""The action `send_directive`: what whoever sent the event gets as its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pico_engine.krl.values import UNDEFINED, to_json, truth
from pico_engine.values import EMPTY_MAP, freeze

if TYPE_CHECKING:
    from pico_engine.krl.instance import Instance
    from pico_engine.krl.values import Value
    from pico_engine.turn import Turn


def writing_turn(run: Instance) -> Turn:
    """The turn at hand. Raises QueryMayNotWrite in a query."""
    turn = run.turn()
    if turn.read_only:
        run.pico.engine.refuse_write(run.pico)
    return turn


def send_directive(run: Instance, name: Value = UNDEFINED, options: Value = UNDEFINED) -> Value:
    """Adds a directive to the answer, and gives it as its own value."""
    turn = writing_turn(run)
    kept = freeze(to_json(options, run)) if truth(options) else EMPTY_MAP
    turn.direct(freeze(to_json(name, run)), kept)
    directive: Value = turn.directives[-1]
    return directive
