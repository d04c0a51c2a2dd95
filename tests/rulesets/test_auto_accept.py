"""Which requests are accepted without asking; that it happens is in test_subscription.py."""

from __future__ import annotations

import pytest

from pico_engine import Event
from pico_engine.errors import BadRequest
from pico_rulesets.auto_accept import MATCHED_TEXT_MAX_CHARS, accepts, read_config


def test_patterns_match_only_what_is_short() -> None:
    config = [{"entries": {"name": ["x$"], "age": ["^4"]}}]
    assert accepts(config, {"name": "max"})
    assert accepts(config, {"age": 42})
    assert not accepts(config, {"name": "y" * MATCHED_TEXT_MAX_CHARS + "x"})
    assert not accepts(config, {"other": "x"})


def test_whole_and_single_configurations() -> None:
    config = {"configName": "x", "entries": {"a": ["b"]}}
    assert read_config(Event("a", "b", {"config": config})) == ("x", config)
    single = {"configName": "x", "password": "p", "regexMap": {"a": ["b"]}}
    given = {"configName": "x", "password": "p", "entries": {"a": ["b"]}}
    assert read_config(Event("a", "b", single)) == ("x", given)
    assert read_config(Event("a", "b", {"configName": "x", "delete": True})) == ("x", None)


@pytest.mark.parametrize("entries", [None, ["a"], {"a": "b"}, {"a": [1]}, {"a": ["("]}])
def test_bad_entries(entries: object) -> None:
    with pytest.raises(BadRequest):
        read_config(Event("a", "b", {"config": {"configName": "x", "entries": entries}}))
