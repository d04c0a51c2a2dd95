"""Persistent variables: they behave like values and cost what changes.

A variable is one row of the pico's `variables` section, `RID/NAME`. Small lists and maps stand in that row
as a whole. One that grows past `inline_items_max` gets a row per element in the `elements` section and a
head (`ListHead`, `MapHead`) in the variable's row; appending to it, or setting one key, then writes one
element and the head, however large the rest is. A variable that is given a new value as a whole starts a
new generation of elements; those of the old one are deleted in the same commit.

Element keys: `RID/NAME/GENERATION/` and, for a list, the position as 14 hex digits counted from a base that
can go down (so that dropping the oldest reading moves nothing); for a map the key itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex, cast, overload

from pico_engine.errors import BadRequest, LimitExceeded
from pico_engine.ledger import MISSING, Section
from pico_engine.values import FrozenList, FrozenMap, Json, decode, encode, freeze, thaw

if TYPE_CHECKING:
    from _typeshed import SupportsRichComparison

    from pico_engine.limits import EngineLimits

_BASE = 1 << 52
"""First position of a list: half of the 14 hex digits' range, room for both ends."""


class ListHead(NamedTuple):
    """A list with a row per element: positions `start` <= p < `stop`."""

    generation: int
    start: int
    stop: int


class MapHead(NamedTuple):
    """A map with a row per key; `sequence` numbers keys in the order they were first set."""

    generation: int
    size: int
    sequence: int


def encode_variable(value: Any) -> bytes:
    """A variable's row: a bare value is `[value]`, heads are `["l", …]` and `["m", …]` of four items."""
    if type(value) is ListHead:
        return encode(["l", *value])
    if type(value) is MapHead:
        return encode(["m", *value])
    return encode([value])


def decode_variable(data: bytes) -> Any:
    row = decode(data)
    if len(row) == 1:
        return freeze(row[0])
    return ListHead(*row[1:]) if row[0] == "l" else MapHead(*row[1:])


