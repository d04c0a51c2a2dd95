"""Operators that read and change along a path of keys: `get set put delete keys values`.

A path is one key or an array of keys; each key is taken as text. A map has any key, an array the keys "0",
"1", … and, to read, "length"; a text likewise. What a path changes is made anew, all beside it is shared.
"""

from __future__ import annotations

import re
from itertools import pairwise

from pico_engine.krl.conversion import js_string
from pico_engine.krl.counting import make, scan
from pico_engine.krl.equality import is_equal
from pico_engine.krl.numbers import parse_int
from pico_engine.krl.values import (
    CHARS_PER_ELEMENT,
    MISSING,
    UNDEFINED,
    Invocable,
    Run,
    Value,
    is_index,
    is_regex,
    ordered_keys,
    to_string,
    too_deep,
    truth,
)
from pico_engine.values import DEPTH_MAX_LEVELS


def get(run: Run, obj: Value = UNDEFINED, path: Value = UNDEFINED) -> Value:
    """The value at the path, or None."""
    if type(path) is str and isinstance(obj, dict):
        found = obj.get(path, UNDEFINED)
    elif not isinstance(obj, list | dict):
        return None
    else:
        found = _follow(obj, keys_of(run, path))
    return None if found is UNDEFINED else found


def set_at(run: Run, obj: Value = UNDEFINED, path: Value = UNDEFINED, val: Value = UNDEFINED) -> Value:
    """`obj` with `val` at the path; what is missing on the way becomes an array before an index, or a map."""
    if not isinstance(obj, list | dict):
        obj = {}
    if type(path) is str and isinstance(obj, dict):
        return _replaced(run, obj, path, val)
    keys = _path_to_write(run, path)
    nodes: list[Value] = [obj]
    for key, following in pairwise(keys):
        if not _can_hold(nodes[-1], key):
            break
        child = own(nodes[-1], key)
        if not isinstance(child, list | dict):
            if is_regex(child) or isinstance(child, Invocable):
                break
            child = [] if _looks_like_index(following) else {}
        nodes.append(child)
    return _rebuilt(run, nodes, keys, val)


def put(run: Run, val: Value = UNDEFINED, path: Value = MISSING, to_set: Value = MISSING) -> Value:
    """`val` with `to_set` at the path; maps and arrays at the end of an empty path are merged.

    What is missing on the way becomes a map, and so does an array whose next key is no index of it.
    """
    if not isinstance(val, list | dict) or path is MISSING:
        return val
    if to_set is MISSING:
        path, to_set = [], path
    elif type(path) is str and isinstance(val, dict):
        return _replaced(run, val, path, to_set)
    keys = _path_to_write(run, path)
    if not keys:
        return _merged(run, val, to_set)
    nodes: list[Value] = [val]
    for key, following in pairwise(keys):
        if not _can_hold(nodes[-1], key):
            break
        child = own(nodes[-1], key)
        if isinstance(child, list):
            if not _may_follow(run, child, following):
                make(run, len(child))
                child = {str(place): item for place, item in enumerate(child)}
        elif not isinstance(child, dict):
            child = {}
        nodes.append(child)
    return _rebuilt(run, nodes, keys, to_set)


def delete(run: Run, val: Value = UNDEFINED, path: Value = UNDEFINED) -> Value:
    """`val` without what is at the path. An array keeps its length: the element becomes UNDEFINED."""
    keys = keys_of(run, path)
    nodes: list[Value] = [val]
    for key in keys[:-1]:
        child = own(nodes[-1], key)
        if not isinstance(child, list | dict):
            return val
        nodes.append(child)
    last = nodes[-1]
    if not keys or not isinstance(last, list | dict) or own(last, keys[-1]) is MISSING:
        return val
    if isinstance(last, dict):
        make(run, len(last))
        smaller = {key: item for key, item in last.items() if key != keys[-1]}
        return _rebuilt(run, nodes[:-1], keys[:-1], smaller) if len(keys) > 1 else smaller
    return _rebuilt(run, nodes, keys, UNDEFINED) if is_index(keys[-1]) else val


def keys_at(run: Run, val: Value = UNDEFINED, path: Value = UNDEFINED) -> Value:
    """The keys of a map, or of an array: "0", "1", …; with a path, of what is there."""
    held = _at(run, val, path)
    if isinstance(held, dict):
        make(run, len(held))
        return list(ordered_keys(held))
    if not isinstance(held, list | str):
        return []
    run.step(len(held))
    make(run, len(held))
    return [str(place) for place in range(len(held))]


def values_at(run: Run, val: Value = UNDEFINED, path: Value = UNDEFINED) -> Value:
    """The values of a map or an array; with a path, of what is there."""
    held = _at(run, val, path)
    if not isinstance(held, list | dict | str):
        return []
    make(run, len(held))
    return [held[key] for key in ordered_keys(held)] if isinstance(held, dict) else list(held)


def _at(run: Run, val: Value, path: Value) -> Value:
    if not isinstance(val, list | dict):
        return UNDEFINED
    return _follow(val, keys_of(run, path)) if truth(path) else val


# -- what other operators need of arrays and paths ----------------------------------------------------------


