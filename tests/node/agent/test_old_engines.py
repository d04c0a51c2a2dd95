"""Picos of the existing engine, by messages that its own code made (vectors/pico_did_o): here we are Bob.

Both directions against a running engine were tried by hand; what it needs (node, its packages) is not here.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import replace
from typing import Any

import pytest

from pico_didcomm.encoding import b64url_decode, json_bytes
from pico_didcomm.from_prior import make_from_prior
from pico_didcomm.keys import key_pair
from pico_didcomm.pack import pack_authcrypt
from pico_didcomm.pico_engine import clear_answer, make_identity, new_resolver
from pico_didcomm.protocols.events import Event, Query, make_event, make_query, parse_event, parse_query
from pico_didcomm.protocols.out_of_band import parse_invitation_url
from pico_didcomm.protocols.trust_ping import make_ping_response
from pico_didcomm.unpack import unpack
from pico_didcomm.wallet import Wallet
from pico_engine.messages import OperationMessage
from pico_node.agent.errors import PeerUnreachable
from pico_node.agent.messages import Command, ForeignAnswer, ForeignMessage, PostAnswered, PostMessage
from pico_node.agent.rows import INVITER, put_connection
from pico_node.agent.visits import _row
from tests.didcomm.helpers import seeded, vectors
from tests.node.agent.test_foreign import World

DID_O = vectors("pico_did_o")
ALICE, BOB = DID_O["alice"]["did"], DID_O["bob"]["did"]
ALICES_URL = "http://localhost:3000/sky/event/clu000000000000000000aaaa/none/dido/didcommv2_message"


def wallet(who: str) -> Wallet:
    found = Wallet()
    pairs = [
        key_pair(one["privateKeyJwk"]["crv"], b64url_decode(one["privateKeyJwk"]["d"]))
        for one in DID_O[who]["secrets"]
    ]
    found.add(new_resolver().resolve(DID_O[who]["did"]), pairs)
    return found


def packed(kind: str) -> bytes:
    vector = next(one for one in DID_O["messages"] if one["plaintext"]["type"].endswith(kind))
    found = vector["packed"]
    return found.encode() if isinstance(found, str) else json_bytes(found)


@pytest.fixture
def world() -> World:
    """The pico has Bob's invitation open, whose keys the vectors hold."""
    world = World()
    world.node.agent.base_url = "http://127.0.0.1:4200"
    agreement, signing = (b64url_decode(one["privateKeyJwk"]["d"]) for one in DID_O["bob"]["secrets"])
    secret = {
        "long": BOB,
        "form": "pico-engine",
        "agreement": b64encode(agreement).decode(),
        "signing": b64encode(signing).decode(),
    }

    def open_(pico: Any) -> None:
        world.node.agent.visits._new_channel(pico, "", (BOB, secret), None)
        put_connection(pico, BOB, _row("i", INVITER, "", 0, expires=1 << 50))

    pico = world.node.agent.commands.find("a")
    world.node.give(OperationMessage(pico.did, "test", open_))
    return world


def opened_by_alice(effect: Any) -> Any:
    assert isinstance(effect, PostMessage)
    assert (effect.url, effect.media_type) == (ALICES_URL, "application/json")
    kid = json.loads(effect.message)["recipients"][0]["header"]["kid"]
    assert kid == DID_O["alice"]["secrets"][0]["id"]  # the name under which she looks for her key
    return unpack(effect.message, wallet("alice"), new_resolver(), 1_700_000_000_000).message


def test_its_ping_makes_a_connection(world: World) -> None:
    answer, done = world.give(packed("ping"), reply="http")
    message = opened_by_alice(answer)
    assert (message.type, message.from_) == ("https://didcomm.org/trust_ping/2.0/ping_response", BOB)
    assert done == ForeignAnswer("http", None)
    connection = world.node.connection()
    assert (connection["state"], connection["Tx"]) == ("established", ALICE)


