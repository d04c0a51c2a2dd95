"""Members of message bodies."""

from __future__ import annotations

from typing import Any

import pytest

from pico_didcomm.errors import BadMessage
from pico_didcomm.protocols import fields


def test_what_is_right_is_given_back() -> None:
    body: dict[str, Any] = {"t": "x", "e": "", "b": False, "i": 7, "m": {"a": 1}, "l": ["a", ""], "n": None}
    assert fields.text(body, "t", 1) == "x"
    assert fields.text(body, "e", 1, empty=True) == ""
    assert fields.optional_text(body, "t", 1) == "x"
    assert fields.optional_text(body, "n", 1) is None
    assert fields.optional_text(body, "missing", 1) is None
    assert fields.boolean(body, "b") is False
    assert fields.boolean(body, "missing", default=True) is True
    assert fields.integer(body, "i") == 7
    assert fields.mapping(body, "m") == {"a": 1}
    assert fields.texts(body, "l", 2, 1) == ("a", "")


@pytest.mark.parametrize("value", [None, 7, [], {}, "", "toolong"])
def test_text(value: object) -> None:
    with pytest.raises(BadMessage):
        fields.text({"a": value}, "a", 6)


@pytest.mark.parametrize("value", [None, 1.0, "1", True, -1, 2**53, []])
def test_integer(value: object) -> None:
    with pytest.raises(BadMessage):
        fields.integer({"a": value}, "a")


@pytest.mark.parametrize("value", [None, 0, 1, "true", []])
def test_boolean(value: object) -> None:
    with pytest.raises(BadMessage):
        fields.boolean({"a": value}, "a")


@pytest.mark.parametrize("value", [None, 7, [], "x"])
def test_mapping(value: object) -> None:
    with pytest.raises(BadMessage):
        fields.mapping({"a": value}, "a")


@pytest.mark.parametrize("value", [None, "ab", {}, [7], ["abc"], ["a", "b", "c"]])
def test_texts(value: object) -> None:
    with pytest.raises(BadMessage):
        fields.texts({"a": value}, "a", 2, 2)
