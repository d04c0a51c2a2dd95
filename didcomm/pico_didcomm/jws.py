"""JSON Web Signatures as DIDComm uses them: general and flattened JSON, and detached for invitations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from pico_didcomm.encoding import (
    JsonObject,
    b64url_decode,
    b64url_encode,
    json_bytes,
    strict_json_object,
)
from pico_didcomm.errors import BadEnvelope, BadSignature, LimitExceeded, UnsupportedAlgorithm
from pico_didcomm.keys import NamedKey, PublicKey, sign, verify

SIGNED_TYPES: Final = ("application/didcomm-signed+json", "didcomm-signed+json", "JWM")
"""`typ` of a signed message; the last one is that of the specification's example (Message Signing)."""

ALGORITHMS: Final[Mapping[str, str]] = {"EdDSA": "Ed25519", "ES256": "P-256", "ES256K": "secp256k1"}
"""Signature algorithm -> the curve of its key."""
_ALGORITHM_OF_CURVE: Final = {curve: name for name, curve in ALGORITHMS.items()}

HEADER_CHARS_KEPT_MAX: Final = 1024
"""Longer protected headers are not kept; those of did:peer:4 short forms have about 200 characters."""

SIGNATURES_MAX: Final = 8
"""Signatures on one message; each costs its reader a verification of about 0.1 ms."""


_new = tuple.__new__
"""Makes a named tuple in less than half the time."""


class Signature(NamedTuple):
    """One signature: who is said to have made it, and what is needed to check that."""

    kid: str
    algorithm: str
    protected: str
    signature: bytes

    def check(self, key: PublicKey, payload: str) -> None:
        """Returns when it is `key`'s signature over the base64url text `payload`."""
        if ALGORITHMS[self.algorithm] != key.curve:
            raise BadSignature(f"an {self.algorithm} signature under a {key.curve} key")
        verify(key, self.signature, f"{self.protected}.{payload}".encode("ascii"))


class Jws(NamedTuple):
    """A signed message, taken apart; nothing is verified yet."""

    payload: str
    payload_bytes: bytes
    signatures: tuple[Signature, ...]


def is_jws(raw: JsonObject) -> bool:
    """Whether a JSON object is meant as a JWS."""
    return "payload" in raw


_GENERAL: Final = frozenset(("payload", "signatures"))
_ROW: Final = frozenset(("protected", "header", "signature"))
_FLATTENED: Final = _ROW | {"payload"}


def parse_jws(raw: JsonObject) -> Jws:
    """Reads the general or the flattened form."""
    payload = raw.get("payload")
    if not isinstance(payload, str):
        raise BadEnvelope("a JWS whose payload is not text")
    if "signatures" in raw:
        rows, known = raw["signatures"], _GENERAL
    else:
        rows, known = [{name: raw[name] for name in raw if name != "payload"}], _FLATTENED
    # Nothing signs what stands beside the signatures: a member nobody knows could be one that was changed.
    if not raw.keys() <= known:
        raise BadEnvelope("a JWS with members of both forms, or of none")
    if not isinstance(rows, list) or not rows:
        raise BadEnvelope("a JWS without signatures")
    if len(rows) > SIGNATURES_MAX:
        raise LimitExceeded(f"more than {SIGNATURES_MAX} signatures on one message")
    signatures = (_parse_signature(rows[0]),) if len(rows) == 1 else tuple(map(_parse_signature, rows))
    return _new(Jws, (payload, b64url_decode(payload), signatures))


def _parse_signature(row: object) -> Signature:
    if type(row) is not dict:
        raise BadEnvelope("a JWS signature that is not an object")
    if not row.keys() <= _ROW:
        raise BadEnvelope("a JWS signature with members that JWS does not know")
    protected, text = row.get("protected"), row.get("signature")
    if type(protected) is not str or type(text) is not str:
        raise BadEnvelope("a JWS signature without protected header or signature")
    header = read_protected(protected)
    kid = header.get("kid")
    if "header" in row:
        open_header = row["header"]
        if type(open_header) is not dict:
            raise BadEnvelope("a JWS header that is not an object")
        # RFC 7515 lets members move to the open header; a kid is all that DIDComm needs there.
        if open_header:
            if len(open_header) > 1 or "kid" not in open_header:
                raise BadEnvelope("a JWS whose open header holds more than kid")
            if kid != open_header["kid"] and "kid" in header:
                raise BadEnvelope("a JWS signature with two kids that differ")
            kid = open_header["kid"]
    if type(kid) is not str:
        raise BadEnvelope("a JWS signature without kid")
    return _new(Signature, (kid, header["alg"], protected, b64url_decode(text)))


