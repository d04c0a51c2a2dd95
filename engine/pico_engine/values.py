"""Values that picos keep and exchange: JSON-like data, immutable once it is kept.

Whatever enters a pico (attributes of an event, a value assigned to a persistent variable) is frozen: lists
and maps become `FrozenList` and `FrozenMap`, which are a `list` and a `dict` that refuse to change. So a
value can be shared between rules, turns and snapshots without being copied, and a change that would be
lost in silence (`self.readings[0]["celsius"] = 3`) is an error that says what to write instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NoReturn, Protocol, runtime_checkable

import orjson

from pico_engine.errors import BadRequest, LimitExceeded

Json = Any
"""None, bool, int, float, str, list or dict of these; a type checker cannot say it without noise."""

DEPTH_MAX_LEVELS = 64
"""Deeper data is refused: it serves attacks on recursive code more often than people."""

SMALL = 1 << 62
"""Integers up to here need no closer look."""


@runtime_checkable
class Materialises(Protocol):
    """A view on stored data (a persistent list or map) that can be turned into the plain value."""

    def materialise(self) -> Json: ...


def _refuse(self: object, *_args: object, **_kwargs: object) -> NoReturn:
    raise TypeError(
        f"this {'map' if isinstance(self, dict) else 'list'} is a kept value and cannot be changed in place; "
        "assign a new one: self.readings[0] = {**self.readings[0], 'celsius': 3}"
    )


class FrozenMap(dict[str, Any]):
    """A dict that cannot change."""

    __slots__ = ()
    __setitem__ = __delitem__ = _refuse
    clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __copy__(self) -> dict[str, Any]:
        return dict(self)

    def __deepcopy__(self, _memo: object) -> dict[str, Any]:
        return {key: thaw(value) for key, value in self.items()}


class FrozenList(list[Any]):
    """A list that cannot change."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = extend = insert = pop = remove = clear = sort = reverse = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))

    def __copy__(self) -> list[Any]:
        return list(self)

    def __deepcopy__(self, _memo: object) -> list[Any]:
        return [thaw(value) for value in self]


EMPTY_MAP = FrozenMap()
INTEGER_MIN, INTEGER_MAX = -(1 << 63), (1 << 64) - 1
"""Integers beyond are refused: the JSON that we read and write carries 64 bits."""
PRINTED_MAX_CHARS = 2_000
"""Texts made for people, such as what an exception says, are cut here."""


def freeze(value: Json, depth: int = 0) -> Json:
    """`value` as immutable JSON-like data, which can always be written as JSON.

    Raises BadRequest for what JSON does not have (other types, NaN and infinity, integers beyond 64 bits,
    text with lone surrogates), LimitExceeded for more than `DEPTH_MAX_LEVELS`.
    """
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is FrozenMap or kind is FrozenList:
        if depth:
            _check_depth(value, depth)
        return value
    if kind is str or kind is int or kind is float:
        return _checked_scalar(value)
    if depth >= DEPTH_MAX_LEVELS:
        raise LimitExceeded(f"data is nested deeper than {DEPTH_MAX_LEVELS} levels")
    if isinstance(value, Mapping):
        frozen = {}
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                check_key(key)
            kind = type(item)
            plain = item.isascii() if kind is str else kind is int and -SMALL < item < SMALL
            frozen[key] = item if plain else freeze(item, depth + 1)
        return FrozenMap(frozen)
    if kind is not list and isinstance(value, Materialises):  # a slow test
        return freeze(value.materialise(), depth)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return FrozenList(freeze(item, depth + 1) for item in value)
    if isinstance(value, str | int | float):  # a subclass (an enum, say): keep its plain value
        return _checked_scalar(_plain_scalar(value))
    raise BadRequest(
        f"a {kind.__name__} is not JSON-like data",
        "keep text, numbers, true, false, None, lists and maps; turn other objects into one of these",
    )


def _check_depth(value: Json, depth: int) -> None:
    """Frozen data inside of other data: together they may be too deep. Raises LimitExceeded."""
    if depth >= DEPTH_MAX_LEVELS:
        raise LimitExceeded(f"data is nested deeper than {DEPTH_MAX_LEVELS} levels")
    for item in value.values() if type(value) is FrozenMap else value:
        if type(item) is FrozenMap or type(item) is FrozenList:
            _check_depth(item, depth + 1)


def _plain_scalar(value: str | float) -> Json:
    if isinstance(value, str):
        return str.__str__(value)
    return int(value) if isinstance(value, int) else float(value)


def _checked_scalar(value: str | float) -> Json:
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise BadRequest("text with lone surrogates is not JSON-like data", "decode the text properly")
    elif isinstance(value, int):
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            what = f"an integer of {value.bit_length()} bits is too large: JSON-like data has 64"
            raise BadRequest(what, "keep it as a text")
    elif not isfinite(value):
        raise BadRequest(f"JSON has no number {value}", "keep None, or a text, in its place")
    return value


def check_key(key: object) -> None:
    """Raises BadRequest for what cannot be the key of a map."""
    if type(key) is not str:
        raise BadRequest(f"a map's key must be text, not {type(key).__name__}", "use str(key) as the key")
    _checked_scalar(key)


def printable(text: str, most: int = PRINTED_MAX_CHARS) -> str:
    """`text` for people: cut, and without the lone surrogates that JSON cannot carry."""
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    return text if text.isascii() else text.encode(errors="replace").decode()


def thaw(value: Json) -> Json:
    """A plain, changeable copy of a kept value."""
    kind = type(value)
    if kind is str or kind is int or kind is float or kind is bool or value is None:
        return value
    if kind is FrozenList:  # before the test for `Materialises`, which is slow
        return [thaw(item) for item in value]
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, Materialises):
        return thaw(value.materialise())
    if isinstance(value, list | tuple):
        return [thaw(item) for item in value]
    return value


def _default(value: object) -> Json:
    if isinstance(value, Materialises):
        return value.materialise()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is not JSON-like data")


def encode(value: Json) -> bytes:
    """Compact JSON. Raises BadRequest for what JSON cannot hold (a number beyond 64 bits among it)."""
    try:
        return orjson.dumps(value, default=_default)
    except TypeError as error:
        raise BadRequest(f"cannot be written as JSON: {error}", "keep only JSON-like data") from error


def decode(data: bytes) -> Json:
    """Plain (unfrozen) data of JSON text. Raises BadRequest when it is not JSON."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"not JSON: {error}", "send valid JSON") from error
