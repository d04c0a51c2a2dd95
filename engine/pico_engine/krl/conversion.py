"""JavaScript's own conversions, where they show through in KRL: keys of `collect`, answers of comparators."""

from __future__ import annotations

import math

from pico_engine.krl.counting import write
from pico_engine.krl.numbers import WHITE_SPACE, number_to_string, string_to_number
from pico_engine.krl.values import UNDEFINED, Invocable, Run, Value, is_regex, regex_source, too_deep
from pico_engine.values import DEPTH_MAX_LEVELS


def js_string(run: Run, value: Value) -> str:
    """String(value): "1,2" for an array, "[object Object]" for a map. All functions read "[Function]"."""
    return _js_string(run, value, 0)


def _js_string(run: Run, value: Value, depth: int) -> str:
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is float:
        return number_to_string(value)
    if value is None or value is UNDEFINED:
        return "undefined" if value is UNDEFINED else "null"
    if isinstance(value, list):
        if depth >= DEPTH_MAX_LEVELS:
            raise too_deep()
        run.step(len(value))
        texts = [
            "" if item is None or item is UNDEFINED else _js_string(run, item, depth + 1) for item in value
        ]
        write(run, sum(map(len, texts)) + len(texts))
        return ",".join(texts)
    if is_regex(value):
        flags = "".join(flag for flag in "gim" if flag in value.flags)
        return f"/{regex_source(value.pattern)}/{flags}"
    return "[Function]" if isinstance(value, Invocable) else "[object Object]"


def js_number(run: Run, value: Value) -> float:
    """Number(value): null is 0, undefined and maps are NaN, an array is what its text spells."""
    kind = type(value)
    if kind is int or kind is float:
        return float(value)
    if kind is bool or value is None:
        return 1.0 if value else 0.0
    if kind is not str and not isinstance(value, list):
        return math.nan
    text = js_string(run, value).strip(WHITE_SPACE)
    if text in _ENDLESS:
        return _ENDLESS[text]
    spelled = string_to_number(text)
    return math.nan if spelled is None else float(spelled)


_ENDLESS = {"Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}
