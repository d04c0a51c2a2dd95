"""Channels: policies, tags, and what is stored and shown of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.channels import (
    ALLOW_ALL,
    ALLOW_NONE,
    POLICY_ENTRIES_MAX,
    TAG_MAX_CHARS,
    TAGS_MAX,
    Channel,
    Policy,
    clean_tags,
    parse_policy,
    policy_to_json,
)
from pico_engine.errors import BadRequest
from pico_engine.values import decode, encode

words = st.sampled_from(["a", "b", "*", "c"])
pairs = st.lists(st.tuples(words, words), max_size=4).map(tuple)


@given(pairs, pairs, words, words)
def test_deny_first_then_some_allow_must_match(allow, deny, first, second) -> None:
    def fits(entry) -> bool:
        return all(pattern in ("*", word) for pattern, word in zip(entry, (first, second), strict=True))

    expected = any(map(fits, allow)) and not any(map(fits, deny))
    policy = Policy(allow, deny)
    assert policy.admits(first, second) == expected
    channel = Channel("did:x", event_policy=policy, query_policy=policy)
    for _ in range(2):  # the second time it is remembered
        assert channel.admits_event(first, second) == channel.admits_query(first, second) == expected
    assert channel.changed(event_policy=ALLOW_NONE).admits_event(first, second) is False


@given(pairs, pairs, st.booleans())
def test_policies_read_back(allow, deny, query) -> None:
    policy = Policy(allow, deny)
    assert parse_policy(policy_to_json(policy, query=query), query=query) == policy


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"allow": []},
        {"allow": [], "deny": [], "more": []},
        {"allow": "x", "deny": []},
        {"allow": [1], "deny": []},
        {"allow": [{"domain": "a"}], "deny": []},
        {"allow": [{"domain": "a", "name": 5}], "deny": []},
        {"allow": [{"rid": "a", "name": "b"}], "deny": []},
        {"allow": [{"domain": "a", "name": "b", "c": "d"}], "deny": []},
        {"allow": [{"domain": "a", "name": "b"}] * (POLICY_ENTRIES_MAX + 1), "deny": []},
    ],
)
def test_other_policies_are_refused(data) -> None:
    with pytest.raises(BadRequest, match="eventPolicy"):
        parse_policy(data, query=False)


def test_tags() -> None:
    assert clean_tags([" Kitchen Light! ", "a_b-9", 5]) == ("kitchen-light-", "a_b-9", "5")
    assert clean_tags(["system"], system=True) == ("system",)
    for bad in (["System "], ["x"] * (TAGS_MAX + 1), ["x" * (TAG_MAX_CHARS + 1)], "kitchen"):
        with pytest.raises(BadRequest):
            clean_tags(bad)


def test_what_is_stored_and_what_is_shown() -> None:
    channel = Channel(
        "did:x", ("a",), ALLOW_ALL, ALLOW_NONE, ("http", "didcomm"), None, "did:peer", {"key": "secret"}
    )
    again = Channel.from_json(decode(encode(channel.to_json())))
    assert again == channel
    assert again.secret == {"key": "secret"}
    shown = channel.overview()
    assert "secret" not in str(shown)
    assert "secret" not in repr(channel)
    assert shown["doors"] == ["http", "didcomm"]
    assert "doors" not in channel.describe(), "rulesets see what the existing engine shows"
    with pytest.raises(TypeError):
        shown["tags"].append("changed")


def test_strangers_cannot_fill_the_memory_of_admissions() -> None:
    channel = Channel("did:x")
    for number in range(POLICY_ENTRIES_MAX * 3):
        assert channel.admits_event("domain", f"name{number}")
    assert len(channel._admitted) <= POLICY_ENTRIES_MAX
