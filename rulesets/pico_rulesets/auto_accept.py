"""Which requests for a subscription are accepted without asking the owner."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pico_engine import Event
from pico_engine.errors import BadRequest
from pico_engine.values import Json
from pico_rulesets.attributes import parsed, parsed_map

MATCHED_TEXT_MAX_CHARS: Final = 1_000
"""A stranger chooses the text: longer text matches no pattern, so that a careless one cannot be used."""


def accepts(configs: Iterable[Mapping[str, Any]], attrs: Mapping[str, Json]) -> bool:
    """Does one attribute match one of its patterns in one of the configurations?"""
    return any(
        _matches(pattern, attrs.get(name))
        for one in configs
        for name, patterns in one["entries"].items()
        for pattern in patterns
    )


def _matches(pattern: str, value: Json) -> bool:
    if value is None:
        return False
    text = value if isinstance(value, str) else str(value)
    return len(text) <= MATCHED_TEXT_MAX_CHARS and re.search(pattern, text) is not None


def read_config(event: Event) -> tuple[str, Json]:
    """(name, configuration) of an update; None for one that is to be deleted. Raises BadRequest.

    Given whole as `config`, or as `configName`, `password` and `regexMap`.
    """
    given = dict(parsed_map(event, "config"))
    if not given:
        given = {
            "configName": event.attr("configName"),
            "password": event.attr("password"),
            "entries": parsed(event, "regexMap"),
        }
    name = given.get("configName")
    if not isinstance(name, str) or not name:
        raise BadRequest("an auto accept configuration needs a configName")
    if event.attr("delete"):
        return name, None
    entries = given.get("entries")
    if not isinstance(entries, Mapping):
        raise BadRequest("the entries are a map from an attribute's name to a list of regular expressions")
    for attribute, patterns in entries.items():
        _check_patterns(attribute, patterns)
    return name, given


def _check_patterns(attribute: str, patterns: Json) -> None:
    if not isinstance(patterns, list | tuple) or not all(isinstance(one, str) for one in patterns):
        raise BadRequest(f"the entry {attribute!r} is no list of regular expressions")
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise BadRequest(f"{pattern!r} of {attribute!r} is no regular expression: {error}") from error
