"""Feeds `unpack` with a million envelopes that somebody broke on purpose: no crash, no hang, no growth.

    python -m tests.fuzz.unpack --count 1000000 --seed 1

Every input comes from the seed and its own number; a failure prints both, and the command that repeats it.
Envelopes are damaged as text, as JSON, in their protected headers, and inside: a plaintext broken first and
then signed and encrypted as it should be, by somebody whose key is known. What is refused must be refused
with a DidcommError; what is accepted must prove no more than who made it.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import orjson

from pico_didcomm.did.resolver import Resolver
from pico_didcomm.encoding import b64url_decode, b64url_encode, json_bytes
from pico_didcomm.errors import DidcommError
from pico_didcomm.from_prior import make_from_prior
from pico_didcomm.jwe import make_jwe
from pico_didcomm.jws import make_jws
from pico_didcomm.message import Message
from pico_didcomm.pack import pack_anoncrypt, pack_anoncrypt_authcrypt, pack_authcrypt, pack_signed_anoncrypt
from pico_didcomm.pair import PairChannel
from pico_didcomm.unpack import recipients_of, unpack
from tests.didcomm.helpers import NOW_MS, Pair, seeded
from tests.fuzz import loop

PAIR = Pair("fuzz")
ALICE, BOB, MALLORY = PAIR.alice, PAIR.bob, PAIR.mallory
BOBS_KEYS = PAIR.document(BOB).agreement_keys()
CHANNEL = PairChannel(BOB, ALICE.long_did)
WORDS: Final = [
    *("id", "typ", "type", "body", "from", "to", "thid", "pthid", "created_time", "expires_time", "lang"),
    *("attachments", "please_ack", "ack", "from_prior", "accept-lang", "data", "base64", "json", "links"),
    *("hash", "jws", "protected", "recipients", "iv", "ciphertext", "tag", "payload", "signatures", "header"),
    *("signature", "encrypted_key", "kid", "alg", "enc", "apu", "apv", "skid", "epk", "kty", "crv", "x", "y"),
    *("crit", "b64", "zip", "unprotected", "aad", "EdDSA", "ES256", "ES256K", "none", "XC20P", "A256GCM"),
    *("A256CBC-HS512", "ECDH-ES+A256KW", "ECDH-1PU+A256KW", "P-256", "P-521", "X25519", "OKP", "EC", "JWT"),
    *("application/didcomm-plain+json", "didcomm-signed+json", "", "AA", "=", "\0", "\ud7ff", "did:", "#"),
    *(ALICE.did, BOB.did, MALLORY.long_did, f"{ALICE.did}#key-1", f"{BOB.did}#key-2", "did:web:a.example#k"),
]
PIECES: Final = [
    *(b"", b"null", b"[]", b"{}", b"7", b'""', b"\xff", b"A", b"=", b'"crit":[],', b"1e999", b"\\u0000"),
    *(b"[" * 70, b"{" * 70, b'{"a":' * 70, b"9" * 400, b"-0", b"\\ud800", b"\x00", b" ", b'"tag":"AA",'),
]

TEXT_CHARS_MAX: Final = 100_000
"""More than any header or DID document may have."""
REPEATED_BYTES_MAX: Final = 1_500_000
"""More than `unpack` reads. Without it lists of lists repeat, and one input has 52 MB: the fuzzer grows."""


def value(draw: random.Random, depth: int = 0) -> Any:
    """Some JSON value."""
    match draw.randrange(10 if depth < 3 else 7):
        case 0:
            return None
        case 1:
            return draw.random() < 0.5
        case 2:
            return draw.choice([0, 1, -1, 2**53, 2**63, -(2**63), 1.5, 1e308, 253402300800, NOW_MS // 1000])
        case 3:
            return "".join(chr(draw.randrange(32, 0x500)) for _ in range(draw.randrange(20)))
        case 4:
            word = draw.choice(WORDS)
            return (word * draw.choice([1, 1, 1, 2, 300]))[:TEXT_CHARS_MAX]
        case 5 | 6:
            return draw.choice(WORDS)
        case 7:
            return [value(draw, depth + 1) for _ in range(draw.choice([0, 1, 2, 20]))]
        case 8:
            return {draw.choice(WORDS): value(draw, depth + 1) for _ in range(draw.randrange(5))}
    nested: Any = value(draw, depth + 1)
    for _ in range(draw.choice([1, 5, 62, 64, 66, 200])):
        nested = [nested] if draw.random() < 0.5 else {"a": nested}
    return nested


def damaged_json(draw: random.Random, raw: Any) -> Any:
    """A JSON value with something in it replaced, removed, added or doubled."""
    if isinstance(raw, dict) and raw and draw.random() < 0.85:
        raw = dict(raw)
        name = draw.choice(list(raw))
        match draw.randrange(5):
            case 0:
                del raw[name]
            case 1:
                raw[draw.choice(WORDS)] = value(draw)
            case 2:
                raw[name] = value(draw)
            case _:
                raw[name] = damaged_json(draw, raw[name])
        return raw
    if isinstance(raw, list) and raw and draw.random() < 0.8:
        raw, at = list(raw), draw.randrange(len(raw))
        times = draw.choice([2, 3, 9, 70])
        if draw.random() < 0.3 and len(dumped(raw)) * times < REPEATED_BYTES_MAX:
            return raw * times
        raw[at] = damaged_json(draw, raw[at])
        return raw
    if isinstance(raw, str) and 0 < len(raw) < 100_000 and draw.random() < 0.5:
        return damaged_text(draw, raw.encode()).decode("utf-8", "replace")
    return value(draw)


def damaged_text(draw: random.Random, data: bytes) -> bytes:
    """Bytes with a bit flipped, a part cut out, doubled, or replaced."""
    start = draw.randrange(len(data) + 1)
    end = min(len(data), start + draw.choice([0, 1, 2, 10, 1000]))
    match draw.randrange(5):
        case 0 if data:
            changed = bytearray(data)
            changed[start % len(data)] ^= 1 << draw.randrange(8)
            return bytes(changed)
        case 1:
            return data[:start] + data[end:]
        case 2:
            return data[:end] + data[start:]
        case 3:
            return data[:start] + draw.choice(PIECES) + data[end:]
    return data[:start] + draw.randbytes(draw.randrange(8)) + data[end:]


def seal(draw: random.Random, plaintext: bytes) -> bytes:
    """Signed and encrypted as it should be, whatever it is: by Mallory, as herself."""
    entropy = draw.randbytes
    if draw.random() < 0.3:
        plaintext = make_jws(plaintext, MALLORY.signing_key(MALLORY.did), flattened=draw.random() < 0.5)
    match draw.randrange(4):
        case 0:
            return plaintext
        case 1:
            return make_jwe(plaintext, BOBS_KEYS, entropy, draw.choice(["XC20P", "A256GCM", "A256CBC-HS512"]))
        case 2:
            sender = MALLORY.agreement_key(MALLORY.did)
            return make_jwe(plaintext, BOBS_KEYS, entropy, "A256CBC-HS512", sender)
    return make_jwe(seal(draw, plaintext), BOBS_KEYS, entropy, "XC20P")


def samples() -> list[bytes]:
    """Honest envelopes to Bob."""
    message = PAIR.message(thid="t", please_ack=("",), lang="de")
    to, entropy = PAIR.document(BOB), seeded("samples")
    prior = make_from_prior(MALLORY.signing_key(MALLORY.did), ALICE.did, 1)
    rotating = PAIR.message(from_prior=prior)
    return [
        message.to_bytes(),
        make_jws(message.to_bytes(), ALICE.signing_key(ALICE.did)),
        pack_anoncrypt(message, to, entropy),
        pack_authcrypt(message, ALICE, to, entropy),
        pack_authcrypt(rotating, ALICE, to, entropy),
        pack_signed_anoncrypt(message, ALICE, to, entropy),
        pack_anoncrypt_authcrypt(message, ALICE, to, entropy),
    ]


SAMPLES = samples()
HONEST = [PAIR.message(thid="t", please_ack=("",), lang="de"), PAIR.message()]
PLAIN = HONEST[0].to_dict() | {
    "attachments": [{"id": "a", "data": {"json": {}}}, {"data": {"links": ["x"], "hash": "y"}}],
    "from": MALLORY.did,
    "ack": ["a"],
}


def parsed(data: bytes) -> Any:
    return orjson.loads(data)


def broken_text(draw: random.Random) -> bytes:
    data = draw.choice(SAMPLES)
    for _ in range(draw.choice([1, 1, 2, 5])):
        data = damaged_text(draw, data)
    return data


def broken_json(draw: random.Random) -> bytes:
    raw = parsed(draw.choice(SAMPLES))
    for _ in range(draw.choice([1, 1, 2, 5])):
        raw = damaged_json(draw, raw)
    return dumped(raw)


def broken_header(draw: random.Random) -> bytes:
    """A protected header that was damaged and written again; of a signature or of an envelope."""
    raw = parsed(draw.choice(SAMPLES[1:]))
    holder = raw["signatures"][0] if "signatures" in raw else raw
    header = damaged_json(draw, parsed(b64url_decode(holder["protected"])))
    holder["protected"] = b64url_encode(dumped(header))
    return dumped(raw)


def broken_inside(draw: random.Random) -> bytes:
    plaintext = dumped(damaged_json(draw, PLAIN))
    return seal(draw, damaged_text(draw, plaintext) if draw.random() < 0.2 else plaintext)


def nothing_but_json(draw: random.Random) -> bytes:
    return dumped({draw.choice(WORDS): value(draw) for _ in range(draw.randrange(8))})


def dumped(raw: Any) -> bytes:
    """JSON as it is, or as nobody would write it."""
    try:
        return json_bytes(raw)
    except (DidcommError, ValueError):
        return json.dumps(raw, ensure_ascii=False).encode("utf-8", "surrogatepass")


KINDS: Final[list[Callable[[random.Random], bytes]]] = [
    broken_text,
    broken_json,
    broken_header,
    broken_inside,
    nothing_but_json,
]


def make_input(seed: int, number: int) -> tuple[str, bytes]:
    """The name of a kind and the input that seed and number stand for."""
    draw = random.Random(seed * 1_000_003 + number)
    kind = draw.choice(KINDS)
    return kind.__name__, kind(draw)


def feed(data: bytes, resolver: Resolver) -> str:
    """What becomes of an input: a word. AssertionError if it proves too much."""
    for ask in (lambda: recipients_of(data), lambda: CHANNEL.unpack(data, NOW_MS)):
        with suppress(DidcommError):
            ask()
    try:
        unpacked = unpack(data, BOB, resolver, NOW_MS)
    except DidcommError as error:
        return type(error).__name__ if str(error) else "an error without words"
    check_honest(unpacked.sender, unpacked.message)
    return "accepted"


def check_honest(sender: str | None, message: Message) -> None:
    """Nobody but Alice speaks for her, and only what she said."""
    assert sender in (None, ALICE.did, MALLORY.did), f"proven to be from {sender}"
    if sender == ALICE.did:
        said = message.from_prior is not None or message in HONEST
        assert said, f"Alice never said {message}"


def run(count: int, seed: int, first: int = 0) -> Counter[str]:
    """Feeds so many inputs; AssertionError says which one broke what."""
    resolver = Resolver(documents_cached_max=64)
    for identity in (ALICE, BOB, MALLORY):
        resolver.learn(identity.long_did)
    return loop.run("tests.fuzz.unpack", make_input, lambda _, data: feed(data, resolver), count, seed, first)


if __name__ == "__main__":
    loop.main("feed unpack with broken envelopes", run)
