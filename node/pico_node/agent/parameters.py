"""Checks a command's parameters against the signature of what carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pico_engine.errors import BadRequest

NUMBER_MAX = (1 << 53) - 1
"""The largest integer that all JSON readers take; no number of a command is negative."""

_WORDS = {
    str: "text",
    int: "a whole number from 0",
    bool: "true or false",
    list: "a list of texts",
    Mapping: "a map",
}


class Signature:
    """What a command takes. The first parameter of `handler` (the reply) is none of the command's."""

    def __init__(self, command: str, handler: Callable[..., Any]) -> None:
        self._command = command
        hints = get_type_hints(handler)
        own = list(signature(handler).parameters.values())[1:]
        self._hints = {one.name: hints[one.name] for one in own}
        self._required = [one.name for one in own if one.default is Parameter.empty]

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Raises BadRequest for unknown, missing and misfit parameters."""
        known = ", ".join(self._hints) or "nothing"
        hint = f"it takes {known}"
        for name in parameters:
            if name not in self._hints:
                raise BadRequest(f"command {self._command} has no parameter {name!r}", hint)
        for name in self._required:
            if name not in parameters:
                raise BadRequest(f"command {self._command} needs the parameter {name!r}", hint)
        for name, value in parameters.items():
            if not _fits(value, self._hints[name]):
                raise BadRequest(
                    f"parameter {name!r} of command {self._command} must be {_words(self._hints[name])}"
                )


def _fits(value: Any, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if origin is list:
        (item,) = get_args(hint)
        return isinstance(value, list | tuple) and all(_fits(one, item) for one in value)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(type(key) is str for key in value)
    if hint is int:
        return type(value) is int and 0 <= value <= NUMBER_MAX
    return hint is Any or isinstance(value, hint)


def _words(hint: Any) -> str:
    found = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    origins = [get_origin(one) or one for one in found]
    return " or ".join(_WORDS[Mapping if one is Mapping else one] for one in origins if one is not NoneType)
