"""Peer ids: an Ed25519 public key spelled the way libp2p does."""

from __future__ import annotations

import base58
from nacl.signing import SigningKey

from pico_node.peers.errors import BadAddress

# libp2p peer id specification: identity multihash (00, 36 bytes) of the protobuf PublicKey{Ed25519, 32 bytes}
_ED25519_PREFIX = bytes.fromhex("002408011220")

_IDENTITY, _SHA2_256 = 0x00, 0x12  # multihash codes: short keys are their own hash, RSA keys are hashed


def peer_id_of_key(public_key: bytes) -> str:
    """The peer id of an Ed25519 public key (a pure re-encoding)."""
    if len(public_key) != 32:
        raise ValueError("an Ed25519 public key has 32 bytes")
    return base58.b58encode(_ED25519_PREFIX + public_key).decode("ascii")


def peer_id_of_seed(seed: bytes) -> str:
    """The peer id of the node whose Ed25519 key has this seed."""
    return peer_id_of_key(bytes(SigningKey(seed).verify_key))


def key_of_peer_id(peer_id: str) -> bytes:
    """The Ed25519 public key behind a peer id. Raises BadAddress when there is none in it."""
    try:
        raw = base58.b58decode(peer_id)
    except ValueError:
        raise BadAddress(f"{peer_id[:80]!r} is not a peer id") from None
    if not raw.startswith(_ED25519_PREFIX) or len(raw) != len(_ED25519_PREFIX) + 32:
        raise BadAddress(f"{peer_id[:80]!r} is not the peer id of an Ed25519 key")
    return raw[len(_ED25519_PREFIX) :]


def check_peer_id(peer_id: str) -> None:
    """Raises BadAddress when this is no peer id of any kind; other people's agents may have other keys."""
    try:
        raw = base58.b58decode(peer_id)
    except ValueError:
        raw = b""
    if len(raw) < 3 or raw[0] not in (_IDENTITY, _SHA2_256) or raw[1] != len(raw) - 2:
        raise BadAddress(f"{peer_id[:80]!r} is not a peer id")
