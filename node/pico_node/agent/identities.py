"""Names of picos and channels, with keys: did:key, and did:peer:4 for the ends of connections."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Protocol

from pico_didcomm import ChannelIdentity, locator_service, make_channel_identity, make_pico_identity
from pico_didcomm.did.peer import make_peer_2, resolve_peer_2
from pico_didcomm.keys import Party, Secrets, key_pair
from pico_didcomm.pico_engine import make_identity
from pico_didcomm.wallet import Wallet
from pico_engine.identities import Entropy
from pico_engine.values import Json

Form = Literal["peer4", "peer2", "pico-engine"]
"""Of a connection channel's DID: short and ours; what most agents read; what the existing engine reads."""

SEED_BYTES: Final = 32


class Keys(Party, Secrets, Protocol):
    """Whoever signs, encrypts and decrypts for a channel."""


class DidcommIdentities:
    """Makes identities for the engine, and reads back what it kept of them."""

    def new_pico(self, entropy: Entropy) -> tuple[str, Json]:
        identity = make_pico_identity(entropy)
        return identity.did, {"seed": _text(identity.seed)}

    def new_channel(self, entropy: Entropy) -> tuple[str, Json]:
        return self.new_pico(entropy)

    def new_connection_channel(self, entropy: Entropy, pico: str) -> tuple[str, Json]:
        identity = make_channel_identity(entropy, [locator_service(pico)])
        secret = {
            "long": identity.long_did,
            "signing": _text(identity.signing_seed),
            "agreement": _text(identity.agreement_seed),
        }
        return identity.did, secret


def channel_identity(secret: Mapping[str, str]) -> ChannelIdentity:
    """The identity behind a connection channel's stored secret."""
    return ChannelIdentity.from_seeds(
        b64decode(secret["signing"]), b64decode(secret["agreement"]), secret["long"]
    )


def new_identity(
    entropy: Entropy, form: Form, services: Sequence[Mapping[str, Any]], url: str
) -> tuple[str, Json]:
    """The DID of a channel for an agent of another make, with its secret as `DidcommIdentities` makes them.

    `services` say where it is reached; the existing engine reads only one `url`.
    """
    if form == "peer4":
        identity = make_channel_identity(entropy, [dict(one) for one in services])
        signing, agreement = identity.signing_seed, identity.agreement_seed
        did, long_did = identity.did, identity.long_did
    else:
        agreement, signing = entropy(SEED_BYTES), entropy(SEED_BYTES)
        if form == "pico-engine":
            seeds = iter((agreement, signing))
            did, _ = make_identity(lambda _: next(seeds), url)
        else:
            keys = [("V", key_pair("Ed25519", signing)), ("E", key_pair("X25519", agreement))]
            did = make_peer_2([(use, pair.public_key) for use, pair in keys], services)
        long_did = did
    return did, {
        "long": long_did,
        "signing": _text(signing),
        "agreement": _text(agreement),
        "form": form,
    }


def keys_of(secret: Mapping[str, str]) -> Keys:
    """The keys behind the stored secret of any channel that talks DIDComm."""
    form = secret.get("form", "peer4")
    if form == "peer4":
        return channel_identity(secret)
    pairs = [
        key_pair(curve, b64decode(secret[name]))
        for curve, name in (("Ed25519", "signing"), ("X25519", "agreement"))
    ]
    wallet = Wallet()
    key_ids: Literal["numbered", "whole"] = "whole" if form == "pico-engine" else "numbered"
    wallet.add(resolve_peer_2(secret["long"], key_ids=key_ids), pairs)
    return wallet


def _text(seed: bytes) -> str:
    return b64encode(seed).decode()
