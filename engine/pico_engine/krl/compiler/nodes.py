"""Making Python syntax: every node carries the line and column of the KRL that it stands for."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Literal, NoReturn

from pico_engine.errors import RulesetDefinitionError
from pico_engine.krl.syntax import Node, Span
from pico_engine.limits import KrlLimits

Counted = Literal["functions", "names", "transitions"]
"""What a ruleset may have only so many of."""

_LOAD, _STORE = ast.Load(), ast.Store()


class CompileError(RulesetDefinitionError):
    """A ruleset that parses, but cannot be compiled; `span` says where."""

    def __init__(self, what: str, span: Span, hint: str = "", diagnosis: str = "syntax") -> None:
        self.span = span
        self.diagnosis = diagnosis
        super().__init__(what, hint)


class Maker:
    """Makes Python nodes at the place of the KRL node at hand (see `at`)."""

    def __init__(self, text: str, limits: KrlLimits) -> None:
        self._starts = [0]
        at = text.find("\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = text.find("\n", at + 1)
        self._nesting_max = limits.nesting_max_levels
        self._limits = limits
        self._counts = {"functions": 0, "names": 0, "transitions": 0}
        self._depth = 0
        self._numbers = 0
        self.calls = 0
        """Calls of helpers that were made so far."""
        self._place: dict[str, Any] = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}
        self.span = Span(0, 0)

    def place(self, offset: int) -> tuple[int, int]:
        """Line (from 1) and column (from 0) of an offset into the text."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1]

    def at(self, node: Node) -> _Place:
        """With this, what is made belongs to the KRL node. Raises CompileError when nested too deep."""
        return _Place(self, node.span)

    def enter(self, span: Span) -> tuple[dict[str, Any], Span]:
        """Go to a place; answers where it was before, for `leave`."""
        outer = (self._place, self.span)
        self._depth += 1
        if self._depth > self._nesting_max:
            self._depth -= 1
            raise CompileError(
                f"expressions are nested deeper than {self._nesting_max} levels (nesting_max_levels)",
                span,
                "give parts of it a name",
            )
        self.span = span
        start, stop = span
        starts = self._starts
        line = bisect_right(starts, start)
        end_line = line if line == len(starts) or stop < starts[line] else bisect_right(starts, stop)
        self._place = {
            "lineno": line,
            "col_offset": start - starts[line - 1],
            "end_lineno": end_line,
            "end_col_offset": stop - starts[end_line - 1],
        }
        return outer

    def leave(self, outer: tuple[dict[str, Any], Span]) -> None:
        self._place, self.span = outer
        self._depth -= 1

    def refuse(self, what: str, hint: str = "") -> NoReturn:
        raise CompileError(what, self.span, hint)

    def count(self, what: Counted, number: int = 1) -> None:
        """So many more of what takes long to compile. Raises CompileError beyond the limit."""
        self._counts[what] += number
        limit = f"{what}_max"
        most = getattr(self._limits, limit)
        if self._counts[what] > most:
            text = f"a ruleset with more than {most:,} {what}: the limit `{limit}`"
            raise CompileError(text, self.span, "split it into several rulesets", "too-large")

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
        self.calls += 1
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
        self.count("functions")
        arguments = ast.arguments(
            posonlyargs=[],
            args=[ast.arg(one, **self._place) for one in parameters],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=[self.name(optional) for _ in parameters[1:]] if optional else [],
        )
        statements = list(body) or [ast.Pass(**self._place)]
        return ast.FunctionDef(name, arguments, statements, [], **self._place)


class _Place:
    """A stay at the place of a KRL node."""

    __slots__ = ("_maker", "_outer", "_span")

    def __init__(self, maker: Maker, span: Span) -> None:
        self._maker = maker
        self._span = span

    def __enter__(self) -> None:
        self._outer = self._maker.enter(self._span)

    def __exit__(self, *_error: object) -> None:
        self._maker.leave(self._outer)
