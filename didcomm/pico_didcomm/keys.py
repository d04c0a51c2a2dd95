"""Key pairs and what is done with them: sign, verify, agree; Ed25519 and X25519, one table row per curve."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import nacl.bindings as sodium
import nacl.exceptions

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
from pico_didcomm.errors import BadEncoding, BadKey, BadSignature, UnsupportedDid

SEED_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Curve:
    """A row of the table of curves: its JWK names, its multicodec, and its operations.

    `generate` makes (public, private) from a seed. A curve either signs or agrees.
    """

    name: str
    kty: str
    multicodec: int
    public_bytes: int
    generate: Callable[[bytes], tuple[bytes, bytes]]
    sign: Callable[[bytes, bytes, bytes], bytes] | None = None  # (private, public, text) -> signature
    verify: Callable[[bytes, bytes, bytes], None] | None = None  # (public, signature, text)
    agree: Callable[[bytes, bytes], bytes] | None = None  # (private, public) -> shared secret


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: raw bytes as the multicodec table defines them for its curve."""

    curve: str
    data: bytes

    def multibase(self) -> str:
        """The `publicKeyMultibase` form, `z6Mk...` for Ed25519 and `z6LS...` for X25519."""
        return multibase_encode(varint_encode(CURVES[self.curve].multicodec) + self.data)

    def jwk(self) -> dict[str, str]:
        """The public JWK (RFC 8037)."""
        return {"kty": CURVES[self.curve].kty, "crv": self.curve, "x": b64url_encode(self.data)}


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key with its public half. For Ed25519 `private` is the 32-byte seed."""

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
    """Who can sign and encrypt under a DID: `ChannelIdentity`, `PicoIdentity`, a wallet of another kind."""

    def signing_key(self, did: str) -> NamedKey:
        """The key to sign with as `did`, which may be the long or short form of this party's DID."""
        ...

    def agreement_key(self, did: str) -> NamedKey:
        """The key to encrypt with as `did`."""
        ...


class Secrets(Protocol):
    """Finds private keys for `unpack`."""

    def find(self, kid: str) -> KeyPair | None:
        """The key pair that `kid` names, None if it is not held here.

        A did:peer:4 arrives in its short form always (`canonical_did`), so one entry per key is enough.
        """
        ...


# -- Ed25519 and X25519 ---------------------------------------------------------------------------


def _ed25519_generate(seed: bytes) -> tuple[bytes, bytes]:
    return sodium.crypto_sign_seed_keypair(seed)[0], seed


def _ed25519_sign(private: bytes, public: bytes, text: bytes) -> bytes:
    return bytes(sodium.crypto_sign(text, private + public)[:64])


def _ed25519_verify(public: bytes, signature: bytes, text: bytes) -> None:
    if len(signature) != 64 or len(public) != 32:
        raise BadSignature("a signature of the wrong length")
    try:
        sodium.crypto_sign_open(signature + text, public)
    except nacl.exceptions.CryptoError as error:
        raise BadSignature from error


def _x25519_generate(seed: bytes) -> tuple[bytes, bytes]:
    return sodium.crypto_scalarmult_base(seed), seed


def x25519(private: bytes, public: bytes) -> bytes:
    """The shared secret. A public key of low order, which would make it the same for everybody, fails."""
    if len(private) != 32 or len(public) != 32:  # the binding reads 32 bytes whatever it is given
        raise BadKey("an X25519 key is 32 bytes long")
    try:
        return bytes(sodium.crypto_scalarmult(private, public))
    except nacl.exceptions.CryptoError as error:
        raise BadKey("an X25519 public key of low order") from error


CURVES: Final[Mapping[str, Curve]] = {
    "Ed25519": Curve("Ed25519", "OKP", 0xED, 32, _ed25519_generate, _ed25519_sign, _ed25519_verify),
    "X25519": Curve("X25519", "OKP", 0xEC, 32, _x25519_generate, agree=x25519),
}
_BY_MULTICODEC: Final = {curve.multicodec: curve for curve in CURVES.values()}


def key_pair(curve: str, seed: bytes) -> KeyPair:
    """The key pair that `seed` (32 bytes) determines."""
    if len(seed) != SEED_BYTES:
        raise BadKey(f"a seed is {SEED_BYTES} bytes long, not {len(seed)}")
    public, private = CURVES[curve].generate(seed)
    return KeyPair(curve, public, private)


def generate_key_pair(curve: str, entropy: Entropy) -> KeyPair:
    """A fresh key pair."""
    return key_pair(curve, entropy(SEED_BYTES))


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
    return PublicKey(curve.name, data)


def public_key_from_jwk(jwk: Mapping[str, Any]) -> PublicKey:
    """Reads a public JWK; UnsupportedDid when its curve has no row in the table."""
    curve = CURVES.get(crv) if isinstance(crv := jwk.get("crv"), str) else None
    if curve is None or jwk.get("kty") != curve.kty:
        raise UnsupportedDid("a JWK of a type or curve that is not understood")
    x = jwk.get("x")
    if not isinstance(x, str):
        raise BadKey("a JWK without x")
    data = b64url_decode(x)
    if len(data) != curve.public_bytes:
        raise BadKey(f"{len(data)} bytes are no {curve.name} key")
    return PublicKey(curve.name, data)


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
