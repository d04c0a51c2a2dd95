"""A whole ruleset: one function of Python that makes what a pico needs of it, and the rest as plain data."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pico_engine.krl import syntax
from pico_engine.krl.compiler.nodes import CompileError, Maker
from pico_engine.krl.compiler.rules import Rules
from pico_engine.krl.compiler.scope import Variable
from pico_engine.krl.compiler.selects import Plan
from pico_engine.krl.verify import CREATE
from pico_engine.limits import KrlLimits
from pico_engine.values import Json

SHARES: Final = frozenset({"share", "shares"})
PROVIDES: Final = frozenset({"provide", "provides"})
_TEXTS: Final = ("version", "name", "description", "author")


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A compiled ruleset without its code, as plain data: what `marshal` can keep.

    `rules`: (name, plan of its event expression) in source order. `shared`, `provided`: name → parameters.
    """

    rid: str
    texts: dict[str, str]
    rules: tuple[tuple[str, Plan], ...]
    shared: dict[str, tuple[str, ...]]
    provided: dict[str, tuple[str, ...]]
    uses: tuple[str, ...]
    testing: Json

    def to_data(self) -> tuple[object, ...]:
        return (self.rid, self.texts, self.rules, self.shared, self.provided, self.uses, self.testing)


def compile_tree(
    tree: syntax.Ruleset, text: str, operators: Mapping[str, int], limits: KrlLimits
) -> tuple[ast.Module, Blueprint]:
    """The generated Python of a ruleset, and its blueprint. Raises CompileError."""
    return RulesetCompiler(tree, text, operators, limits).compile()


class RulesetCompiler(Rules):
    """Compiles one ruleset."""

    def __init__(
        self, tree: syntax.Ruleset, text: str, operators: Mapping[str, int], limits: KrlLimits
    ) -> None:
        super().__init__(Maker(text, limits), dict(operators))
        self._tree = tree
        self._uses: list[str] = []

    def compile(self) -> tuple[ast.Module, Blueprint]:
        tree = self._tree
        with self.make.at(tree), self.new_scope(), self.new_block() as body:
            for one in tree.meta:
                if isinstance(one.value, syntax.Configure):
                    self._configure(one.value)
                elif isinstance(one.value, syntax.UseModule):
                    self._use(one.value)
            self.declarations(tree.globals)
            self._rules()
            shared = self._listed(SHARES, "share")
            provided = self._listed(PROVIDES, "provide")
            body.append(self.make.back(self._result(shared, provided)))
            create = self.make.function(CREATE, ["run"], [*self.constants, *body])
        blueprint = Blueprint(
            rid=tree.rid.value,
            texts=self._texts(),
            rules=tuple((rule.name, rule.plan) for rule in self.rules),
            shared={name: variable.parameters for name, variable in shared.items()},
            provided={name: variable.parameters for name, variable in provided.items()},
            uses=tuple(dict.fromkeys(self._uses)),
            testing=self._testing(shared),
        )
        return ast.Module(body=[create], type_ignores=[]), blueprint

    def _texts(self) -> dict[str, str]:
        texts = dict.fromkeys(_TEXTS, "")
        if self._tree.version is not None:
            texts["version"] = self._tree.version.value
        for one in self._tree.meta:
            if one.key.name in texts and isinstance(one.value, syntax.String):
                texts[one.key.name] = one.value.value
            elif one.key.name in texts and isinstance(one.value, syntax.Chevron):
                parts = [part.value for part in one.value.parts if isinstance(part, syntax.String)]
                texts[one.key.name] = "".join(parts)
        return texts

    def _configure(self, node: syntax.Configure) -> None:
        for one in node.declarations:
            with self.make.at(one):
                default = self.expression(one.value)
                name = self.declare(one.name.name)
                value = self.make.run("k_configure", self.make.constant(one.name.name), default)
                self.block.append(self.make.assign(name, value))

    def _use(self, node: syntax.UseModule) -> None:
        with self.make.at(node):
            rid = node.rid.value
            self._uses.append(rid)
            alias = node.alias.name if node.alias is not None else rid
            names = [one.name.name for one in node.configuration]
            values = [self.expression(one.value) for one in node.configuration]
            given = self.make.map(names, values)
            made = self.make.run("k_use", self.make.constant(rid), self.make.constant(alias), given)
            self.block.append(self.make.do(made))

    def _rules(self) -> None:
        seen: set[str] = set()
        for rule in self._tree.rules:
            if rule.name.name in seen:
                raise CompileError(f"two rules are named {rule.name.name}", rule.name.span, "rename one")
            seen.add(rule.name.name)
            if rule.is_active:
                self.rule(rule)

    def _listed(self, keys: frozenset[str], word: str) -> dict[str, Variable]:
        """What the meta block shares or provides: name → variable of global."""
        found: dict[str, Variable] = {}
        for one in self._tree.meta:
            if one.key.name not in keys or not isinstance(one.value, syntax.NameList):
                continue
            for name in one.value.names:
                variable = self.scope.find(name.name)
                if variable is None and name.name == "__testing":
                    variable = Variable("__testing", "k_testing")
                if variable is None:
                    what = f"the meta block {word}s {name.name}, which is not defined in global"
                    raise CompileError(what, name.span, f"define {name.name} in global, or leave it out here")
                if word == "share" and variable.kind == "action":
                    what = f"{name.name} is an action, which cannot be shared"
                    raise CompileError(what, name.span, "share functions; a rule can use the action")
                found[name.name] = variable
        return found

    def _testing(self, shared: Mapping[str, Variable]) -> Json:
        queries = [{"name": name, "args": list(variable.parameters)} for name, variable in shared.items()]
        return {"queries": queries, "events": self.events.to_json()}

    def _result(self, shared: Mapping[str, Variable], provided: Mapping[str, Variable]) -> ast.expr:
        make = self.make
        own = self.scope.find("__testing")
        queries = {**shared, "__testing": own or Variable("__testing", "k_testing")}
        parts: list[ast.expr] = [
            make.tuple([make.name(name) for name in names])
            for names in (self.functions, self.conditions, self.limits)
        ]
        for listed in (queries, provided):
            values = [make.name(variable.python) for variable in listed.values()]
            parts.append(make.map(list(listed), values))
        return make.tuple(parts)
