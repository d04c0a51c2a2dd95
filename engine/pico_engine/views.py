"""Lists and maps that are kept: views that write what changes through to the variable they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self, SupportsIndex, cast, overload

from pico_engine.errors import BadRequest
from pico_engine.ledger import MISSING
from pico_engine.values import FrozenList, FrozenMap, Json, check_key, freeze, thaw

if TYPE_CHECKING:
    from _typeshed import SupportsRichComparison

    from pico_engine.variables import Variables

BASE = 1 << 52
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


def list_key(key: str, generation: int, position: int) -> str:
    return f"{key}/{generation}/{position:014x}"


def map_key(key: str, generation: int, name: str) -> str:
    return f"{key}/{generation}/{name}"


def map_range(key: str, generation: int) -> tuple[str, str]:
    """Where the keys of a map begin and end: `0` is the character after the slash."""
    return f"{key}/{generation}/", f"{key}/{generation}0"


def _changed_kind(key: str, kind: str) -> BadRequest:
    return BadRequest(
        f"the persistent variable {key.split('/')[-1]} is no {kind} any more",
        "read it anew from self after it was given another value",
    )


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
        if value is MISSING:
            value = self._default
        if type(value) is not ListHead and type(value) is not FrozenList:
            raise _changed_kind(self.key, "list")
        return value

    def materialise(self) -> list[Any]:
        """All items as a plain list (of kept, unchangeable values)."""
        state = self._state()
        if type(state) is not ListHead:
            return list(cast("FrozenList", state))
        return self._range(state, state.start, state.stop)

    def _range(self, head: ListHead, start: int, stop: int) -> list[Any]:
        keys = [list_key(self.key, head.generation, position) for position in range(start, stop)]
        if len(keys) > 8:
            self.variables.read_elements(keys[0], list_key(self.key, head.generation, stop))
        return [self.variables.element(key) for key in keys]

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
            list_key(self.key, state.generation, state.start + self._position(index))
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
            self.variables.put_element(list_key(self.key, state.generation, position), freeze(value))
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
            self.variables.delete_element(list_key(self.key, head.generation, position))
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
            self.variables.put_element(list_key(self.key, state.generation, start), freeze(value))
            self.variables.put_head(self.key, ListHead(state.generation, start, state.stop))
            return
        items = self.materialise()
        items.insert(position, value)
        self._assign(items)

    def append(self, value: Any) -> None:
        state = self._state()
        value = freeze(value)
        if type(state) is ListHead:
            self.variables.put_element(list_key(self.key, state.generation, state.stop), value)
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
        if value is MISSING:
            value = self._default
        if type(value) is not MapHead and type(value) is not FrozenMap:
            raise _changed_kind(self.key, "map")
        return value

    def materialise(self) -> dict[str, Any]:
        """All entries as a plain dict (of kept, unchangeable values)."""
        state = self._state()
        if type(state) is not MapHead:
            return dict(cast("FrozenMap", state))
        start, stop = map_range(self.key, state.generation)
        rows = [
            (row[0], element_key[len(start) :], row[1])
            for element_key, row in self.variables.elements(start, stop)
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
        row = self.variables.element(map_key(self.key, state.generation, name))
        return MISSING if row is MISSING else row[1]

    def __getitem__(self, name: str) -> Any:
        value = self._find(name)
        if value is MISSING:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        check_key(name)
        value = freeze(value)
        state = self._state()
        if type(state) is not MapHead:
            self.variables.replace(self.key, FrozenMap({**cast("FrozenMap", state), name: value}))
            return
        element_key = map_key(self.key, state.generation, name)
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
        element_key = map_key(self.key, state.generation, name)
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

    def __ior__(self, other: Mapping[str, Any]) -> Self:
        self.update(other)
        return self

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
