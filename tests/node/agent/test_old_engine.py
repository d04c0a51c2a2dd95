"""Setting a node up for the existing engine's clients."""

from __future__ import annotations

from pico_engine.harness import SeededEntropy
from pico_engine.messages import Failed
from pico_engine.registry import Registry
from pico_engine.store import MemoryStore
from pico_node.agent.agent import Agent
from pico_node.agent.messages import Command, CommandAnswer
from pico_node.agent.old_engine import VERSION, be_compatible
from pico_rulesets.subscription import Subscription
from pico_rulesets.ui import EngineUi
from pico_rulesets.wrangler import UI, Wrangler


def agent_with(*rulesets: type) -> Agent:
    agent = Agent(MemoryStore(), Registry([Wrangler, Subscription, *rulesets]), SeededEntropy(1), bytes(32))
    agent.start(1_000)
    return agent


def set_up(agent: Agent) -> dict[str, str]:
    reply = object()
    agent.receive(Command("compat_setup", {}, reply), 1_000)
    agent.handle_timer(1_000)
    for effect in agent.take_effects():
        if isinstance(effect, Failed):
            raise effect.error
        if isinstance(effect, CommandAnswer) and effect.reply is reply:
            return effect.value
    raise AssertionError("no answer")


def test_the_root_gets_the_ruleset_and_a_channel_that_stays() -> None:
    agent = agent_with(EngineUi)
    told = set_up(agent)
    assert told["version"] == VERSION
    root = agent.engine.pico(agent.engine.root or "")
    assert UI in root.installed.rows
    assert not root.channels.rows[told["eci"]].admits_event("wrangler", "new_child_request")
    assert set_up(agent) == told


def test_only_rulesets_that_the_node_has_are_given_to_new_picos() -> None:
    agent = agent_with(EngineUi)
    be_compatible(agent)
    assert agent.engine.default_rulesets == (UI,)
