"""DIDComm v2: DIDs, envelopes, messages and protocols; knows no pico and does no I/O."""

from pico_didcomm.did.document import DidDocument, canonical_did, canonical_kid
from pico_didcomm.did.resolver import Resolver
from pico_didcomm.encoding import Entropy
from pico_didcomm.errors import DidcommError
from pico_didcomm.identity import (
    ChannelIdentity,
    PicoIdentity,
    locator_service,
    make_channel_identity,
    make_pico_identity,
    pico_identity_from_seed,
)
from pico_didcomm.keys import KeyPair, Party, Secrets, ed25519_from_peer_id, peer_id_from_ed25519
from pico_didcomm.message import Attachment, Message
from pico_didcomm.pack import (
    pack_anoncrypt,
    pack_anoncrypt_authcrypt,
    pack_authcrypt,
    pack_signed,
    pack_signed_anoncrypt,
)
from pico_didcomm.unpack import Unpacked, recipients_of, unpack

__all__ = [
    "Attachment",
    "ChannelIdentity",
    "DidDocument",
    "DidcommError",
    "Entropy",
    "KeyPair",
    "Message",
    "Party",
    "PicoIdentity",
    "Resolver",
    "Secrets",
    "Unpacked",
    "canonical_did",
    "canonical_kid",
    "ed25519_from_peer_id",
    "locator_service",
    "make_channel_identity",
    "make_pico_identity",
    "pack_anoncrypt",
    "pack_anoncrypt_authcrypt",
    "pack_authcrypt",
    "pack_signed",
    "pack_signed_anoncrypt",
    "peer_id_from_ed25519",
    "pico_identity_from_seed",
    "recipients_of",
    "unpack",
]
