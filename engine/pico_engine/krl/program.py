"""A compiled KRL ruleset: verified code and its blueprint, and the RulesetDefinition made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import CodeType
from typing import TYPE_CHECKING, Any

from pico_engine.definition import QueryDefinition, RuleDefinition, RulesetDefinition
from pico_engine.errors import RulesetDefinitionError
from pico_engine.expressions.machine import compile_select
from pico_engine.krl import syntax
from pico_engine.krl.compiler import Blueprint, compile_tree
from pico_engine.krl.compiler.selects import select_of
from pico_engine.krl.instance import Instance
from pico_engine.krl.runtime import ARITIES, HELPERS, NAMES, TESTING
from pico_engine.krl.verify import CREATE, verify
from pico_engine.limits import KrlLimits
from pico_engine.values import EMPTY_MAP, Json, freeze

if TYPE_CHECKING:
    from pico_engine.events import Event
    from pico_engine.krl.diagnostics import Diagnostic
    from pico_engine.pico import Pico


@dataclass(frozen=True, slots=True)
class CompiledRuleset:
    """What `compile_ruleset` answers. `hash`: lower-case hexadecimal SHA-256 of the UTF-8 source."""

    definition: RulesetDefinition
    uses: tuple[str, ...]
    warnings: tuple[Diagnostic, ...]
    """Those of severity `warning`."""
    hash: str
    program: Program


class Program:
    """The code of a ruleset, run once: `create(instance)` makes what one instance needs of it."""

    __slots__ = ("blueprint", "code", "create")

    def __init__(self, code: CodeType, blueprint: Blueprint) -> None:
        self.code = code
        self.blueprint = blueprint
        names: dict[str, Any] = {**HELPERS, TESTING: freeze(blueprint.testing), "__builtins__": {}}
        exec(code, names)  # noqa: S102 - verified: it can only name what `names` has
        self.create: Callable[[Instance], Any] = names[CREATE]


class Creator:
    """Makes a ruleset's instance for a pico, and one for each ruleset that uses it as a module."""

    __slots__ = ("program",)

    def __init__(self, program: Program) -> None:
        self.program = program

    def __call__(self, pico: Pico, config: Mapping[str, Json]) -> Instance:
        return Instance(self.program, pico, config)

    def as_module(
        self, pico: Pico, config: Mapping[str, Json], given: Mapping[str, Any], host: Instance | None = None
    ) -> Instance:
        """`config`: the installation's; `given`: the values after `with`; `host`: who uses it, in KRL."""
        return Instance(self.program, pico, config, given, host)


def code_of(tree: syntax.Ruleset, text: str, limits: KrlLimits | None = None) -> tuple[CodeType, Blueprint]:
    """Verified code of a ruleset. Raises CompileError, Unverified."""
    module, blueprint = compile_tree(tree, text, ARITIES, limits or KrlLimits())
    verify(module, NAMES)
    try:
        return compile(module, f"{blueprint.rid}.krl", "exec", dont_inherit=True, optimize=1), blueprint
    except (RecursionError, MemoryError, SyntaxError) as error:
        raise RulesetDefinitionError(
            f"{blueprint.rid} is too large or too deep to compile: {error}", "give its parts names"
        ) from None


def definition_of(program: Program) -> RulesetDefinition:
    """The engine's view of a ruleset."""
    blueprint = program.blueprint
    texts = blueprint.texts
    return RulesetDefinition(
        rid=blueprint.rid,
        version=texts["version"],
        name=texts["name"] or blueprint.rid,
        description=texts["description"],
        author=texts["author"],
        rules=tuple(
            RuleDefinition(name, compile_select(select_of(plan)), _runner(number, name))
            for number, (name, plan) in enumerate(blueprint.rules)
        ),
        functions=_functions(blueprint),
        defaults=EMPTY_MAP,
        create=Creator(program),
        language="krl",
        uses=blueprint.uses,
    )


def hash_of(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


def _runner(number: int, name: str) -> Callable[[Instance, Event, Mapping[str, Json]], None]:
    def run(instance: Instance, event: Event, settings: Mapping[str, Json]) -> None:
        instance.run_rule(number, name, event, settings)

    return run


def _functions(blueprint: Blueprint) -> dict[str, QueryDefinition]:
    shared = {**blueprint.shared, "__testing": ()}
    return {
        name: QueryDefinition(
            name,
            parameters,
            _answerer(name),
            shared=name in shared,
            provided=name in blueprint.provided,
        )
        for name, parameters in (shared | blueprint.provided).items()
    }


def _answerer(name: str) -> Callable[[Instance, Json], Json]:
    def answer(instance: Instance, args: Json) -> Json:
        return instance.answer(name, args)

    return answer
