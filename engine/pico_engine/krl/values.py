"""KRL's values: what they are in Python, their types, and how one becomes another.

| KRL | Python |
|---|---|
| the literal `null`, what is not there | `UNDEFINED` |
| null of JSON, an unset `ent:` variable | `None` |
| Boolean, Number, String, Array, Map | bool, int or float, str, list, dict with str keys |
| RegExp | `pico_engine.regex.Regex` |
| Function, Action, both in one | `Function`, `Action`, `ActionFunction` |

Values never change in place: an operator makes a new list or dict that shares what it did not change. Any
subclass of list or dict will do, such as the frozen ones of persistent variables. Strings are counted in
code points. The rules are those of krl-stdlib 1.3 (its `krl.ts`), which are ECMAScript's in large part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, Protocol

from pico_engine.krl.errors import KrlLimitExceeded
from pico_engine.krl.numbers import (
    is_hex,
    number,
    number_to_hex,
    number_to_string,
    radix_value,
    string_to_number,
)
from pico_engine.regex import Regex
from pico_engine.values import DEPTH_MAX_LEVELS, FrozenList, FrozenMap, Json

Value = Any
"""A KRL value, see the table above; a type checker cannot say it without noise."""

CHARS_PER_ELEMENT = 8
"""What an element of a list or map counts for `Run.grow`: a reference, as much as so many characters."""


class Undefined:
    """The class of `UNDEFINED`."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __reduce__(self) -> str:
        return "UNDEFINED"  # copies are the same object


UNDEFINED: Final = Undefined()
"""What is not there: the literal `null`, a name without a value, a missing argument."""


class _Missing:
    __slots__ = ()


MISSING: Final = _Missing()
"""The default of a parameter where an argument that is not given differs from one that is null."""


@dataclass(frozen=True, slots=True, eq=False)
class Invocable:
    """Something that can be called, in a rule's action or in an expression."""

    name: str
    parameters: tuple[str, ...]
    body: Callable[..., Value]
    """Called as `body(run, *arguments)`, with as many arguments as were given, `len(parameters)` at most."""
    steps: int = 1
    """What a call counts, by the length of the code; what it calls counts besides."""


class Function(Invocable):
    """A KRL function, an operator or a module's function."""

    __slots__ = ()


class Action(Invocable):
    """A `defaction`, or a module's action."""

    __slots__ = ()


class ActionFunction(Function, Action):
    """What may stand in both places: `http:get`, `noop`."""

    __slots__ = ()


class Run(Protocol):
    """What running code is given first: where it counts its work, and the way to the world outside.

    `step` and `grow` raise KrlLimitExceeded; so does `call` for calls nested too deep.
    """

    @property
    def now_ms(self) -> int:
        """The time of the turn, in milliseconds since 1970."""

    def step(self, n: int = 1) -> None:
        """Counts `n` units of work: calls, rounds of a loop, elements visited."""

    def grow(self, chars: int) -> None:
        """Counts memory that is about to be made: characters, `CHARS_PER_ELEMENT` for each element."""

    def call(
        self, function: Invocable, args: Sequence[Value], named: Mapping[str, Value] | None = None
    ) -> Value:
        """Calls `function`; arguments beyond its parameters are dropped."""

    def log(self, level: str, text: str, data: Json) -> None:
        """Writes to the pico's log; `level` is error, warn, info, klog or debug."""

    def entropy(self, n: int) -> bytes:
        """`n` bytes of chance, the turn's own."""


def arrange(
    parameters: Sequence[str], args: Sequence[Value], named: Mapping[str, Value] | None = None
) -> list[Value]:
    """Arguments in the order of `parameters`, those beyond left out, gaps before the last one UNDEFINED."""
    if not named:
        return list(args[: len(parameters)])
    placed: list[Value] = []
    for position, name in enumerate(parameters):
        if name in named:
            value = named[name]
        elif position < len(args):
            value = args[position]
        else:
            continue
        placed.extend([UNDEFINED] * (position - len(placed)))
        placed.append(value)
    return placed


# -- what a value is ----------------------------------------------------------------------------------------

_TYPES: dict[type, str] = {
    bool: "Boolean",
    int: "Number",
    list: "Array",
    FrozenList: "Array",
    dict: "Map",
    FrozenMap: "Map",
    type(None): "Null",
    Regex: "RegExp",
    Undefined: "Null",
    Function: "Function",
    Action: "Action",
    ActionFunction: "ActionFunction",
}


def typeof(value: Value) -> str:
    """KRL's name of the value's type; a string such as "0x1F" is "Hex", an infinite number "JSObject"."""
    kind = type(value)
    if kind is str:
        return "Hex" if value[:1] == "0" and is_hex(value) else "String"
    known = _TYPES.get(kind)
    if known is not None:
        return known
    if kind is float:
        if value != value:
            return "Null"
        return "Number" if isfinite(value) else "JSObject"
    return _typeof_rare(value)


def _typeof_rare(value: Value) -> str:
    if isinstance(value, list):
        return "Array"
    if isinstance(value, dict):
        return "Map"
    if isinstance(value, Function):
        return "ActionFunction" if isinstance(value, Action) else "Function"
    return "Action" if isinstance(value, Action) else "JSObject"