class Variables:
    """All persistent variables of one ruleset in one pico.

    `may_write` is asked before every change and raises when the running code may only read.
    """

    __slots__ = ("_elements", "_limits", "_may_write", "_rid", "rows", "section")

    def __init__(
        self,
        rid: str,
        section: Section,
        elements: Section,
        limits: EngineLimits,
        may_write: Callable[[], None],
    ) -> None:
        self._rid = rid
        self.section = section
        self.rows = section.rows
        self._elements = elements
        self._limits = limits
        self._may_write = may_write

    def get(self, name: str, default: Json = None) -> Json:
        """The variable's value; a list or map as a view that writes through."""
        key = f"{self._rid}/{name}"
        value = self.rows.get(key, MISSING)
        if value is MISSING:
            value = default
        kind = type(value)
        if kind is ListHead or kind is FrozenList:
            return PersistentList(self, key, default)
        if kind is MapHead or kind is FrozenMap:
            return PersistentMap(self, key, default)
        return value

    def set(self, name: str, value: Json) -> None:
        """Give the variable a new value as a whole."""
        key = f"{self._rid}/{name}"
        kind = type(value)
        if kind is int or kind is float or kind is bool or value is None:
            old = self.rows.get(key, MISSING)
            if type(old) is not ListHead and type(old) is not MapHead:
                self._may_write()
                self.section.put(key, value)
                return
        elif kind is PersistentList or kind is PersistentMap:
            if value.key == key and value.variables.section is self.section:
                return  # the end of `self.readings += [...]`, which wrote already
            value = value.materialise()
        self.replace(key, freeze(value))

    def clear(self, name: str) -> None:
        """Forget the variable: it has its default again."""
        key = f"{self._rid}/{name}"
        self._may_write()
        if key in self.rows:
            self._drop_elements(key, self.rows[key])
            self.section.delete(key)

    def names(self) -> list[str]:
        prefix = f"{self._rid}/"
        return [key[len(prefix) :] for key in self.rows if key.startswith(prefix)]

    def clear_all(self) -> None:
        for name in self.names():
            self.clear(name)

    # -- for the views below ------------------------------------------------------------------------------

    def replace(self, key: str, value: Json) -> None:
        self._may_write()
        old = self.rows.get(key, MISSING)
        if type(old) is ListHead or type(old) is MapHead:
            self._drop_elements(key, old)
        if type(value) is FrozenList and len(value) > self._limits.inline_items_max:
            self.spread_list(key, value, old)
        elif type(value) is FrozenMap and len(value) > self._limits.inline_items_max:
            self.spread_map(key, value, old)
        else:
            self._check_size(value)
            self.section.put(key, value)

    def put_head(self, key: str, head: ListHead | MapHead) -> None:
        self._may_write()
        self.section.put(key, head)

    def put_element(self, element_key: str, value: Json) -> None:
        self._may_write()
        self._check_size(value)
        self._elements.put(element_key, value)

    def delete_element(self, element_key: str) -> None:
        self._may_write()
        self._elements.delete(element_key)

    def element(self, element_key: str) -> Json:
        return self._elements.get(element_key, MISSING)

    def elements(self, start: str, stop: str) -> Iterator[tuple[str, Json]]:
        return self._elements.scan(start, stop)

    @property
    def inline_items_max(self) -> int:
        return self._limits.inline_items_max

    def spread_list(self, key: str, values: Iterable[Json], old: Any) -> None:
        generation = _generation(old) + 1
        position = _BASE
        for value in values:
            self.put_element(_list_key(key, generation, position), value)
            position += 1
        self.put_head(key, ListHead(generation, _BASE, position))

    def spread_map(self, key: str, values: Mapping[str, Json], old: Any) -> None:
        generation = _generation(old) + 1
        for sequence, (name, value) in enumerate(values.items()):
            self.put_element(_map_key(key, generation, name), FrozenList((sequence, value)))
        self.put_head(key, MapHead(generation, len(values), len(values)))

    def _drop_elements(self, key: str, head: Any) -> None:
        if type(head) is ListHead:
            for position in range(head.start, head.stop):
                self.delete_element(_list_key(key, head.generation, position))
        elif type(head) is MapHead:
            prefix = _map_key(key, head.generation, "")
            for element_key, _ in list(self.elements(prefix, prefix + "\U0010ffff")):
                self.delete_element(element_key)

    def _check_size(self, value: Json) -> None:
        kind = type(value)
        if kind is int or kind is float or kind is bool or value is None:
            return
        if kind is str and len(value) * 4 <= self._limits.value_max_bytes:
            return
        size = len(encode(value))
        if size > self._limits.value_max_bytes:
            raise LimitExceeded(
                f"a value of {size:,} bytes; value_max_bytes is {self._limits.value_max_bytes:,}",
                "keep large things elsewhere, or split them over the elements of a list or map",
            )


def _generation(old: Any) -> int:
    return old.generation if type(old) is ListHead or type(old) is MapHead else 0


def _list_key(key: str, generation: int, position: int) -> str:
    return f"{key}/{generation}/{position:014x}"


def _map_key(key: str, generation: int, name: str) -> str:
    return f"{key}/{generation}/{name}"


