"""The operator `sort`: by text, by number, either way round, or by a function that compares two elements."""

from __future__ import annotations

from functools import cmp_to_key
from math import ceil

from pico_engine.krl.conversion import js_number
from pico_engine.krl.counting import make, number_of, scan
from pico_engine.krl.order import compare, units
from pico_engine.krl.values import UNDEFINED, Function, Run, Value, to_string


def sort(run: Run, val: Value = UNDEFINED, sort_by: Value = UNDEFINED) -> Value:
    """The elements in order: "default" and "reverse" by text, "numeric" and "ciremun" by `<=>`.

    Equal elements keep their order. Undefined ones come last, but for a function, which gets two elements and
    answers a number: 0 or less when they stand right.
    """
    if not isinstance(val, list):
        return val
    size = len(val)
    run.step(size * max(size.bit_length() - 1, 1))
    make(run, size)
    if isinstance(sort_by, Function):
        return _sorted_by(run, val, sort_by)
    items = [item for item in val if item is not UNDEFINED]
    name = _name(sort_by)
    if name == "numeric" or name == "ciremun":
        items = _by_number(run, items, descending=name == "ciremun")
    else:
        items = _by_text(run, items, descending=name == "reverse")
    return items + [UNDEFINED] * (size - len(items))


def _name(sort_by: Value) -> Value:
    """The name of an order; a path of one key will do as well."""
    return sort_by[0] if isinstance(sort_by, list) and len(sort_by) == 1 else sort_by


def _by_text(run: Run, items: list[Value], *, descending: bool) -> list[Value]:
    texts = [to_string(item) for item in items]
    scan(run, sum(map(len, texts)))
    if all(map(str.isascii, texts)):
        places = sorted(range(len(items)), key=texts.__getitem__, reverse=descending)
    else:
        places = sorted(range(len(items)), key=list(map(units, texts)).__getitem__, reverse=descending)
    return [items[place] for place in places]


def _by_number(run: Run, items: list[Value], *, descending: bool) -> list[Value]:
    if all(type(item) is int for item in items):
        return sorted(items, reverse=descending)
    numbers = [number_of(run, item) for item in items]
    if None in numbers:
        if not any(number is not None for number in numbers):
            return _by_text(run, items, descending=descending)
        # Text among numbers: an order that goes in circles, "b" < "c" but "10" > 9. Ask pair by pair.
        sign = -1 if descending else 1
        return sorted(items, key=cmp_to_key(lambda a, b: sign * compare(run, a, b)))
    known = [number for number in numbers if number is not None]
    places = sorted(range(len(items)), key=known.__getitem__, reverse=descending)
    return [items[place] for place in places]


def _sorted_by(run: Run, items: list[Value], function: Function) -> list[Value]:
    """A merge sort from below, which asks about the same pairs in the same order as krl-stdlib's does.

    A function that answers true and false, or does not keep to one order, so sorts as its author has seen.
    """
    size = len(items)
    width = float(size)
    while width > 1:
        width /= 2
    sorted_items = list(items)
    while width < size:
        merged: list[Value] = []
        begin = 0.0
        while begin < size:
            left, middle, right = ceil(begin), ceil(begin + width), ceil(begin + 2 * width)
            merged += _merged(run, sorted_items[left:middle], sorted_items[middle:right], function)
            begin += 2 * width
        sorted_items = merged
        width *= 2
    return sorted_items


def _merged(run: Run, left: list[Value], right: list[Value], function: Function) -> list[Value]:
    merged: list[Value] = []
    a = b = 0
    while a < len(left) and b < len(right):
        if js_number(run, run.call(function, [left[a], right[b]])) <= 0:
            merged.append(left[a])
            a += 1
        else:
            merged.append(right[b])
            b += 1
    return merged + left[a:] + right[b:]


OPERATORS = {"sort": sort}
