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

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from pico_engine.errors import LimitExceeded
from pico_engine.ledger import MISSING, Section
from pico_engine.values import SMALL, FrozenList, FrozenMap, Json, decode, encode, freeze
from pico_engine.views import (
    BASE,
    ListHead,
    MapHead,
    PersistentList,
    PersistentMap,
    list_key,
    map_key,
    map_range,
)

if TYPE_CHECKING:
    from pico_engine.limits import EngineLimits


_COUNTER_MAX: Final = 1 << 60
"""Numbers below it are written the quickest way."""


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

    __slots__ = ("_elements", "_keys", "_limits", "_may_write", "_rid", "rows", "section")

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
        self._keys: dict[str, str] = {}

    def _key(self, name: str) -> str:
        """The row of a variable. Remembered, so that its hash is worked out once."""
        key = self._keys[name] = f"{self._rid}/{name}"
        return key

    def get(self, name: str, default: Json = None) -> Json:
        """The variable's value; a list or map as a view that writes through."""
        key = self._keys.get(name) or self._key(name)
        value = self.rows.get(key, MISSING)
        kind = type(value)
        if kind is int or kind is str:  # as most variables
            return value
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
        key = self._keys.get(name) or self._key(name)
        kind = type(value)
        if kind is int:
            whole: int = value  # compiled, a number of C's
            if -_COUNTER_MAX < whole < _COUNTER_MAX and type(old := self.rows.get(key)) is int:  # a counter
                self._may_write()
                self.section.replace(key, old, value)
                return
        if kind is int or kind is float or kind is bool or value is None:
            if kind is float or (kind is int and not -SMALL < value < SMALL):
                freeze(value)  # some numbers are none in JSON
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
        key = self._keys.get(name) or self._key(name)
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
        is_list, is_map = type(value) is FrozenList, type(value) is FrozenMap
        if (is_list or is_map) and self._is_large(value):
            if is_list:
                self.spread_list(key, value, old)
            else:
                self.spread_map(key, value, old)
        else:
            if not (is_list or is_map):
                self._check_size(value)
            self.section.put(key, value)

    def _is_large(self, value: FrozenList | FrozenMap) -> bool:
        """Is it better kept with a row per element?"""
        limits = self._limits
        if not value:
            return False
        if len(value) > limits.inline_items_max:
            return True
        return len(encode(value)) > min(limits.inline_max_bytes, limits.value_max_bytes)

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

    def read_elements(self, start: str, stop: str) -> None:
        """Fetch a range at once, for it is about to be used."""
        self._elements.fetch(start, stop)

    def elements(self, start: str, stop: str) -> Iterator[tuple[str, Json]]:
        return self._elements.scan(start, stop)

    def spread_list(self, key: str, values: Iterable[Json], old: Any) -> None:
        generation = _generation(old) + 1
        position = BASE
        for value in values:
            self.put_element(list_key(key, generation, position), value)
            position += 1
        self.put_head(key, ListHead(generation, BASE, position))

    def spread_map(self, key: str, values: Mapping[str, Json], old: Any) -> None:
        generation = _generation(old) + 1
        for sequence, (name, value) in enumerate(values.items()):
            self.put_element(map_key(key, generation, name), FrozenList((sequence, value)))
        self.put_head(key, MapHead(generation, len(values), len(values)))

    def _drop_elements(self, key: str, head: Any) -> None:
        if type(head) is ListHead:
            for position in range(head.start, head.stop):
                self.delete_element(list_key(key, head.generation, position))
        elif type(head) is MapHead:
            for element_key, _ in list(self.elements(*map_range(key, head.generation))):
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