class PersistentList(MutableSequence[Any]):
    """A list that is kept: reads and changes go to the variable it belongs to."""

    __slots__ = ("_default", "key", "variables")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, variables: Variables, key: str, default: Json) -> None:
        self.variables = variables
        self.key = key
        self._default = default

    def _state(self) -> ListHead | FrozenList:
        value = self.variables.rows.get(self.key, MISSING)
        return cast("ListHead | FrozenList", self._default if value is MISSING else value)

    def materialise(self) -> list[Any]:
        """All items as a plain list (of kept, unchangeable values)."""
        state = self._state()
        if type(state) is not ListHead:
            return list(cast("FrozenList", state))
        return self._range(state, state.start, state.stop)

    def _range(self, head: ListHead, start: int, stop: int) -> list[Any]:
        if stop - start <= 8:
            return [
                self.variables.element(_list_key(self.key, head.generation, position))
                for position in range(start, stop)
            ]
        low = _list_key(self.key, head.generation, start)
        high = _list_key(self.key, head.generation, stop)
        return [value for _, value in self.variables.elements(low, high)]

    def __len__(self) -> int:
        state = self._state()
        return state.stop - state.start if type(state) is ListHead else len(cast("FrozenList", state))

    def __iter__(self) -> Iterator[Any]:
        yield from self.materialise()

    def __reversed__(self) -> Iterator[Any]:
        yield from reversed(self.materialise())

    @overload
    def __getitem__(self, index: SupportsIndex) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        state = self._state()
        if type(state) is not ListHead:
            value = cast("FrozenList", state)[index]
            return list(value) if isinstance(index, slice) else value
        if isinstance(index, slice):
            start, stop, step = index.indices(state.stop - state.start)
            if step == 1:
                return self._range(state, state.start + start, max(state.start + start, state.start + stop))
            return self.materialise()[index]
        return self.variables.element(
            _list_key(self.key, state.generation, state.start + self._position(index))
        )

    def _position(self, index: SupportsIndex) -> int:
        position, length = index.__index__(), len(self)
        if position < 0:
            position += length
        if not 0 <= position < length:
            raise IndexError(f"list index {index} out of range: the list has {length} items")
        return position

    @overload
    def __setitem__(self, index: SupportsIndex, value: Any) -> None: ...
    @overload
    def __setitem__(self, index: slice, value: Iterable[Any]) -> None: ...
    def __setitem__(self, index: SupportsIndex | slice, value: Any) -> None:
        state = self._state()
        if type(state) is ListHead and not isinstance(index, slice):
            position = state.start + self._position(index)
            self.variables.put_element(_list_key(self.key, state.generation, position), freeze(value))
            return
        items = self.materialise()
        items[index] = value
        self._assign(items)

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        state = self._state()
        if type(state) is ListHead:
            length = state.stop - state.start
            if isinstance(index, slice):
                start, stop, step = index.indices(length)
            else:
                start = self._position(index)
                stop, step = start + 1, 1
            if step == 1 and (start == 0 or stop == length):
                self._cut(state, start, max(start, stop))
                return
        items = self.materialise()
        del items[index]
        self._assign(items)

    def _cut(self, head: ListHead, start: int, stop: int) -> None:
        """Drop items at one end: costs what is dropped."""
        for position in range(head.start + start, head.start + stop):
            self.variables.delete_element(_list_key(self.key, head.generation, position))
        if start == 0:
            head = ListHead(head.generation, head.start + stop, head.stop)
        else:
            head = ListHead(head.generation, head.start, head.start + start)
        self.variables.put_head(self.key, head)

    def insert(self, index: SupportsIndex, value: Any) -> None:
        position, length = index.__index__(), len(self)
        if position >= length:
            self.append(value)
            return
        state = self._state()
        if type(state) is ListHead and (position == 0 or position <= -length):
            start = state.start - 1
            self.variables.put_element(_list_key(self.key, state.generation, start), freeze(value))
            self.variables.put_head(self.key, ListHead(state.generation, start, state.stop))
            return
        items = self.materialise()
        items.insert(position, value)
        self._assign(items)

    def append(self, value: Any) -> None:
        state = self._state()
        value = freeze(value)
        if type(state) is ListHead:
            self.variables.put_element(_list_key(self.key, state.generation, state.stop), value)
            self.variables.put_head(self.key, ListHead(state.generation, state.start, state.stop + 1))
            return
        self.variables.replace(self.key, FrozenList((*cast("FrozenList", state), value)))

    def extend(self, values: Iterable[Any]) -> None:
        for value in list(values):
            self.append(value)

    def clear(self) -> None:
        self._assign([])

    def sort(
        self, *, key: Callable[[Any], SupportsRichComparison] | None = None, reverse: bool = False
    ) -> None:
        self._assign(sorted(self.materialise(), key=cast("Any", key), reverse=reverse))

    def reverse(self) -> None:
        self._assign(self.materialise()[::-1])

    def copy(self) -> list[Any]:
        return self.materialise()

    def _assign(self, items: list[Any]) -> None:
        self.variables.replace(self.key, freeze(items))

    def __add__(self, other: Iterable[Any]) -> list[Any]:
        return [*self.materialise(), *other]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PersistentList):
            return self.materialise() == other.materialise()
        return isinstance(other, list | tuple) and self.materialise() == list(other)

    def __repr__(self) -> str:
        return repr(thaw(self.materialise()))


