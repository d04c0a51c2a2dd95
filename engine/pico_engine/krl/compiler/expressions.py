"""Expressions of KRL as expressions of Python: helpers called with what is inside, names already resolved."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from pico_engine.krl import syntax
from pico_engine.krl.compiler.nodes import Maker
from pico_engine.krl.compiler.scope import Scope, Variable
from pico_engine.krl.compiler.testing import EventList

OPERATOR_HELPERS: Final = {
    "+": "k_add",
    "-": "k_subtract",
    "*": "k_multiply",
    "/": "k_divide",
    "%": "k_remainder",
    "==": "k_equal",
    "!=": "k_unequal",
    "<": "k_less",
    ">": "k_greater",
    "<=": "k_at_most",
    ">=": "k_at_least",
    "<=>": "k_compare",
    "cmp": "k_cmp",
    "like": "k_like",
    "><": "k_contains",
}
"""How generated code calls the operators that are no names."""

STORED_READS: Final = {"get": "k_ent_get", "length": "k_ent_length"}
"""Operators on a persistent variable that read only a part of it, and how many arguments they then have."""
_STORED_ARGUMENTS: Final = {"get": 1, "length": 0}


class Expressions:
    """Compiles expressions. `operators`: names of the standard library, and how many arguments each takes."""

    def __init__(self, maker: Maker, operators: dict[str, int]) -> None:
        self.make = maker
        self.operators = operators
        self.scope = Scope()
        self.block: list[ast.stmt] = []
        """The statements that the generated function at hand has so far."""
        self.constants: list[ast.stmt] = []
        """What is made once, before anything else."""
        self.events = EventList()
        self._compilers: dict[type, Callable[[Any], ast.expr]] = {
            syntax.Number: self._number,
            syntax.String: lambda node: self.make.constant(node.value),
            syntax.Boolean: lambda node: self.make.constant(node.value),
            syntax.Null: lambda _node: self.make.name("k_undefined"),
            syntax.Chevron: self._chevron,
            syntax.RegExp: self._regex,
            syntax.Identifier: self._identifier,
            syntax.DomainIdentifier: self._domain_identifier,
            syntax.Array: self._array,
            syntax.Map: self._map,
            syntax.Infix: self._infix,
            syntax.Unary: self._unary,
            syntax.Conditional: self._conditional,
            syntax.Member: self._member,
            syntax.Call: self._call,
            syntax.Function: self.function,
        }

    def expression(self, node: syntax.Expression) -> ast.expr:
        make = self.make
        outer = make.enter(node.span)
        try:
            return self._compilers[type(node)](node)
        finally:
            make.leave(outer)

    def expressions(self, nodes: Sequence[syntax.Expression]) -> list[ast.expr]:
        return [self.expression(node) for node in nodes]

    @contextmanager
    def new_block(self) -> Iterator[list[ast.stmt]]:
        """Statements made inside go to a list of their own."""
        outer, self.block = self.block, []
        try:
            yield self.block
        finally:
            self.block = outer

    @contextmanager
    def new_scope(self) -> Iterator[Scope]:
        """Names declared inside are not known outside."""
        outer, self.scope = self.scope, Scope(self.scope)
        try:
            yield self.scope
        finally:
            self.scope = outer

    def declare(self, name: str, **known: Any) -> str:
        """A name of the scope at hand; answers how the generated code calls it."""
        self.make.count("names")
        return self.scope.declare(name, self.make.number(), **known).python

    # -- the small ones -----------------------------------------------------------------------------------

    def _number(self, node: syntax.Number) -> ast.expr:
        value = node.value
        whole = type(value) is float and value.is_integer() and abs(value) <= 2**53
        return self.make.constant(int(value) if whole else value)

    def _chevron(self, node: syntax.Chevron) -> ast.expr:
        parts = [
            self.make.constant(part.value)
            if isinstance(part, syntax.String)
            else self.make.call("k_string", self.expression(part))
            for part in node.parts
        ]
        if all(isinstance(part, ast.Constant) for part in parts):
            return self.make.constant("".join(part.value for part in parts))  # type: ignore[attr-defined]  # all are
        return self.make.run("k_join", self.make.tuple(parts))

    def _regex(self, node: syntax.RegExp) -> ast.expr:
        name = f"c{self.make.number()}"
        pattern, flags = self.make.constant(node.pattern), self.make.constant(node.flags)
        self.constants.append(self.make.assign(name, self.make.call("k_regex", pattern, flags)))
        return self.make.name(name)

    def _identifier(self, node: syntax.Identifier) -> ast.expr:
        variable = self.scope.find(node.name)
        if variable is not None:
            return self.make.name(variable.python)
        if node.name in self.operators:
            return self.make.call("k_operator", self.make.constant(node.name))
        if node.name == "__testing":
            return self.make.name("k_testing")
        return self.make.refuse(f"{node.name} is not defined", "declare it in global, pre or as a parameter")

    def _domain_identifier(self, node: syntax.DomainIdentifier) -> ast.expr:
        name = self.make.constant(node.name)
        if node.domain == "ent":
            return self.make.run("k_ent", name)
        return self.make.run("k_property", self.make.constant(node.domain), name)

    def _array(self, node: syntax.Array) -> ast.expr:
        return self.make.run("k_list", self.make.list(self.expressions(node.items)))

    def _map(self, node: syntax.Map) -> ast.expr:
        keys = [entry.key.value for entry in node.entries]
        values = [self.expression(entry.value) for entry in node.entries]
        return self.make.run("k_map", self.make.map(keys, values))

    # -- operators ----------------------------------------------------------------------------------------

    def truth(self, value: ast.expr) -> ast.expr:
        return self.make.call("k_true", value)

    def _infix(self, node: syntax.Infix) -> ast.expr:
        left = self.expression(node.left)
        if node.op in ("&&", "||"):
            kept = self.make.temporary()
            test = self.truth(self.make.remember(kept, left))
            right = self.expression(node.right)
            if node.op == "&&":
                return self.make.either(test, right, self.make.name(kept))
            return self.make.either(test, self.make.name(kept), right)
        return self.make.run(OPERATOR_HELPERS[node.op], left, self.expression(node.right))

    def _unary(self, node: syntax.Unary) -> ast.expr:
        operand = self.expression(node.operand)
        if node.op == "not":
            return self.make.negated(self.truth(operand))
        return self.make.run(OPERATOR_HELPERS[node.op], operand)

    def _conditional(self, node: syntax.Conditional) -> ast.expr:
        test = self.truth(self.expression(node.test))
        return self.make.either(test, self.expression(node.then), self.expression(node.otherwise))

    def _member(self, node: syntax.Member) -> ast.expr:
        if node.how == "dot":
            return self._dot(node)
        subject, key = node.subject, self.expression(node.key)
        path = self.make.list([key]) if node.how == "index" else key
        if isinstance(subject, syntax.DomainIdentifier):
            if subject.domain == "ent":
                return self.make.run("k_ent_get", self.make.constant(subject.name), path)
            if (subject.domain, subject.name) == ("event", "attrs") and node.how == "path":
                self._wants_attribute(node.key)
        return self.make.run("k_get", self.expression(subject), path)

    def _dot(self, node: syntax.Member) -> ast.expr:
        subject = self.expression(node.subject)
        if isinstance(node.key, syntax.Identifier):
            return self.make.run("k_dot", subject, self.make.constant(node.key.name))
        return self.make.run("k_dot", subject, self.expression(node.key))

    def _wants_attribute(self, node: syntax.Expression | syntax.NamedArgument | None) -> None:
        if isinstance(node, syntax.String):
            self.events.add_attribute(node.value)

    # -- calls --------------------------------------------------------------------------------------------

    def is_operator(self, name: str) -> bool:
        """Does the name mean an operator of the standard library here?"""
        return name in self.operators and self.scope.find(name) is None

    def arguments(
        self, arguments: syntax.Arguments, first: ast.expr | None = None
    ) -> tuple[list[ast.expr], ast.expr | None]:
        """Arguments by position, and those by name as a map; None when there are none."""
        placed = [] if first is None else [first]
        names: list[str] = []
        values: list[ast.expr] = []
        for item in arguments.items:
            if isinstance(item, syntax.NamedArgument):
                names.append(item.name.name)
                values.append(self.expression(item.value))
            elif names:
                with self.make.at(item):
                    self.make.refuse("once an argument is named, all that follow must be named")
            else:
                placed.append(self.expression(item))
        return placed, self.make.map(names, values) if names else None

    def _call(self, node: syntax.Call) -> ast.expr:
        callee = node.callee
        if isinstance(callee, syntax.Member) and callee.how == "dot":
            stored = self._stored_read(callee, node.arguments)
            if stored is not None:
                return stored
            if _is_event_attrs(callee.subject) and callee.key == _named_like(callee.key, "get"):
                self._wants_attribute(next(iter(node.arguments.items), None))
            return self._apply(callee.key, *self.arguments(node.arguments, self.expression(callee.subject)))
        if isinstance(callee, syntax.DomainIdentifier):
            if (callee.domain, callee.name) == ("event", "attrs"):
                self.make.refuse("event:attrs is a map, not a function", "write event:attrs{key}")
            if (callee.domain, callee.name) == ("event", "attr"):
                self._wants_attribute(next(iter(node.arguments.items), None))
        return self._apply(callee, *self.arguments(node.arguments))

    def _stored_read(self, callee: syntax.Member, arguments: syntax.Arguments) -> ast.expr | None:
        """`ent:x.get(path)` and `ent:x.length()`, which need not read all of the variable."""
        subject, key = callee.subject, callee.key
        if not (isinstance(subject, syntax.DomainIdentifier) and subject.domain == "ent"):
            return None
        if not (
            isinstance(key, syntax.Identifier) and key.name in STORED_READS and self.is_operator(key.name)
        ):
            return None
        placed, named = self.arguments(arguments)
        if named is not None or len(placed) != _STORED_ARGUMENTS[key.name]:
            return None
        return self.make.run(STORED_READS[key.name], self.make.constant(subject.name), *placed)

    def _apply(self, callee: syntax.Expression, placed: list[ast.expr], named: ast.expr | None) -> ast.expr:
        """A call of something with arguments that are compiled already."""
        with self.make.at(callee):
            if isinstance(callee, syntax.DomainIdentifier) and callee.domain != "ent":
                domain, name = self.make.constant(callee.domain), self.make.constant(callee.name)
                given = [self.make.tuple(placed), *([named] if named is not None else [])]
                return self.make.run("k_member", domain, name, *given)
            if isinstance(callee, syntax.Identifier):
                if self.is_operator(callee.name):
                    if named is None and len(placed) <= self.operators[callee.name]:
                        return self.make.run(f"k_std_{callee.name}", *placed)
                else:
                    self._check_callable(self.scope.find(callee.name))
            function = self.expression(callee)
        if named is not None:
            return self.make.run("k_call_named", function, self.make.tuple(placed), named)
        return self.make.run("k_call", function, *placed)

    def _check_callable(self, variable: Variable | None) -> None:
        if variable is not None and variable.kind == "action":
            self.make.refuse(f"{variable.name} is an action, not a function", "call it as a rule's action")

    # -- functions ----------------------------------------------------------------------------------------

    def function(self, node: syntax.Function, name: str = "") -> ast.expr:
        """The function as a value; what it does goes into the block at hand."""
        generated = f"f{self.make.number()}"
        with self.new_scope(), self.new_block() as body:
            parameters = self.parameters(node.parameters)
            self.declarations(node.declarations)
            body.append(self.make.back(self.expression(node.result)))
        return self._callable("k_function", generated, node.parameters, parameters, body, name)

    def _callable(
        self,
        helper: str,
        generated: str,
        declared: Sequence[syntax.Parameter],
        parameters: list[str],
        body: list[ast.stmt],
        name: str,
    ) -> ast.expr:
        taken = [self.make.temporary(), *parameters]
        self.block.append(self.make.function(generated, taken, body, "k_undefined"))
        names = self.make.tuple([self.make.constant(one.name.name) for one in declared])
        return self.make.call(helper, self.make.constant(name), names, self.make.name(generated))

    def parameters(self, declared: Sequence[syntax.Parameter]) -> list[str]:
        """Declares parameters; a missing one gets its default at the beginning of the body."""
        found = []
        for one in declared:
            with self.make.at(one):
                default = self.expression(one.default) if one.default is not None else None
                name = self.declare(one.name.name)
                found.append(name)
                if default is not None:
                    test = self.make.identical(self.make.name(name), self.make.name("k_undefined"))
                    self.block.append(self.make.when(test, [self.make.assign(name, default)]))
        return found

    def declarations(self, declared: Sequence[syntax.Declaration]) -> None:
        """Declarations of global, pre or a function's body: functions come first, and know all names."""
        for one in declared:
            if isinstance(one.value, syntax.Function | syntax.Defaction):
                kind = "function" if isinstance(one.value, syntax.Function) else "action"
                names = tuple(parameter.name.name for parameter in one.value.parameters)
                self.declare(one.name.name, kind=kind, parameters=names)
        is_function = {id(one): isinstance(one.value, syntax.Function | syntax.Defaction) for one in declared}
        with self.new_block() as values:
            for one in declared:
                if not is_function[id(one)]:
                    self.declaration(one)
        for one in declared:
            if is_function[id(one)]:
                self.declaration(one)
        self.block += values

    def declaration(self, node: syntax.Declaration) -> None:
        with self.make.at(node):
            value = node.value
            if isinstance(value, syntax.Function | syntax.Defaction):
                known = self.scope.names.get(node.name.name)
                name = known.python if known is not None else self.declare(node.name.name)
                with self.make.at(value):
                    made = (
                        self.function(value, node.name.name)
                        if isinstance(value, syntax.Function)
                        else self.defaction(value, node.name.name)
                    )
            else:
                made = self.expression(value)
                name = self.declare(node.name.name)
            self.block.append(self.make.assign(name, made))

    def defaction(self, node: syntax.Defaction, name: str = "") -> ast.expr:
        """The action as a value."""
        raise NotImplementedError  # pragma: no cover - statements know how


def _named_like(key: syntax.Expression, name: str) -> syntax.Expression | None:
    return key if isinstance(key, syntax.Identifier) and key.name == name else None


def _is_event_attrs(node: syntax.Expression) -> bool:
    return isinstance(node, syntax.DomainIdentifier) and (node.domain, node.name) == ("event", "attrs")
