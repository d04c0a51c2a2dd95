"""What tests of KRL's runtime share: a context that counts, and functions to give to operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pico_engine.krl.errors import KrlLimitExceeded
from pico_engine.krl.stdlib import OPERATORS, PARAMETERS
from pico_engine.krl.values import (
    UNDEFINED,
    Function,
    Invocable,
    Value,
    arrange,
    ordered_keys,
    to_string,
    typeof,
)


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


def operate(name: str, run: CountingRun, *args: Value) -> Value:
    """The operator's answer; arguments beyond its parameters are dropped, as `Run.call` does."""
    return OPERATORS[name](run, *args[: len(PARAMETERS[name])])


def nested(levels: int) -> list[Any]:
    """Arrays within each other, so many."""
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def shared(doublings: int) -> list[Any]:
    """An array small in memory and of 2**doublings leaves when it is walked through."""
    value: list[Any] = [1]
    for _ in range(doublings):
        value = [value, value]
    return value


def exact(value: Any) -> Any:
    """For comparing: true is not 1, null not undefined, NaN is NaN, and the order of keys counts."""
    if isinstance(value, list):
        return [exact(item) for item in value]
    if isinstance(value, dict):
        return [(key, exact(value[key])) for key in ordered_keys(value)]
    return typeof(value), repr(value)


def _scalars(*values: Value) -> list[Value]:
    return [value for value in values[:3] if typeof(value) not in {"Array", "Map", "RegExp"}]


NAMED_FUNCTIONS: dict[str, Function] = {
    name: Function(name, tuple(parameters), body)
    for name, parameters, body in (
        ("id", "a", lambda run, a=UNDEFINED: a),
        ("second", "ab", lambda run, a=UNDEFINED, b=UNDEFINED: b),
        ("lt", "ab", lambda run, *args: OPERATORS["<"](run, *args)),
        ("sub", "ab", lambda run, a=UNDEFINED, b=UNDEFINED: OPERATORS["-"](run, a, b)),
        ("cmp", "ab", lambda run, *args: OPERATORS["<=>"](run, *args)),
        ("cat", "ab", lambda run, a=UNDEFINED, b=UNDEFINED: f"{to_string(a)}-{to_string(b)}"),
        ("nul", "a", lambda run, *args: UNDEFINED),
        ("jnul", "a", lambda run, *args: None),
        ("arr", "abcd", lambda run, *args: _scalars(*args)),
        ("map", "a", lambda run, *args: {"a": 1}),
        ("len", "a", lambda run, *args: OPERATORS["length"](run, *args)),
        ("typ", "abc", lambda run, a=UNDEFINED, b=UNDEFINED, c=UNDEFINED: typeof(a) + typeof(b) + typeof(c)),
        ("str", "a", lambda run, a=UNDEFINED: to_string(a)),
        ("one", "", lambda run: 1),
        ("minus", "", lambda run: -1),
        ("t", "", lambda run: True),
        ("f", "", lambda run: False),
        ("s", "", lambda run: "x"),
        ("a0", "", lambda run: []),
        ("a1", "", lambda run: ["-1"]),
    )
}
"""The functions that the drawn cases name."""
