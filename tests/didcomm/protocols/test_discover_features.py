"""Questions about features: patterns, disclosures, limits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_didcomm.errors import DidcommError
from pico_didcomm.message import Message
from pico_didcomm.protocols.discover_features import (
    DISCLOSE_TYPE,
    QUERIES_MAX,
    QUERIES_TYPE,
    Feature,
    Query,
    disclosed,
    make_disclose,
    make_queries,
    matches,
    parse_disclose,
    parse_queries,
)

A, B = "did:example:a", "did:example:b"
FEATURES = (
    Feature("protocol", "https://didcomm.org/tictactoe/1.0", ("player",)),
    Feature("protocol", "https://didcomm.org/trust-ping/2.0"),
    Feature("goal-code", "org.didcomm.sell"),
    Feature("constraint", "max_receive_bytes", extra={"max_receive_bytes": "65536"}),
)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*", "", True),
        ("*", "anything", True),
        ("a", "a", True),
        ("a", "ab", False),
        ("a*", "abc", True),
        ("*c", "abc", True),
        ("a*c", "ac", True),
        ("a*c", "abcd", False),
        ("https://didcomm.org/tictactoe/1.*", "https://didcomm.org/tictactoe/1.0", True),
        ("https://didcomm.org/tictactoe/1.*", "https://didcomm.org/tictactoe/2.0", False),
        ("aa*aa", "aaa", False),
        ("a**b", "ab", True),
        ("", "", True),
        ("", "a", False),
        ("a.c", "abc", False),
    ],
)
def test_patterns(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_patterns_mean_what_a_regular_expression_would(pattern: str, text: str) -> None:
    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    assert matches(pattern, text) is (re.fullmatch(expression, text) is not None)


def test_a_long_pattern_takes_no_long_time() -> None:
    assert not matches("*a" * 250 + "b", "a" * 512)


def test_question_and_answer() -> None:
    queries = (Query("protocol", "https://didcomm.org/tic*"), Query("colour", "*"), Query("constraint", "*"))
    question = make_queries("1", A, B, queries)
    assert parse_queries(question) == queries
    found = disclosed(FEATURES, parse_queries(question))
    assert found == [FEATURES[0], FEATURES[3]]
    answer = Message.from_bytes(make_disclose("2", B, A, found, "1").to_bytes())
    assert answer.thid == "1"
    assert parse_disclose(answer) == tuple(found)
    assert answer.body["disclosures"][1]["max_receive_bytes"] == "65536"


def test_no_feature_is_told_twice() -> None:
    assert disclosed(FEATURES[:1], (Query("protocol", "*"), Query("protocol", "h*"))) == [FEATURES[0]]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"queries": []},
        {"queries": "x"},
        {"queries": [1]},
        {"queries": [{"feature-type": "protocol"}]},
        {"queries": [{"match": "*"}]},
        {"queries": [{"feature-type": "protocol", "match": ""}]},
        {"queries": [{"feature-type": "protocol", "match": "*"}] * (QUERIES_MAX + 1)},
    ],
)
def test_broken_questions(body: dict[str, object]) -> None:
    with pytest.raises(DidcommError):
        parse_queries(Message("1", QUERIES_TYPE, body))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"disclosures": {}},
        {"disclosures": [{"id": "x"}]},
        {"disclosures": [{"feature-type": "protocol"}]},
    ],
)
def test_broken_answers(body: dict[str, object]) -> None:
    with pytest.raises(DidcommError):
        parse_disclose(Message("1", DISCLOSE_TYPE, body))
    with pytest.raises(DidcommError):
        parse_disclose(Message("1", QUERIES_TYPE, {"disclosures": []}))


def test_too_many_features() -> None:
    with pytest.raises(DidcommError):
        make_disclose("1", A, B, [FEATURES[0]] * 257)
