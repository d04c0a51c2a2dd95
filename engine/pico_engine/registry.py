"""The rulesets in Python that a node knows, by their ids, and the compiler of those in KRL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from pico_engine.errors import RulesetDefinitionError, UnknownRuleset

if TYPE_CHECKING:
    from pico_engine.definition import RulesetDefinition
    from pico_engine.ruleset import Ruleset


class Doubt(Protocol):
    """Something doubtful in a KRL text."""

    def render(self, text: str, filename: str) -> str:
        """For people: place and words in the first line, then the line in question, then a hint."""
        ...


class Compiled(Protocol):
    """A ruleset made of KRL text."""

    @property
    def definition(self) -> RulesetDefinition: ...
    @property
    def warnings(self) -> Sequence[Doubt]: ...


Compiler = Callable[[str, str], Compiled]
"""(text, url) → the ruleset; raises RulesetDefinitionError."""


def compile_krl(text: str, url: str) -> Compiled:
    """The compiler of the engine itself, without any cache."""
    from pico_engine.krl import compile_ruleset  # a node without KRL rulesets never loads it

    return compile_ruleset(text, url=url)


class Registry:
    """rid → definition. The edge fills it; a pico's installed rulesets are looked up here by id.

    `compiler` is for rulesets in KRL, whose sources are in the engine's library.
    """

    def __init__(self, rulesets: Iterable[type[Ruleset]] = (), *, compiler: Compiler = compile_krl) -> None:
        self.compiler = compiler
        self._known: dict[str, RulesetDefinition] = {}
        for ruleset in rulesets:
            self.add(ruleset)

    def add(self, ruleset: type[Ruleset] | RulesetDefinition, *, replace: bool = False) -> RulesetDefinition:
        """Make a ruleset known. Raises RulesetDefinitionError when its id is taken by another one."""
        if isinstance(ruleset, type) and "definition" not in vars(ruleset):
            raise RulesetDefinitionError(
                f"{ruleset.__name__} has no ruleset id",
                f'write class {ruleset.__name__}(Ruleset, rid="…")',
            )
        definition = ruleset if not isinstance(ruleset, type) else ruleset.definition
        known = self._known.get(definition.rid)
        if known is not None and not replace and known.create is not definition.create:
            raise RulesetDefinitionError(
                f"two rulesets have the id {definition.rid}: {known.name} and {definition.name}",
                "give one of them another rid",
            )
        self._known[definition.rid] = definition
        return definition

    def find(self, rid: str) -> RulesetDefinition | None:
        return self._known.get(rid)

    def get(self, rid: str) -> RulesetDefinition:
        """Like `find`; raises UnknownRuleset."""
        definition = self._known.get(rid)
        if definition is None:
            raise UnknownRuleset(f"this node knows no ruleset {rid}")
        return definition

    def __iter__(self) -> Iterator[RulesetDefinition]:
        return iter([self._known[rid] for rid in sorted(self._known)])
