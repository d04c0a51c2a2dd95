"""What the built-in rulesets ask of an event's attributes."""

from __future__ import annotations

import pytest

from pico_engine import Event
from pico_engine.errors import BadRequest
from pico_rulesets.attributes import handed_on, parsed, parsed_map, passed_on, required_text, tag_list


def event(**attrs: object) -> Event:
    return Event("test", "some", attrs)


def test_headers_stay_in_the_pico() -> None:
    given = event(a=1, b=2, _headers={"referer": "x"})
    assert handed_on(given, b=3, event=4) == {"a": 1, "b": 3, "_headers": {"referer": "x"}, "event": 4}


def test_headers_are_not_passed_on() -> None:
    assert passed_on(event(a=1, b=2, _headers={"cookie": "x"}), b=3, event=4) == {"a": 1, "b": 3, "event": 4}


@pytest.mark.parametrize(("value", "text"), [("x", "x"), (5, "5"), (1.5, "1.5")])
def test_required_text(value: object, text: str) -> None:
    assert required_text(event(a=value), "a") == text


@pytest.mark.parametrize("value", [None, "", True, [], {"a": 1}])
def test_what_is_no_text(value: object) -> None:
    with pytest.raises(BadRequest, match="test:some needs the attribute 'a'"):
        required_text(event(a=value), "a")


def test_json_text_is_parsed() -> None:
    assert parsed(event(a='{"b": [1]}'), "a") == {"b": [1]}
    assert parsed(event(a=[1]), "a") == [1]
    assert parsed(event(), "a") is None
    assert parsed_map(event(), "a") == {}
    assert parsed_map(event(a='{"b": 1}'), "a") == {"b": 1}
    for bad in ("{", "[1]"):
        with pytest.raises(BadRequest, match="'a'"):
            parsed_map(event(a=bad), "a")


def test_tags() -> None:
    assert tag_list("a,b") == ["a", "b"]
    assert tag_list(["a", 1]) == ["a", "1"]
    with pytest.raises(BadRequest):
        tag_list(7)
