"""The network edge: one long-lived session per pair of nodes over libp2p, behind an asyncio face.

Start reading in `contract.py` (what the driver sees), then `host.py`. The name `Peers` is loaded on first
use, because trio takes a while to import; libp2p, which takes a second, when the node serves already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pico_node.peers.contract import PeerEvents, PeersFace
from pico_node.peers.errors import AddressTaken, BadAddress, FrameTooLarge, NotRunning, PeerError, Unreachable
from pico_node.peers.identity import peer_id_of_key, peer_id_of_seed
from pico_node.peers.limits import PeerLimits

if TYPE_CHECKING:
    from pico_node.peers.host import Peers

__all__ = [
    "Peers",
    "PeersFace",
    "PeerEvents",
    "PeerLimits",
    "PeerError",
    "AddressTaken",
    "BadAddress",
    "FrameTooLarge",
    "NotRunning",
    "Unreachable",
    "peer_id_of_key",
    "peer_id_of_seed",
]


def __getattr__(name: str) -> object:
    if name == "Peers":
        from pico_node.peers.host import Peers

        return Peers
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