class PersistentMap(MutableMapping[str, Any]):
    """A map that is kept; it remembers the order in which its keys were first set."""

    __slots__ = ("_default", "key", "variables")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, variables: Variables, key: str, default: Json) -> None:
        self.variables = variables
        self.key = key
        self._default = default

    def _state(self) -> MapHead | FrozenMap:
        value = self.variables.rows.get(self.key, MISSING)
        return cast("MapHead | FrozenMap", self._default if value is MISSING else value)

    def materialise(self) -> dict[str, Any]:
        """All entries as a plain dict (of kept, unchangeable values)."""
        state = self._state()
        if type(state) is not MapHead:
            return dict(cast("FrozenMap", state))
        prefix = _map_key(self.key, state.generation, "")
        rows = [
            (row[0], element_key[len(prefix) :], row[1])
            for element_key, row in self.variables.elements(prefix, prefix + "\U0010ffff")
        ]
        rows.sort(key=lambda row: row[0])
        return {name: value for _, name, value in rows}

    def __len__(self) -> int:
        state = self._state()
        return state.size if type(state) is MapHead else len(cast("FrozenMap", state))

    def __iter__(self) -> Iterator[str]:
        return iter(self.materialise())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not MISSING

    def _find(self, name: str) -> Any:
        state = self._state()
        if type(state) is not MapHead:
            return cast("FrozenMap", state).get(name, MISSING)
        row = self.variables.element(_map_key(self.key, state.generation, name))
        return MISSING if row is MISSING else row[1]

    def __getitem__(self, name: str) -> Any:
        value = self._find(name)
        if value is MISSING:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        if type(name) is not str:
            raise BadRequest(f"a map's key must be text, not {type(name).__name__}", "use str(key)")
        value = freeze(value)
        state = self._state()
        if type(state) is not MapHead:
            self.variables.replace(self.key, FrozenMap({**cast("FrozenMap", state), name: value}))
            return
        element_key = _map_key(self.key, state.generation, name)
        row = self.variables.element(element_key)
        if row is MISSING:
            self.variables.put_element(element_key, FrozenList((state.sequence, value)))
            head = MapHead(state.generation, state.size + 1, state.sequence + 1)
            self.variables.put_head(self.key, head)
        else:
            self.variables.put_element(element_key, FrozenList((row[0], value)))

    def __delitem__(self, name: str) -> None:
        state = self._state()
        if type(state) is not MapHead:
            items = dict(cast("FrozenMap", state))
            del items[name]
            self.variables.replace(self.key, FrozenMap(items))
            return
        element_key = _map_key(self.key, state.generation, name)
        if self.variables.element(element_key) is MISSING:
            raise KeyError(name)
        self.variables.delete_element(element_key)
        self.variables.put_head(self.key, MapHead(state.generation, state.size - 1, state.sequence))

    def clear(self) -> None:
        self.variables.replace(self.key, FrozenMap())

    def copy(self) -> dict[str, Any]:
        return self.materialise()

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.materialise(), **other}

    def items(self) -> Any:
        return self.materialise().items()

    def values(self) -> Any:
        return self.materialise().values()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PersistentMap):
            return self.materialise() == other.materialise()
        return isinstance(other, Mapping) and self.materialise() == dict(other)

    def __repr__(self) -> str:
        return repr(thaw(self.materialise()))
