"""Key pairs and what is done with them: sign, verify, agree; keys as multibase, JWK and libp2p peer id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import nacl.bindings as sodium
import nacl.exceptions

from pico_didcomm.curves import CURVES, Curve, x25519
from pico_didcomm.encoding import (
    Entropy,
    b58decode,
    b58encode,
    b64url_decode,
    b64url_encode,
    multibase_decode,
    multibase_encode,
    varint_decode,
    varint_encode,
)
from pico_didcomm.errors import BadEncoding, BadKey, UnsupportedDid

__all__ = [
    "CURVES",
    "SEED_BYTES",
    "Curve",
    "KeyPair",
    "NamedKey",
    "Party",
    "PublicKey",
    "Secrets",
    "agree",
    "ed25519_from_peer_id",
    "generate_key_pair",
    "key_pair",
    "key_pair_from_jwk",
    "peer_id_from_ed25519",
    "public_key_from_jwk",
    "public_key_from_multibase",
    "sign",
    "verify",
    "x25519",
    "x25519_from_ed25519",
    "x25519_public_from_ed25519",
]

SEED_BYTES: Final = 32
"""Of Ed25519 and X25519: what this package's own identities keep of a key."""

_BY_MULTICODEC: Final = {curve.multicodec: curve for curve in CURVES.values()}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: raw bytes as the multicodec table defines them for its curve (`curves`)."""

    curve: str
    data: bytes

    def multibase(self) -> str:
        """The `publicKeyMultibase` form: `z6Mk...` for Ed25519, `z6LS...` for X25519, `zDn...` for P-256."""
        return multibase_encode(varint_encode(CURVES[self.curve].multicodec) + self.data)

    def jwk(self) -> dict[str, str]:
        """The public JWK (RFC 8037; RFC 7518, 6.2; RFC 8812). BadKey if it is no point of the curve."""
        curve = CURVES[self.curve]
        x, y = curve.coordinates(self.data)
        jwk = {"kty": curve.kty, "crv": self.curve, "x": b64url_encode(x)}
        return jwk | {"y": b64url_encode(y)} if y else jwk


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key with its public half; `private` as `curves` defines it (Ed25519: the 32-byte seed)."""

    curve: str
    public: bytes
    private: bytes = field(repr=False)

    @property
    def public_key(self) -> PublicKey:
        """The half that may be shown."""
        return PublicKey(self.curve, self.public)


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A key pair under the id by which a DID document names it: `kid` is a DID URL with a fragment."""

    kid: str
    pair: KeyPair


class Party(Protocol):
    """Who can sign and encrypt under a DID: `ChannelIdentity`, `PicoIdentity`, `Wallet`."""

    def signing_key(self, did: str) -> NamedKey:
        """The key to sign with as `did`, which may be the long or short form of this party's DID."""
        ...

    def agreement_keys(self, did: str) -> Sequence[NamedKey]:
        """The keys to encrypt with as `did`, best first; at least one."""
        ...


class Secrets(Protocol):
    """Finds private keys for `unpack`."""

    def find(self, kid: str) -> KeyPair | None:
        """The key pair that `kid` names, None if it is not held here.

        A did:peer:4 arrives in its short form always (`canonical_did`), so one entry per key is enough.
        """
        ...


# -- making and using keys ------------------------------------------------------------------------


def key_pair(curve: str, private: bytes) -> KeyPair:
    """The key pair of a private key: a 32-byte seed, or a big-endian scalar of the curve's size.

    BadKey for a wrong length, for zero, and for a scalar that is not below the curve's order.
    """
    row = CURVES[curve]
    if len(private) != row.private_bytes:
        raise BadKey(f"a private {curve} key is {row.private_bytes} bytes long, not {len(private)}")
    return KeyPair(curve, row.public_of(private), private)


def generate_key_pair(curve: str, entropy: Entropy) -> KeyPair:
    """A fresh key pair, which one draw of entropy determines."""
    row = CURVES[curve]
    return key_pair(curve, row.generate(entropy(row.seed_bytes)))


def sign(pair: KeyPair, text: bytes) -> bytes:
    """The signature of `text`."""
    signer = CURVES[pair.curve].sign
    if signer is None:
        raise BadKey(f"a {pair.curve} key does not sign")
    return signer(pair.private, pair.public, text)


