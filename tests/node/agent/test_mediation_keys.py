"""The node's own DIDs in mediation."""

from __future__ import annotations

from pico_didcomm.did.peer import resolve_peer_2
from pico_engine.ledger import Ledger, Section
from pico_engine.store import MemoryStore
from pico_node.agent.identities import keys_of
from pico_node.agent.mediation_keys import kept_identity, mediator_services
from tests.didcomm.helpers import seeded


def test_made_once_for_one_place() -> None:
    section = Section(Ledger(MemoryStore()), b"k/", lazy=True)
    services = mediator_services("https://m.example", "12D3", ["/ip4/1.2.3.4/tcp/1"])
    first = kept_identity(section, "mediator", seeded("a"), "https://m.example", services)
    again = kept_identity(section, "mediator", seeded("b"), "https://m.example", services)
    assert again == first
    other = kept_identity(section, "mediator", seeded("b"), "https://n.example", services)
    assert other["did"] != first["did"]
    assert keys_of(first["secret"]).signing_key(first["did"])


def test_where_a_mediator_is_reached() -> None:
    section = Section(Ledger(MemoryStore()), b"k/", lazy=True)
    services = mediator_services("https://m.example", "12D3", ["/ip4/1.2.3.4/tcp/1"])
    did = kept_identity(section, "mediator", seeded("a"), "x", services)["did"]
    ends = [one["serviceEndpoint"] for one in resolve_peer_2(did).raw["service"]]
    assert [end["uri"] for end in ends] == [
        "https://m.example/didcomm",
        "wss://m.example/didcomm",
        "libp2p-peerId:12D3",
    ]
    assert len(mediator_services("http://localhost:1", "12D3", [])) == 2
