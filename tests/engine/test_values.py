"""Kept values: what they take, what they refuse, and that what was taken can always be written."""

from __future__ import annotations

import copy
import enum
import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.errors import BadRequest, EngineError, LimitExceeded
from pico_engine.values import (
    DEPTH_MAX_LEVELS,
    INTEGER_MAX,
    INTEGER_MIN,
    FrozenList,
    FrozenMap,
    check_key,
    decode,
    encode,
    freeze,
    printable,
    thaw,
)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(
    st.characters(min_codepoint=0, max_codepoint=0x10FFFF, exclude_categories=())
)  # fmt: skip
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
)


@given(anything)
def test_whatever_was_frozen_can_be_written_and_reads_back_the_same(value: object) -> None:
    """A value that could not be written would fail when the batch is taken, far from who is to blame."""
    try:
        frozen = freeze(value)
    except EngineError:
        return
    assert decode(encode(frozen)) == frozen
    assert freeze(frozen) is frozen or not isinstance(frozen, FrozenMap | FrozenList)


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        INTEGER_MAX + 1,
        INTEGER_MIN - 1,
        "\ud800",
        b"bytes",
        {1: 2},
        {"\udfff": 1},
        {None: 1},
        object(),
        {1, 2},
        [math.nan],
        {"a": [1 << 70]},
    ],
)
def test_what_json_does_not_have_is_refused(value: object) -> None:
    with pytest.raises(BadRequest) as caught:
        freeze(value)
    assert caught.value.hint


@pytest.mark.parametrize("value", [INTEGER_MAX, INTEGER_MIN, 1 << 62, -(1 << 62), 1e308, "é\U0010ffff", 0])
def test_the_last_values_that_fit(value: object) -> None:
    assert orjson.loads(encode(freeze({"v": value})))["v"] == value


def test_depth_is_limited() -> None:
    deep: object = 1
    for _ in range(DEPTH_MAX_LEVELS):
        deep = [deep]
    assert freeze(deep)
    with pytest.raises(LimitExceeded):
        freeze([deep])


def test_subclasses_of_scalars_are_kept_as_plain_values() -> None:
    class Colour(enum.StrEnum):
        RED = "red"

    class Level(enum.IntEnum):
        HIGH = 3

    frozen = freeze([Colour.RED, Level.HIGH])
    assert [type(one) for one in frozen] == [str, int]


@pytest.mark.parametrize(
    "change",
    [
        lambda m, _: m.__setitem__("a", 1),
        lambda m, _: m.pop("a"),
        lambda m, _: m.update(a=1),
        lambda m, _: m.setdefault("b", 1),
        lambda m, _: m.clear(),
        lambda m, _: m.popitem(),
        lambda m, _: m.__ior__({"b": 1}),
        lambda m, _: m.__delitem__("a"),
        lambda _, a: a.append(1),
        lambda _, a: a.__setitem__(0, 1),
        lambda _, a: a.extend([1]),
        lambda _, a: a.insert(0, 1),
        lambda _, a: a.pop(),
        lambda _, a: a.remove(1),
        lambda _, a: a.clear(),
        lambda _, a: a.sort(),
        lambda _, a: a.reverse(),
        lambda _, a: a.__iadd__([1]),
        lambda _, a: a.__imul__(2),
        lambda _, a: a.__delitem__(0),
    ],
)
def test_a_kept_value_says_what_to_write_instead_of_changing_it(change) -> None:
    kept_map, kept_list = freeze({"a": 1}), freeze([1])
    with pytest.raises(TypeError, match="assign a new one"):
        change(kept_map, kept_list)
    assert (kept_map, kept_list) == ({"a": 1}, [1])


def test_copies_are_plain_and_changeable() -> None:
    kept = freeze({"a": [1, {"b": 2}]})
    for plain in (copy.deepcopy(kept), thaw(kept)):
        plain["a"][1]["b"] = 3
    shallow = copy.copy(kept)
    shallow["c"] = 1
    assert kept == {"a": [1, {"b": 2}]}
    assert hash(kept) == hash(freeze({"a": [1, {"b": 2}]}))
    assert copy.copy(freeze([1])) == [1]


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(BadRequest):
        decode(b"{")
    with pytest.raises(BadRequest):
        encode({"a": object()})


def test_keys() -> None:
    check_key("é")
    for key in (1, None, "\ud800"):
        with pytest.raises(BadRequest):
            check_key(key)


def test_texts_for_people_are_cut_and_cleaned() -> None:
    assert printable("abc", 3) == "abc"
    assert printable("abcd", 3) == "ab…"
    assert encode(printable("a\ud800"))
