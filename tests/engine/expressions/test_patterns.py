"""Which values fit which pattern, and what is captured."""

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.errors import RulesetDefinitionError
from pico_engine.expressions.patterns import (
    MATCHED_TEXT_MAX_CHARS,
    Pattern,
    anything,
    boolean,
    equals,
    integer,
    matches,
    number,
    one_of,
    present,
    text,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
PATTERNS = [
    text(),
    number(),
    number(min=-1, max=10.5),
    integer(),
    boolean(),
    matches("a"),
    equals("a"),
    one_of(1, True, None),
    present(),
    anything(),
]


@pytest.mark.parametrize(
    ("pattern", "value", "captured"),
    [
        (text(), "", ""),
        (text(), 1, ...),
        (text(), None, ...),
        (number(), 21.5, 21.5),
        (number(), "21.5", 21.5),
        (number(), " -3 ", -3),
        (number(), "1e3", 1000.0),
        (number(), "1_000", ...),
        (number(), "0x10", ...),
        (number(), "nan", ...),
        (number(), "", ...),
        (number(), True, ...),
        (number(), nan, ...),
        (number(), inf, ...),
        (number(), 10**400, ...),
        (number(), [1], ...),
        (number(min=3), 3, 3),
        (number(min=3), 2.9, ...),
        (number(max=3), "3", 3),
        (number(max=3), 3.1, ...),
        (integer(), 3.0, 3),
        (integer(), 3.5, ...),
        (integer(), "4", 4),
        (integer(max=3), "4", ...),
        (boolean(), False, False),
        (boolean(), "true", True),
        (boolean(), "True", ...),
        (boolean(), 1, ...),
        (matches(r"^\d+$"), "12", "12"),
        (matches(r"^\d+$"), 12, ...),
        (matches(r"b(.)"), "abc", "c"),
        (matches("a"), "a" * (MATCHED_TEXT_MAX_CHARS + 1), ...),
        (equals("on"), "on", "on"),
        (equals("on"), "off", ...),
        (equals(3), "3", 3),
        (equals(3), 3.0, 3),
        (equals(1), True, ...),
        (equals(True), 1, ...),
        (equals(True), "true", True),
        (equals(None), None, None),
        (equals("3"), 3, ...),
        (one_of("a", 2), "2", 2),
        (one_of("a", 2), "b", ...),
        (present(), None, None),
        (anything(), [1], [1]),
    ],
)
def test_what_fits_and_what_is_captured(pattern: Pattern, value: Any, captured: Any) -> None:
    found = pattern.match(value, False)
    assert found == (None if captured is ... else (captured,))
    if found is not None:
        assert type(found[0]) is type(captured)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.describe())
def test_only_anything_fits_a_missing_attribute(pattern: Pattern) -> None:
    assert pattern.match(None, True) == ((None,) if pattern == anything() else None)


@given(st.sampled_from(PATTERNS), JSON)
def test_any_value_fits_or_not_and_never_raises(pattern: Pattern, value: Any) -> None:
    found = pattern.match(value, False)
    assert found is None or len(found) == pattern.captures == len(pattern.settings("p"))


def test_named_captures() -> None:
    assert number().settings("celsius") == ("celsius",)
    assert number().named("outside").settings("celsius") == ("outside",)
    groups = matches(r"(?P<hour>\d+):(?P<minute>\d+)?")
    assert groups.settings("at") == ("hour", "minute")
    assert groups.match("12:", False) == ("12", None)


def test_patterns_compare_by_value() -> None:
    assert matches("a") == matches("a")
    assert hash(number(min=1)) == hash(number(min=1))
    assert equals(1) != equals(True)
    assert number(min=1) != integer(min=1)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: matches("("),
        lambda: matches("(a)(b)"),
        lambda: matches("(?P<a>a)(b)"),
        lambda: one_of(),
        lambda: equals([1]),
        lambda: number(min=inf),
        lambda: number(min=True),
        lambda: number(min=2, max=1),
    ],
)
def test_wrong_patterns_are_refused(wrong: Any) -> None:
    with pytest.raises(RulesetDefinitionError) as caught:
        wrong()
    assert caught.value.hint != RulesetDefinitionError.default_hint
