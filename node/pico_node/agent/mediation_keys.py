"""The node's own DIDs in mediation: a did:peer:2 that is made once and kept in the node's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pico_didcomm.did.service import PROFILE, SERVICE_TYPE
from pico_engine.identities import Entropy
from pico_engine.ledger import Section
from pico_engine.values import FrozenMap, freeze
from pico_node.agent.identities import new_identity


def kept_identity(
    section: Section, key: str, entropy: Entropy, about: str, services: Sequence[Mapping[str, Any]]
) -> FrozenMap:
    """The row `{about, did, secret}` under `key`; a new one where it was made for another `about`."""
    row: FrozenMap | None = section.get(key)
    if row is None or row["about"] != about:
        did, secret = new_identity(entropy, "peer2", services, "")
        row = freeze({"about": about, "did": did, "secret": secret})
        section.put(key, row)
    assert row is not None, "it was just made"
    return row


def mediator_services(url: str, peer_id: str, addresses: Sequence[str]) -> list[dict[str, Any]]:
    """Where a mediator is reached: by POST and WebSocket below `url`, and by libp2p."""
    ends: list[dict[str, Any]] = [
        {"uri": f"{url}/didcomm"},
        {"uri": f"ws{url.removeprefix('http')}/didcomm"},
    ]
    if addresses:
        ends.append({"uri": f"libp2p-peerId:{peer_id}", "multiAddrs": list(addresses)})
    return [{"type": SERVICE_TYPE, "serviceEndpoint": {**one, "accept": [PROFILE]}} for one in ends]
