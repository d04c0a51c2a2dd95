"""Making Python syntax: every node carries the line and column of the KRL that it stands for."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from pico_engine.errors import RulesetDefinitionError
from pico_engine.krl.syntax import Node, Span

_LOAD, _STORE = ast.Load(), ast.Store()


class CompileError(RulesetDefinitionError):
    """A ruleset that parses, but cannot be compiled; `span` says where."""

    def __init__(self, what: str, span: Span, hint: str = "") -> None:
        self.span = span
        super().__init__(what, hint)


class Maker:
    """Makes Python nodes at the place of the KRL node at hand (see `at`)."""

    def __init__(self, text: str, nesting_max_levels: int) -> None:
        self._starts = [0]
        for position, char in enumerate(text):
            if char == "\n":
                self._starts.append(position + 1)
        self._nesting_max = nesting_max_levels
        self._depth = 0
        self._numbers = 0
        self._place: dict[str, Any] = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}
        self.span = Span(0, 0)

    def place(self, offset: int) -> tuple[int, int]:
        """Line (from 1) and column (from 0) of an offset into the text."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1]

    @contextmanager
    def at(self, node: Node) -> Iterator[None]:
        """What is made inside belongs to this KRL node. Raises CompileError when nested too deep."""
        outer, outer_span = self._place, self.span
        self._depth += 1
        if self._depth > self._nesting_max:
            raise CompileError(
                f"expressions are nested deeper than {self._nesting_max} levels (nesting_max_levels)",
                node.span,
                "give parts of it a name",
            )
        self.span = node.span
        line, column = self.place(node.span.start)
        end_line, end_column = self.place(node.span.stop)
        self._place = {
            "lineno": line,
            "col_offset": column,
            "end_lineno": end_line,
            "end_col_offset": end_column,
        }
        try:
            yield
        finally:
            self._place, self.span = outer, outer_span
            self._depth -= 1

    def refuse(self, what: str, hint: str = "") -> NoReturn:
        raise CompileError(what, self.span, hint)

    def number(self) -> int:
        """A number that no other generated name of this ruleset has."""
        self._numbers += 1
        return self._numbers

    def temporary(self) -> str:
        return f"t{self.number()}"

    # -- expressions --------------------------------------------------------------------------------------

    def constant(self, value: str | float | bool | None) -> ast.expr:
        return ast.Constant(value, **self._place)

    def name(self, name: str) -> ast.expr:
        return ast.Name(name, _LOAD, **self._place)

    def call(self, helper: str, *arguments: ast.expr) -> ast.expr:
        """A call of a helper of the runtime."""
        return ast.Call(self.name(helper), list(arguments), [], **self._place)

    def run(self, helper: str, *arguments: ast.expr) -> ast.expr:
        """A call of a helper that wants to know where it runs."""
        return self.call(helper, self.name("run"), *arguments)

    def remember(self, name: str, value: ast.expr) -> ast.expr:
        """`(name := value)`."""
        return ast.NamedExpr(ast.Name(name, _STORE, **self._place), value, **self._place)

    def either(self, test: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.expr:
        return ast.IfExp(test, then, otherwise, **self._place)

    def negated(self, value: ast.expr) -> ast.expr:
        return ast.UnaryOp(ast.Not(), value, **self._place)

    def same(self, left: ast.expr, right: ast.expr) -> ast.expr:
        return ast.Compare(left, [ast.Eq()], [right], **self._place)

    def identical(self, left: ast.expr, right: ast.expr) -> ast.expr:
        return ast.Compare(left, [ast.Is()], [right], **self._place)

    def both(self, values: Sequence[ast.expr]) -> ast.expr:
        return ast.BoolOp(ast.And(), list(values), **self._place) if len(values) > 1 else values[0]

    def tuple(self, items: Sequence[ast.expr]) -> ast.expr:
        return ast.Tuple(list(items), _LOAD, **self._place)

    def list(self, items: Sequence[ast.expr]) -> ast.expr:
        return ast.List(list(items), _LOAD, **self._place)

    def map(self, keys: Sequence[str], values: Sequence[ast.expr]) -> ast.expr:
        named: list[ast.expr | None] = [self.constant(key) for key in keys]
        return ast.Dict(named, list(values), **self._place)

    # -- statements ---------------------------------------------------------------------------------------

    def assign(self, name: str, value: ast.expr) -> ast.stmt:
        return ast.Assign([ast.Name(name, _STORE, **self._place)], value, **self._place)

    def do(self, value: ast.expr) -> ast.stmt:
        return ast.Expr(value, **self._place)

    def when(self, test: ast.expr, body: Sequence[ast.stmt], otherwise: Sequence[ast.stmt] = ()) -> ast.stmt:
        return ast.If(test, list(body) or [ast.Pass(**self._place)], list(otherwise), **self._place)

    def loop(self, names: Sequence[str], items: ast.expr, body: Sequence[ast.stmt]) -> ast.stmt:
        targets: list[ast.expr] = [ast.Name(name, _STORE, **self._place) for name in names]
        return ast.For(ast.Tuple(targets, _STORE, **self._place), items, list(body), [], **self._place)

    def back(self, value: ast.expr | None = None) -> ast.stmt:
        return ast.Return(value, **self._place)

    def function(
        self,
        name: str,
        parameters: Sequence[str],
        body: Sequence[ast.stmt],
        optional: str | None = None,
    ) -> ast.stmt:
        """`def name(parameters): body`; `optional`: the default of all parameters but the first."""
        arguments = ast.arguments(
            posonlyargs=[],
            args=[ast.arg(one, **self._place) for one in parameters],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=[self.name(optional) for _ in parameters[1:]] if optional else [],
        )
        statements = list(body) or [ast.Pass(**self._place)]
        return ast.FunctionDef(name, arguments, statements, [], **self._place)
