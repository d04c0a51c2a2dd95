"""Names: which KRL name means what, and how it is called in the generated Python."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["value", "function", "action"]
"""What is known of a name before anything runs; most are just values."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A declared name. `python` is how the generated code calls it; no two declarations share one."""

    name: str
    python: str
    kind: Kind = "value"
    parameters: tuple[str, ...] = ()


@dataclass(slots=True)
class Scope:
    """The names of one function, rule or ruleset; `outer` is the one around it."""

    outer: Scope | None = None
    names: dict[str, Variable] = field(default_factory=dict)

    def declare(
        self, name: str, number: int, kind: Kind = "value", parameters: tuple[str, ...] = ()
    ) -> Variable:
        """A name of this scope; declared twice it is the same variable, of which less is known."""
        known = self.names.get(name)
        python = known.python if known is not None else python_name(name, number)
        variable = Variable(name, python, kind, parameters)
        self.names[name] = variable
        return variable

    def find(self, name: str) -> Variable | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return None


def python_name(name: str, number: int) -> str:
    """The generated name: the number tells it apart, the rest is for people who read tracebacks."""
    return f"v{number}_{re.sub(r'[^A-Za-z0-9_]', '_', name)}"
