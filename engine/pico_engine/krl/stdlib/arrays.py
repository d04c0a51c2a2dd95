"""Operators on arrays and their sizes: parts, order, joining. Those with functions are in `iteration`."""

from __future__ import annotations

from pico_engine.krl.counting import make, number_of, write
from pico_engine.krl.errors import type_error
from pico_engine.krl.numbers import to_integer
from pico_engine.krl.stdlib.paths import find
from pico_engine.krl.values import (
    MISSING,
    UNDEFINED,
    Invocable,
    Run,
    Value,
    isnull,
    to_string,
)

_ONLY_ARRAYS = "only works on Arrays"


def append(run: Run, *values: Value) -> list[Value]:
    """All values in one array; arrays among them are taken apart, one level."""
    make(run, sum(len(value) if isinstance(value, list) else 1 for value in values))
    items: list[Value] = []
    for value in values:
        if isinstance(value, list):
            items += value
        else:
            items.append(value)
    return items


def head(_run: Run, val: Value = UNDEFINED) -> Value:
    """The first element; `val` itself if it is no array."""
    if not isinstance(val, list):
        return val
    return val[0] if val else UNDEFINED


def tail(run: Run, val: Value = UNDEFINED) -> list[Value]:
    """All but the first element."""
    if not isinstance(val, list):
        return []
    make(run, len(val))
    return list(val[1:])


def index(run: Run, val: Value = UNDEFINED, elm: Value = UNDEFINED) -> int:
    """Where the first element equal to `elm` is, or -1."""
    if not isinstance(val, list):
        raise type_error(_ONLY_ARRAYS)
    return find(run, val, elm)


def join(run: Run, val: Value = UNDEFINED, separator: Value = UNDEFINED) -> str:
    """The texts of the elements with `separator` between them: a comma, if it is null."""
    if not isinstance(val, list):
        return to_string(val)
    run.step(len(val))
    between = "," if isnull(separator) else to_string(separator)
    texts = [item if type(item) is str else to_string(item) for item in val]
    write(run, sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def length(_run: Run, val: Value = UNDEFINED) -> int:
    """How many elements, entries or characters; 0 for what has none."""
    return len(val) if isinstance(val, list | dict | str) else 0


def is_empty(_run: Run, val: Value = UNDEFINED) -> bool:
    """Whether it has no elements, entries or characters: so are numbers, booleans and null."""
    if isinstance(val, list | dict | str):
        return not val
    return not isinstance(val, Invocable)


def reverse(run: Run, val: Value = UNDEFINED) -> list[Value]:
    if not isinstance(val, list):
        raise type_error(_ONLY_ARRAYS)
    make(run, len(val))
    return val[::-1]


def slice_of(run: Run, val: Value = UNDEFINED, start: Value = MISSING, end: Value = MISSING) -> Value:
    """The elements from `start` to `end`, both included, in either order; with one index, those up to it."""
    if not isinstance(val, list):
        raise type_error(_ONLY_ARRAYS)
    if not val:
        return []
    if start is MISSING:
        return val
    first = _place(run, start, "The .slice() operator cannot use {} as an index")
    make(run, len(val))
    if end is MISSING:
        return [] if first > len(val) else val[: _bound(first + 1)]
    second = _place(run, end, "The .slice() operator cannot use {} as the other index")
    first, second = min(first, second), max(first, second)
    if first >= 0 and second < len(val):
        return val[_bound(first) : _bound(second + 1)]
    return []


def splice(
    run: Run,
    val: Value = UNDEFINED,
    start: Value = UNDEFINED,
    count: Value = UNDEFINED,
    value: Value = MISSING,
) -> list[Value]:
    """`val` with `count` elements from `start` on taken out, and `value`, or its elements, put in."""
    if not isinstance(val, list):
        raise type_error(_ONLY_ARRAYS)
    if not val:
        return []
    size = len(val)
    first = min(max(_place(run, start, "The .splice() operator cannot use {}as an index"), 0), size - 1)
    taken = _place(run, count, "The .splice() operator cannot use {}as a number of elements")
    if taken < 0 or first + taken > size:
        taken = size - first
    put_in = [] if value is MISSING else value if isinstance(value, list) else [value]
    make(run, size + len(put_in))
    return [*val[: _bound(first)], *put_in, *val[_bound(first + taken) :]]


def _place(run: Run, value: Value, complaint: str) -> float:
    place = number_of(run, value)
    if place is None:
        raise type_error(complaint.format(to_string(value)))
    return place


def _bound(place: float) -> int:
    """A place as Python's slices take it."""
    return int(min(max(to_integer(place), -_PLACE_MAX), _PLACE_MAX))


_PLACE_MAX = 1 << 53

OPERATORS = {
    "append": append,
    "head": head,
    "tail": tail,
    "index": index,
    "join": join,
    "length": length,
    "isEmpty": is_empty,
    "reverse": reverse,
    "slice": slice_of,
    "splice": splice,
}