def find(run: Run, items: list[Value], wanted: Value) -> int:
    """Where the first element equal to `wanted` is, or -1."""
    if type(wanted) is str:
        scan(run, len(items) * (16 + len(wanted)))
        try:
            return items.index(wanted)
        except ValueError:
            return -1
    run.step(len(items))
    for place, item in enumerate(items):
        if is_equal(run, wanted, item):
            return place
    return -1


def has_path(run: Run, obj: Value, path: Value) -> bool:
    """Whether there is something at the path: an array of keys, or one text such as `a.b[0]["c"]`."""
    if isinstance(path, list):
        steps = [js_string(run, key) for key in path]
    else:
        text = js_string(run, path)
        scan(run, len(text))
        steps = [text] if text in obj or not _DEEP.search(text) else _parsed(run, text)
    for key in steps:
        obj = own(obj, key)
        if obj is MISSING:
            return False
    return bool(steps)


_DEEP = re.compile(r"""\.|\[(?:[^\[\]]*|(["'])(?:(?!\1)[^\\]|\\.)*?\1)\]""")
_STEP = re.compile(
    r"""[^.\[\]]+|\[(?:(-?[0-9]+(?:\.[0-9]+)?)|(["'])((?:(?!\2)[^\\]|\\.)*?)\2)\]|(?=(?:\.|\[\])(?:\.|\[\]|\Z))"""
)
_ESCAPED = re.compile(r"\\(\\)?")


def _parsed(run: Run, text: str) -> list[str]:
    """The keys that a text names, by the rules of lodash's paths."""
    run.step(len(text))
    steps = [""] if text[0] == "." else []
    for found in _STEP.finditer(text):
        number, quote, quoted = found.groups()
        steps.append(_ESCAPED.sub(r"\1", quoted) if quote else number or found.group())
    return steps


def own(value: Value, key: str) -> Value:
    """What `value` has under `key`, or MISSING."""
    if isinstance(value, dict):
        return value.get(key, MISSING)
    if isinstance(value, list | str):
        if is_index(key):
            return value[int(key)] if int(key) < len(value) else MISSING
        if key == "length":
            return len(value)
    return MISSING


def keys_of(run: Run, path: Value) -> list[str]:
    """A path as keys."""
    if not isinstance(path, list):
        return [to_string(path)]
    run.step(len(path))
    return [key if type(key) is str else to_string(key) for key in path]


def _follow(value: Value, keys: list[str]) -> Value:
    if not keys:
        return UNDEFINED
    for key in keys:
        value = value.get(key, MISSING) if isinstance(value, dict) else own(value, key)
        if value is MISSING:
            return UNDEFINED
    return value


def _path_to_write(run: Run, path: Value) -> list[str]:
    found = keys_of(run, path)
    if len(found) > DEPTH_MAX_LEVELS:
        raise too_deep()
    return found


def _can_hold(node: Value, key: str) -> bool:
    """Whether a value at `key` of the map or array would be seen again."""
    return isinstance(node, dict) or is_index(key)


def _may_follow(run: Run, items: list[Value], key: str) -> bool:
    """Whether `put` goes on into an array by the key: an index of it, or the one after the last."""
    scan(run, len(key))
    index = parse_int(key)
    return index is not None and 0 <= index <= len(items)


def _looks_like_index(key: str) -> bool:
    return _INDEX.fullmatch(key) is not None and int(key) < _INDEX_MAX


_INDEX = re.compile(r"0|[1-9][0-9]{0,15}")
_INDEX_MAX = (1 << 53) - 1


def _rebuilt(run: Run, nodes: list[Value], keys: list[str], value: Value) -> Value:
    """The first node with `value` at the path; `nodes` are the collections on the way, as far as it leads."""
    value = _replaced(run, nodes[-1], keys[-1], value) if len(nodes) == len(keys) else nodes[-1]
    for node, key in zip(reversed(nodes[:-1]), reversed(keys[: len(nodes) - 1]), strict=True):
        value = _replaced(run, node, key, value)
    return value


def _replaced(run: Run, node: Value, key: str, value: Value) -> Value:
    """A map or array with `value` at `key`. An array ignores keys that are no index, and grows as needed."""
    make(run, len(node) + 1)
    if isinstance(node, dict):
        return {**node, key: value}
    if not is_index(key):
        return node
    place = int(key)
    if place > len(node):
        run.step(place)
        run.grow(CHARS_PER_ELEMENT * place)
        return [*node, *([UNDEFINED] * (place - len(node))), value]
    return [*node[:place], value, *node[place + 1 :]]


def _merged(run: Run, val: Value, to_set: Value) -> Value:
    """Two maps as one, or two arrays, element by element; else `to_set` takes the place of `val`."""
    if isinstance(val, dict) and isinstance(to_set, dict):
        make(run, len(val) + len(to_set))
        return {**val, **to_set}
    if isinstance(val, list) and isinstance(to_set, list):
        make(run, max(len(val), len(to_set)))
        return [*to_set, *val[len(to_set) :]]
    return to_set


OPERATORS = {"get": get, "set": set_at, "put": put, "delete": delete, "keys": keys_at, "values": values_at}
