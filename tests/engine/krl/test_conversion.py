"""JavaScript's String() and Number()."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pico_engine.krl.conversion import js_number, js_string
from pico_engine.krl.errors import KrlLimitExceeded
from pico_engine.krl.values import UNDEFINED
from pico_engine.regex import compile_regex
from pico_engine.values import DEPTH_MAX_LEVELS
from tests.engine.krl.helpers import NAMED_FUNCTIONS, CountingRun, nested, shared


@pytest.mark.parametrize(
    ("value", "text", "number"),
    [
        (None, "null", 0.0),
        (UNDEFINED, "undefined", math.nan),
        (True, "true", 1.0),
        (1.5, "1.5", 1.5),
        (math.inf, "Infinity", math.inf),
        (" 0x10 ", " 0x10 ", 16.0),
        (" -Infinity", " -Infinity", -math.inf),
        ("x", "x", math.nan),
        ([], "", 0.0),
        (["7"], "7", 7.0),
        ([1, [None, UNDEFINED, "a"]], "1,,,a", math.nan),
        ({"a": 1}, "[object Object]", math.nan),
        (compile_regex("a/b", "ig"), r"/a\/b/gi", math.nan),
        (NAMED_FUNCTIONS["id"], "[Function]", math.nan),
    ],
)
def test_text_and_number(value: Any, text: str, number: float) -> None:
    run = CountingRun()
    assert js_string(run, value) == text
    assert repr(js_number(run, value)) == repr(number)


def test_neither_deep_nor_shared_data_hurts() -> None:
    assert js_string(CountingRun(), nested(DEPTH_MAX_LEVELS)) == ""
    with pytest.raises(KrlLimitExceeded, match="64 levels"):
        js_string(CountingRun(), nested(DEPTH_MAX_LEVELS + 1))
    with pytest.raises(KrlLimitExceeded, match="steps"):
        js_string(CountingRun(steps_max=10_000), shared(40))
    with pytest.raises(KrlLimitExceeded, match="memory"):
        js_number(CountingRun(chars_max=1_000), ["x" * 1_000])
