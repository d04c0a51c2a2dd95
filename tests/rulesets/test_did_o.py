"""io.picolabs.did-o: an invitation that is always ready, and connections made of those of others."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.channels import ALLOW_ALL
from pico_engine.errors import BadRequest, QueryMayNotWrite
from pico_engine.harness import Bench
from pico_engine.krl import compile_ruleset
from pico_engine.port import Port
from pico_engine.routes import route_of
from pico_rulesets.did_o import DID_O, DidO
from pico_rulesets.subscription import Subscription
from pico_rulesets.wrangler import PICO_RULESETS, Wrangler

LIFE_MS = 1_000_000


class Connecting(Port):
    """Makes invitations with numbers, and notes what is accepted."""

    def __init__(self) -> None:
        self.labels: list[str] = []
        self.accepted: list[str] = []

    def invite(self, pico: Any, label: str) -> dict[str, Any]:
        self.labels.append(label)
        eci = pico.engine.family.new_channel(pico, ("connection",), ALLOW_ALL, ALLOW_ALL, ("didcomm",)).eci
        number = len(self.labels)
        expires = pico.engine.now + LIFE_MS
        return {"id": f"i{number}", "url": f"https://x/?_oob={number}", "eci": eci, "expires": expires}

    def partners(self, pico: Any) -> dict[str, str]:
        return {"did:b": "did:a"}

    def accept(self, pico: Any, url: str) -> dict[str, Any]:
        if "_oob" not in url:
            raise BadRequest("this is no invitation")
        self.accepted.append(url)
        return {"id": "theirs", "state": "requested"}


@pytest.fixture
def port() -> Connecting:
    return Connecting()


@pytest.fixture
def bench(port: Connecting) -> Bench:
    bench = Bench(Wrangler, Subscription, DidO, root_rulesets=PICO_RULESETS)
    bench.engine.port = port
    bench.event(bench.root, "wrangler:install_ruleset_request", {"rid": DID_O})
    return bench


def ask(bench: Bench, name: str, **args: Any) -> Any:
    return bench.query(bench.root, DID_O, name, args)


def test_an_invitation_is_ready_and_replaced_when_it_was_used(bench: Bench) -> None:
    first = ask(bench, "generate_invitation", label="me")
    assert first == ask(bench, "generate_invitation") == "https://x/?_oob=1"
    bench.event(bench.root, "connection:established", {"id": "another", "Rx": "r", "Tx": "t"})
    assert ask(bench, "generate_invitation") == first
    bench.event(bench.root, "connection:established", {"id": "i1", "Rx": "r2", "Tx": "t2"})
    assert ask(bench, "generate_invitation") == "https://x/?_oob=2"


def test_one_with_a_label_takes_the_place_of_the_open_one(bench: Bench, port: Connecting) -> None:
    before = set(bench.engine.pico(bench.root).channels.rows)
    answer = bench.event(bench.root, "dido:new_invitation", {"label": "Hall"})
    assert answer.options("invitation") == {"url": "https://x/?_oob=2"}
    assert port.labels == ["", "Hall"]
    assert len(set(bench.engine.pico(bench.root).channels.rows)) == len(before)


def test_an_expired_invitation_is_not_given_out(bench: Bench) -> None:
    bench.clock.now += LIFE_MS + 1
    with pytest.raises(BadRequest, match="no open invitation"):
        ask(bench, "generate_invitation")
    bench.event(bench.root, "dido:new_invitation")
    assert ask(bench, "generate_invitation") == "https://x/?_oob=2"


def test_an_invitation_is_accepted(bench: Bench, port: Connecting) -> None:
    bench.event(bench.root, "dido:receive_invite", {"invite": "https://y/?_oob=abc"})
    assert port.accepted == ["https://y/?_oob=abc"]
    bench.event(bench.root, "dido:receive_invite", {"invite": "https://y/"})
    assert port.accepted == ["https://y/?_oob=abc"]
    assert any("this is no invitation" in line.text for line in bench.log)


def test_the_map_of_dids_is_what_the_node_knows(bench: Bench) -> None:
    assert ask(bench, "didMap") == {"did:b": "did:a"}


@pytest.mark.parametrize(
    "name",
    ["didDocs", "generate_message", "clearDidMap", "clearDidDocs", "clearPendingRotations"],
)
def test_what_the_node_does_itself_says_so(bench: Bench, name: str) -> None:
    with pytest.raises(BadRequest, match="the node packs, routes and keeps keys itself"):
        ask(bench, name)


def test_routes_are_told_by_rulesets_and_not_by_queries(bench: Bench) -> None:
    text = """ruleset test.routing { meta { use module io.picolabs.did-o alias didx }
      rule r { select when a b pre { x = didx:addRoute("t/1.0/x", "got", "it") } } }"""
    bench.registry.add(compile_ruleset(text).definition)
    bench.operate(bench.root, lambda pico: pico.engine.family.install(pico, "test.routing", {}))
    bench.event(bench.root, "a:b")
    assert ask(bench, "routes") == {"t/1.0/x": {"domain": "got", "name": "it"}}
    assert route_of(bench.engine.pico(bench.root), "t/1.0/x") == ("got", "it")
    with pytest.raises(QueryMayNotWrite):
        bench.query(bench.root, DID_O, "addRoute", {"type": "t/1.0/y", "_domain": "a", "name": "b"})


def test_a_node_without_connections_makes_no_invitation() -> None:
    bench = Bench(Wrangler, Subscription, DidO, root_rulesets=PICO_RULESETS)
    bench.event(bench.root, "wrangler:install_ruleset_request", {"rid": DID_O})
    with pytest.raises(BadRequest):
        ask(bench, "generate_invitation")
    assert (ask(bench, "routes"), ask(bench, "pendingRotations")) == ({}, {})
