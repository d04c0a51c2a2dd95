"""KRL's standard library: its operators, by the names that KRL programs call them.

`OPERATORS[name](run, *arguments)` takes as many arguments as `PARAMETERS[name]` has names, or fewer. It
raises KrlRuntimeError where krl-stdlib 1.3 raises JavaScript's errors, and KrlLimitExceeded before it works
or makes more than the run allows. The action `send_directive` needs a rule, and is the compiler's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from pico_engine.krl.stdlib import (
    arithmetic,
    arrays,
    comparison,
    iteration,
    paths,
    patterns,
    sets,
    sorting,
    strings,
    types,
)
from pico_engine.krl.values import ActionFunction, Function, Value

_THEMES = (arithmetic, arrays, comparison, iteration, paths, patterns, sets, sorting, strings, types)

OPERATORS: Mapping[str, Callable[..., Value]] = MappingProxyType(
    {name: operator for theme in _THEMES for name, operator in theme.OPERATORS.items()}
)

_LEFT_RIGHT = ("left", "right")
_VAL = ("val",)
_VAL_ITER = ("val", "iter")
_VAL_REGEX = ("val", "regex")
_VAL_TARGET = ("val", "target")
_VAL_PATH = ("val", "path")
_A_B = ("a", "b")

PARAMETERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    dict.fromkeys(
        ("+", "-", "*", "/", "%", "==", "!=", "<=>", "<", ">", "<=", ">=", "><", "cmp"), _LEFT_RIGHT
    )
    | dict.fromkeys(("shiftRight", "shiftLeft", "band", "bor", "bxor"), _LEFT_RIGHT)
    | dict.fromkeys(("isnull", "typeof", "chr", "ord", "decode", "capitalize", "lc", "uc"), _VAL)
    | dict.fromkeys(("trimLeading", "trimTrailing", "trim", "head", "tail", "length", "isEmpty"), _VAL)
    | dict.fromkeys(("reverse", "once", "duplicates", "unique"), _VAL)
    | dict.fromkeys(("all", "notall", "any", "none", "collect", "filter", "map", "pairwise"), _VAL_ITER)
    | dict.fromkeys(("like", "match", "extract"), _VAL_REGEX)
    | dict.fromkeys(("startsWith", "endsWith", "contains"), _VAL_TARGET)
    | dict.fromkeys(("delete", "keys", "values"), _VAL_PATH)
    | dict.fromkeys(("intersection", "union", "difference"), _A_B)
    | {
        "append": ("val", "a", "b", "c", "d", "e"),
        "as": ("val", "type"),
        "bnot": ("left",),
        "defaultsTo": ("val", "defaultVal", "message"),
        "encode": ("val", "indent"),
        "get": ("obj", "path"),
        "has": ("val", "other"),
        "index": ("val", "elm"),
        "join": ("val", "str"),
        "klog": ("val", "message"),
        "noop": (),
        "put": ("val", "path", "toSet"),
        "range": ("val", "end"),
        "reduce": ("val", "iter", "dflt"),
        "replace": ("val", "regex", "replacement"),
        "set": ("obj", "path", "val"),
        "slice": ("val", "start", "end"),
        "sort": ("val", "sortBy"),
        "splice": ("val", "start", "nElements", "value"),
        "split": ("val", "splitOn"),
        "sprintf": ("val", "template"),
        "substr": ("val", "start", "len"),
    }
)
"""The operators' parameters, in their order, by the names that named arguments use."""

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        name: (ActionFunction if name == "noop" else Function)(name, PARAMETERS[name], operator)
        for name, operator in OPERATORS.items()
    }
)
"""The operators as values, which functions such as `map` can be given."""

__all__ = ["FUNCTIONS", "OPERATORS", "PARAMETERS"]
