"""KRL's values: types, truth, strings and numbers of them, and how they leave KRL."""

from __future__ import annotations

import copy
import math
import pickle

import pytest

from pico_engine.krl.errors import KrlLimitExceeded
from pico_engine.krl.values import (
    UNDEFINED,
    Action,
    ActionFunction,
    Function,
    arrange,
    is_index,
    is_number,
    isnull,
    ordered_keys,
    regex_source,
    to_hex,
    to_json,
    to_number,
    to_string,
    truth,
    typeof,
)
from pico_engine.regex import compile_regex
from pico_engine.values import DEPTH_MAX_LEVELS, FrozenList, FrozenMap
from tests.engine.krl.helpers import CountingRun, nested, shared

FUNCTION = Function("f", (), lambda run: None)
ACTION = Action("a", (), lambda run: None)
BOTH = ActionFunction("b", (), lambda run: None)


@pytest.mark.parametrize(
    ("value", "name", "text", "as_number", "true"),
    [
        (None, "Null", "null", 0, False),
        (UNDEFINED, "Null", "null", 0, False),
        (math.nan, "Null", "null", 0, False),
        (math.inf, "JSObject", "[JSObject]", None, True),
        (True, "Boolean", "true", 1, True),
        (False, "Boolean", "false", 0, False),
        (0, "Number", "0", 0, False),
        (1.5, "Number", "1.5", 1.5, True),
        ("", "String", "", 0, False),
        ("0", "String", "0", 0, True),
        ("x", "String", "x", None, True),
        ("0xfF", "Hex", "0xfF", 255, True),
        ("0x", "String", "0x", None, True),
        ([], "Array", "[Array]", 0, True),
        (FrozenList([1, 2]), "Array", "[Array]", 2, True),
        ({}, "Map", "[Map]", 0, True),
        (FrozenMap(a=1), "Map", "[Map]", 1, True),
        (FUNCTION, "Function", "[Function]", None, True),
        (ACTION, "Action", "[Action]", None, True),
        (BOTH, "ActionFunction", "[ActionFunction]", None, True),
        (compile_regex("a/b", "mgi"), "RegExp", r"re#a\/b#gi", None, True),
        (object(), "JSObject", "[JSObject]", None, True),
    ],
)
def test_type_text_number_truth(value: object, name: str, text: str, as_number: object, true: bool) -> None:
    assert (typeof(value), to_string(value), to_number(value), truth(value)) == (name, text, as_number, true)
    assert isnull(value) == (name == "Null")
    assert is_number(value) == (name == "Number")


def test_subclasses_are_what_they_derive_from() -> None:
    class Items(list[int]):
        pass

    class Names(dict[str, int]):
        pass

    assert (typeof(Items()), typeof(Names())) == ("Array", "Map")


def test_undefined_is_one_object_and_false() -> None:
    assert not UNDEFINED
    assert copy.deepcopy(UNDEFINED) is UNDEFINED
    assert pickle.loads(pickle.dumps(UNDEFINED)) is UNDEFINED
    assert repr(UNDEFINED) == "UNDEFINED"


def test_hex_of_values() -> None:
    values: list[object] = [255, 0.5, "text", True, math.nan, math.inf, []]
    assert [to_hex(value) for value in values] == ["ff", "0.8", "text", "true", "NaN", None, None]


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        ("", "(?:)"),
        ("a/b", r"a\/b"),
        (r"a\/b", r"a\/b"),
        ("[/]/", r"[/]\/"),
        ("a\nb", r"a\nb"),
        ("\\\n", r"\n"),
        ("\\\\/", "\\\\\\/"),
    ],
)
def test_a_pattern_as_it_is_shown(pattern: str, shown: str) -> None:
    assert regex_source(pattern) == shown


@pytest.mark.parametrize(
    ("args", "named", "placed"),
    [
        ((1, 2, 3, 4), None, [1, 2, 3]),
        ((1,), None, [1]),
        ((1,), {"c": 3}, [1, UNDEFINED, 3]),
        ((1,), {"a": 2}, [2]),
        ((), {"b": 2, "z": 9}, [UNDEFINED, 2]),
        ((), {}, []),
    ],
)
def test_arguments_in_their_places(
    args: tuple[int, ...], named: dict[str, int] | None, placed: list[object]
) -> None:
    assert arrange(("a", "b", "c"), args, named) == placed


@pytest.mark.parametrize(
    ("key", "yes"),
    [
        ("0", True),
        ("10", True),
        ("01", False),
        ("", False),
        ("-1", False),
        ("1.0", False),
        ("4294967294", True),
        ("4294967295", False),
        ("99999999999", False),
        ("\u0661", False),
        ("\u00b2", False),
        ("a", False),
    ],
)
def test_keys_that_name_an_element(key: str, yes: bool) -> None:
    assert is_index(key) == yes


def test_keys_like_numbers_come_first() -> None:
    assert list(ordered_keys({"b": 1, "10": 2, "9": 3, "01": 4})) == ["9", "10", "b", "01"]
    plain = {"b": 1, "a": 2}
    assert ordered_keys(plain) is plain


def test_what_leaves_krl_is_json() -> None:
    assert to_json(compile_regex("a")) == {}
    value = {"a": UNDEFINED, "b": [UNDEFINED, math.nan, FUNCTION, 1.5], "c": ACTION, "d": math.inf, "e": None}
    assert to_json(value) == {"b": [None, None, None, 1.5], "d": None, "e": None}
    assert [to_json(one) for one in (UNDEFINED, FUNCTION, object())] == [None, None, None]
    kept = FrozenMap(a=FrozenList([1]))
    assert to_json([kept])[0] is kept


def test_what_leaves_krl_is_counted_and_not_too_deep() -> None:
    run = CountingRun(steps_max=1_000)
    with pytest.raises(KrlLimitExceeded):
        to_json(shared(40), run)
    assert to_json(nested(DEPTH_MAX_LEVELS)) == nested(DEPTH_MAX_LEVELS)
    with pytest.raises(KrlLimitExceeded, match="64 levels"):
        to_json(nested(DEPTH_MAX_LEVELS + 1))
