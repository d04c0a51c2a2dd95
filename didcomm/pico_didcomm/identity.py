"""Identities we make: a pico's did:key, and a did:peer:4 of its own for every channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from pico_didcomm.did.document import canonical_did
from pico_didcomm.did.key import make_did_key
from pico_didcomm.did.peer4 import peer_4_of_json
from pico_didcomm.encoding import Entropy
from pico_didcomm.errors import BadDid, SenderMismatch
from pico_didcomm.keys import SEED_BYTES, KeyPair, NamedKey, PublicKey, key_pair, x25519_from_ed25519

SIGNING_FRAGMENT: Final = "#key-1"
AGREEMENT_FRAGMENT: Final = "#key-2"


def locator_service(pico_did: str) -> dict[str, Any]:
    """The service entry that says which pico (or alias of it) a channel's messages are for."""
    return {"type": "PicoLocator", "serviceEndpoint": {"uri": pico_did}}


@dataclass(frozen=True, slots=True)
class ChannelIdentity:
    """A channel's DID with its secrets. `did` is the 57-character short form: the ECI."""

    did: str
    long_did: str
    signing_seed: bytes = field(repr=False)
    agreement_seed: bytes = field(repr=False)

    @classmethod
    def from_seeds(cls, signing_seed: bytes, agreement_seed: bytes, long_did: str) -> ChannelIdentity:
        """An identity as it was stored. Nothing is computed: the caller's store vouches for the three."""
        short = canonical_did(long_did)
        if short == long_did or len(signing_seed) != SEED_BYTES or len(agreement_seed) != SEED_BYTES:
            raise BadDid("not the long form and the two seeds of a channel identity")
        return cls(short, long_did, signing_seed, agreement_seed)

    def signing_key(self, did: str) -> NamedKey:
        """The Ed25519 key, named under `did`, the long or the short form."""
        self._check(did)
        return NamedKey(did + SIGNING_FRAGMENT, key_pair("Ed25519", self.signing_seed))

    def agreement_key(self, did: str) -> NamedKey:
        """The X25519 key, named under `did`, the long or the short form."""
        self._check(did)
        return NamedKey(did + AGREEMENT_FRAGMENT, key_pair("X25519", self.agreement_seed))

    def agreement_keys(self, did: str) -> Sequence[NamedKey]:
        """The one that there is, as `Party`."""
        return [self.agreement_key(did)]

    def find(self, kid: str) -> KeyPair | None:
        """Makes one identity usable as `Secrets`."""
        did, _, fragment = kid.partition("#")
        if canonical_did(did) != self.did or fragment != AGREEMENT_FRAGMENT[1:]:
            return None
        return key_pair("X25519", self.agreement_seed)

    def _check(self, did: str) -> None:
        if did not in (self.did, self.long_did):
            raise SenderMismatch("a message in the name of another DID than the identity's own")


def make_channel_identity(entropy: Entropy, services: Sequence[dict[str, Any]] = ()) -> ChannelIdentity:
    """A fresh identity; `services` go into its document, named `#service`, `#service-1` if without id."""
    signing_seed, agreement_seed = entropy(SEED_BYTES), entropy(SEED_BYTES)
    document = channel_document(
        key_pair("Ed25519", signing_seed).public_key,
        key_pair("X25519", agreement_seed).public_key,
        services,
    )
    short, long_did = peer_4_of_json(document)
    return ChannelIdentity(short, long_did, signing_seed, agreement_seed)


def channel_document(
    signing: PublicKey, agreement: PublicKey, services: Sequence[dict[str, Any]] = ()
) -> bytes:
    """The JSON inside a channel's did:peer:4.

    It has no `@context`, which plain JSON does not need (DID core 6.2): every character of it would
    stand in the long form, and so in every invitation's QR code.
    """
    document: dict[str, Any] = {
        "verificationMethod": [
            {"id": SIGNING_FRAGMENT, "type": "Multikey", "publicKeyMultibase": signing.multibase()},
            {"id": AGREEMENT_FRAGMENT, "type": "Multikey", "publicKeyMultibase": agreement.multibase()},
        ],
        "authentication": [SIGNING_FRAGMENT],
        "keyAgreement": [AGREEMENT_FRAGMENT],
    }
    if services:
        document["service"] = [
            service if "id" in service else {"id": "#service" if i == 0 else f"#service-{i}", **service}
            for i, service in enumerate(services)
        ]
    return orjson.dumps(document)


@dataclass(frozen=True, slots=True)
class PicoIdentity:
    """A pico's own DID (`did:key:z6Mk...`) with its seed."""

    did: str
    seed: bytes = field(repr=False)

    def signing_key(self, did: str) -> NamedKey:
        """The Ed25519 key."""
        self._check(did)
        return NamedKey(f"{did}#{did.removeprefix('did:key:')}", key_pair("Ed25519", self.seed))

    def agreement_key(self, did: str) -> NamedKey:
        """The X25519 key derived from it, as did:key defines."""
        self._check(did)
        pair = x25519_from_ed25519(key_pair("Ed25519", self.seed))
        return NamedKey(f"{did}#{pair.public_key.multibase()}", pair)

    def agreement_keys(self, did: str) -> Sequence[NamedKey]:
        """The one that there is, as `Party`."""
        return [self.agreement_key(did)]

    def find(self, kid: str) -> KeyPair | None:
        """Makes one identity usable as `Secrets`."""
        if kid.partition("#")[0] != self.did:
            return None
        key = self.agreement_key(self.did)
        return key.pair if key.kid == kid else None

    def _check(self, did: str) -> None:
        if did != self.did:
            raise SenderMismatch("a message in the name of another DID than the identity's own")


def make_pico_identity(entropy: Entropy) -> PicoIdentity:
    """A fresh pico identity."""
    return pico_identity_from_seed(entropy(SEED_BYTES))


def pico_identity_from_seed(seed: bytes) -> PicoIdentity:
    """The pico identity that `seed` determines."""
    return PicoIdentity(make_did_key(key_pair("Ed25519", seed).public_key), seed)
