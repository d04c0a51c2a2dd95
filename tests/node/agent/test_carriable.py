"""What fits into a message is what the other side's reader takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_didcomm.encoding import strict_json_object
from pico_didcomm.errors import DidcommError
from pico_engine.errors import LimitExceeded
from pico_engine.messages import Failed, QueryAnswer
from pico_engine.values import encode, freeze
from pico_node.agent.carriable import DEPTH_MAX_LEVELS, answer_to, check_carriable


def nested(levels: int, *, wide: int = 1) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = {"a": [value] * wide} if levels < 0 else [value] * wide
    return value


@pytest.mark.parametrize("levels", range(DEPTH_MAX_LEVELS - 3, DEPTH_MAX_LEVELS + 2))
def test_the_limit_is_that_of_the_reader(levels: int) -> None:
    value = freeze(nested(levels))
    message = encode({"body": {"attrs": value}})
    try:
        strict_json_object(message, "a message")
        readable = True
    except DidcommError:
        readable = False
    try:
        check_carriable(value, "it", 1_000_000)
        carriable = True
    except LimitExceeded:
        carriable = False
    assert carriable == readable == (levels <= DEPTH_MAX_LEVELS)


def test_many_brackets_are_not_deep() -> None:
    check_carriable(freeze([{"a": []} for _ in range(500)]), "it", 1_000_000)
    check_carriable("[" * 500, "it", 1_000_000)


def test_size() -> None:
    check_carriable("x" * 8, "it", 10)
    with pytest.raises(LimitExceeded, match="it: 11 bytes; attributes_max_bytes is 10") as caught:
        check_carriable("x" * 9, "it", 10)
    assert caught.value.hint


@given(
    st.recursive(
        st.none() | st.integers(-(1 << 53), 1 << 53) | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    )
)
def test_what_people_send_is_carriable_and_readable(value: Any) -> None:
    frozen = freeze(value)
    check_carriable(frozen, "it", 1_000_000)
    strict_json_object(encode({"body": {"attrs": frozen}}), "a message")


def test_the_answer_to_a_query_is_its_value_or_why_there_is_none() -> None:
    assert answer_to("q", QueryAnswer(None, 7), 100).result == 7
    refused = answer_to("q", Failed(None, LimitExceeded("too much")), 100)
    large = answer_to("q", QueryAnswer(None, "x" * 100), 100)
    assert [(one.thid, one.error and one.error.code) for one in (refused, large)] == [
        ("q", "limit-exceeded")
    ] * 2