def is_regex(value: Value) -> bool:
    return isinstance(value, Regex)


def isnull(value: Value) -> bool:
    """null, undefined or NaN."""
    return value is None or value is UNDEFINED or (type(value) is float and value != value)


def is_number(value: Value) -> bool:
    """A finite number; booleans are none."""
    kind = type(value)
    return kind is int or (kind is float and isfinite(value))


def truth(value: Value) -> bool:
    """Whether `if`, `&&`, `||`, `not` and `=>` take it for true: all but false, 0, "", null and NaN."""
    kind = type(value)
    if kind is bool or kind is str or kind is int:
        return bool(value)
    if value is None or value is UNDEFINED:
        return False
    if kind is float:
        return bool(value == value and value != 0)
    return True


# -- from one type to another -------------------------------------------------------------------------------


def to_string(value: Value) -> str:
    """`value.as("String")`: collections and functions only tell their type, as in "[Map]"."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is int:
        return number_to_string(value)
    if kind is bool:
        return "true" if value else "false"
    name = typeof(value)
    if name == "Null":
        return "null"
    if name == "Number":
        return number_to_string(value)
    if name == "RegExp":
        flags = "".join(flag for flag in "gi" if flag in value.flags)
        return f"re#{regex_source(value.pattern)}#{flags}"
    return f"[{name}]"


def to_number(value: Value) -> int | float | None:
    """`value.as("Number")`; a list or map is its size, null is 0. None: no number."""
    kind = type(value)
    if kind is int:
        return number(value)
    if kind is str:
        return radix_value(value) if value[:1] == "0" and is_hex(value) else string_to_number(value)
    if kind is bool:
        return 1 if value else 0
    if value is None or value is UNDEFINED:
        return 0
    if kind is float:
        if value != value:
            return 0
        return value if isfinite(value) else None
    return len(value) if isinstance(value, list | dict) else None


def to_hex(value: Value) -> str | None:
    """`value.as("Hex")` of what is not null: numbers in base 16, strings and booleans as they are."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int or (kind is float and (value != value or isfinite(value))):
        return number_to_hex(value)
    return None


def regex_source(pattern: str) -> str:
    """How ECMAScript shows a pattern (§22.2.6.13.1): never empty, slashes and line ends escaped."""
    if not pattern:
        return "(?:)"
    if "/" not in pattern and pattern.isprintable():
        return pattern
    ends = {"\n": "\\n", "\r": "\\r", "\u2028": "\\u2028", "\u2029": "\\u2029"}
    shown: list[str] = []
    in_class = escaped = False
    for char in pattern:
        if char in ends:
            shown.append(ends[char][1:] if escaped else ends[char])
        else:
            shown.append("\\/" if char == "/" and not escaped and not in_class else char)
        in_class = (in_class or char == "[") and char != "]" if not escaped else in_class
        escaped = char == "\\" and not escaped
    return "".join(shown)


# -- collections --------------------------------------------------------------------------------------------


def too_deep() -> KrlLimitExceeded:
    return KrlLimitExceeded(f"data is nested deeper than {DEPTH_MAX_LEVELS} levels")


def is_index(key: str) -> bool:
    """Whether a key names an element of an array: "0", "1", …, below 2**32 - 1, without leading zeros."""
    return (
        len(key) <= 10
        and key.isascii()
        and key.isdecimal()
        and (key[0] != "0" or key == "0")
        and int(key) < 0xFFFF_FFFF
    )


def ordered_keys(mapping: Mapping[str, Value]) -> Iterable[str]:
    """A map's keys as KRL visits them: those like "7" first, by number, the rest in the order they came."""
    for key in mapping:
        if key[:1].isdecimal() and is_index(key):
            break
    else:
        return mapping
    numbers = sorted((key for key in mapping if is_index(key)), key=int)
    return [*numbers, *(key for key in mapping if not is_index(key))]


def to_json(value: Value, run: Run | None = None) -> Json:
    """`value` as it leaves KRL: None, bool, int, float, str, list or dict of these.

    What JSON does not have: undefined, functions and actions are left out of maps and are null elsewhere, NaN
    and infinity are null, a regular expression is an empty map. Counts its work where `run` is given. Raises
    KrlLimitExceeded for data deeper than DEPTH_MAX_LEVELS.
    """
    return _to_json(value, run, 0)


def _to_json(value: Value, run: Run | None, depth: int) -> Json:
    kind = type(value)
    if kind is str or kind is int or kind is bool or kind is FrozenMap or kind is FrozenList:
        return value
    if kind is float:
        return value if isfinite(value) else None
    if value is None or value is UNDEFINED or isinstance(value, Invocable):
        return None
    if isinstance(value, list | dict):
        if depth >= DEPTH_MAX_LEVELS:
            raise too_deep()
        if run is not None:
            run.step(len(value))
            run.grow(CHARS_PER_ELEMENT * len(value))
        if isinstance(value, list):
            return [_to_json(item, run, depth + 1) for item in value]
        return {
            key: _to_json(item, run, depth + 1)
            for key, item in value.items()
            if item is not UNDEFINED and not isinstance(item, Invocable)
        }
    return {} if is_regex(value) else None
