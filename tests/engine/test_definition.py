"""What a ruleset is to the engine."""

from __future__ import annotations

import orjson

from pico_engine import Ruleset, provides, query, rule, when


class Described(Ruleset, rid="test.described", version="2.0.0", author="A"):
    """Says what it is."""

    @query
    def asked(self) -> int:
        return 1

    @provides
    def used(self) -> int:
        return 1

    @rule(when("a:b"), name="the rule")
    def go(self) -> None:
        """Nothing."""


def test_the_description_is_json_and_complete() -> None:
    meta = orjson.loads(orjson.dumps(Described.definition.meta))
    assert meta == {
        "rid": "test.described",
        "version": "2.0.0",
        "name": "Described",
        "description": "Says what it is.",
        "author": "A",
        "language": "python",
        "shares": ["asked"],
        "provides": ["used"],
        "rules": ["the rule"],
    }
