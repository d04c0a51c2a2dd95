"""Parameters of the owner's API: what each kind admits, and strict maps of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.errors import BadRequest
from pico_node.http import fields
from pico_node.http.fields import (
    EVENT_NAME,
    EXPIRES,
    EXPIRES_MAX_S,
    EXPIRES_MIN_S,
    ITEMS_MAX,
    MAP,
    MAP_OR_LIST,
    MOST,
    MOST_MAX,
    NAME_MAX_CHARS,
    TEXT,
    TEXTS,
    Field,
    Kind,
    check_fields,
)

KINDS = [one for one in vars(fields).values() if isinstance(one, Kind)]
NAME = Field("name", TEXT, "a name", required=True)
COUNT = Field("count", MOST, "how many", place="query")
LONGEST = "x" * NAME_MAX_CHARS


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (TEXT, ""), (TEXT, LONGEST), (TEXTS, []), (TEXTS, ["a"] * ITEMS_MAX), (MAP, {}), (MAP_OR_LIST, []),
        (MAP_OR_LIST, {"a": 1}), (EVENT_NAME, "a:b"), (EVENT_NAME, "a:b:c"), (MOST, 1), (MOST, MOST_MAX),
        (EXPIRES, EXPIRES_MIN_S), (EXPIRES, EXPIRES_MAX_S),
    ],
)  # fmt: skip
def test_what_is_admitted(kind, value):
    assert Field("it", kind, "").check(value) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (TEXT, None), (TEXT, 1), (TEXT, LONGEST + "x"), (TEXTS, "a"), (TEXTS, ["a", 1]),
        (TEXTS, ["a"] * (ITEMS_MAX + 1)), (TEXTS, [LONGEST + "x"]), (MAP, []), (MAP, None),
        (MAP_OR_LIST, "a"), (EVENT_NAME, "a"), (EVENT_NAME, ":b"), (EVENT_NAME, "a:"),
        (EVENT_NAME, f"a:{LONGEST}"), (MOST, 0), (MOST, MOST_MAX + 1), (MOST, True), (MOST, "1"),
        (MOST, 1.0), (EXPIRES, EXPIRES_MIN_S - 1), (EXPIRES, EXPIRES_MAX_S + 1),
    ],
)  # fmt: skip
def test_what_is_refused(kind, value):
    with pytest.raises(BadRequest) as caught:
        Field("it", kind, "").check(value)
    assert str(caught.value) == f"`it` must be {kind.wanted}"


TYPES = {
    "string": str, "integer": int, "array": list, "object": dict,
}  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(json_values)
def test_what_is_admitted_is_of_the_type_that_the_schema_tells(value):
    assert len(KINDS) >= 7
    for kind in KINDS:
        told = kind.schema["type"]
        types = tuple(TYPES[one] for one in (told if isinstance(told, list) else [told]))
        if kind.admits(value):
            assert isinstance(value, types)
            assert not isinstance(value, bool)


def test_a_field_of_a_path_and_of_a_body_are_apart():
    field = Field("a", MOST, "", place="query")
    assert check_fields((field,), {"a": "7"}, "x") == {"a": 7}
    with pytest.raises(BadRequest):
        check_fields((Field("a", MOST, ""),), {"a": "7"}, "x")


@given(st.text(max_size=6))
def test_numbers_of_a_query_string(text):
    try:
        found = COUNT.check(text)
    except BadRequest:
        assert not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_MAX)
    else:
        assert found == int(text)
        assert text.isascii()


def test_a_number_of_very_many_digits_is_refused():
    with pytest.raises(BadRequest):
        COUNT.check("9" * 5_000)


def test_what_may_be_absent_stays_absent():
    assert check_fields((NAME, Field("tags", TEXTS, "")), {"name": "a"}, "body") == {"name": "a"}


def test_what_must_be_there():
    with pytest.raises(BadRequest, match="the body lacks the field `name`") as caught:
        check_fields((NAME,), {}, "body")
    assert caught.value.hint == "add it: a name"


def test_what_nobody_knows():
    with pytest.raises(BadRequest, match="unknown field `colour`") as caught:
        check_fields((NAME,), {"name": "a", "colour": 1}, "body")
    assert caught.value.hint == "known here: name"
    with pytest.raises(BadRequest) as caught:
        check_fields((), {"x" * 5_000: 1}, "query string")
    assert len(str(caught.value)) < 200
    assert caught.value.hint == "known here: none"
