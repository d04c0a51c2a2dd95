"""A stand-in for the KRL compiler: sources of a few words, for tests of what is done with sources.

`ruleset RID version V uses A,B on domain:type` makes a ruleset with a query `said` and a rule `hear`, which
waits for the event twice.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pico_engine import Event, Ruleset, config, ent, query, rule, when
from pico_engine.errors import RulesetDefinitionError


class Counted:
    """Compiles, and counts how often it had to."""

    def __init__(self) -> None:
        self.compiled: list[str] = []

    def __call__(self, text: str, url: str) -> Any:
        words = text.split()
        if not words or words[0] != "ruleset":
            raise RulesetDefinitionError(f"{url}:1:1: error: expected `ruleset`")
        self.compiled.append(text)
        given = dict(zip(words[::2], words[1::2], strict=False))
        version, name = given.get("version", "1"), given.get("on", "say:word")

        class Spoken(Ruleset, rid=given["ruleset"], version=version):
            heard: int = ent(default=0)
            greeting: str = config(default="")

            @rule(when(name).count(2))
            def hear(self, event: Event) -> None:
                self.heard += 1

            @query
            def said(self) -> Any:
                return {"version": version, "heard": self.heard, "greeting": self.greeting}

        uses = tuple(given["uses"].split(",")) if "uses" in given else ()
        definition = Spoken.definition
        object.__setattr__(definition, "uses", uses)
        object.__setattr__(definition, "language", "krl")
        return SimpleNamespace(definition=definition, warnings=())