def test_its_event_is_one_under_the_channels_policy(world: World) -> None:
    world.give(packed("ping"))
    assert world.give(packed("event"), reply="http") == [ForeignAnswer("http", None)]
    assert world.node.counters.get("inbound_refused_sender-mismatch") is None
    keys, document = wallet("alice"), new_resolver().resolve(BOB)
    for name, heard in (("sensor:reading", True), ("wrangler:new_child_request", False)):
        domain, kind = name.split(":")
        event = make_event(kind, ALICE, BOB, Event(domain, kind, {"name": "x"}))
        world.give(pack_authcrypt(event, keys, document, seeded(kind)))
        assert any(one["type"] == name for one in world.heard()) == heard
    refused = [name for name in world.node.counters if name.startswith("refused_")]
    assert refused == ["refused_denied-by-policy"]


def test_its_query_is_answered_in_the_clear_if_it_may_ask(world: World) -> None:
    world.give(packed("ping"))
    (answer,) = world.give(packed("query"), reply="http")  # io.picolabs.wrangler is the owner's
    assert "Unable to query" in json.loads(answer.message)["directives"][0]["options"]
    asked = make_query("q", ALICE, BOB, Query("test.listener", "all", {}))
    data = pack_authcrypt(asked, wallet("alice"), new_resolver().resolve(BOB), seeded("q"))
    (answer,) = world.give(data, reply="http")
    options = json.loads(answer.message)["directives"][0]["options"]
    assert [one["type"] for one in options] == ["connection:established"]


def test_our_events_and_queries_to_it(world: World) -> None:
    world.give(packed("ping"))
    told = {"did": ALICE, "as": "sensor:reading", "attrs": {"celsius": 1}}
    command = Command("event", {"target": "a", "name": "say:to", "attrs": told}, reply="x")
    world.node.agent.receive(command, world.net.clock.now)
    (effect,) = world.effects()
    assert parse_event(opened_by_alice(effect)) == Event("sensor", "reading", {"celsius": 1})

    def ask() -> PostMessage:
        asked = {"target": ALICE, "rid": "test.rid", "name": "count", "args": {"n": 1}, "pico": "a"}
        world.node.agent.receive(Command("query", asked, reply="query"), world.net.clock.now)
        (effect,) = world.effects()
        assert parse_query(opened_by_alice(effect)) == Query("test.rid", "count", {"n": 1})
        return effect

    world.node.give(PostAnswered(ask().tag, clear_answer({"count": 7})))
    assert world.node.answer("query") == {"result": {"count": 7}}
    for body, error in ((None, PeerUnreachable), (b"{}", Exception), (b"no json", Exception)):
        world.node.give(PostAnswered(ask().tag, body))
        with pytest.raises(error):
            world.node.answer("query")


def test_our_invitation_is_read_as_it_reads_one(world: World) -> None:
    made = world.invite(audience="pico-engine", label="ours")
    text = made["url"].split("_oob=")[1]
    assert made["url"].startswith("http://127.0.0.1:4200/invite?_oob=")
    invitation = json.loads(b64decode(text))
    assert invitation["body"]["goal_code"] == DID_O["invitation"]["body"]["goal_code"]
    (service,) = new_resolver().resolve(invitation["from"]).raw["service"]
    assert service["serviceEndpoint"]["uri"] == "http://127.0.0.1:4200/didcomm"


def test_its_invitation_is_accepted_and_its_did_changes_at_once() -> None:
    """As it does on the first ping: the answer comes from a new DID with `from_prior`."""
    world = World()
    world.node.agent.base_url = "http://127.0.0.1:4200"
    url = DID_O["invitation_url"]
    inviter = parse_invitation_url(url, 0, require_signature=False).sender
    who = next(name for name in ("alice", "bob") if DID_O[name]["did"] == inviter)
    world.node.agent.receive(Command("accept", {"pico": "a", "url": url}, "accept"), world.net.clock.now)
    (effect,) = world.effects()
    ping = unpack(effect.message, wallet(who), new_resolver(), 1_700_000_000_000).message
    assert ping.type == "https://didcomm.org/trust_ping/2.0/ping"
    new, keys = make_identity(seeded("new"), ALICES_URL)
    prior = make_from_prior(wallet(who).signing_key(inviter), new, 1_700_000_000)
    response = replace(make_ping_response("r", ping, new, ping.from_ or ""), from_prior=prior)
    data = pack_authcrypt(response, keys, new_resolver().resolve(ping.from_ or ""), seeded("r"))
    world.node.give(ForeignMessage("", data))
    connection = world.node.connection()
    assert (connection["state"], connection["Tx"]) == ("established", new)
