"""Operators that take arrays for sets: `intersection union difference has once duplicates unique`.

Elements are the same when they are equal (`==`), but for `once` and `duplicates`, which go by JavaScript's
text of an element: 1 and "1" are one, and so are all maps. What is no array is an array of itself.
"""

from __future__ import annotations

from pico_engine.krl.conversion import js_string
from pico_engine.krl.counting import make
from pico_engine.krl.equality import equality_key
from pico_engine.krl.values import MISSING, UNDEFINED, Run, Value, isnull, ordered_keys


def intersection(run: Run, a: Value = UNDEFINED, b: Value = MISSING) -> list[Value]:
    """What is in both, each once, in the order of `a`."""
    if b is MISSING:
        return []
    wanted = {key for key, _ in _keyed(run, b)}
    kept = {key: item for key, item in reversed(_keyed(run, a)) if key in wanted}
    return list(reversed(kept.values()))


def union(run: Run, a: Value = UNDEFINED, b: Value = MISSING) -> Value:
    """What is in either, each once, in the order of `a` and then `b`."""
    return a if b is MISSING else _distinct(run, [*_items(a), *_items(b)])


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
    return _distinct(run, val) if isinstance(val, list) else val


def _items(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def _keyed(run: Run, value: Value) -> list[tuple[object, Value]]:
    items = _items(value)
    run.step(len(items))
    make(run, len(items))
    return [(equality_key(run, item), item) for item in items]


def _distinct(run: Run, items: list[Value]) -> list[Value]:
    first: dict[object, Value] = {}
    for key, item in _keyed(run, items):
        first.setdefault(key, item)
    return list(first.values())


def _groups(run: Run, items: list[Value]) -> list[list[Value]]:
    """Elements by their text, in the order in which JavaScript keeps them; undefined and NaN are null."""
    run.step(len(items))
    make(run, len(items))
    groups: dict[str, list[Value]] = {}
    for item in items:
        item = None if isnull(item) else item
        groups.setdefault(js_string(run, item), []).append(item)
    return [groups[key] for key in ordered_keys(groups)]


OPERATORS = {
    "intersection": intersection,
    "union": union,
    "difference": difference,
    "has": has,
    "once": once,
    "duplicates": duplicates,
    "unique": unique,
}
