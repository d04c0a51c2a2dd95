"""Where operators differ from krl-stdlib on purpose: docs/compatibility.md, "KRL standard library"."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.krl.errors import KrlLimitExceeded, KrlRuntimeError
from pico_engine.krl.values import Action
from pico_engine.regex import compile_regex
from tests.engine.krl.helpers import NAMED_FUNCTIONS, CountingRun, exact, nested, operate

FACE = "\U0001f600"
FUNCTION = NAMED_FUNCTIONS["id"]

ANSWERS: list[tuple[str, list[Any], Any]] = [
    # A text is counted in characters; the existing engine has halves of them, and lengths by what is seen.
    ("ord", [FACE], 0x1F600),
    ("chr", [0x1F600], FACE),
    ("chr", [0xD83D], "\ufffd"),
    ("split", [FACE, ""], [FACE]),
    ("substr", [FACE + "ab", 1, 1], "a"),
    ("keys", [[FACE], "0"], ["0"]),
    ("length", ["e\u0301"], 2),
    ("decode", ['"\\ud83d"'], "\ufffd"),
    # A map has the keys that it was given, no others, and any of them.
    ("get", [{}, "constructor"], None),
    ("get", [{"a": 1}, ["a", "toFixed"]], None),
    ("length", [{"length": 5}], 1),
    ("-", [{"length": 5}, 0], 1),
    ("put", [{}, ["__proto__", "x"], 1], {"__proto__": {"x": 1}}),
    ("set", [{}, ["constructor", "x"], 1], {"constructor": {"x": 1}}),
    (
        "collect",
        [["__proto__", "hasOwnProperty"]],
        {"__proto__": ["__proto__"], "hasOwnProperty": ["hasOwnProperty"]},
    ),
    ("encode", [{"toJSON": FUNCTION}], '{"toJSON":"[Function]"}'),
    # An array has elements and a length, which nobody can set.
    ("put", [[1, 2], "length", 0], [1, 2]),
    ("set", [[1, 2], "name", 0], [1, 2]),
    # Functions are not taken apart.
    ("delete", [FUNCTION, "x"], FUNCTION),
    ("values", [[FUNCTION], "0"], []),
    ("collect", [[FUNCTION]], {"[Function]": [FUNCTION]}),
    # Replacing nothing by what a function says comes to an end.
    ("replace", ["ab", compile_regex("", "g"), NAMED_FUNCTIONS["s"]], "xaxbx"),
]


@pytest.mark.parametrize(("name", "args", "expected"), ANSWERS, ids=lambda value: str(value)[:40])
def test_answers(name: str, args: list[Any], expected: Any) -> None:
    assert exact(operate(name, CountingRun(), *args)) == exact(expected)


def test_a_regular_expression_has_no_memory() -> None:
    pattern = compile_regex("a", "g")
    assert [operate("like", CountingRun(), "a", pattern) for _ in range(2)] == [True, True]


def test_an_action_is_no_function() -> None:
    for name in ("map", "filter", "any", "all", "collect"):
        with pytest.raises(KrlRuntimeError, match="iter is not a function"):
            operate(name, CountingRun(), [1], Action("a", (), lambda run: None))


def test_there_are_limits() -> None:
    for name in ("encode", "==", "unique", "once"):
        with pytest.raises(KrlLimitExceeded, match="64 levels"):
            operate(name, CountingRun(), nested(70), nested(70))
