"""The module `math`: rounding as lodash does, hashes, and texts as Base64."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from pico_engine.krl.conversion import js_number, js_string
from pico_engine.krl.counting import make, write
from pico_engine.krl.errors import KrlRuntimeError, type_error
from pico_engine.krl.modules.member import Member
from pico_engine.krl.numbers import number as kept
from pico_engine.krl.numbers import number_to_string
from pico_engine.krl.values import UNDEFINED, Run, Value, to_string, truth

# -- texts and bytes ----------------------------------------------------------------------------------------

_LONE_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_NO_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]")
_HEX_PAIRS: Final = re.compile(r"(?:[0-9A-Fa-f]{2})*")


def _utf8(text: str) -> bytes:
    return _LONE_SURROGATES.sub("\ufffd", text).encode()


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def _latin1(text: str) -> bytes:
    """The low byte of each UTF-16 unit."""
    return _utf16(text)[::2]


def _low_bytes(text: str) -> str:
    """What readers of hexadecimal digits and Base64 see of characters beyond U+00FF."""
    return text if text.isascii() else _latin1(text).decode("latin-1")


def _from_hex(text: str) -> bytes:
    pairs = _HEX_PAIRS.match(_low_bytes(text))
    return bytes.fromhex(pairs[0]) if pairs else b""


def _from_base64(text: str) -> bytes:
    """Everything up to the first `=`, whatever stands between; `-` and `_` are taken as well."""
    text = _low_bytes(text).partition("=")[0].replace("-", "+").replace("_", "/")
    digits = _NO_BASE64.sub("", text)
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return binascii.a2b_base64(digits + "=" * (-len(digits) % 4))


_ENCODINGS: Final[Mapping[str, tuple[Callable[[str], bytes], Callable[[bytes], str]]]] = {
    "utf8": (_utf8, lambda data: data.decode("utf-8", "replace")),
    "utf16le": (_utf16, lambda data: data[: len(data) & ~1].decode("utf-16-le", "surrogatepass")),
    "latin1": (_latin1, lambda data: data.decode("latin-1")),
    "ascii": (_latin1, lambda data: bytes(byte & 0x7F for byte in data).decode("ascii")),
    "hex": (_from_hex, bytes.hex),
    "base64": (_from_base64, lambda data: base64.b64encode(data).decode("ascii")),
    "base64url": (
        _from_base64,
        lambda data: base64.urlsafe_b64encode(data).decode("ascii").rstrip("="),
    ),
}
"""From text to bytes, and from bytes to text."""

_OTHER_NAMES: Final = {
    "utf-8": "utf8",
    "ucs2": "utf16le",
    "ucs-2": "utf16le",
    "utf-16le": "utf16le",
    "binary": "latin1",
}


def _encoding(run: Run, name: Value) -> tuple[Callable[[str], bytes], Callable[[bytes], str]]:
    shown = js_string(run, name)
    lower = shown.lower()
    known = _ENCODINGS.get(_OTHER_NAMES.get(lower, lower))
    if known is None:
        raise KrlRuntimeError("TypeError [ERR_UNKNOWN_ENCODING]", f"Unknown encoding: {shown}")
    return known


def _is_name(value: Value) -> bool:
    return isinstance(value, str) and value != ""


def _base64encode(
    run: Run,
    str: Value = UNDEFINED,  # noqa: A002 - KRL\'s name of the parameter
    encoding: Value = UNDEFINED,
) -> Value:
    text = to_string(str)
    write(run, 2 * len(text))
    to_bytes, _ = _encoding(run, encoding if _is_name(encoding) else "utf8")
    return base64.b64encode(to_bytes(text)).decode("ascii")


def _base64decode(
    run: Run,
    str: Value = UNDEFINED,  # noqa: A002 - KRL\'s name of the parameter
    encoding: Value = UNDEFINED,
) -> Value:
    text = to_string(str)
    write(run, 2 * len(text))
    data = _from_base64(text)
    if not data:
        return ""
    _, to_text = _encoding(run, "utf8" if encoding is UNDEFINED else encoding)
    return _LONE_SURROGATES.sub("\ufffd", to_text(data))  # no kept text may have halves of characters


# -- hashes -------------------------------------------------------------------------------------------------


_DIGESTS: Final = {
    "md5": "md5",
    "sha1": "sha1",
    "sha224": "sha224",
    "sha256": "sha256",
    "sha384": "sha384",
    "sha512": "sha512",
    "sha3-224": "sha3_224",
    "sha3-256": "sha3_256",
    "sha3-384": "sha3_384",
    "sha3-512": "sha3_512",
    "blake2b512": "blake2b",
    "blake2s256": "blake2s",
    "shake128": "shake_128",
    "shake256": "shake_256",
}
"""What Python has on every machine, by OpenSSL's names."""