def verify(key: PublicKey, signature: bytes, text: bytes) -> None:
    """Returns when `signature` is `key`'s over `text`, raises BadSignature otherwise."""
    verifier = CURVES[key.curve].verify
    if verifier is None:
        raise BadKey(f"a {key.curve} key does not verify signatures")
    verifier(key.data, signature, text)


def agree(pair: KeyPair, key: PublicKey) -> bytes:
    """The secret that the holders of both keys share."""
    agreement = CURVES[pair.curve].agree
    if agreement is None or key.curve != pair.curve:
        raise BadKey(f"no key agreement between {pair.curve} and {key.curve}")
    return agreement(pair.private, key.data)


def x25519_from_ed25519(pair: KeyPair) -> KeyPair:
    """The X25519 pair that shares the Ed25519 pair's secret, as did:key derives it."""
    if pair.curve != "Ed25519":
        raise BadKey("only an Ed25519 key converts to X25519")
    private = sodium.crypto_sign_ed25519_sk_to_curve25519(pair.private + pair.public)
    return KeyPair("X25519", x25519_public_from_ed25519(pair.public), private)


def x25519_public_from_ed25519(public: bytes) -> bytes:
    """The X25519 public key of an Ed25519 public key; fails for bytes that are no point of the curve."""
    if len(public) != 32:
        raise BadKey("an Ed25519 public key is 32 bytes long")
    try:
        return bytes(sodium.crypto_sign_ed25519_pk_to_curve25519(public))
    except nacl.exceptions.CryptoError as error:
        raise BadKey("not an Ed25519 public key") from error


# -- public keys as text --------------------------------------------------------------------------


def public_key_from_multibase(text: str) -> PublicKey:
    """Reads a `publicKeyMultibase`; UnsupportedDid when its curve has no row in the table."""
    codec, data = varint_decode(multibase_decode(text))
    curve = _BY_MULTICODEC.get(codec)
    if curve is None:
        raise UnsupportedDid(f"keys of multicodec {codec:#x} are not understood")
    if len(data) != curve.public_bytes:
        raise BadKey(f"{len(data)} bytes are no {curve.name} key")
    curve.coordinates(data)  # refuses what is not on the curve
    return PublicKey(curve.name, data)


def public_key_from_jwk(jwk: Mapping[str, Any]) -> PublicKey:
    """Reads a public JWK; UnsupportedDid when its curve has no row in the table.

    BadKey for coordinates that are longer than the curve's, or that are no point of it.
    """
    curve = CURVES.get(crv) if isinstance(crv := jwk.get("crv"), str) else None
    if curve is None or jwk.get("kty") != curve.kty:
        raise UnsupportedDid("a JWK of a type or curve that is not understood")
    y = _jwk_bytes(jwk, "y") if curve.kty == "EC" else b""
    return PublicKey(curve.name, curve.from_coordinates(_jwk_bytes(jwk, "x"), y))


def key_pair_from_jwk(jwk: Mapping[str, Any]) -> KeyPair:
    """Reads a private JWK, whose public half must belong to it."""
    public = public_key_from_jwk(jwk)
    pair = key_pair(public.curve, _jwk_bytes(jwk, "d"))
    if pair.public_key != public:
        raise BadKey("a private JWK whose public half belongs to another key")
    return pair


def _jwk_bytes(jwk: Mapping[str, Any], member: str) -> bytes:
    text = jwk.get(member)
    if not isinstance(text, str):
        raise BadKey(f"a JWK without {member}")
    return b64url_decode(text)


# -- libp2p peer ids ------------------------------------------------------------------------------

# identity multihash (00, 36 bytes) of the protobuf PublicKey{type: Ed25519 (08 01), data (12 20 ...)}
_PEER_ID_PREFIX: Final = bytes.fromhex("002408011220")


def peer_id_from_ed25519(public: bytes) -> str:
    """The libp2p peer id (`12D3Koo...`) that spells an Ed25519 public key."""
    if len(public) != 32:
        raise BadKey("an Ed25519 public key is 32 bytes long")
    return b58encode(_PEER_ID_PREFIX + public)


def ed25519_from_peer_id(peer_id: str) -> bytes:
    """The Ed25519 public key that a libp2p peer id spells."""
    raw = b58decode(peer_id)
    if len(raw) != len(_PEER_ID_PREFIX) + 32 or not raw.startswith(_PEER_ID_PREFIX):
        raise BadEncoding("not the libp2p peer id of an Ed25519 key")
    return raw[len(_PEER_ID_PREFIX) :]