def read_protected(protected: str, types: Sequence[str] = SIGNED_TYPES) -> Mapping[str, Any]:
    """The protected header of a signature, with everything refused that is not understood.

    `types` are the values that `typ` may have, if it is there: a signature made for something else is none.
    """
    header = _header_of(protected) if len(protected) <= HEADER_CHARS_KEPT_MAX else _read_header(protected)
    if "typ" in header and header["typ"] not in types:
        raise BadEnvelope(f"a JWS whose typ is not {types[0]}")
    return header


def _read_header(protected: str) -> Mapping[str, Any]:
    header = strict_json_object(b64url_decode(protected), "a JWS protected header")
    if "crit" in header or "b64" in header:
        raise UnsupportedAlgorithm("a JWS with crit or b64 headers")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise UnsupportedAlgorithm("a JWS with the algorithm " + ascii(algorithm)[:40])
    return MappingProxyType(header)


# All signatures of one key have one header: its text is read once. It is a pure function of the text.
_header_of = lru_cache(maxsize=128)(_read_header)


def make_jws(payload: bytes, keys: NamedKey | Sequence[NamedKey], *, flattened: bool = False) -> bytes:
    """A JWS with a signature by every key, in the general form, or for one key in the flattened form.

    The kid stands in both headers: software in use reads either, not always both.
    """
    keys = [keys] if isinstance(keys, NamedKey) else keys
    if not 0 < len(keys) <= (1 if flattened else SIGNATURES_MAX):
        raise LimitExceeded(f"a JWS has 1 to {SIGNATURES_MAX} signatures, a flattened one exactly 1")
    text = b64url_encode(payload)
    rows = []
    for key in keys:
        protected, signature = _sign(text, key, {"typ": SIGNED_TYPES[0], "kid": key.kid})
        rows.append({"protected": protected, "signature": signature, "header": {"kid": key.kid}})
    return json_bytes({"payload": text, **rows[0]} if flattened else {"payload": text, "signatures": rows})


def _sign(payload: str, key: NamedKey, header: dict[str, str]) -> tuple[str, str]:
    algorithm = _ALGORITHM_OF_CURVE.get(key.pair.curve)
    if algorithm is None:
        raise UnsupportedAlgorithm(f"{key.pair.curve} keys do not sign")
    protected = _written_header(algorithm, **header)
    return protected, b64url_encode(sign(key.pair, f"{protected}.{payload}".encode("ascii")))


@lru_cache(maxsize=128)
def _written_header(alg: str, **header: str) -> str:
    return b64url_encode(json_bytes({"alg": alg, **header}))


def detached_signature(payload: str, key: NamedKey, kid: str) -> str:
    """`protected..signature` (RFC 7515 appendix F) over a payload that is base64url text already."""
    protected, signature = _sign(payload, key, {"kid": kid})
    return f"{protected}..{signature}"


def parse_detached(text: str) -> Signature:
    """Reads `protected..signature`; the kid stands in the protected header."""
    protected, mark, signature = text.partition("..")
    if not mark:
        raise BadEnvelope("not a detached JWS")
    header = read_protected(protected)
    kid: Any = header.get("kid")
    if not isinstance(kid, str):
        raise BadEnvelope("a detached JWS without kid")
    return Signature(kid, header["alg"], protected, b64url_decode(signature))


def make_compact(payload: bytes, key: NamedKey, typ: str) -> str:
    """`protected.payload.signature` (RFC 7515, 7.1), as JWTs are written."""
    text = b64url_encode(payload)
    protected, signature = _sign(text, key, {"typ": typ, "kid": key.kid})
    return f"{protected}.{text}.{signature}"


def parse_compact(text: str, typ: str) -> Jws:
    """Reads `protected.payload.signature`; the kid stands in the protected header."""
    parts = text.split(".")
    if len(parts) != 3:
        raise BadEnvelope("not a compact JWS")
    protected, payload, signature = parts
    header = read_protected(protected, (typ,))
    kid: Any = header.get("kid")
    if not isinstance(kid, str):
        raise BadEnvelope("a compact JWS without kid")
    one = Signature(kid, header["alg"], protected, b64url_decode(signature))
    return Jws(payload, b64url_decode(payload), (one,))
