"""Persistent variables as KRL uses them: `ent:x` is a plain value, and a part of it costs what that part is.

A variable that is kept with a row per element (see pico_engine.variables) is not read as a whole where one
key will do, nor written as a whole. All else is defined by the operators `get`, `set`, `put`, `append` and
`delete`: what happens here is what they would do.

What a pico holds is counted so that a change costs what it changes: each variable counts COUNTED_FROM_BYTES,
about a page on a disk, however small it is. One that is larger has its size in the pico's facts, under
`krl/RID/NAME`, which goes with the ruleset; how much such ones take above that is in the fact HELD_ABOVE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from pico_engine.krl.counting import scan
from pico_engine.krl.errors import KrlLimitExceeded
from pico_engine.krl.stdlib import OPERATORS
from pico_engine.krl.values import UNDEFINED, Invocable, isnull, to_json, to_string
from pico_engine.ledger import MISSING
from pico_engine.values import Json, freeze
from pico_engine.views import ListHead, MapHead, PersistentList, PersistentMap

if TYPE_CHECKING:
    from pico_engine.krl.instance import Instance
    from pico_engine.krl.values import Value

COUNTED_FROM_BYTES: Final = 4_096
"""What each variable counts at least; whether it was there before is all that is asked of smaller ones."""
HELD_ABOVE: Final = "krl_held_above"
"""Bytes that the larger variables take above COUNTED_FROM_BYTES each; worked out anew where it is missing."""
_ROOM: Final = "krl/"
_ELEMENT_BYTES: Final = 8


def size_of(value: Json) -> int:
    """About how many bytes a kept value takes."""
    kind = type(value)
    if kind is str:
        return len(value)
    if isinstance(value, dict):
        return sum(_ELEMENT_BYTES + len(key) + size_of(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(_ELEMENT_BYTES + size_of(item) for item in value)
    return _ELEMENT_BYTES


def _count(run: Instance, name: str, size: int, *, more: bool) -> None:
    """Note that the variable has this size now. Raises KrlLimitExceeded where it is `more`, and too much."""
    info, key = run.pico.info, f"{_ROOM}{run.rid}/{name}"
    before = max(info.rows.get(key, 0), COUNTED_FROM_BYTES)
    above = _held_above(run) + max(size, COUNTED_FROM_BYTES) - before
    if more:
        _check(run, name, above)
    info.put(HELD_ABOVE, above)
    if size > COUNTED_FROM_BYTES:
        info.put(key, size)
    elif key in info.rows:
        info.delete(key)


def _held_above(run: Instance) -> int:
    rows = run.pico.info.rows
    above: int | None = rows.get(HELD_ABOVE)
    if above is None:
        above = sum(size - COUNTED_FROM_BYTES for key, size in rows.items() if key.startswith(_ROOM))
    return above


def _check(run: Instance, name: str, above: int) -> None:
    """Raises KrlLimitExceeded where the pico holds too much, once it has the variable `name`; StoreFull."""
    run.pico.engine.disk.check()
    variables = run.pico.variables.rows
    count = len(variables) + (run.key(name) not in variables)
    most = run.limits.stored_max_bytes
    if count * COUNTED_FROM_BYTES + above > most:
        raise KrlLimitExceeded(
            f"this pico's persistent variables would hold more than {most:,} bytes (stored_max_bytes); each "
            f"counts {COUNTED_FROM_BYTES:,} at least",
            "keep less: `clear ent:name`, or only the newest entries",
        )


def _counted(run: Instance, name: str) -> int:
    size: int = run.pico.info.rows.get(f"{_ROOM}{run.rid}/{name}", 0)
    return size


# -- reading ------------------------------------------------------------------------------------------------


def get(run: Instance, name: str) -> Value:
    """`ent:name`; None when it is not set."""
    value = run.rows.get(run.key(name))
    kind = type(value)
    if kind is ListHead or kind is MapHead:
        return _whole(run, name, cast("ListHead | MapHead", value))
    return value


def _whole(run: Instance, name: str, head: ListHead | MapHead) -> Value:
    """All of a variable that has a row per element."""
    length = head.stop - head.start if type(head) is ListHead else cast("MapHead", head).size
    run.step(length)
    run.grow(8 * length)
    return run.variables.get(name).materialise()


def _view(run: Instance, name: str) -> PersistentList | PersistentMap | None:
    """The variable as a view, where it has a row per element."""
    kind = type(run.rows.get(run.key(name)))
    if kind is ListHead or kind is MapHead:
        return cast("PersistentList | PersistentMap", run.variables.get(name))
    return None


def _keys(path: Value) -> list[str]:
    return [to_string(part) for part in path] if isinstance(path, list) else [to_string(path)]


def _position(view: PersistentList, key: str) -> int | None:
    """The index that a key means in a list, where it is one of an element it has."""
    plain = key.isascii() and key.isdecimal() and (key == "0" or key[0] != "0") and len(key) < 16
    return int(key) if plain and int(key) < len(view) else None


def _element(view: PersistentList | PersistentMap, key: str) -> Any:
    """One element; MISSING where there is none, or where only the whole value could tell."""
    if isinstance(view, PersistentMap):
        return view.get(key, MISSING)
    position = _position(view, key)
    return MISSING if position is None else view[position]


def get_path(run: Instance, name: str, path: Value) -> Value:
    """`ent:name{path}`, `ent:name[index]`."""
    view = _view(run, name)
    if view is None:
        return OPERATORS["get"](run, run.rows.get(run.key(name)), path)
    keys = _keys(path)
    element = _element(view, keys[0]) if keys else MISSING
    if element is MISSING:
        return None if isinstance(view, PersistentMap) else OPERATORS["get"](run, get(run, name), path)
    if len(keys) == 1:
        return element
    return OPERATORS["get"](run, {keys[0]: element}, path)


def length(run: Instance, name: str) -> Value:
    """`ent:name.length()`."""
    view = _view(run, name)
    return len(view) if view is not None else OPERATORS["length"](run, run.rows.get(run.key(name)))


# -- writing ------------------------------------------------------------------------------------------------


def assign(run: Instance, name: str, value: Value) -> None:
    """`ent:name := value`; null clears it."""
    kind = type(value)
    if kind is int or kind is bool:
        held = run.rows.get(run.key(name), MISSING)
        old = type(held)
        if old is ListHead or old is MapHead or old is str:
            if _counted(run, name):
                _count(run, name, 0, more=False)
        elif held is MISSING:
            _check(run, name, _held_above(run))
        run.variables.set(name, value)
        return
    kept = to_json(value, run)
    if kept is None:
        clear(run, name)
        return
    kept = freeze(kept)
    size = size_of(kept)
    scan(run, size)  # it is written as JSON
    if size > COUNTED_FROM_BYTES or _counted(run, name):
        _count(run, name, size, more=size > _counted(run, name))
    elif run.key(name) not in run.rows:
        _check(run, name, _held_above(run))
    run.variables.set(name, kept)


def clear(run: Instance, name: str) -> None:
    """`clear ent:name`."""
    if _counted(run, name):
        _count(run, name, 0, more=False)
    run.variables.clear(name)


def _is_absent(value: Value) -> bool:
    """What JSON leaves out of maps."""
    return value is UNDEFINED or isinstance(value, Invocable)


def _put_element(
    run: Instance, name: str, view: PersistentMap | PersistentList, key: str, value: Value
) -> None:
    """Give one element of a spread variable a new value; `key` is one it has, or of a map."""
    old = _element(view, key)
    gone = _is_absent(value) and isinstance(view, PersistentMap)
    new = MISSING if gone else freeze(to_json(value, run))
    before = 0 if old is MISSING else size_of(old) + _ELEMENT_BYTES + len(key)
    after = 0 if gone else size_of(new) + _ELEMENT_BYTES + len(key)
    if isinstance(view, PersistentList):
        before, after = before - len(key), after - len(key)
    known = _counted(run, name) or COUNTED_FROM_BYTES + 1
    _count(run, name, max(known + after - before, COUNTED_FROM_BYTES + 1), more=after > before)
    if not gone:
        if isinstance(view, PersistentMap):
            view[key] = new
        else:
            view[int(key)] = new
    elif old is not MISSING:
        del cast("PersistentMap", view)[key]


def _by_operator(run: Instance, name: str, operator: str, *arguments: Value) -> None:
    assign(run, name, OPERATORS[operator](run, get(run, name), *arguments))


def _held(run: Instance, name: str, default: Value) -> Value:
    """All of the variable, or `default` where one is given and it holds nothing."""
    held = get(run, name)
    return default if default is not UNDEFINED and isnull(held) else held


def set_path(run: Instance, name: str, path: Value, value: Value) -> None:
    """`ent:name{path} := value`."""
    view, keys = _view(run, name), _keys(path)
    if view is None or not keys:
        _by_operator(run, name, "set", path, value)
        return
    old = _element(view, keys[0])
    if isinstance(view, PersistentList) and old is MISSING:
        _by_operator(run, name, "set", path, value)
        return
    if len(keys) > 1:
        held = {} if old is MISSING else {keys[0]: old}
        value = OPERATORS["set"](run, held, keys, value)[keys[0]]
    _put_element(run, name, view, keys[0], value)


def put_path(run: Instance, name: str, default: Value, path: Value, value: Value) -> None:
    """`ent:name := ent:name.put(path, value)`, or `.defaultsTo(default).put(path, value)`."""
    view, keys = _view(run, name), _keys(path)
    if isinstance(view, PersistentMap) and len(keys) == 1:
        _put_element(run, name, view, keys[0], value)
        return
    assign(run, name, OPERATORS["put"](run, _held(run, name, default), path, value))


def append(run: Instance, name: str, default: Value, value: Value) -> None:
    """`ent:name := ent:name.append(value)`, or `.defaultsTo(default).append(value)`."""
    view = _view(run, name)
    if isinstance(view, PersistentList):
        items = value if isinstance(value, list) else [value]
        run.step(len(items))
        kept = [freeze(to_json(item, run)) for item in items]
        grown = sum(_ELEMENT_BYTES + size_of(item) for item in kept)
        known = _counted(run, name) or COUNTED_FROM_BYTES + 1
        _count(run, name, known + grown, more=grown > 0)
        view.extend(kept)
        return
    assign(run, name, OPERATORS["append"](run, _held(run, name, default), value))


def drop_first(run: Instance, name: str, default: Value) -> None:
    """`ent:name := ent:name.tail()`, or `.defaultsTo(default).tail()`."""
    view = _view(run, name)
    if isinstance(view, PersistentList) and len(view):
        gone = size_of(view[0]) + _ELEMENT_BYTES
        _count(run, name, max(_counted(run, name) - gone, COUNTED_FROM_BYTES + 1), more=False)
        del view[0]
        return
    assign(run, name, OPERATORS["tail"](run, _held(run, name, default)))


def clear_path(run: Instance, name: str, path: Value) -> None:
    """`clear ent:name{path}`."""
    view, keys = _view(run, name), _keys(path)
    if not isinstance(view, PersistentMap) or not keys:
        _by_operator(run, name, "delete", path)
        return
    old = _element(view, keys[0])
    if old is MISSING:
        return
    left = OPERATORS["delete"](run, {keys[0]: old}, keys)
    _put_element(run, name, view, keys[0], left.get(keys[0], UNDEFINED))
