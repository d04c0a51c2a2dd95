"""What a ruleset is to the engine."""

from __future__ import annotations

import orjson

from pico_engine import Ruleset, provides, query, rule, when
from pico_engine.definition import as_written
from pico_engine.krl import compile_ruleset


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


def test_rulesets_in_krl_are_told_as_written() -> None:
    plain = compile_ruleset("ruleset a.b { }").definition.meta
    assert as_written(plain) == {"rid": "a.b", "language": "krl"}
    named = compile_ruleset(
        'ruleset a.b { meta { name "N" version "1" shares x } global { x = 1 } }'
    ).definition.meta
    assert as_written(named) == {
        "rid": "a.b",
        "version": "1",
        "name": "N",
        "language": "krl",
        "shares": ["x"],
    }
    assert as_written(Described.definition.meta) == Described.definition.meta
