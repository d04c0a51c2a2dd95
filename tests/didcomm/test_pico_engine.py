"""The existing pico-engine's forms, against messages that its own code made."""

from __future__ import annotations

from typing import Any

import pytest

from pico_didcomm.did.service import endpoints_of
from pico_didcomm.encoding import b64url_decode, json_bytes
from pico_didcomm.errors import DidcommError
from pico_didcomm.keys import KeyPair, key_pair
from pico_didcomm.message import Message
from pico_didcomm.pack import pack_authcrypt
from pico_didcomm.pico_engine import (
    make_identity,
    make_pico_engine_invitation,
    new_resolver,
    pico_engine_invitation_url,
    query_result,
)
from pico_didcomm.protocols.events import Event, make_event, parse_event, parse_query
from pico_didcomm.protocols.out_of_band import parse_invitation_url
from pico_didcomm.protocols.trust_ping import make_ping, wants_response
from pico_didcomm.unpack import unpack
from tests.didcomm.helpers import NOW_MS, seeded, vectors

DID_O = vectors("pico_did_o")
URL = "http://localhost:3000/sky/event/clu000000000000000000aaaa/none/dido/didcommv2_message"


class Secrets:
    """The keys of a vector's identity, under the ids that it uses."""

    def __init__(self, who: str) -> None:
        self.pairs = {
            one["id"]: key_pair(one["privateKeyJwk"]["crv"], b64url_decode(one["privateKeyJwk"]["d"]))
            for one in DID_O[who]["secrets"]
        }

    def find(self, kid: str) -> KeyPair | None:
        return self.pairs.get(kid)


def test_an_identity_in_its_form() -> None:
    did, wallet = make_identity(seeded("bob"), URL)
    assert did.startswith("did:peer:2.Ez6LS")
    theirs = DID_O["alice"]["did"]
    assert did.rpartition(".S")[2] == theirs.rpartition(".S")[2]  # the same service, byte for byte
    document = new_resolver().resolve(did)
    ((kid, _),) = document.agreement_keys()
    assert kid.partition("#")[2].startswith("6LS")
    assert wallet.find(kid) is not None
    assert wallet.signing_key(did).kid.partition("#")[2].startswith("6Mk")
    assert endpoints_of(document)[0].uri == URL


@pytest.mark.parametrize("vector", DID_O["messages"], ids=lambda vector: vector["plaintext"]["type"])
def test_its_messages_are_read(vector: dict[str, Any]) -> None:
    packed = vector["packed"] if isinstance(vector["packed"], str) else json_bytes(vector["packed"]).decode()
    (recipient,) = vector["plaintext"]["to"]
    who = next(name for name in ("alice", "bob") if DID_O[name]["did"] == recipient)
    unpacked = unpack(packed.encode(), Secrets(who), new_resolver(), NOW_MS)
    assert (unpacked.authenticated, unpacked.encrypted, unpacked.signed) == (True, True, True)
    assert unpacked.message.body == vector["plaintext"]["body"]
    assert unpacked.sender == vector["plaintext"]["from"]
    kind = unpacked.message.type
    if kind.endswith("/event"):
        assert parse_event(unpacked.message).domain
    elif kind.endswith("/query"):
        assert parse_query(unpacked.message).rid
    else:
        assert wants_response(unpacked.message)


def test_what_we_send_it_can_open() -> None:
    """The key ids in the envelope are the ones under which it looks for its secrets."""
    did, wallet = make_identity(seeded("us"), URL)
    alice = DID_O["alice"]["did"]
    event = make_event("e", did, alice, Event("sensor", "reading", {"celsius": 20}))
    envelope = pack_authcrypt(event, wallet, new_resolver().resolve(alice), seeded("entropy"))
    unpacked = unpack(envelope, Secrets("alice"), new_resolver(), NOW_MS)
    assert (unpacked.sender, parse_event(unpacked.message).attrs) == (did, {"celsius": 20})
    ping = make_ping("p", did, alice, old_spelling=True)
    assert ping.type == DID_O["messages"][0]["plaintext"]["type"]


def test_its_invitation_is_read_and_ours_is_in_its_form() -> None:
    theirs = parse_invitation_url(DID_O["invitation_url"], NOW_MS, require_signature=False)
    assert theirs.sender == DID_O["alice"]["did"]
    invitation = DID_O["invitation"]
    ours = make_pico_engine_invitation(
        invitation["id"],
        invitation["from"],
        invitation["body"]["label"],
        created_time=invitation["created_time"],
    )
    url = pico_engine_invitation_url(ours, "http://localhost:3000")
    again = parse_invitation_url(url, NOW_MS, require_signature=False)
    assert again.message == theirs.message == Message.from_dict(invitation)


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (b'{"directives":[{"name":"response","options":{"a":1}}]}', {"a": 1}),
        (b'{"directives":[{"name":"response","options":[]},{"options":2}]}', []),
    ],
)
def test_the_answer_to_a_query(body: bytes, result: object) -> None:
    assert query_result(body) == result


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"directives":[]}', b'{"directives":[{}]}', b'{"directives":"x"}', b" " * 2**21],
)
def test_no_answer_to_a_query(body: bytes) -> None:
    with pytest.raises(DidcommError):
        query_result(body)


def test_a_long_invitation_is_not_made() -> None:
    with pytest.raises(DidcommError):
        pico_engine_invitation_url(
            make_pico_engine_invitation("1", DID_O["alice"]["did"], "x" * 20_000), "http://x"
        )
