"""Operators that ask a function about every element: `all any collect filter map pairwise reduce` and kin.

The function gets the element, its index or key, and the whole collection. Maps are visited in the order of
`ordered_keys`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pico_engine.krl.conversion import js_string
from pico_engine.krl.counting import make
from pico_engine.krl.errors import KrlRuntimeError, type_error
from pico_engine.krl.values import (
    CHARS_PER_ELEMENT,
    MISSING,
    UNDEFINED,
    Function,
    Run,
    Value,
    isnull,
    ordered_keys,
    to_string,
    truth,
)


def every(run: Run, val: Value = UNDEFINED, function: Value = UNDEFINED) -> bool:
    """Whether the function is true of all; it is not asked again after the first that is not."""
    return all(truth(answer) for _, _, answer in _answers(run, val, function))


def not_every(run: Run, val: Value = UNDEFINED, function: Value = UNDEFINED) -> bool:
    return not every(run, val, function)


def some(run: Run, val: Value = UNDEFINED, function: Value = UNDEFINED) -> bool:
    """Whether the function is true of one; it is not asked again after that."""
    return any(truth(answer) for _, _, answer in _answers(run, val, function))


def none(run: Run, val: Value = UNDEFINED, function: Value = UNDEFINED) -> bool:
    return not some(run, val, function)


def collect(run: Run, val: Value = UNDEFINED, function: Value = UNDEFINED) -> dict[str, list[Value]]:
    """A map of arrays: the elements by what the function says, or by themselves, as text."""
    groups: dict[str, list[Value]] = {}
    for _, item, answer in _answers(run, val, _IDENTITY if isnull(function) else function):
        run.grow(CHARS_PER_ELEMENT)
        groups.setdefault(js_string(run, answer), []).append(item)
    return groups


def filtered(run: Run, val: Value = UNDEFINED, function: Value = UNDEFINED) -> Value:
    """The elements of which the function is true, or which are themselves."""
    _make_like(run, val)
    answers = _answers(run, val, _IDENTITY if isnull(function) else function)
    if isinstance(val, list):
        return [item for _, item, answer in answers if answer is True or truth(answer)]
    return {key: item for key, item, answer in answers if answer is True or truth(answer)}


def mapped(run: Run, val: Value = UNDEFINED, function: Value = UNDEFINED) -> Value:
    """What the function says of each element, in a collection of the same form."""
    _make_like(run, val)
    answers = _answers(run, val, _IDENTITY if isnull(function) else function)
    if isinstance(val, list):
        return [answer for _, _, answer in answers]
    return {key: answer for key, _, answer in answers}


def pairwise(run: Run, val: Value = UNDEFINED, function: Value = UNDEFINED) -> list[Value]:
    """What the function says of the first elements of all arrays in `val`, of the second ones, and so on."""
    if not isinstance(val, list):
        raise type_error(f"The .pairwise() operator cannot be called on {to_string(val)}")
    if len(val) < 2:
        raise type_error("The .pairwise() operator needs a longer array")
    if not isinstance(function, Function):
        raise type_error(f"The .pairwise() operator cannot use {to_string(function)} as a function")
    run.step(len(val))
    rows = [row if isinstance(row, list) else [row] for row in val]
    answers: list[Value] = []
    for place in range(max(map(len, rows))):
        run.step(len(rows))
        make(run, len(rows) + 1)
        answers.append(run.call(function, [row[place] if place < len(row) else UNDEFINED for row in rows]))
    return answers


def reduce(run: Run, val: Value = UNDEFINED, function: Value = UNDEFINED, dflt: Value = MISSING) -> Value:
    """What is left when the function joins what it said last, at first `dflt`, with each element in turn."""
    if not isinstance(val, list):
        raise type_error("only works on Arrays")
    if not val:
        return 0 if dflt is MISSING else dflt
    if not isinstance(function, Function):
        if dflt is MISSING or len(val) > 1:
            raise KrlRuntimeError(
                "Error", f"The .reduce() operator cannot use {to_string(function)} as a function"
            )
        raise _no_function()
    begin = 1 if dflt is MISSING else 0
    result = val[0] if dflt is MISSING else dflt
    for place in range(begin, len(val)):
        run.step()
        result = run.call(function, [result, val[place], place, val])
    return result


def _answers(run: Run, val: Value, function: Value) -> Iterator[tuple[Value, Value, Value]]:
    """Index or key, element, and what the function says of it, one after the other."""
    if not isinstance(val, list | dict):
        raise type_error("only works on collections")
    if val and not isinstance(function, Function):
        raise _no_function()
    if function is _IDENTITY:
        run.step(len(val))
    items = enumerate(val) if isinstance(val, list) else ((key, val[key]) for key in ordered_keys(val))
    for key, item in items:
        if function is _IDENTITY:
            yield key, item, item
        else:
            run.step()
            yield key, item, run.call(function, [item, key, val])


def _make_like(run: Run, val: Value) -> None:
    """Counts a new collection of the size of `val`."""
    if isinstance(val, list | dict):
        make(run, len(val))


def _no_function() -> KrlRuntimeError:
    return type_error("iter is not a function")


_IDENTITY = Function("identity", ("val",), lambda _run, val: val)

OPERATORS = {
    "all": every,
    "notall": not_every,
    "any": some,
    "none": none,
    "collect": collect,
    "filter": filtered,
    "map": mapped,
    "pairwise": pairwise,
    "reduce": reduce,
}
