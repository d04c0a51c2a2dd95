"""The node's own requests to the world outside, for the turns that asked: HTTP, and sources of rulesets.

`policy` says where it may ask, `client` asks, `edge` carries out the engine's effects.
"""

from pico_node.outside.edge import OutsideEdge
from pico_node.outside.limits import OutsideLimits
from pico_node.outside.policy import EgressPolicy

__all__ = ["EgressPolicy", "OutsideEdge", "OutsideLimits"]
