"""Reading and changing along paths."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.errors import KrlLimitExceeded
from pico_engine.krl.stdlib import OPERATORS
from pico_engine.krl.values import UNDEFINED
from pico_engine.regex import compile_regex
from pico_engine.values import FrozenList, FrozenMap
from tests.engine.krl.helpers import NAMED_FUNCTIONS, CountingRun, exact, nested

RUN = CountingRun(10**9, 10**9)
TREE: Any = {"a": {"b": [1, {"c": "text"}], "n": None}, "k.l": 2, "7": True}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (["a", "b", 1, "c"], "text"),
        (["a", "b", "1", "c", 0], "t"),
        (["a", "b", "length"], 2),
        (["a", "b", "01"], None),
        (["a", "b", -1], None),
        (["a", "n", "x"], None),
        ("k.l", 2),
        ("a.b", None),
        (7, True),
        ([], None),
        ("constructor", None),
        ("__proto__", None),
        ("__class__", None),
        (["a", "b", 1.0], {"c": "text"}),
    ],
)
def test_get(path: Any, expected: Any) -> None:
    assert exact(OPERATORS["get"](RUN, TREE, path)) == exact(expected)


def test_get_from_what_holds_nothing() -> None:
    assert [OPERATORS["get"](RUN, value, "length") for value in ("text", 5, UNDEFINED)] == [None, None, None]


@pytest.mark.parametrize(
    ("obj", "path", "expected"),
    [
        ({"a": 1}, ["b", "0", "c"], {"a": 1, "b": [{"c": 9}]}),
        ({"a": [1]}, ["a", 3], {"a": [1, UNDEFINED, UNDEFINED, 9]}),
        ({"a": 1}, ["a", "b"], {"a": {"b": 9}}),
        ([1], "x", [1]),
        ([1], ["x", "y"], [1]),
        (5, "x", {"x": 9}),
        ({"a": 1}, [], {"a": 1}),
        ({}, ["01"], {"01": 9}),
        ({}, ["a", "01"], {"a": {"01": 9}}),
        ({}, ["a", "4294967295"], {"a": []}),
        ({"f": compile_regex("a")}, ["f", "x"], {"f": compile_regex("a")}),
    ],
)
def test_set(obj: Any, path: Any, expected: Any) -> None:
    assert exact(OPERATORS["set"](RUN, obj, path, 9)) == exact(expected)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (({"a": 1}, ["b", "0", "c"], 9), {"a": 1, "b": {"0": {"c": 9}}}),
        (({"a": [1]}, ["a", 1], 9), {"a": [1, 9]}),
        (({"a": [1]}, ["a", 2], 9), {"a": {"0": 1, "2": 9}}),
        (({"a": [1]}, ["a", "1x"], 9), {"a": [1]}),
        (({"a": 1}, {"b": 2}), {"a": 1, "b": 2}),
        (([1, 2, 3], [9]), [9, 2, 3]),
        (([1], {"a": 1}), {"a": 1}),
        (({"a": 1}, [], 5), 5),
        (("text", "a", 1), "text"),
        (({"a": 1},), {"a": 1}),
        (({}, "__proto__", 1), {"__proto__": 1}),
        (([1], "length", 0), [1]),
    ],
)
def test_put(args: tuple[Any, ...], expected: Any) -> None:
    assert exact(OPERATORS["put"](RUN, *args)) == exact(expected)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (["a", "b", 0], {"a": {"b": [UNDEFINED, {"c": "text"}], "n": None}, "k.l": 2, "7": True}),
        (["a", "b", 1, "c"], {"a": {"b": [1, {}], "n": None}, "k.l": 2, "7": True}),
        ("k.l", {"a": {"b": [1, {"c": "text"}], "n": None}, "7": True}),
        (["a", "b", "length"], TREE),
        (["x", "y"], TREE),
        (["a", "b", 9], TREE),
        ([], TREE),
    ],
)
def test_delete(path: Any, expected: Any) -> None:
    assert exact(OPERATORS["delete"](RUN, TREE, path)) == exact(expected)


def test_delete_from_what_holds_nothing() -> None:
    for value in ("text", 5, NAMED_FUNCTIONS["id"]):
        assert OPERATORS["delete"](RUN, value, "0") is value


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("keys", [{"b": 1, "10": 2, "9": 3}], ["9", "10", "b"]),
        ("values", [{"b": 1, "10": 2, "9": 3}], [3, 2, 1]),
        ("keys", [[5, 6]], ["0", "1"]),
        ("keys", [TREE, ["a"]], ["b", "n"]),
        ("values", [TREE, ["a", "b", "1", "c"]], ["t", "e", "x", "t"]),
        ("keys", [TREE, ["x"]], []),
        ("keys", [TREE, []], []),
        ("keys", [TREE, ""], ["7", "a", "k.l"]),
        ("values", ["text"], []),
    ],
)
def test_keys_and_values(name: str, args: list[Any], expected: Any) -> None:
    assert exact(OPERATORS[name](RUN, *args)) == exact(expected)


def test_what_does_not_change_is_shared_and_nothing_changes_in_place() -> None:
    before = deepcopy(TREE)
    for name in ("put", "set"):
        changed = OPERATORS[name](RUN, TREE, ["a", "n"], 5)
        assert changed["a"]["b"] is TREE["a"]["b"]
        assert before == TREE
    kept = FrozenMap(a=FrozenList([FrozenMap(b=1)]), c=2)
    changed = OPERATORS["put"](RUN, kept, ["a", 0, "b"], 2)
    assert (kept["a"][0]["b"], changed["a"][0]["b"], changed["c"]) == (1, 2, 2)
    assert OPERATORS["delete"](RUN, kept, "a") == {"c": 2}


KEYS = st.lists(st.sampled_from(["a", "b", "0", "1", "2", "x"]), min_size=1, max_size=4)
TREES = st.recursive(
    st.integers(0, 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab01"), inner, max_size=3),
    max_leaves=8,
).filter(lambda tree: isinstance(tree, list | dict))


@given(TREES, KEYS, st.integers())
def test_what_was_put_is_there(tree: Any, path: list[str], value: int) -> None:
    for name in ("put", "set"):
        changed = OPERATORS[name](RUN, tree, path, value)
        found = OPERATORS["get"](RUN, changed, path)
        if found != value:  # an array on the way took no key that is no index
            assert exact(changed) == exact(OPERATORS[name](RUN, changed, path, value))
            assert any(key in "abx" for key in path)
        if (
            all(isinstance(key, str) and key in "abx" for key in path)
            and isinstance(tree, dict)
            and name == "put"
        ):
            assert found == value


@given(TREES, KEYS)
def test_what_was_deleted_is_gone(tree: Any, path: list[str]) -> None:
    assert OPERATORS["get"](RUN, OPERATORS["delete"](RUN, tree, path), path) is None


def test_large_and_deep_paths() -> None:
    for name in ("put", "set"):
        with pytest.raises(KrlLimitExceeded, match="too many steps"):
            OPERATORS[name](CountingRun(), [], ["4294967294"], 1)
        with pytest.raises(KrlLimitExceeded, match="64 levels"):
            OPERATORS[name](CountingRun(), {}, ["a"] * 65, 1)
        with pytest.raises(KrlLimitExceeded, match="steps"):
            OPERATORS[name](CountingRun(steps_max=1_000), {}, ["a"] * 100_000, 1)
        with pytest.raises(KrlLimitExceeded):
            OPERATORS[name](CountingRun(steps_max=1_000), {str(n): n for n in range(100_000)}, "a", 1)
    deep = nested(10_000)
    assert OPERATORS["get"](RUN, deep, [0] * 5_000) is not None
    assert len(OPERATORS["put"](RUN, deep, [0, 1], 1)[0]) == 2
    with pytest.raises(KrlLimitExceeded):
        OPERATORS["keys"](CountingRun(steps_max=1_000), [0] * 100_000)
