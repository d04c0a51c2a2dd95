"""What the DIDComm tests share: seeded entropy, vectors, two connected identities."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pico_didcomm import wallet
from pico_didcomm.did.document import DidDocument, parse_document
from pico_didcomm.did.resolver import METHODS, Resolver
from pico_didcomm.errors import UnsupportedDid
from pico_didcomm.identity import ChannelIdentity, make_channel_identity
from pico_didcomm.keys import CURVES, KeyPair, NamedKey, generate_key_pair, key_pair_from_jwk
from pico_didcomm.message import Message

DATA = Path(__file__).parent.parent / "data" / "didcomm"
NOW_MS = 1_700_000_000_000
VECTOR_NOW_MS = 1_516_270_000_000  # between created_time and expires_time of the published messages


def vectors(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text())


def seeded(seed: int | str):
    """Entropy that is the same in every run."""
    count = 0

    def entropy(n: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{seed}/{count}".encode()).digest(n)

    return entropy


@dataclass
class Wallet:
    """Secrets by canonical key id."""

    pairs: dict[str, KeyPair] = field(default_factory=dict)

    def find(self, kid: str) -> KeyPair | None:
        return self.pairs.get(kid)


def wallet_of_jwks(jwks: dict[str, dict[str, str]]) -> Wallet:
    """The private keys among the JWKs."""
    return Wallet({kid: key_pair_from_jwk(jwk) for kid, jwk in jwks.items()})


class Pair:
    """Alice and Bob, who know each other's documents."""

    def __init__(self, seed: int | str = 0) -> None:
        self.alice = make_channel_identity(seeded(f"alice {seed}"))
        self.bob = make_channel_identity(seeded(f"bob {seed}"))
        self.mallory = make_channel_identity(seeded(f"mallory {seed}"))
        self.resolver = Resolver()
        for identity in (self.alice, self.bob, self.mallory):
            self.resolver.learn(identity.long_did)
        self.entropy = seeded(f"entropy {seed}")

    def document(self, identity: ChannelIdentity) -> DidDocument:
        return self.resolver.resolve(identity.did)

    def message(self, **changes: Any) -> Message:
        """A message from Alice to Bob."""
        members: dict[str, Any] = {
            "id": "m-1",
            "type": "https://example.org/greeting/1.0/hello",
            "body": {"text": "hello"},
            "from_": self.alice.did,
            "to": (self.bob.did,),
        }
        return Message(**(members | changes))


class Person:
    """Somebody with a did:example, a document and a wallet: a key to sign and one to agree on every curve."""

    def __init__(self, name: str, curves: Iterable[str] = CURVES, devices: int = 1) -> None:
        self.did = f"did:example:{name}"
        keys: dict[str, NamedKey] = {}
        purposes: dict[str, list[str]] = {"authentication": [], "keyAgreement": []}
        for curve in curves:
            row = CURVES[curve]
            for purpose, use in (("authentication", row.sign), ("keyAgreement", row.agree)):
                for i in range(devices if use else 0):
                    kid = f"{self.did}#{purpose}-{curve}-{i}"
                    keys[kid] = NamedKey(kid, generate_key_pair(curve, seeded(kid)))
                    purposes[purpose].append(kid)
        self.keys = keys
        methods = [
            {"id": kid, "type": "JsonWebKey2020", "publicKeyJwk": key.pair.public_key.jwk()}
            for kid, key in keys.items()
        ]
        self.raw = {"id": self.did, "verificationMethod": methods, **purposes}
        self.document = parse_document(self.did, self.raw)
        self.wallet = wallet.Wallet()
        self.wallet.add(self.document, [key.pair for key in keys.values()])

    def key(self, purpose: str, curve: str) -> NamedKey:
        return self.keys[f"{self.did}#{purpose}-{curve}-0"]


def people(*persons: Person) -> Resolver:
    """A resolver that knows them."""
    return example_resolver({person.did: person.raw for person in persons})


class CountingResolver:
    """Remembers what was asked for."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.asked: list[str] = []

    def resolve(self, did: str) -> DidDocument:
        self.asked.append(did)
        return self.resolver.resolve(did)


def example_resolver(documents: dict[str, dict[str, Any]]) -> Resolver:
    """A resolver that also knows the did:example documents of published vectors."""

    def resolve(did: str) -> DidDocument:
        if did not in documents:
            raise UnsupportedDid("not among the vectors")
        return parse_document(did, documents[did])

    return Resolver({**METHODS, "did:example:": resolve})
