"""Operators on any value: `as typeof defaultsTo klog noop encode decode chr ord`."""

from __future__ import annotations

from pico_engine.krl.conversion import js_string
from pico_engine.krl.counting import number_of, scan
from pico_engine.krl.errors import type_error
from pico_engine.krl.jsontext import decode, encode
from pico_engine.krl.numbers import to_uint32
from pico_engine.krl.stdlib.patterns import compiled
from pico_engine.krl.values import (
    MISSING,
    UNDEFINED,
    Run,
    Value,
    isnull,
    to_hex,
    to_json,
    to_number,
    to_string,
    truth,
    typeof,
)


def as_type(run: Run, val: Value = UNDEFINED, type: Value = MISSING) -> Value:
    """`val` as a "Boolean", "Hex", "String", "Number" or "RegExp". Raises TypeError for other types."""
    if type is MISSING:
        return val
    if isinstance(val, str):
        scan(run, len(val))
    kind = typeof(val)
    if kind == type:
        return val
    match type:
        case "Boolean":
            return False if isinstance(val, str) and val == "false" else truth(val)
        case "Hex":
            if val is None or val is UNDEFINED:
                what = "null" if val is None else "undefined"
                raise type_error(f"Cannot read properties of {what} (reading 'toString')")
            return to_hex(val)
        case "String":
            return to_string(val)
        case "Number":
            return to_number(val)
        case "RegExp":
            source = to_string(val)
            if source[:1] == "[" and kind != "String" and source[1:-1].isalpha():
                source = f"\\[{source[1:-1]}\\]"
            return compiled(run, source)
        case _:
            wanted = js_string(run, type)
            raise type_error(f'Cannot use the .as("{wanted}") operator with {to_string(val)} (type {kind})')


def type_of(run: Run, val: Value = UNDEFINED) -> str:
    if isinstance(val, str):
        scan(run, len(val))
    return typeof(val)


def defaults_to(
    run: Run, val: Value = UNDEFINED, default: Value = UNDEFINED, message: Value = UNDEFINED
) -> Value:
    """`val`, or `default` where it is null, which the log then says if there is a message."""
    if not isnull(val):
        return val
    if not isnull(message):
        run.log("debug", f"[DEFAULTSTO] {to_string(message)}", None)
    return default


def klog(run: Run, val: Value = UNDEFINED, message: Value = UNDEFINED) -> Value:
    """`val`, which the log then shows."""
    run.log("klog", "klog" if isnull(message) else to_string(message), {"val": to_json(val, run)})
    return val


def noop(_run: Run) -> None:
    """Nothing."""


def character(run: Run, val: Value = UNDEFINED) -> Value:
    """The character with the number `val`: a code point, or what is left of it in 16 bits beyond the last."""
    code = number_of(run, val)
    if code is None:
        return None
    point = int(code) if 0 <= code <= _CODE_POINT_MAX else to_uint32(code) & 0xFFFF
    return "\ufffd" if 0xD800 <= point <= 0xDFFF else chr(point)


_CODE_POINT_MAX = 0x10FFFF


def ordinal(_run: Run, val: Value = UNDEFINED) -> Value:
    """The number of the first character, or None."""
    text = to_string(val)
    return ord(text[0]) if text else None


def encoded(run: Run, val: Value = UNDEFINED, indent: Value = UNDEFINED) -> Value:
    return encode(run, val, indent)


def decoded(run: Run, val: Value = UNDEFINED) -> Value:
    return decode(run, val)


OPERATORS = {
    "as": as_type,
    "typeof": type_of,
    "defaultsTo": defaults_to,
    "klog": klog,
    "noop": noop,
    "chr": character,
    "ord": ordinal,
    "encode": encoded,
    "decode": decoded,
}
