"""Being compatible with the existing engine: its default rulesets, the root pico's channel for its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pico_engine.api import PicoView
from pico_engine.channels import ALLOW_ALL
from pico_engine.events import Event
from pico_engine.values import Json, freeze

if TYPE_CHECKING:
    from pico_engine.pico import Pico
    from pico_node.agent.agent import Agent

DEFAULT_RULESETS: Final = (
    "io.picolabs.pico-engine-ui",
    "io.picolabs.pds",
    "io.picolabs.did-o",
)
"""Of every pico of the existing engine, beside wrangler and subscription."""
UI_TAGS: Final = ["engine", "ui"]
VERSION: Final = "1.4.0"
"""Of the existing engine, whose surface this is; its page shows it."""


def be_compatible(agent: Agent) -> None:
    """From now on new picos get the existing engine's default rulesets, those of them that are known."""
    engine = agent.engine
    engine.default_rulesets = tuple(rid for rid in DEFAULT_RULESETS if engine.registry.find(rid) is not None)


def set_up_root(agent: Agent, root: Pico) -> Json:
    """Give all picos the default rulesets, the root the page's channel too; answers what its page asks first.

    Wrangler does it in the root, in this turn, and below it one pico after the other, in turns of their own.
    Part of an operation of the root pico; what it raises is handled in the same turn.
    """
    view = PicoView(root)
    turn = root.turn
    assert turn is not None, "an operation is a turn"

    def say(domain: str, name: str, attrs: Json) -> None:
        turn.raise_event(Event(domain, name, freeze(attrs), turn.eid, turn.now))

    be_compatible(agent)
    eci = next((one["id"] for one in view.channels if sorted(one["tags"]) == UI_TAGS), None)
    if eci is None:
        eci = view.new_channel(UI_TAGS, ALLOW_ALL, ALLOW_ALL)["id"]  # which engine_ui:setup restricts
    say("wrangler", "default_rulesets_needed", {})
    return {"version": VERSION, "eci": eci}
