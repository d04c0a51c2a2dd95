"""DIDComm: messages packed and unpacked per second of CPU, beside SICPA's Python and Rust libraries.

All use the same two identities (X25519, one key each), the same documents, and a body of 200 bytes. Rounds
of the libraries alternate, so that a machine whose speed changes changes it for all; a figure is the median
of the rounds' ratios. *Stateless* keeps nothing from message to message but what every library is given at
the start: the parties' documents and private keys. *Channel* is `PairChannel`, which also keeps the
agreement of the two static keys and the fixed text of envelopes. `make oracles` installs the other
libraries; without them the figures that compare are left out.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.common import Options, main, median, say, table
from pico_didcomm import ChannelIdentity, Message, PairChannel, Resolver, make_channel_identity, unpack
from pico_didcomm.did.document import DidDocument
from pico_didcomm.encoding import b64url_encode
from pico_didcomm.keys import KeyPair
from pico_didcomm.pack import pack_anoncrypt, pack_authcrypt, pack_signed
from pico_didcomm.wallet import Wallet
from pico_node.entropy import SystemEntropy
from tests.didcomm.oracles.oracle import Oracle, missing

BODY_BYTES = 200
NOW_MS = 1_700_000_000_000
ENTROPY = SystemEntropy()
Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class World:
    """Two parties who know each other."""

    alice: ChannelIdentity
    bob: ChannelIdentity
    resolver: Resolver
    message: Message

    def document(self, identity: ChannelIdentity) -> DidDocument:
        return self.resolver.resolve(identity.did)

    def pairs(self, identity: ChannelIdentity) -> list[KeyPair]:
        return [identity.signing_key(identity.did).pair, identity.agreement_key(identity.did).pair]

    def wallet(self, identity: ChannelIdentity) -> Wallet:
        wallet = Wallet()
        wallet.add(self.document(identity), self.pairs(identity))
        return wallet

    def for_oracles(self) -> dict[str, Any]:
        """The documents and secrets with JWKs, which all libraries read."""
        documents, secrets = [], {}
        for identity in (self.alice, self.bob):
            kids = [f"{identity.did}#key-1", f"{identity.did}#key-2"]
            methods = []
            for kid, pair in zip(kids, self.pairs(identity), strict=True):
                jwk = pair.public_key.jwk()
                methods.append(
                    {"id": kid, "type": "JsonWebKey2020", "controller": identity.did, "publicKeyJwk": jwk}
                )
                secrets[kid] = jwk | {"d": b64url_encode(pair.private)}
            documents.append(
                {
                    "id": identity.did,
                    "verificationMethod": methods,
                    "authentication": kids[:1],
                    "keyAgreement": kids[1:],
                }
            )
        return {"documents": documents, "secrets": secrets}


def make_world() -> World:
    alice, bob = make_channel_identity(ENTROPY), make_channel_identity(ENTROPY)
    resolver = Resolver()
    for identity in (alice, bob):
        resolver.learn(identity.long_did)
    text = "x" * (BODY_BYTES - len(json.dumps({"text": ""}, separators=(",", ":"))))
    message = Message(
        "0f5a8c7e-5d1c-4f0e-9d0f-2f6a0d1c7b11",
        "https://example.org/greeting/1.0/hello",
        {"text": text},
        from_=alice.did,
        to=(bob.did,),
    )
    return World(alice, bob, resolver, message)


def works(world: World) -> dict[str, tuple[Work, int]]:
    """Name -> one message packed and unpacked, and its size."""
    resolver, message = world.resolver, world.message
    alice, bob = world.wallet(world.alice), world.wallet(world.bob)
    at_alice, at_bob = (
        PairChannel(world.alice, world.bob.long_did),
        PairChannel(world.bob, world.alice.long_did),
    )
    to_bob = world.document(world.bob)

    def channel() -> bytes:
        return at_alice.pack(message, ENTROPY)

    def authcrypt() -> bytes:
        return pack_authcrypt(message, alice, to_bob, ENTROPY)

    def anoncrypt() -> bytes:
        return pack_anoncrypt(message, to_bob, ENTROPY)

    def signed() -> bytes:
        return pack_signed(message, alice)

    def opened(pack: Callable[[], bytes]) -> Work:
        return lambda: unpack(pack(), bob, resolver, NOW_MS)

    return {
        "channel": (lambda: at_bob.unpack(channel(), NOW_MS), len(channel())),
        **{pack.__name__: (opened(pack), len(pack())) for pack in (authcrypt, anoncrypt, signed)},
    }


def per_cpu_s(work: Work, seconds: float) -> float:
    """How often `work` is done in a second of CPU: the best of three stretches."""
    best = 0.0
    for _ in range(3):
        count, began = 0, time.process_time()
        while (spent := time.process_time() - began) < seconds / 3:
            work()
            count += 1
        best = max(best, count / spent)
    return best


def asked(world: World) -> dict[str, dict[str, Any]]:
    """What the other libraries are told to do, by the name of what we do."""
    kid = {"sender": world.alice.did + "#key-2", "signer": world.alice.did + "#key-1"}
    message, to = world.message.to_dict(), world.bob.did
    return {
        "authcrypt": {"kind": "authcrypt", "message": message, "to": to, "sender": kid["sender"]},
        "anoncrypt": {"kind": "anoncrypt", "message": message, "to": to},
        "signed": {"kind": "signed", "message": message, "signer": kid["signer"]},
    }


OTHERS = {"sicpa": "SICPA's Python", "didcomm-node": "didcomm-node"}


async def run(options: Options) -> Mapping[str, float]:
    world = make_world()
    ours = works(world)
    rounds, seconds = int(options.pick(3, 7)), options.pick(0.5, 1.0)
    running: dict[str, Oracle] = {}
    for name in OTHERS:
        if (reason := missing(name)) is not None:
            say(f"  {name} is left out: {reason}")
            continue
        running[name] = Oracle(name)
        running[name].ask("world", **world.for_oracles())
    measured: dict[tuple[str, str], list[float]] = {}
    sizes: dict[tuple[str, str], int] = {("ours", kind): size for kind, (_, size) in ours.items()}
    for _ in range(rounds):
        for kind, (work, _) in ours.items():
            measured.setdefault(("ours", kind), []).append(per_cpu_s(work, seconds))
        for name, oracle in running.items():
            for kind, command in asked(world).items():
                found = oracle.ask("time", seconds=seconds, **command)
                measured.setdefault((name, kind), []).append(found["pairs_per_cpu_s"])
                sizes[name, kind] = found["bytes"]
    for oracle in running.values():
        oracle.close()
    table(
        [
            (f"{OTHERS.get(who, who)} {kind}", f"{median(found):9,.0f} pairs/CPU s, {sizes[who, kind]:,} B")
            for (who, kind), found in measured.items()
        ]
    )
    return figures(measured, sizes)


def figures(
    measured: Mapping[tuple[str, str], list[float]], sizes: Mapping[tuple[str, str], int]
) -> dict[str, float]:
    found: dict[str, float] = {"wire_bytes_200": sizes["ours", "channel"]}

    def compare(figure: str, kind: str, who: str, other: str) -> None:
        if (who, other) in measured:
            pairs = zip(measured["ours", kind], measured[who, other], strict=True)
            found[figure] = median([mine / theirs for mine, theirs in pairs])

    for who, suffix in (("sicpa", "sicpa"), ("didcomm-node", "didcomm_node")):
        compare(f"authcrypt_channel_over_{suffix}", "channel", who, "authcrypt")
        compare(f"authcrypt_stateless_over_{suffix}", "authcrypt", who, "authcrypt")
        compare(f"anoncrypt_over_{suffix}", "anoncrypt", who, "anoncrypt")
        compare(f"signed_over_{suffix}", "signed", who, "signed")
    return found


if __name__ == "__main__":
    main(run)
