"""Rules: what selects them as an event expression, what they do as a function of Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pico_engine.errors import RulesetDefinitionError
from pico_engine.expressions.machine import compile_select
from pico_engine.krl import syntax
from pico_engine.krl.compiler.nodes import Maker
from pico_engine.krl.compiler.selects import Plan, select_of, select_plan
from pico_engine.krl.compiler.statements import Statements

SETTINGS_MAX: Final = 100
"""Names that one rule's events set: each of its conditions begins with all of them."""

CALLS_PER_STEP: Final = 10
"""Calls of helpers that take about as long as a step."""

UNIT_MS: Final = {
    "second": 1_000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 7 * 86_400_000,
    "month": 30 * 86_400_000,
    "year": 365 * 86_400_000,
}
"""Milliseconds in the units of `within`."""


@dataclass(slots=True)
class CompiledRule:
    """A rule as the compiler leaves it: names of generated functions, and what selects it, as data.

    `conditions` has, by a condition's place in the text, the number of its function among all conditions of
    the ruleset; `plan` is what `selects` makes of the event expression.
    """

    name: str
    function: int
    conditions: dict[int, int] = field(default_factory=dict)
    limit: int | None = None
    """The number of the function that works out `within`; None when there is none, or `limit_ms` says it."""
    limit_ms: int | None = None
    plan: Plan = ()


class Rules(Statements):
    """Compiles rules; `functions`, `conditions` and `limits` are the names of what was generated for them."""

    def __init__(self, maker: Maker, operators: dict[str, int]) -> None:
        super().__init__(maker, operators)
        self.rules: list[CompiledRule] = []
        self.functions: list[str] = []
        self.conditions: list[str] = []
        self.limits: list[str] = []

    def rule(self, node: syntax.Rule) -> None:
        """Compile an active rule. Raises CompileError."""
        with self.make.at(node), self.new_scope():
            if node.select is None:
                self.make.refuse(f"rule {node.name.name} has no select", "write select when domain:type")
            self.events.rule = node.name.name
            compiled = CompiledRule(node.name.name, len(self.functions))
            captured = self._select(node.select, compiled)
            compiled.plan = select_plan(node.select, compiled.conditions, compiled.limit, compiled.limit_ms)
            self._check_plan(compiled.plan)
            name = f"r{self.make.number()}"
            with self.new_block() as body:
                for setting in captured:
                    value = self.make.call(
                        "k_setting", self.make.name("settings"), self.make.constant(setting)
                    )
                    self.block.append(self.make.assign(self.declare(setting), value))
                self._foreach(node, node.foreach)
            self.block.append(self.make.function(name, ["settings"], body))
            self.functions.append(name)
            self.rules.append(compiled)
            self.events.rule = ""

    # -- what selects it ----------------------------------------------------------------------------------

    def _select(self, node: syntax.Select, compiled: CompiledRule) -> list[str]:
        """Compiles conditions and limits; answers the names that are set, each once."""
        with self.make.at(node):
            if isinstance(node, syntax.SelectWhere):
                self._condition(node.condition, [], compiled)
                return []
            simples: list[syntax.SimpleEvent] = []
            self._gather(node.event, simples)
            names = list(dict.fromkeys(name for simple in simples for name in _set_by(simple)))
            if len(names) > SETTINGS_MAX:
                self.make.refuse(f"a rule that captures more than {SETTINGS_MAX} names", "use event:attrs")
            for simple in simples:
                self.events.add(simple.domain.name, simple.type.name)
                for match in simple.matches:
                    self.events.add_attribute(match.name.name)
                if simple.where is not None:
                    self._condition(simple.where, names, compiled)
            if node.within is not None:
                self._limit(node.within, compiled)
            return names

    def _check_plan(self, plan: Plan) -> None:
        """Refuse an event expression that the engine cannot run, here where it is written."""
        try:
            machine = compile_select(select_of(plan))
        except RulesetDefinitionError as error:
            self.make.refuse(error.what, error.hint)
        self.make.count("transitions", machine.transitions_laid)

    def _gather(self, node: syntax.EventExpression, found: list[syntax.SimpleEvent]) -> None:
        with self.make.at(node):
            if isinstance(node, syntax.SimpleEvent):
                found.append(node)
            elif isinstance(node, syntax.EventGroup):
                self._gather(node.event, found)
            else:
                for one in node.events:
                    self._gather(one, found)

    def _condition(self, node: syntax.Expression, names: Sequence[str], compiled: CompiledRule) -> None:
        with self.new_scope(), self.new_block() as body:
            for name in names:
                value = self.make.call("k_setting", self.make.name("settings"), self.make.constant(name))
                body.append(self.make.assign(self.declare(name), value))
            body.append(self.make.back(self.truth(self.expression(node))))
        name = f"w{self.make.number()}"
        self.block.append(self.make.function(name, ["settings"], body))
        compiled.conditions[node.span.start] = len(self.conditions)
        self.conditions.append(name)

    def _limit(self, node: syntax.Within, compiled: CompiledRule) -> None:
        amount = node.amount
        if isinstance(amount, syntax.Number) and amount.value >= 0:
            compiled.limit_ms = int(amount.value * unit_ms(node.unit))
            return
        with self.make.at(node):
            with self.new_block() as body:
                unit = self.make.constant(unit_ms(node.unit))
                body.append(self.make.back(self.make.run("k_within", self.expression(node.amount), unit)))
            name = f"l{self.make.number()}"
            self.block.append(self.make.function(name, [], body))
            compiled.limit = len(self.limits)
            self.limits.append(name)

    # -- what it does -------------------------------------------------------------------------------------

    def _foreach(self, node: syntax.Rule, loops: Sequence[syntax.Foreach]) -> None:
        if not loops:
            self._body(node)
            return
        loop, *inner = loops
        with self.make.at(loop):
            items = self.expression(loop.expression)
            value, key, final = (self.make.temporary() for _ in range(3))
            calls_before = self.make.calls
            self.finals.append(final)
            with self.new_block() as body:
                for position, name in enumerate(loop.setting):
                    given = self.make.name((value, key)[position]) if position < 2 else None
                    unset = self.make.name("k_undefined")
                    self.block.append(self.make.assign(self.declare(name.name), given or unset))
                self._foreach(node, inner)
            steps = self.make.constant(1 + (self.make.calls - calls_before) // CALLS_PER_STEP)
            pairs = self.make.run("k_pairs", items, steps)
            self.block.append(self.make.loop((value, key, final), pairs, body))
            self.finals.pop()

    def _body(self, node: syntax.Rule) -> None:
        self.declarations(node.prelude)
        if node.block is not None:
            fired = self.action_block(node.block)
        else:
            fired = self.make.temporary()
            self.block.append(self.make.assign(fired, self.make.constant(True)))
        if node.postlude is not None:
            self.postlude(node.postlude, fired)


def unit_ms(unit: str) -> int:
    """Milliseconds of a unit as written; a word that is none counts as milliseconds, as ever."""
    return UNIT_MS.get(unit) or UNIT_MS.get(unit.removesuffix("s").removesuffix("S")) or 1


def _set_by(simple: syntax.SimpleEvent) -> list[str]:
    names = [name.name for name in simple.setting]
    if simple.aggregate is not None:
        names += [name.name for name in simple.aggregate.names]
    return names
