"""What generated code calls: every name that it may use besides its own.

Operators of the standard library are here under their own names; this module has what belongs to the
language: persistent variables, calls, modules, actions and the statements of postludes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pico_engine.krl import persistent
from pico_engine.krl.compiler.expressions import OPERATOR_HELPERS
from pico_engine.krl.directives import send_directive
from pico_engine.krl.errors import type_error
from pico_engine.krl.linking import act_member, call_member, read_member, use_module
from pico_engine.krl.meter import CODE_BYTES_PER_STEP
from pico_engine.krl.numbers import number
from pico_engine.krl.raising import error, last, raise_event, schedule_at, schedule_repeat, split_event_name
from pico_engine.krl.regex import compile_regex
from pico_engine.krl.stdlib import FUNCTIONS, OPERATORS, PARAMETERS
from pico_engine.krl.values import (
    UNDEFINED,
    Action,
    Function,
    is_number,
    isnull,
    ordered_keys,
    to_json,
    to_string,
    truth,
)

if TYPE_CHECKING:
    from pico_engine.krl.instance import Instance
    from pico_engine.krl.values import Value

FRAMES_PER_CALL: Final = 8
"""Python's frames that one call of KRL takes at most, operators such as `map` among them."""
FRAMES_MAX: Final = 400 * FRAMES_PER_CALL + 1_000
"""So that call_depth_max is reached before Python's own limit, from wherever a turn was begun."""

sys.setrecursionlimit(max(sys.getrecursionlimit(), FRAMES_MAX))


def _string(value: Value) -> str:
    return value if type(value) is str else to_string(value)


def _join(run: Instance, parts: tuple[str, ...]) -> str:
    """A chevron string."""
    made = "".join(parts)
    run.meter.grow(len(made))
    return made


def _list(run: Instance, items: list[Value]) -> list[Value]:
    run.meter.grow(56 + 8 * len(items))
    return items


def _map(run: Instance, entries: dict[str, Value]) -> dict[str, Value]:
    run.meter.grow(64 + 48 * len(entries))
    return entries


def _dot(run: Instance, value: Value, key: Value) -> Value:
    """`value.name` without a call: JavaScript's property, as far as values have any."""
    name = to_string(key)
    if isnull(value) and type(value) is not float:
        kind = "null" if value is None else "undefined"
        raise type_error(f"Cannot read properties of {kind} (reading '{name}')")
    if isinstance(value, dict):
        return value.get(name, UNDEFINED)
    if name == "length" and isinstance(value, list | str):
        return len(value)
    if isinstance(value, list):
        found = OPERATORS["get"](run, value, name)
        return UNDEFINED if found is None else found
    return UNDEFINED


def _pairs(run: Instance, value: Value, steps: int = 1) -> Iterator[tuple[Value, Value, bool]]:
    """(value, key, is it the last) of what `foreach` goes through: a list, a map, or a text's characters.

    `steps`: what each round counts.
    """
    pairs: Sequence[tuple[Value, Value]]
    if isinstance(value, list):
        pairs = list(enumerate(value))
    elif isinstance(value, dict):
        pairs = [(key, value[key]) for key in ordered_keys(value)]
    elif isinstance(value, str):
        pairs = [(str(number), char) for number, char in enumerate(value)]
    else:
        pairs = []
    run.meter.grow(16 * len(pairs))
    left = len(pairs)
    for key, item in pairs:
        left -= 1
        run.meter.step(steps)
        yield item, key, not left


def _setting(settings: Mapping[str, Any], name: str) -> Value:
    """What an event expression captured; null where it captured nothing."""
    value = settings.get(name)
    if type(value) is float:  # an average
        return number(value)
    return UNDEFINED if value is None else value


def _call(run: Instance, value: Value, *arguments: Value) -> Value:
    return run.call_function(value, arguments, None)


def _call_named(
    run: Instance, value: Value, arguments: tuple[Value, ...], named: Mapping[str, Value]
) -> Value:
    return run.call_function(value, arguments, named)


def _act(
    run: Instance, value: Value, arguments: tuple[Value, ...], named: Mapping[str, Value] | None = None
) -> Value:
    return run.call_action(value, arguments, named)