_SIGNATURES: Final = {
    "RSA-MD5": "md5",
    "RSA-SHA1": "sha1",
    "RSA-SHA1-2": "sha1",
    "RSA-SHA224": "sha224",
    "RSA-SHA256": "sha256",
    "RSA-SHA3-224": "sha3_224",
    "RSA-SHA3-256": "sha3_256",
    "RSA-SHA3-384": "sha3_384",
    "RSA-SHA3-512": "sha3_512",
    "RSA-SHA384": "sha384",
    "RSA-SHA512": "sha512",
    "id-rsassa-pkcs1-v1_5-with-sha3-224": "sha3_224",
    "id-rsassa-pkcs1-v1_5-with-sha3-256": "sha3_256",
    "id-rsassa-pkcs1-v1_5-with-sha3-384": "sha3_384",
    "id-rsassa-pkcs1-v1_5-with-sha3-512": "sha3_512",
    "md5WithRSAEncryption": "md5",
    "sha1WithRSAEncryption": "sha1",
    "sha224WithRSAEncryption": "sha224",
    "sha256WithRSAEncryption": "sha256",
    "sha384WithRSAEncryption": "sha384",
    "sha512WithRSAEncryption": "sha512",
    "ssl3-md5": "md5",
    "ssl3-sha1": "sha1",
}
"""Names of signatures that OpenSSL takes for the hash in them."""

_ALGORITHMS: Final = dict(sorted((_DIGESTS | _SIGNATURES).items()))


def _algorithm(what: str, algorithm: Value) -> str:
    """Python's name of it."""
    if not isinstance(algorithm, str):
        raise type_error(f"{what} was given {to_string(algorithm)} instead of a algorithm string")
    if algorithm not in _ALGORITHMS:
        raise KrlRuntimeError("Error", f"{what} doesn't recognize the hash algorithm {algorithm}")
    return _ALGORITHMS[algorithm]


def _write_digest(run: Run, what: str, digest: Callable[[bytes], bytes], text: str, encoding: Value) -> str:
    """The digest of `text`, in base 16 or Base64."""
    if truth(encoding) and encoding not in ("hex", "base64"):
        shown = js_string(run, encoding)
        raise KrlRuntimeError("Error", f'{what} encoding must be "hex" or "base64" but was {shown}')
    write(run, len(text))
    made = digest(_utf8(text))
    return base64.b64encode(made).decode("ascii") if encoding == "base64" else made.hex()


def _hash(
    run: Run,
    algorithm: Value = UNDEFINED,
    str: Value = UNDEFINED,  # noqa: A002 - KRL's name of the parameter
    encoding: Value = UNDEFINED,
) -> Value:
    name = _algorithm("math:hash", algorithm)

    def digest(data: bytes) -> bytes:
        if name == "shake_128":
            return hashlib.shake_128(data).digest(16)
        if name == "shake_256":
            return hashlib.shake_256(data).digest(32)
        return hashlib.new(name, data, usedforsecurity=False).digest()

    return _write_digest(run, "math:hash", digest, to_string(str), encoding)


