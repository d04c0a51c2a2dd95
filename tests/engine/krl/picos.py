"""A pico with KRL rulesets, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pico_engine.harness import Answer, Bench
from pico_engine.krl import compile_ruleset
from pico_engine.limits import EngineLimits, KrlLimits
from pico_engine.values import Json, thaw

RID = "t"


def ruleset(body: str, meta: str = "", rid: str = RID) -> str:
    """A whole ruleset around a body of global and rules."""
    return f"ruleset {rid} {{ meta {{ {meta} }} {body} }}"


class Krl:
    """One pico with the given rulesets, installed in their order."""

    def __init__(
        self, *texts: str, rulesets: tuple[Any, ...] = (), config: Json = None, **limits: int
    ) -> None:
        own = {name: value for name, value in limits.items() if name in KrlLimits.__slots__}
        others = {name: value for name, value in limits.items() if name not in own}
        self.bench = Bench(*rulesets, limits=EngineLimits(krl=KrlLimits(**own), **others))
        self.did = self.bench.root
        for one in rulesets:
            self._install(one.definition.rid, {})
        for text in texts:
            self.add(text, config)

    def add(self, text: str, config: Json = None) -> str:
        """Compile and install one more ruleset, or another version of one; answers its id."""
        definition = self.bench.registry.add(compile_ruleset(text).definition, replace=True)
        self._install(definition.rid, config or {})
        return definition.rid

    def _install(self, rid: str, config: Json) -> None:
        self.bench.operate(self.did, lambda pico: pico.engine.family.install(pico, rid, config))

    def event(self, name: str, attrs: Mapping[str, Json] | None = None) -> Answer:
        self.bench.run()
        return self.bench.event(self.did, name, attrs or {})

    def options(self, name: str, attrs: Mapping[str, Json] | None = None) -> list[Json]:
        """The options of the directives that an event gives."""
        return [thaw(one["options"]) for one in self.event(name, attrs).directives]

    def query(self, name: str, args: Json = None, rid: str = RID) -> Json:
        self.bench.run()
        return self.bench.query(self.did, rid, name, args or {})

    @property
    def errors(self) -> list[str]:
        return [line.text for line in self.bench.log if line.level == "error"]

    @property
    def pico(self) -> Any:
        return self.bench.engine.pico(self.did)


def values(expression: str, globals_: str = "", **limits: int) -> Json:
    """What an expression gives, as JSON."""
    text = ruleset(f"global {{ {globals_} it = function(){{ {expression} }} }}", "shares it")
    return Krl(text, **limits).query("it")
