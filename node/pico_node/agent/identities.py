"""Names of picos and channels, with keys: did:key, and did:peer:4 for the ends of connections."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping

from pico_didcomm import ChannelIdentity, locator_service, make_channel_identity, make_pico_identity
from pico_engine.identities import Entropy
from pico_engine.values import Json


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


def _text(seed: bytes) -> str:
    return b64encode(seed).decode()
