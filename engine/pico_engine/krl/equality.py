"""When two KRL values are equal, and keys by which equal values find each other.

Deep and strict on types: 1 and "1" differ; null, undefined and NaN are one value, inside collections too; the
order of a map's keys does not matter; functions and actions equal themselves only.
"""

from __future__ import annotations

from collections.abc import Hashable

from pico_engine.krl.counting import make, scan
from pico_engine.krl.values import Run, Value, is_regex, isnull, too_deep
from pico_engine.values import DEPTH_MAX_LEVELS


def is_equal(run: Run, left: Value, right: Value) -> bool:
    """Whether `left == right` in KRL. Raises KrlLimitExceeded for data that is too deep or too large."""
    kind = type(left)
    if kind is type(right) and (kind is str or kind is int or kind is bool):
        if kind is str:
            scan(run, len(left))
        return bool(left == right)
    return _equal(run, left, right, 0)


def _equal(run: Run, left: Value, right: Value, depth: int) -> bool:
    if left is right:
        return True
    kind, other = type(left), type(right)
    if kind is str or kind is bool or other is str or other is bool:
        if kind is str:
            scan(run, len(left))
        return kind is other and bool(left == right)
    if isnull(left):
        return isnull(right)
    if kind is int or kind is float:
        return (other is int or other is float) and bool(left == right)
    if isinstance(left, list | dict):
        if depth >= DEPTH_MAX_LEVELS:
            raise too_deep()
        if isinstance(left, list):
            if not isinstance(right, list) or len(left) != len(right):
                return False
            run.step(len(left))
            return all(_equal(run, a, b, depth + 1) for a, b in zip(left, right, strict=True))
        if not isinstance(right, dict) or len(left) != len(right):
            return False
        run.step(len(left))
        return all(key in right and _equal(run, item, right[key], depth + 1) for key, item in left.items())
    return is_regex(left) and is_regex(right) and _regex_key(left) == _regex_key(right)


def _regex_key(regex: Value) -> tuple[str, frozenset[str]]:
    return regex.pattern, frozenset(regex.flags)


def equality_key(run: Run, value: Value, depth: int = 0) -> Hashable:
    """A key such that keys are equal just when values are. Raises KrlLimitExceeded as `is_equal` does."""
    kind = type(value)
    if kind is str or kind is int:
        return value  # type: ignore[no-any-return]  # hashable, as are its siblings below
    if isnull(value):
        return None
    if kind is float:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return ("boolean", value)  # Python has True == 1
    if isinstance(value, list | dict):
        if depth >= DEPTH_MAX_LEVELS:
            raise too_deep()
        run.step(len(value))
        make(run, len(value))
        if isinstance(value, list):
            return ("array", tuple(equality_key(run, item, depth + 1) for item in value))
        return ("map", frozenset((key, equality_key(run, item, depth + 1)) for key, item in value.items()))
    if is_regex(value):
        return ("regex", *_regex_key(value))
    return ("object", id(value))
