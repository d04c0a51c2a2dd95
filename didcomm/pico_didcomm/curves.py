"""The table of elliptic curves: how keys on each are made, sign, verify and agree.

Ed25519 and X25519 are libsodium's, the curves of NIST and SECG OpenSSL's. Public keys are the bytes that the
multicodec table defines: 32 for the first two, a compressed point (SEC 1, section 2.3.3) for the others.
Private keys are the 32-byte seed of Ed25519 and X25519, the big-endian scalar of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import nacl.bindings as sodium
import nacl.exceptions
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pico_didcomm.errors import BadKey, BadSignature


@dataclass(frozen=True, slots=True)
class Curve:
    """A row of the table: JWK names, multicodec, sizes in bytes, and operations.

    `generate` gives the private key that a seed of `seed_bytes` determines; `public_of` its public key,
    BadKey for bytes that are no private key. `coordinates` gives the `x` and `y` of a JWK (`y` is empty where
    a key is one number), `from_coordinates` reads them; both raise BadKey for what is no point of the curve.
    """

    name: str
    kty: str
    multicodec: int
    public_bytes: int
    private_bytes: int
    seed_bytes: int
    generate: Callable[[bytes], bytes]
    public_of: Callable[[bytes], bytes]
    coordinates: Callable[[bytes], tuple[bytes, bytes]]
    from_coordinates: Callable[[bytes, bytes], bytes]
    sign: Callable[[bytes, bytes, bytes], bytes] | None = None  # (private, public, text) -> signature
    verify: Callable[[bytes, bytes, bytes], None] | None = None  # (public, signature, text)
    agree: Callable[[bytes, bytes], bytes] | None = None  # (private, public) -> shared secret


# -- Ed25519 and X25519 ---------------------------------------------------------------------------


def _ed25519_public(seed: bytes) -> bytes:
    return bytes(sodium.crypto_sign_seed_keypair(seed)[0])


def _ed25519_sign(private: bytes, public: bytes, text: bytes) -> bytes:
    return bytes(sodium.crypto_sign(text, private + public)[:64])


def _ed25519_verify(public: bytes, signature: bytes, text: bytes) -> None:
    if len(signature) != 64 or len(public) != 32:
        raise BadSignature("a signature of the wrong length")
    try:
        sodium.crypto_sign_open(signature + text, public)
    except nacl.exceptions.CryptoError as error:
        raise BadSignature from error


def _x25519_public(private: bytes) -> bytes:
    return bytes(sodium.crypto_scalarmult_base(private))


def x25519(private: bytes, public: bytes) -> bytes:
    """The shared secret. A public key of low order, which would make it the same for everybody, fails."""
    if len(private) != 32 or len(public) != 32:  # the binding reads 32 bytes whatever it is given
        raise BadKey("an X25519 key is 32 bytes long")
    try:
        return bytes(sodium.crypto_scalarmult(private, public))
    except nacl.exceptions.CryptoError as error:
        raise BadKey("an X25519 public key of low order") from error


def _one_number(public: bytes) -> tuple[bytes, bytes]:
    return public, b""


def _from_one_number(x: bytes, y: bytes) -> bytes:
    if y or len(x) != 32:
        raise BadKey("an Ed25519 or X25519 key is one number of 32 bytes")
    return x


# -- the curves of NIST and SECG ------------------------------------------------------------------


class _Weierstrass:
    """Operations on one curve y² = x³ + ax + b, all of cofactor 1: a point of the curve is a good key."""

    def __init__(self, curve: ec.EllipticCurve, order: int) -> None:
        self.curve = curve
        self.order = order
        self.size = (curve.key_size + 7) // 8
        # 64 bits more than the order make every scalar equally likely (FIPS 186-5, A.2.1)
        self.seed_bytes = self.size + 8

    def generate(self, seed: bytes) -> bytes:
        scalar = int.from_bytes(seed, "big") % (self.order - 1) + 1
        return scalar.to_bytes(self.size, "big")

    def public_of(self, private: bytes) -> bytes:
        return self._compressed(self._private(private).public_key())

    def coordinates(self, public: bytes) -> tuple[bytes, bytes]:
        numbers = self._public(public).public_numbers()
        return numbers.x.to_bytes(self.size, "big"), numbers.y.to_bytes(self.size, "big")

    def from_coordinates(self, x: bytes, y: bytes) -> bytes:
        # RFC 7518, 6.2.1.2, wants the full size of the field; Authlib, and with it SICPA's library, leaves
        # out leading zeros. The number is the same, so shorter ones are read.
        if not 0 < len(x) <= self.size or not 0 < len(y) <= self.size:
            raise BadKey(f"a coordinate of a {self.curve.name} key is {self.size} bytes long")
        return self._compressed(self._decode(b"\x04" + x.rjust(self.size, b"\0") + y.rjust(self.size, b"\0")))

    def agree(self, private: bytes, public: bytes) -> bytes:
        return self._private(private).exchange(ec.ECDH(), self._public(public))

    def sign(self, private: bytes, _public: bytes, text: bytes) -> bytes:
        """Deterministic (RFC 6979): a bad random number cannot give the key away."""
        algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        r, s = decode_dss_signature(self._private(private).sign(text, algorithm))
        # of the two values that verify, the smaller: libraries for secp256k1 refuse the other one
        s = min(s, self.order - s)
        return r.to_bytes(self.size, "big") + s.to_bytes(self.size, "big")

    def verify(self, public: bytes, signature: bytes, text: bytes) -> None:
        if len(signature) != 2 * self.size:
            raise BadSignature("a signature of the wrong length")
        r, s = (int.from_bytes(part, "big") for part in (signature[: self.size], signature[self.size :]))
        try:
            self._public(public).verify(encode_dss_signature(r, s), text, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as error:
            raise BadSignature from error

    def _private(self, private: bytes) -> ec.EllipticCurvePrivateKey:
        scalar = int.from_bytes(private, "big")
        if len(private) != self.size or not 0 < scalar < self.order:
            raise BadKey(f"not a private key of {self.curve.name}")
        return ec.derive_private_key(scalar, self.curve)

    def _public(self, public: bytes) -> ec.EllipticCurvePublicKey:
        if len(public) != self.size + 1 or public[0] not in (2, 3):
            raise BadKey(f"not a compressed point of {self.curve.name}")
        return self._decode(public)

    def _decode(self, point: bytes) -> ec.EllipticCurvePublicKey:
        """Refuses what is not on the curve, and the point at infinity."""
        try:
            return ec.EllipticCurvePublicKey.from_encoded_point(self.curve, point)
        except ValueError as error:
            raise BadKey(f"not a point of the curve {self.curve.name}") from error

    @staticmethod
    def _compressed(key: ec.EllipticCurvePublicKey) -> bytes:
        return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def _row(name: str, multicodec: int, curve: ec.EllipticCurve, order: int, *uses: str) -> Curve:
    on = _Weierstrass(curve, order)
    return Curve(
        name,
        "EC",
        multicodec,
        on.size + 1,
        on.size,
        on.seed_bytes,
        on.generate,
        on.public_of,
        on.coordinates,
        on.from_coordinates,
        on.sign if "sign" in uses else None,
        on.verify if "sign" in uses else None,
        on.agree if "agree" in uses else None,
    )


# Orders: SEC 2, sections 2.4.1 (k1, r1), 2.5.1 and 2.6.1.
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P384_ORDER: Final = int(
    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16
)
_P521_ORDER: Final = int(
    "1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA"
    "51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
    16,
)
_K256_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

CURVES: Final[Mapping[str, Curve]] = {
    "Ed25519": Curve(
        "Ed25519",
        "OKP",
        0xED,
        32,
        32,
        32,
        bytes,
        _ed25519_public,
        _one_number,
        _from_one_number,
        _ed25519_sign,
        _ed25519_verify,
    ),
    "X25519": Curve(
        "X25519",
        "OKP",
        0xEC,
        32,
        32,
        32,
        bytes,
        _x25519_public,
        _one_number,
        _from_one_number,
        agree=x25519,
    ),
    "P-256": _row("P-256", 0x1200, ec.SECP256R1(), _P256_ORDER, "sign", "agree"),
    "P-384": _row("P-384", 0x1201, ec.SECP384R1(), _P384_ORDER, "agree"),
    "P-521": _row("P-521", 0x1202, ec.SECP521R1(), _P521_ORDER, "agree"),
    "secp256k1": _row("secp256k1", 0xE7, ec.SECP256K1(), _K256_ORDER, "sign"),
}
"""By JWK name. P-384, P-521 and secp256k1 do here what DIDComm v2.1 lets them do, and nothing else."""
