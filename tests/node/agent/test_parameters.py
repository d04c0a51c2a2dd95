"""Parameters of commands are checked against what carries them out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pico_engine.errors import BadRequest
from pico_node.agent.parameters import NUMBER_MAX, Signature


def handler(
    reply: Any,
    text: str,
    number: int = 1,
    flag: bool = False,
    maybe: str | None = None,
    texts: list[str] | None = None,
    table: Mapping[str, Any] | None = None,
    anything: Any = None,
) -> None: ...


SIGNATURE = Signature("test", handler)


@pytest.mark.parametrize(
    "parameters",
    [
        {"text": ""},
        {"text": "x", "number": 0},
        {"text": "x", "number": NUMBER_MAX},
        {"text": "x", "flag": True},
        {"text": "x", "maybe": None},
        {"text": "x", "maybe": "y"},
        {"text": "x", "texts": []},
        {"text": "x", "texts": ("a", "b")},
        {"text": "x", "table": {"a": [1]}},
        {"text": "x", "anything": object()},
    ],
)
def test_what_fits(parameters: dict[str, Any]) -> None:
    SIGNATURE.check(parameters)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, "needs the parameter 'text'"),
        ({"text": None}, "'text' of command test must be text"),
        ({"text": b"x"}, "must be text"),
        ({"text": "x", "number": -1}, "must be a whole number from 0"),
        ({"text": "x", "number": True}, "must be a whole number"),
        ({"text": "x", "number": 1.0}, "must be a whole number"),
        ({"text": "x", "number": NUMBER_MAX + 1}, "must be a whole number"),
        ({"text": "x", "flag": 1}, "must be true or false"),
        ({"text": "x", "maybe": 3}, "must be text"),
        ({"text": "x", "texts": "abc"}, "must be a list of texts"),
        ({"text": "x", "texts": [1]}, "must be a list of texts"),
        ({"text": "x", "table": []}, "must be a map"),
        ({"text": "x", "table": {1: 2}}, "must be a map"),
        ({"text": "x", "reply": 1}, "has no parameter 'reply'"),
        ({"text": "x", "other": 1}, "has no parameter 'other'"),
    ],
)
def test_what_does_not(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        SIGNATURE.check(parameters)