def _hmac(
    run: Run,
    algorithm: Value = UNDEFINED,
    key: Value = UNDEFINED,
    message: Value = UNDEFINED,
    encoding: Value = UNDEFINED,
) -> Value:
    if not isinstance(key, str):
        raise KrlRuntimeError("Error", "math:hmac needs a key string")
    name = _algorithm("math:hmac", algorithm)
    if name.startswith("shake"):
        raise KrlRuntimeError("Error", f"math:hmac cannot use {algorithm}, which has no length of its own")
    secret = _utf8(key)
    write(run, len(key))
    return _write_digest(
        run, "math:hmac", lambda data: hmac.digest(secret, data, name), to_string(message), encoding
    )


def _hash_algorithms(run: Run) -> Value:
    make(run, len(_ALGORITHMS))
    return list(_ALGORITHMS)


def _hash_functions(run: Run) -> Value:
    run.log("warn", "math:hashFunctions() is DEPRECATED use math:hashAlgorithms instead", None)
    return _hash_algorithms(run)


# -- rounding -----------------------------------------------------------------------------------------------


def _abs(run: Run, number: Value = UNDEFINED) -> Value:
    return kept(abs(js_number(run, number)))


def _nearest(x: float) -> float:
    """Halves go up."""
    whole = math.floor(x)
    return whole + (x - whole >= 0.5)


def _rounded(run: Run, how: Callable[[float], float], value: Value, precision: Value) -> Value:
    """With `precision` digits after the point, or zeros before it.

    The decimal point is shifted in the text of the number, so that 1.005 is as near to 1.01 as it reads.
    """
    x = js_number(run, value)
    digits = 0.0 if precision is None or precision is UNDEFINED else js_number(run, precision)
    digits = 0.0 if digits != digits else min(digits, _PRECISION_MAX_DIGITS)
    digits = float(math.trunc(digits)) if math.isfinite(digits) else digits
    if not math.isfinite(x):
        return x
    if digits == 0:
        return kept(how(x))
    shifted = _shift(x, digits)
    return kept(_shift(how(shifted) if math.isfinite(shifted) else shifted, -digits))


_PRECISION_MAX_DIGITS: Final = 292.0


def _shift(x: float, digits: float) -> float:
    """`x` with its decimal point moved; NaN for what no double can be."""
    mantissa, _, exponent = number_to_string(x).partition("e")
    moved = number_to_string(float(exponent or 0) + digits)
    try:
        return float(f"{mantissa}e{moved}")
    except ValueError:
        return math.nan


def _ceiling(run: Run, number: Value = UNDEFINED, precision: Value = UNDEFINED) -> Value:
    return _rounded(run, math.ceil, number, precision)


def _floor(run: Run, number: Value = UNDEFINED, precision: Value = UNDEFINED) -> Value:
    return _rounded(run, math.floor, number, precision)


def _int(run: Run, number: Value = UNDEFINED) -> Value:
    """Towards zero."""
    return _rounded(run, math.floor if js_number(run, number) >= 0 else math.ceil, number, 0)


def _round(run: Run, number: Value = UNDEFINED, precision: Value = UNDEFINED) -> Value:
    return _rounded(run, _nearest, number, precision)


MEMBERS: Final[Mapping[str, Member]] = MappingProxyType(
    {
        "base64encode": Member("function", _base64encode),
        "base64decode": Member("function", _base64decode),
        "hashAlgorithms": Member("property", _hash_algorithms),
        "hashFunctions": Member("function", _hash_functions),
        "hash": Member("function", _hash),
        "hmac": Member("function", _hmac),
        "abs": Member("function", _abs),
        "ceiling": Member("function", _ceiling),
        "floor": Member("function", _floor),
        "int": Member("function", _int),
        "round": Member("function", _round),
    }
)
