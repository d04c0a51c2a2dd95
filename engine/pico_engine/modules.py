"""Other rulesets of the same pico as modules of one in Python: what `self.use` answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from pico_engine.errors import UnknownQuery, UnknownRuleset
from pico_engine.values import Json, freeze

if TYPE_CHECKING:
    from pico_engine.definition import RulesetDefinition
    from pico_engine.pico import Pico
    from pico_engine.ruleset import Ruleset


class Module:
    """Another ruleset as a module: only what it provides can be reached."""

    __slots__ = ("_instance", "_ruleset")

    def __init__(self, instance: Any, ruleset: type[Ruleset]) -> None:
        self._instance = instance
        self._ruleset = ruleset

    def __getattr__(self, name: str) -> Any:
        _check_provided(self._ruleset.definition, name)
        return getattr(self._instance, name)


class ModuleByName:
    """Another ruleset as a module, in whichever language it is: what it provides, as functions of JSON.

    What it provides as a value is a function without arguments, too.
    """

    __slots__ = ("_definition", "_instance")

    def __init__(self, instance: Any, definition: RulesetDefinition) -> None:
        self._instance = instance
        self._definition = definition

    def __getattr__(self, name: str) -> Callable[..., Json]:
        _check_provided(self._definition, name)
        if self._definition.language == "python":
            return cast("Callable[..., Json]", getattr(self._instance, name))

        def call(*args: Json, **named: Json) -> Json:
            return freeze(self._instance.provided(name, freeze(list(args)), freeze(named)))

        return call


def module_by_name(pico: Pico, rid: str, given: Json | None) -> ModuleByName:
    """An installed ruleset as a module; `given` overrides its configuration. Raises UnknownRuleset."""
    definition = pico.definition(rid)
    if definition is None:
        raise UnknownRuleset(f"the ruleset {rid} is installed in this pico, but this node does not have it")
    as_module = getattr(definition.create, "as_module", None)
    if as_module is None or given is None:
        return ModuleByName(pico.instance(definition, given), definition)
    return ModuleByName(as_module(pico, pico.installed.get(rid)["config"], given), definition)


def _check_provided(definition: RulesetDefinition, name: str) -> None:
    function = definition.functions.get(name)
    if function is None or not function.provided:
        raise UnknownQuery(
            f"ruleset {definition.rid} provides no {name}",
            "mark the function with @provides in that ruleset, or name it in `provides` in KRL",
        )
