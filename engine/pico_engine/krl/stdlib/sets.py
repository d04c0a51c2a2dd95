"""Operators that take arrays for sets: `intersection union difference has once duplicates unique`.

Elements are the same when they are equal (`==`), but for `once` and `duplicates`, which go by JavaScript's
text of an element: 1 and "1" are one, and so are all maps. What is no array is an array of itself.
"""

from __future__ import annotations

from pico_engine.krl.conversion import js_string
from pico_engine.krl.counting import make
from pico_engine.krl.equality import equality_key
from pico_engine.krl.values import MISSING, UNDEFINED, Run, Value, isnull, ordered_keys, too_deep
from pico_engine.values import DEPTH_MAX_LEVELS


def intersection(run: Run, a: Value = UNDEFINED, b: Value = MISSING) -> list[Value]:
    """What is in both, each once, in the order of `a`."""
    if b is MISSING:
        return []
    wanted = {key for key, _ in _keyed(run, b)}
    return [item for key, item in _distinct(run, a).items() if key in wanted]


def union(run: Run, a: Value = UNDEFINED, b: Value = MISSING) -> Value:
    """What is in either, each once, in the order of `a` and then `b`."""
    return a if b is MISSING else list(_distinct(run, [*_items(a), *_items(b)]).values())


def difference(run: Run, a: Value = UNDEFINED, b: Value = MISSING) -> Value:
    """What is in `a` and not in `b`."""
    if b is MISSING:
        return a
    unwanted = {key for key, _ in _keyed(run, b)}
    return [item for key, item in _keyed(run, a) if key not in unwanted]


def has(run: Run, val: Value = UNDEFINED, other: Value = UNDEFINED) -> bool:
    """Whether all of `other` is in `val`."""
    held = {key for key, _ in _keyed(run, val)}
    return all(key in held for key, _ in _keyed(run, other))


def once(run: Run, val: Value = UNDEFINED) -> Value:
    """The elements that no other element is the same as."""
    if not isinstance(val, list):
        return val
    return [group[0] for group in _groups(run, val) if len(group) == 1]


def duplicates(run: Run, val: Value = UNDEFINED) -> list[Value]:
    """The first of each group of elements that are the same."""
    if not isinstance(val, list):
        return []
    return [group[0] for group in _groups(run, val) if len(group) > 1]


def unique(run: Run, val: Value = UNDEFINED) -> Value:
    """The elements without those that are equal to an earlier one."""
    return list(_distinct(run, val).values()) if isinstance(val, list) else val


def _items(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def _keyed(run: Run, value: Value) -> list[tuple[object, Value]]:
    items = _items(value)
    run.step(len(items))
    make(run, len(items))
    return [(equality_key(run, item), item) for item in items]


def _distinct(run: Run, value: Value) -> dict[object, Value]:
    """The first of each element that is equal to others, by its key, in their order."""
    first: dict[object, Value] = {}
    for key, item in _keyed(run, value):
        first.setdefault(key, item)
    return first


def _groups(run: Run, items: list[Value]) -> list[list[Value]]:
    """Elements by their text, in the order in which JavaScript keeps them; undefined and NaN are null."""
    run.step(len(items))
    make(run, len(items))
    groups: dict[str, list[Value]] = {}
    for item in items:
        clean = _without_undefined(run, item, 0)
        groups.setdefault(js_string(run, clean), []).append(clean)
    return [groups[key] for key in ordered_keys(groups)]


def _without_undefined(run: Run, value: Value, depth: int) -> Value:
    """`value` with None in the places of undefined and NaN, however deep."""
    if isnull(value):
        return None
    if not isinstance(value, list | dict):
        return value
    if depth >= DEPTH_MAX_LEVELS:
        raise too_deep()
    run.step(len(value))
    make(run, len(value))
    if isinstance(value, list):
        return [_without_undefined(run, item, depth + 1) for item in value]
    return {key: _without_undefined(run, item, depth + 1) for key, item in value.items()}


OPERATORS = {
    "intersection": intersection,
    "union": union,
    "difference": difference,
    "has": has,
    "once": once,
    "duplicates": duplicates,
    "unique": unique,
}
