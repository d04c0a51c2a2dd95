"""A member of a built-in module: a property, a function or an action."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pico_engine.krl.values import Action, ActionFunction, Function, Invocable

Kind = Literal["property", "function", "action", "both"]


@dataclass(frozen=True, slots=True)
class Member:
    """`call(run, *arguments)`; its parameters behind `run` are those of KRL, whose names they have.

    A property has none. `both`: an action that may also stand in an expression, as `http:get`.
    """

    kind: Kind
    call: Callable[..., Any]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters, in their order."""
        return tuple(inspect.signature(self.call).parameters)[1:]

    def invocable(self, name: str) -> Invocable:
        """The function or action as a value."""
        made = {"function": Function, "action": Action, "both": ActionFunction}[self.kind]
        return made(name, self.parameters, self.call)
