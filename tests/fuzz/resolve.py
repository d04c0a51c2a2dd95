"""Feeds the resolvers of DIDs with a million broken DIDs and documents: no crash, no hang, no growth.

    python -m tests.fuzz.resolve --count 1000000 --seed 1

Every input comes from the seed and its own number; a failure prints both, and the command that repeats it.
DIDs of every method are damaged as text or put together from the pieces of several; documents of did:web are
damaged as JSON and as text. What is refused must be refused with a DidcommError; what is resolved must have
the DID that was asked for, and services whose endpoints can be read or refused.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any, Final

from pico_didcomm.did.document import DidDocument, canonical_did
from pico_didcomm.did.jwk import make_did_jwk
from pico_didcomm.did.key import key_of_did_key
from pico_didcomm.did.resolver import Resolver
from pico_didcomm.did.service import endpoints_of
from pico_didcomm.did.web import did_web_url, read_did_web
from pico_didcomm.errors import DidcommError
from tests.fuzz import loop
from tests.fuzz.unpack import ALICE, BOB, damaged_json, damaged_text, dumped

DATA: Final = Path(__file__).parent.parent / "data" / "didcomm"
WEB: Final = "did:web:a.example"


def _load(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def _dids(value: Any) -> list[str]:
    """Every DID that stands in some JSON."""
    if isinstance(value, str):
        return [value] if value.startswith("did:") and " " not in value else []
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    keys = list(value) if isinstance(value, dict) else []
    return [did for part in (*keys, *parts) for did in _dids(part)]


def samples() -> list[str]:
    keys = _load("did_key_w3c_ccg.json")
    found = _dids(keys) + _dids(_load("did_peer.json")) + [ALICE.long_did, BOB.long_did, ALICE.did]
    plain = [did for group in ("ed25519-x25519", "nist-curves") for did in keys[group]]
    found += [make_did_jwk(key_of_did_key(did)) for did in plain]
    found += [WEB, "did:web:example.com%3A3000:user:alice", "did:web:xn--bcher-kva.example:%C3%A9"]
    return sorted(set(found))


SAMPLES = samples()
DOCUMENT = {**json.loads(json.dumps(Resolver().resolve(ALICE.long_did).raw, default=dict)), "id": WEB}


def broken_did(draw: random.Random) -> str:
    did = draw.choice(SAMPLES)
    for _ in range(draw.choice([0, 1, 1, 2, 4])):
        if draw.random() < 0.3:
            other = draw.choice(SAMPLES)
            did = did[: draw.randrange(len(did) + 1)] + other[draw.randrange(len(other)) :]
        else:
            did = damaged_text(draw, did.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogateescape")
    return did


def make_input(seed: int, number: int) -> tuple[str, str | bytes]:
    """The name of a kind and the input that seed and number stand for."""
    draw = random.Random(seed * 1_000_003 + number)
    kind = draw.choice(("did", "did", "learned", "document"))
    if kind != "document":
        return kind, broken_did(draw)
    raw: Any = DOCUMENT
    for _ in range(draw.choice([1, 1, 2, 5])):
        raw = damaged_json(draw, raw)
    body = dumped(raw)
    return kind, damaged_text(draw, body) if draw.random() < 0.2 else body


def look_at(document: DidDocument, did: str) -> None:
    assert canonical_did(document.did) == canonical_did(did), f"asked for {did}, got {document.did}"
    document.agreement_keys()
    endpoints_of(document)


def feed(kind: str, data: str | bytes, resolver: Resolver) -> str:
    """What becomes of an input: a word."""
    try:
        if isinstance(data, bytes):
            look_at(read_did_web(WEB, data), WEB)
        elif kind == "learned":
            resolver.learn(data)
        else:
            if data.startswith("did:web:"):
                did_web_url(data)
            look_at(resolver.at(0).resolve(data), data)
    except DidcommError as error:
        return type(error).__name__ if str(error) else "an error without words"
    return "accepted"


def run(count: int, seed: int, first: int = 0) -> Counter[str]:
    """Feeds so many inputs; AssertionError says which one broke what."""
    resolver = Resolver(documents_cached_max=64, learned_max=64)
    fed = partial(feed, resolver=resolver)
    return loop.run("tests.fuzz.resolve", make_input, fed, count, seed, first)


if __name__ == "__main__":
    loop.main("feed the resolvers with broken DIDs", run)
