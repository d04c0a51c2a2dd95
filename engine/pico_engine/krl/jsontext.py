"""JSON text: what the operators `encode` and `decode` write and read, to the letter as JavaScript does."""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring
from math import isfinite

import orjson

from pico_engine.krl.counting import scan, write
from pico_engine.krl.numbers import number, number_to_string, parse_int
from pico_engine.krl.values import (
    CHARS_PER_ELEMENT,
    UNDEFINED,
    ActionFunction,
    Run,
    Value,
    ordered_keys,
    to_string,
    too_deep,
)
from pico_engine.values import DEPTH_MAX_LEVELS

_INDENT_MAX = 10
"""Spaces per level; more are taken for as many (ECMA-262 §25.5.2)."""
_ITEM_CHARS = 64
"""What an item takes while it is written: a number, or the key and text of the usual length."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def encode(run: Run, value: Value, indent: Value = UNDEFINED) -> Value:
    """`value` as JSON text, with `indent` spaces per level.

    Null of every kind is null, also in maps; regular expressions, functions and actions are strings such as
    "re#a#" and "[Function]"; what is both function and action is left out (UNDEFINED if it is all there is).
    """
    if isinstance(value, ActionFunction):
        return UNDEFINED
    parts: list[str] = []
    _write(run, value, parts, " " * _indent(indent), 0)
    return "".join(parts)


def _indent(value: Value) -> int:
    while isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, list | dict):
        return 0
    spaces = parse_int(to_string(value)) or 0
    return int(min(max(spaces, 0), _INDENT_MAX))


def _write(run: Run, value: Value, parts: list[str], gap: str, depth: int) -> None:
    kind = type(value)
    if kind is str:
        if len(value) >= _ITEM_CHARS:
            write(run, len(value))
        parts.append(encode_basestring(value))
    elif kind is bool:
        parts.append("true" if value else "false")
    elif value is None or value is UNDEFINED:
        parts.append("null")
    elif kind is int:
        parts.append(number_to_string(value))
    elif kind is float:
        text = number_to_string(value) if isfinite(value) else "null" if value != value else '"[JSObject]"'
        parts.append(text)
    elif isinstance(value, list | dict):
        _write_items(run, value, parts, gap, depth)
    else:
        parts.append(encode_basestring(to_string(value)))


def _write_items(run: Run, value: Value, parts: list[str], gap: str, depth: int) -> None:
    if depth >= DEPTH_MAX_LEVELS:
        raise too_deep()
    size = len(value)
    run.step(size)
    run.grow(size * (_ITEM_CHARS + (depth + 1) * len(gap)))
    inner = "\n" + gap * (depth + 1) if gap else ""
    comma = "," + inner
    begun = len(parts)
    if isinstance(value, list):
        parts.append("[")
        separator = inner
        for item in value:
            parts.append(separator)
            separator = comma
            _write(run, None if isinstance(item, ActionFunction) else item, parts, gap, depth + 1)
    else:
        parts.append("{")
        separator = inner
        colon = ": " if gap else ":"
        for key in ordered_keys(value):
            item = value[key]
            if isinstance(item, ActionFunction):
                continue
            if len(key) >= _ITEM_CHARS:
                write(run, len(key))
            parts += (separator, encode_basestring(key), colon)
            separator = comma
            _write(run, item, parts, gap, depth + 1)
    outer = "\n" + gap * depth if gap and len(parts) > begun + 1 else ""
    parts.append(outer + ("]" if isinstance(value, list) else "}"))


def decode(run: Run, value: Value) -> Value:
    """The data that JSON text spells; `value` itself where it is not JSON.

    Raises KrlLimitExceeded for data nested deeper than DEPTH_MAX_LEVELS.
    """
    if not isinstance(value, str):
        return value
    scan(run, len(value))
    opened = value.count("[") + value.count("{")
    items = opened + value.count(",")
    run.step(items)
    run.grow(len(value) + CHARS_PER_ELEMENT * items)
    try:
        return _tidy(orjson.loads(value), 0)
    except orjson.JSONDecodeError:
        return _decode_rare(value)


def _decode_rare(text: str) -> Value:
    """What orjson does not take and JavaScript does: half characters, numbers without end, deep data."""
    try:
        data = json.loads(text, parse_int=float, parse_constant=_no_constant)
    except RecursionError:
        raise too_deep() from None
    except ValueError:
        return text
    return _tidy(data, 0)


def _no_constant(name: str) -> Value:
    raise ValueError(name)


def _tidy(data: Value, depth: int) -> Value:
    """Fresh data with its numbers as KRL keeps them; changed in place, for nobody else has it yet."""
    kind = type(data)
    if kind is list or kind is dict:
        if depth >= DEPTH_MAX_LEVELS:
            raise too_deep()
        for place, item in enumerate(data) if kind is list else data.items():
            if type(item) is not bool and item is not None:
                data[place] = _tidy(item, depth + 1)
        if kind is dict and not all(map(str.isascii, data)):
            return {_whole(key): item for key, item in data.items()}
    elif kind is str:
        return data if data.isascii() else _whole(data)
    elif kind is int or kind is float:
        return number(data)
    return data


def _whole(text: str) -> str:
    """`text` without halves of characters, which no kept text may have."""
    return _SURROGATE.sub("\ufffd", text)
