"""Actions and the postlude's statements as statements of Python."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, Final

from pico_engine.krl import syntax
from pico_engine.krl.compiler.expressions import Expressions
from pico_engine.krl.compiler.nodes import CompileError, Maker

ACTION_OPERATORS: Final = frozenset({"send_directive", "noop"})
"""Names of the standard library that are actions."""
STORED_CHANGES: Final = {
    "put": ("k_ent_put_path", 2),
    "append": ("k_ent_append", 1),
    "tail": ("k_ent_tail", 0),
}
"""`ent:x := ent:x.put(key, value)` and its like, which need not write all of the variable."""


class Statements(Expressions):
    """Compiles action blocks and postludes."""

    def __init__(self, maker: Maker, operators: dict[str, int]) -> None:
        super().__init__(maker, operators)
        self.finals: list[str] = []
        """Variables that are true in the last round of each foreach around the statement at hand."""
        self._statements: dict[type, Callable[[Any], None]] = {
            syntax.Assignment: self._assignment,
            syntax.Clear: self._clear,
            syntax.Raise: self._raise,
            syntax.ScheduleEvent: self._schedule,
            syntax.Log: self._log,
            syntax.DeclareError: self._error,
            syntax.Last: self._last,
            syntax.Declaration: self.declaration,
            syntax.Guarded: self._guarded,
        }

    def _do(self, value: ast.expr) -> None:
        self.block.append(self.make.do(value))

    # -- actions ------------------------------------------------------------------------------------------

    def defaction(self, node: syntax.Defaction, name: str = "") -> ast.expr:
        generated = f"f{self.make.number()}"
        with self.new_scope(), self.new_block() as body:
            parameters = self.parameters(node.parameters)
            self.declarations(node.declarations)
            self.action_block(node.block)
            result = self.expression(node.result) if node.result is not None else None
            body.append(self.make.back(result or self.make.name("k_undefined")))
        return self._callable("k_action", generated, node.parameters, parameters, body, name)

    def action_block(self, node: syntax.ActionBlock) -> str:
        """Runs the actions if the condition holds; answers the variable that says whether it did."""
        with self.make.at(node):
            fired = self.make.temporary()
            condition = self.make.constant(True)
            if node.condition is not None:
                condition = self.truth(self.expression(node.condition))
            for action in node.actions:
                for name in action.setting[:1]:  # unset where the action does not run
                    unset = self.declare(name.name)
                    self.block.append(self.make.assign(unset, self.make.name("k_undefined")))
            self.block.append(self.make.assign(fired, condition))
            with self.new_block() as body:
                if node.kind == "every":
                    for action in node.actions:
                        self.action(action)
                else:
                    self._one_of(node)
            self.block.append(self.make.when(self.make.name(fired), body))
            return fired

    def _one_of(self, node: syntax.ActionBlock) -> None:
        """`choose` takes the action with the label that the expression gives, `sample` any."""
        chosen = self.make.temporary()
        if node.kind == "choose":
            assert node.discriminant is not None, "the parser sees to it"
            what = self.expression(node.discriminant)
        else:
            what = self.make.run("k_sample", self.make.constant(len(node.actions)))
        self.block.append(self.make.assign(chosen, what))
        otherwise: list[ast.stmt] = []
        for number, action in reversed(list(enumerate(node.actions))):
            with self.make.at(action), self.new_block() as body:
                if node.kind == "choose" and action.label is None:
                    self.make.refuse("all actions inside a choose need a label", "write label => action(…)")
                label = number if action.label is None or node.kind == "sample" else action.label.name
                self.action(action)
                test = self.make.same(self.make.name(chosen), self.make.constant(label))
                otherwise = [self.make.when(test, body, otherwise)]
        self.block += otherwise

    def action(self, node: syntax.Action) -> None:
        with self.make.at(node):
            if len(node.setting) > 1:
                with self.make.at(node.setting[1]):
                    self.make.refuse("an action gives one value only", "write setting(name)")
            made = self._acted(node)
            if node.setting:
                self.block.append(self.make.assign(self.declare(node.setting[0].name), made))
            else:
                self._do(made)

    def _acted(self, node: syntax.Action) -> ast.expr:
        action = node.action
        placed, named = self.arguments(node.arguments)
        given = [self.make.tuple(placed), *([named] if named is not None else [])]
        with self.make.at(action):
            if isinstance(action, syntax.DomainIdentifier):
                if action.domain == "ent":
                    return self.make.run("k_act", self.expression(action), *given)
                domain, name = self.make.constant(action.domain), self.make.constant(action.name)
                return self.make.run("k_act_member", domain, name, *given)
            variable = self.scope.find(action.name)
            if variable is None and action.name in ACTION_OPERATORS:
                return self.make.run(f"k_{action.name}", *given)
            is_function = (
                variable.kind == "function" if variable is not None else action.name in self.operators
            )
            if is_function:
                self.make.refuse(
                    f"{action.name} is a function, not an action",
                    "call it in an expression, or define it as a defaction",
                )
            return self.make.run("k_act", self.expression(action), *given)

    # -- the postlude -------------------------------------------------------------------------------------

    def postlude(self, node: syntax.Postlude, fired: str) -> None:
        with self.make.at(node):
            if node.fired is not None:
                self.block.append(self.make.when(self.make.name(fired), self._all(node.fired)))
            if node.notfired is not None:
                test = self.make.negated(self.make.name(fired))
                self.block.append(self.make.when(test, self._all(node.notfired)))
            if node.always is not None:
                self.block += self._all(node.always)

    def _all(self, statements: Sequence[syntax.Statement]) -> list[ast.stmt]:
        with self.new_block() as body:
            for one in statements:
                self.statement(one)
        return body

    def statement(self, node: syntax.Statement) -> None:
        with self.make.at(node):
            self._statements[type(node)](node)

    def _guarded(self, node: syntax.Guarded) -> None:
        if node.condition is not None:
            test = self.truth(self.expression(node.condition))
        elif self.finals:
            test = self.make.both([self.make.name(name) for name in self.finals])
        else:
            test = self.make.constant(True)
        self.block.append(self.make.when(test, self._all([node.statement])))

    def _stored(self, target: syntax.DomainIdentifier) -> ast.expr:
        if target.domain != "ent":
            with self.make.at(target):
                self.make.refuse(
                    f"{target.domain}:{target.name} cannot be assigned to",
                    "persistent variables begin with ent:",
                )
        return self.make.constant(target.name)

    def _assignment(self, node: syntax.Assignment) -> None:
        name = self._stored(node.target)
        if node.path is not None:
            path, value = self.expression(node.path), self.expression(node.value)
            self._do(self.make.run("k_ent_set_path", name, path, value))
            return
        self._do(self._change(node, name) or self.make.run("k_ent_set", name, self.expression(node.value)))

    def _change(self, node: syntax.Assignment, name: ast.expr) -> ast.expr | None:
        """`ent:x := ent:x.append(value)`, also with `.defaultsTo([])` before: a change of a part."""
        value = node.value
        if not (isinstance(value, syntax.Call) and isinstance(value.callee, syntax.Member)):
            return None
        callee = value.callee
        key = callee.key
        if callee.how != "dot" or not isinstance(key, syntax.Identifier) or not self.is_operator(key.name):
            return None
        if key.name not in STORED_CHANGES:
            return None
        helper, count = STORED_CHANGES[key.name]
        items = value.arguments.items
        if len(items) != count or any(isinstance(item, syntax.NamedArgument) for item in items):
            return None
        subject, default = callee.subject, self.make.name("k_undefined")
        empty = self._default_of(subject)
        if empty is not None:
            subject, default = empty
        if subject_name(subject) != f"ent:{node.target.name}":
            return None
        placed, _ = self.arguments(value.arguments)
        return self.make.run(helper, name, default, *placed)

    def _default_of(self, node: syntax.Expression) -> tuple[syntax.Expression, ast.expr] | None:
        """The subject and the default of `subject.defaultsTo([])` or `subject.defaultsTo({})`."""
        if not (isinstance(node, syntax.Call) and isinstance(node.callee, syntax.Member)):
            return None
        callee, items = node.callee, node.arguments.items
        key = callee.key
        is_it = isinstance(key, syntax.Identifier) and key.name == "defaultsTo" and self.is_operator(key.name)
        if callee.how != "dot" or not is_it or len(items) != 1:
            return None
        if not isinstance(items[0], syntax.Array | syntax.Map):
            return None
        return callee.subject, self.expression(items[0])

    def _clear(self, node: syntax.Clear) -> None:
        name = self._stored(node.target)
        if node.path is None:
            self._do(self.make.run("k_ent_clear", name))
        else:
            self._do(self.make.run("k_ent_clear_path", name, self.expression(node.path)))

    def _event_name(self, node: syntax.EventName) -> ast.expr:
        """The event's domain and type as a pair."""
        with self.make.at(node):
            if node.whole is not None:
                return self.make.run("k_event_name", self.expression(node.whole))
            assert node.domain is not None, "the parser sees to it"
            assert node.type is not None, "the parser sees to it"
            return self.make.tuple([self.make.constant(node.domain.name), self.expression(node.type)])

    def _optional(self, node: syntax.Expression | None) -> ast.expr:
        return self.make.name("k_undefined") if node is None else self.expression(node)

    def _raise(self, node: syntax.Raise) -> None:
        name = self._event_name(node.event)
        attributes, for_rid = self._optional(node.attributes), self._for_rid(node.for_rid)
        self._do(self.make.run("k_raise", name, attributes, for_rid))

    def _for_rid(self, node: syntax.Expression | None) -> ast.expr:
        """The existing engine never looks at it, so it may name what nothing declares; `check` warns."""
        try:
            return self._optional(node)
        except CompileError:
            return self._optional(None)

    def _schedule(self, node: syntax.ScheduleEvent) -> None:
        name, attributes = self._event_name(node.event), self._optional(node.attributes)
        if node.at is not None:
            made = self.make.run("k_schedule_at", self.expression(node.at), name, attributes)
        else:
            assert node.repeat is not None, "the parser sees to it"
            made = self.make.run("k_schedule_repeat", self.expression(node.repeat), name, attributes)
        if node.setting is not None:
            self.block.append(self.make.assign(self.declare(node.setting.name), made))
        else:
            self._do(made)

    def _log(self, node: syntax.Log) -> None:
        self._do(self.make.run("k_log", self.make.constant(node.level), self.expression(node.value)))

    def _error(self, node: syntax.DeclareError) -> None:
        self._do(self.make.run("k_error", self.make.constant(node.level), self.expression(node.value)))
        if node.level == "error":
            self.block.append(self.make.back())

    def _last(self, _node: syntax.Last) -> None:
        self._do(self.make.run("k_last"))
        self.block.append(self.make.back())


def subject_name(node: syntax.Expression) -> str:
    """`domain:name` of such an identifier; "" for any other expression."""
    return f"{node.domain}:{node.name}" if isinstance(node, syntax.DomainIdentifier) else ""
