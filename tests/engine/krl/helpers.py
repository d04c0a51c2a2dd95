"""What tests of KRL's runtime share: a context that counts, and functions to give to operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pico_engine.krl.errors import KrlLimitExceeded
from pico_engine.krl.values import Function, Invocable, Value, arrange


class CountingRun:
    """A `Run` that counts; it stops at `steps_max` and `chars_max`."""

    def __init__(self, steps_max: int = 1_000_000, chars_max: int = 10_000_000) -> None:
        self.steps_max, self.chars_max = steps_max, chars_max
        self.steps = self.chars = 0
        self.logged: list[tuple[str, str, Any]] = []
        self.now_ms = 1_700_000_000_000

    def step(self, n: int = 1) -> None:
        assert n >= 0
        self.steps += n
        if self.steps > self.steps_max:
            raise KrlLimitExceeded("too many steps")

    def grow(self, chars: int) -> None:
        assert chars >= 0
        self.chars += chars
        if self.chars > self.chars_max:
            raise KrlLimitExceeded("too much memory")

    def call(
        self, function: Invocable, args: Sequence[Value], named: Mapping[str, Value] | None = None
    ) -> Value:
        self.step()
        return function.body(self, *arrange(function.parameters, args, named))

    def log(self, level: str, text: str, data: Any) -> None:
        self.logged.append((level, text, data))

    def entropy(self, n: int) -> bytes:
        return bytes(n)


def function(body: Callable[..., Value], *parameters: str) -> Function:
    """A KRL function of `body(*args)`, which gets as many arguments as it has parameters."""
    names = parameters or body.__code__.co_varnames[: body.__code__.co_argcount]
    return Function("", names, lambda _run, *args: body(*args))
