"""What a ruleset is to the engine, whichever language it was written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pico_engine.values import Json

if TYPE_CHECKING:
    from pico_engine.events import Event
    from pico_engine.expressions import Machine
    from pico_engine.pico import Pico


FOUND_MAX_ENTRIES = 1_000
"""Event names whose rules are remembered; a stranger may invent names without end."""


@dataclass(frozen=True, slots=True)
class RuleDefinition:
    """A rule: `run(ruleset, event, settings)` is called when `machine` says that the rule is selected."""

    name: str
    machine: Machine
    run: Callable[[Any, Event, Mapping[str, Json]], None]


class InstalledRule(NamedTuple):
    """A rule in a pico: `machine` is None where the event's name alone selects it."""

    instance: Any
    rid: str
    name: str
    machine: Machine | None
    run: Callable[[Any, Event, Mapping[str, Json]], None]


@dataclass(frozen=True, slots=True)
class QueryDefinition:
    """A function that answers queries: `run(ruleset, args)`, args a map or a list of positional values.

    `shared`: may be asked over channels. `provided`: may be used by other rulesets of the pico.
    """

    name: str
    parameters: tuple[str, ...]
    run: Callable[[Any, Json], Json]
    shared: bool = True
    provided: bool = False


@dataclass(frozen=True, slots=True)
class RulesetDefinition:
    """A ruleset: its rules in source order, its functions, and how to make its instance for a pico.

    `create(pico, config)` makes the object that rules and functions get as their first argument.
    `defaults` are the configuration's values where the installation gives none; only its names are taken.
    """

    rid: str
    version: str
    name: str
    description: str
    author: str
    rules: tuple[RuleDefinition, ...]
    functions: Mapping[str, QueryDefinition]
    defaults: Mapping[str, Json]
    create: Callable[[Pico, Mapping[str, Json]], Any]
    language: str = "python"
    uses: tuple[str, ...] = ()
    _found: dict[tuple[str, str], tuple[RuleDefinition, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def rules_for(self, domain: str, kind: str) -> tuple[RuleDefinition, ...]:
        """The rules whose event expressions name an event, in source order. Remembered for all picos."""
        key = (domain, kind)
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= FOUND_MAX_ENTRIES:
                self._found.clear()
            salient = {key, ("*", kind), (domain, "*"), ("*", "*")}
            found = tuple(rule for rule in self.rules if not salient.isdisjoint(rule.machine.salience))
            self._found[key] = found
        return found

    @property
    def testing(self) -> dict[str, Json]:
        """What the query `__testing` answers where the author wrote none: what can be asked and sent."""
        names = sorted({name for rule in self.rules for name in rule.machine.salience if "*" not in name})
        return {
            "queries": [
                {"name": name, "args": list(function.parameters)}
                for name, function in self.functions.items()
                if function.shared
            ],
            "events": [{"domain": domain, "name": name, "attrs": []} for domain, name in names],
        }

    @property
    def meta(self) -> dict[str, Json]:
        """What `wrangler:rulesetMeta` answers."""
        return {
            "rid": self.rid,
            "version": self.version,
            "name": self.name,
            "description": self.description,
            "author": self.author,
            "language": self.language,
            "shares": self._names(lambda function: function.shared),
            "provides": self._names(lambda function: function.provided),
            "rules": [rule.name for rule in self.rules],
        }

    def _names(self, is_meant: Callable[[QueryDefinition], bool]) -> list[str]:
        """KRL's as the meta block has them, since there are rulesets that take the first; Python's sorted."""
        names = [name for name, one in self.functions.items() if is_meant(one) and name != "__testing"]
        return names if self.language == "krl" else sorted(names)


def as_written(meta: Mapping[str, Json]) -> dict[str, Json]:
    """`RulesetDefinition.meta` as KRL rulesets see it: without what the author of one in KRL left out.

    Applications ask for the name and take one of their own, or the text "null", where there is none.
    """
    if meta["language"] != "krl":
        return dict(meta)
    no_name = ("name", meta["rid"])
    return {key: value for key, value in meta.items() if value not in ("", []) and (key, value) != no_name}
