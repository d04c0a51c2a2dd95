"""Text encodings against their reference implementations, and what they must refuse."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress

import base58
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pico_didcomm.encoding import (
    BASE58_CHARS_MAX,
    JSON_DEPTH_MAX,
    b58decode,
    b58encode,
    b64url_decode,
    b64url_encode,
    canonical_json,
    json_bytes,
    multibase_decode,
    multibase_encode,
    strict_json,
    strict_json_object,
    varint_decode,
    varint_encode,
)
from pico_didcomm.errors import BadEncoding, BadJson, DidcommError


@given(st.binary(max_size=900))
def test_base58_equals_the_library(data: bytes) -> None:
    text = b58encode(data)
    assert text == base58.b58encode(data).decode()
    assert b58decode(text) == data


@pytest.mark.parametrize("zeros", [0, 1, 3])
@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 32, 33, 34, 64, 450, 3000, 5_900])
@pytest.mark.parametrize("fill", [0x00, 0x01, 0x80, 0xFF])
def test_base58_at_sizes_where_halves_meet(zeros: int, size: int, fill: int) -> None:
    data = bytes(zeros) + bytes([fill]) * size
    text = b58encode(data)
    assert text == base58.b58encode(data).decode()
    assert b58decode(text) == data


@pytest.mark.parametrize("power", range(1, 60))
def test_base58_around_powers_of_its_base(power: int) -> None:
    for number in (58 ** (power * 10) - 1, 58 ** (power * 10), 58 ** (power * 10) + 1):
        data = number.to_bytes((number.bit_length() + 7) // 8, "big")
        assert b58encode(data) == base58.b58encode(data).decode()
        assert b58decode(b58encode(data)) == data


@pytest.mark.parametrize("text", ["0", "O", "I", "l", "abc!", "zé", "a b", "1" * (BASE58_CHARS_MAX + 1)])
def test_base58_refuses(text: str) -> None:
    with pytest.raises(BadEncoding):
        b58decode(text)


def test_base58_refuses_to_write_what_it_would_not_read() -> None:
    with pytest.raises(BadEncoding):
        b58encode(b"\xff" * 20_000)


@given(st.binary(max_size=200))
def test_base64url_equals_the_library(data: bytes) -> None:
    text = b64url_encode(data)
    assert text == base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    assert b64url_decode(text) == data
    assert b64url_decode(text.encode()) == data


@given(st.text(alphabet="ABQRgwxyz019-_+/= \n!é", max_size=12))
def test_base64url_reads_only_what_it_writes(text: str) -> None:
    try:
        data = b64url_decode(text)
    except BadEncoding:
        return
    assert b64url_encode(data) == text


@pytest.mark.parametrize(
    "text", ["QQ==", "QR", "QUI=", "QUJ", "A", "AAAAA", "+/+/", "QQ\n", " QQ", "Q.Q", "é"]
)
def test_base64url_refuses(text: str) -> None:
    with pytest.raises(BadEncoding):
        b64url_decode(text)


@given(st.binary(max_size=60))
def test_multibase_reads_what_it_writes(data: bytes) -> None:
    assert multibase_decode(multibase_encode(data)) == data
    assert multibase_decode("u" + b64url_encode(data)) == data


@pytest.mark.parametrize("text", ["", "x00", "f00", "zO", "uA"])
def test_multibase_refuses(text: str) -> None:
    with pytest.raises(BadEncoding):
        multibase_decode(text)


@given(st.integers(min_value=0, max_value=2**63 - 1), st.binary(max_size=5))
def test_varint_reads_what_it_writes(number: int, rest: bytes) -> None:
    assert varint_decode(varint_encode(number) + rest) == (number, rest)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\x00", b"\xff" * 10, b"\xed\x80\x00"])
def test_varint_refuses(data: bytes) -> None:
    with pytest.raises(BadEncoding):
        varint_decode(data)


def test_varints_of_the_keys_in_use() -> None:
    assert varint_encode(0xED) == b"\xed\x01"
    assert varint_encode(0x0200) == b"\x80\x04"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_strict_json_reads_what_other_writers_write(value: object) -> None:
    text = json.dumps(value)
    assert strict_json(text) == json.loads(text)
    assert strict_json(json.dumps(value, indent=1)) == json.loads(text)


@pytest.mark.parametrize("value", [2**64, {1: 2}, object(), "\ud800", b""])
def test_what_json_cannot_hold_is_not_written(value: object) -> None:
    with pytest.raises(BadJson):
        json_bytes({"a": value})


def test_canonical_json_sorts_and_is_compact() -> None:
    assert canonical_json({"b": 1, "a": [True, None]}) == b'{"a":[true,null],"b":1}'


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"a":1,"a":1}',
        '{"x":{"a":1,"b":2,"a":3}}',
        '[{"a":1,"\\u0061":2}]',
        '{"a" : 1, "a" : 2}',
        '{"n": 1e400, "a":1, "a":2}',
        '{"n": ' + "9" * 5000 + ', "a":1, "a":2}',
    ],
)
def test_duplicate_members_are_refused(text: str) -> None:
    with pytest.raises(BadJson):
        strict_json(text)


@pytest.mark.parametrize(
    "text", ["", "{", "nul", "NaN", "Infinity", "'a'", '{"a":1}x', "\ufeff{}", '"\ud800"', "\x00"]
)
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(BadJson):
        strict_json(text)


@pytest.mark.parametrize(("open_", "close"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_limited(open_: str, close: str) -> None:
    inner = "1"
    strict_json(open_ * JSON_DEPTH_MAX + inner + close * JSON_DEPTH_MAX)
    for depth in (JSON_DEPTH_MAX + 1, 500, 5_000, 200_000):
        with pytest.raises(BadJson):
            strict_json(open_ * depth + inner + close * depth)
    with pytest.raises(BadJson):
        strict_json(open_ * 100_000)


def test_many_brackets_are_not_depth() -> None:
    assert len(strict_json("[" + ",".join(["[]"] * 1000) + "]")) == 1000
    assert strict_json('"' + "[" * 1000 + '"') == "[" * 1000


@pytest.mark.parametrize("text", ["[]", "1", '"a"', "null"])
def test_objects_only_where_objects_are_due(text: str) -> None:
    with pytest.raises(BadJson, match="a thing"):
        strict_json_object(text, "a thing")


@settings(max_examples=300)
@given(st.binary(max_size=60), st.sampled_from([strict_json, b64url_decode]))
def test_any_bytes_give_a_value_or_our_error(data: bytes, read: Callable[[bytes], object]) -> None:
    with suppress(DidcommError):
        read(data)
