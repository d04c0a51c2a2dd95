"""The whole node without I/O: engine and connections in one deterministic machine."""

from pico_node.agent.agent import Agent
from pico_node.agent.limits import AgentLimits

__all__ = ["Agent", "AgentLimits"]
