"""Text encodings that identifiers and envelopes are made of: base64url, base58, multibase, varint, JSON."""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable
from typing import Any, Final

import orjson

from pico_didcomm.errors import BadEncoding, BadJson

JsonObject = dict[str, Any]

Entropy = Callable[[int], bytes]
"""`entropy(n)` gives n unpredictable bytes. The core never draws its own."""

JSON_DEPTH_MAX: Final = 64
"""Nested arrays and objects; deeper ones serve only to exhaust a reader's stack."""

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
# '+' and '/' become characters that strict base64 refuses, so that only the URL alphabet is read.
_FROM_URL: Final = bytes.maketrans(b"-_+/", b"+/!!")
_PADDING: Final = (b"", b"!", b"==", b"=")  # by length modulo 4; one left over is never valid
_URL_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# By length modulo 4: two characters carry 8 bits, so the last 4 of their 12 are zero; three carry 16 of 18.
_LAST_CHARACTERS: Final = (_URL_ALPHABET, b"", _URL_ALPHABET[::16], _URL_ALPHABET[::4])


def b64url_encode(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def b64url_decode(text: str | bytes) -> bytes:
    """The bytes whose encoding is exactly `text`; padding, foreign characters and stray bits fail."""
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        part = len(raw) & 3
        data = binascii.a2b_base64(raw.translate(_FROM_URL) + _PADDING[part], strict_mode=True)
    except (binascii.Error, UnicodeEncodeError, ValueError) as error:
        raise BadEncoding(f"not base64url: {_shown(text)}") from error
    # Strict mode still ignores the unused bits of the last character: two texts would name one value.
    if raw and raw[-1] not in _LAST_CHARACTERS[part]:
        raise BadEncoding(f"not canonical base64url: {_shown(text)}")
    return data


def _shown(text: str | bytes) -> str:
    """The beginning of untrusted text, fit for an error message."""
    return ascii(text[:24]) + ("..." if len(text) > 24 else "")


# -- base58 ---------------------------------------------------------------------------------------

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS: Final = [a + b for a in _ALPHABET for b in _ALPHABET]
_PAIR_VALUES: Final = {pair: value for value, pair in enumerate(_PAIRS)}

BASE58_CHARS_MAX: Final = 8_192
"""Reading base58 costs the square of its length; no DID document we accept is longer."""

_LEAF_DIGITS: Final = 10
# 58**10 is below 2**60: a leaf's divisions run on small integers. _POWERS[k] = 58**(10 * 2**k).
_POWERS: Final = [58 ** (_LEAF_DIGITS << k) for k in range(12)]


def b58encode(data: bytes) -> str:
    """Base58 (Bitcoin alphabet).

    Splits the number in halves instead of taking off one digit at a time, which makes the 450 bytes of a
    did:peer:4 document about ten times cheaper to encode.
    """
    zeros = len(data) - len(data.lstrip(b"\0"))
    number = int.from_bytes(data, "big")
    level = 0
    while level < len(_POWERS) and _POWERS[level] <= number:
        level += 1
    pieces = [number]
    for power in reversed(_POWERS[:level]):
        halves: list[int] = []
        for piece in pieces:
            halves.extend(divmod(piece, power))
        pieces = halves
    if level == len(_POWERS):
        raise BadEncoding("more bytes than base58 is used for")
    pairs = _PAIRS
    text: list[str] = []
    for piece in pieces:
        piece, e = divmod(piece, 3364)
        piece, d = divmod(piece, 3364)
        piece, c = divmod(piece, 3364)
        a, b = divmod(piece, 3364)
        text += (pairs[a], pairs[b], pairs[c], pairs[d], pairs[e])
    return "1" * zeros + "".join(text).lstrip("1")


def b58decode(text: str) -> bytes:
    """The bytes of base58 `text`."""
    if len(text) > BASE58_CHARS_MAX:
        raise BadEncoding(f"base58 text longer than {BASE58_CHARS_MAX} characters")
    digits = text.lstrip("1")
    zeros = len(text) - len(digits)
    padded = digits.rjust(-(-len(digits) // _LEAF_DIGITS) * _LEAF_DIGITS, "1")
    values = _PAIR_VALUES
    try:
        pairs = [values[padded[i : i + 2]] for i in range(0, len(padded), 2)]
    except KeyError as error:
        raise BadEncoding(f"not base58: {_shown(text)}") from error
    pieces = [
        (((pairs[i] * 3364 + pairs[i + 1]) * 3364 + pairs[i + 2]) * 3364 + pairs[i + 3]) * 3364 + pairs[i + 4]
        for i in range(0, len(pairs), 5)
    ]
    level = 0
    while len(pieces) > 1:
        if len(pieces) & 1:
            pieces.insert(0, 0)
        power = _POWERS[level]
        pieces = [pieces[i] * power + pieces[i + 1] for i in range(0, len(pieces), 2)]
        level += 1
    number = pieces[0] if pieces else 0
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def multibase_encode(data: bytes) -> str:
    """Multibase with base58btc, the only base that the did:key and did:peer methods write."""
    return "z" + b58encode(data)


def multibase_decode(text: str) -> bytes:
    """The bytes of a multibase text in base58btc (`z`) or base64url (`u`)."""
    match text[:1]:
        case "z":
            return b58decode(text[1:])
        case "u":
            return b64url_decode(text[1:])
    raise BadEncoding(f"not multibase in base58btc or base64url: {_shown(text)}")


# -- varint ---------------------------------------------------------------------------------------

_VARINT_BYTES_MAX: Final = 9
"""The multiformats specification ends unsigned varints at nine bytes."""


def varint_encode(number: int) -> bytes:
    """Unsigned varint of the multiformats project."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def varint_decode(data: bytes) -> tuple[int, bytes]:
    """The number at the beginning of `data` and the bytes after it; only the shortest form is accepted."""
    number = 0
    for i, byte in enumerate(data[:_VARINT_BYTES_MAX]):
        number |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            if byte == 0 and i > 0:
                raise BadEncoding("a varint that is not in its shortest form")
            return number, data[i + 1 :]
    raise BadEncoding("a varint that does not end")


# -- JSON -----------------------------------------------------------------------------------------


def json_bytes(value: Any) -> bytes:
    """Compact JSON in the order of insertion; BadJson for what every reader would not read back the same."""
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise BadJson(f"not a JSON value: {error}", "use text for integers beyond 64 bits") from error


def canonical_json(value: Any) -> bytes:
    """Compact JSON with sorted members: one byte string per value, to be hashed or compared."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def strict_json(data: bytes | str) -> Any:
    """The value of JSON text, refusing what readers disagree about: duplicate members, excessive depth.

    The parser keeps the last of two members with the same name without saying so. Text that comes out
    byte for byte when its value is written again cannot have held one; for other text (white space,
    escapes) a second, slower pass over the names looks for duplicates.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadJson(f"not JSON: {error}") from error
    # No more brackets than levels allowed: it cannot be too deep, and the exact count is not needed.
    if raw.count(b"{") + raw.count(b"[") > JSON_DEPTH_MAX:
        _check_depth(value)
    try:
        if orjson.dumps(value) == raw:
            return value
    except (orjson.JSONEncodeError, TypeError):
        pass
    _refuse_duplicates(raw)
    return value


def strict_json_object(data: bytes | str, what: str) -> JsonObject:
    """Like `strict_json`, and refuses everything but an object; `what` names it in the error."""
    value = strict_json(data)
    if type(value) is dict:
        return value
    raise BadJson(f"{what} is not a JSON object")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(JSON_DEPTH_MAX):
        deeper: list[Any] = []
        for item in level:
            if type(item) is dict:
                deeper.extend(item.values())
            elif type(item) is list:
                deeper.extend(item)
        if not deeper:
            return
        level = deeper
    if any(type(item) in (dict, list) for item in level):
        raise BadJson(f"JSON nested deeper than {JSON_DEPTH_MAX} levels")


def _refuse_duplicates(raw: bytes) -> None:
    def collect(members: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in members}) != len(members):
            raise BadJson("JSON with two members of the same name in one object")

    # Numbers are left as text: their conversion is not needed, and refuses very long ones.
    json.loads(raw, object_pairs_hook=collect, parse_int=str, parse_float=str)