def _send_directive(
    run: Instance, arguments: tuple[Value, ...], named: Mapping[str, Value] | None = None
) -> Value:
    return run.call_action(SEND_DIRECTIVE, arguments, named)


def _noop(_run: Instance, _arguments: tuple[Value, ...], _named: Mapping[str, Value] | None = None) -> None:
    return None


def _function(name: str, parameters: tuple[str, ...], body: Callable[..., Value]) -> Function:
    return Function(name, parameters, body, steps_of(body))


def _action(name: str, parameters: tuple[str, ...], body: Callable[..., Value]) -> Action:
    return Action(name, parameters, body, steps_of(body))


def steps_of(body: Callable[..., Value]) -> int:
    """What going once through generated code counts."""
    return 1 + len(body.__code__.co_code) // CODE_BYTES_PER_STEP


def _operator(name: str) -> Function | Action:
    """An operator as a value."""
    return SEND_DIRECTIVE if name == "send_directive" else FUNCTIONS[name]


def _sample(run: Instance, count: int) -> int:
    return int.from_bytes(run.entropy(8), "big") % count if count else 0


def _within(_run: Instance, amount: Value, unit_ms: int) -> int:
    if not is_number(amount) or amount < 0:
        raise type_error(f"within needs a number of 0 or more, not {to_string(amount)}")
    return int(min(amount * unit_ms, 1 << 53))


def _configure(run: Instance, name: str, default: Value) -> Value:
    return run.given.get(name, default)


def _log(run: Instance, level: str, value: Value) -> None:
    data = to_json(value, run)
    run.log(level, data if isinstance(data, str) else to_string(value), data)


SEND_DIRECTIVE: Final = Action("send_directive", ("name", "options"), send_directive)

_OWN: Final[Mapping[str, Any]] = {
    "k_undefined": UNDEFINED,
    "k_true": truth,
    "k_string": _string,
    "k_join": _join,
    "k_regex": compile_regex,
    "k_list": _list,
    "k_map": _map,
    "k_get": OPERATORS["get"],
    "k_dot": _dot,
    "k_pairs": _pairs,
    "k_setting": _setting,
    "k_call": _call,
    "k_call_named": _call_named,
    "k_act": _act,
    "k_send_directive": _send_directive,
    "k_noop": _noop,
    "k_function": _function,
    "k_action": _action,
    "k_operator": _operator,
    "k_sample": _sample,
    "k_within": _within,
    "k_configure": _configure,
    "k_use": use_module,
    "k_property": read_member,
    "k_member": call_member,
    "k_act_member": act_member,
    "k_ent": persistent.get,
    "k_ent_get": persistent.get_path,
    "k_ent_length": persistent.length,
    "k_ent_set": persistent.assign,
    "k_ent_set_path": persistent.set_path,
    "k_ent_put_path": persistent.put_path,
    "k_ent_append": persistent.append,
    "k_ent_tail": persistent.drop_first,
    "k_ent_clear": persistent.clear,
    "k_ent_clear_path": persistent.clear_path,
    "k_event_name": split_event_name,
    "k_raise": raise_event,
    "k_schedule_at": schedule_at,
    "k_schedule_repeat": schedule_repeat,
    "k_log": _log,
    "k_error": error,
    "k_last": last,
}

TESTING: Final = "k_testing"
"""The one name whose meaning is the ruleset's own: what `__testing` answers."""

HELPERS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        **{helper: OPERATORS[symbol] for symbol, helper in OPERATOR_HELPERS.items()},
        **{f"k_std_{name}": body for name, body in OPERATORS.items() if name.isidentifier()},
        **_OWN,
    }
)
"""What the names of generated code mean."""

NAMES: Final = frozenset({*HELPERS, TESTING})
ARITIES: Final[Mapping[str, int]] = MappingProxyType(
    {
        **{name: len(PARAMETERS[name]) for name in OPERATORS if name.isidentifier()},
        "send_directive": 2,
    }
)
"""Names of the standard library, and how many arguments each takes."""
