"""The last gate before generated Python runs: a tree of known nodes and known names, or it does not run.

The compiler makes such trees only. This module does not trust it: whatever mistake the compiler has, code
that passes here can call nothing but the helpers it is given, and has no way to an attribute, an import, an
exception handler or a name of Python's own.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection
from typing import Any, Final

from pico_engine.errors import RulesetDefinitionError

OWN_NAME: Final = re.compile(
    r"(?:run|event|settings|k_create|v[0-9]+_[A-Za-z0-9_]*|[tfrwlqc][0-9]+)", re.ASCII
)
"""Names that generated code gives: to variables of KRL (v), to what it needs between (t), to functions."""

CREATE: Final = "k_create"

NODES: Final = frozenset(
    {
        ast.Module,
        ast.FunctionDef,
        ast.arguments,
        ast.arg,
        ast.Assign,
        ast.Expr,
        ast.If,
        ast.For,
        ast.Return,
        ast.Pass,
        ast.Constant,
        ast.Name,
        ast.Load,
        ast.Store,
        ast.Call,
        ast.NamedExpr,
        ast.IfExp,
        ast.UnaryOp,
        ast.Not,
        ast.BoolOp,
        ast.And,
        ast.Compare,
        ast.Eq,
        ast.Is,
        ast.Tuple,
        ast.List,
        ast.Dict,
    }
)
"""All that generated code is made of."""

CONSTANTS: Final = frozenset({str, int, float, bool, type(None)})


class Unverified(RulesetDefinitionError):
    """Generated code that is not as the compiler makes it: a mistake in the compiler, and it did not run."""

    code = "krl-unverified"
    default_hint = "report this, with the ruleset, as a defect of picomesh"


def verify(module: ast.Module, helpers: Collection[str]) -> None:
    """Raises Unverified unless every node and every name of `module` is one that may be there."""
    left: list[ast.AST] = [module]
    while left:
        node = left.pop()
        kind = type(node)
        if kind not in NODES:
            raise Unverified(f"a {kind.__name__} in generated code{_where(node)}")
        check = _CHECKS.get(kind)
        if check is not None:
            check(node, helpers)
            if kind is ast.Name or kind is ast.Constant:
                continue  # looked at as a whole
        for name in kind._fields:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                left.append(value)
            elif isinstance(value, list):
                left += [one for one in value if isinstance(one, ast.AST)]
    if [getattr(one, "name", "") for one in module.body] != [CREATE]:
        raise Unverified(f"generated code is not one function {CREATE}")


def _where(node: ast.AST) -> str:
    line = getattr(node, "lineno", None)
    return f", line {line}" if line is not None else ""


def _refuse_name(name: str, node: ast.AST) -> None:
    raise Unverified(f"the name {name!r} in generated code{_where(node)}")


def _name(node: ast.Name, helpers: Collection[str]) -> None:
    if type(node.ctx) not in NODES:
        raise Unverified(f"a name that is deleted in generated code{_where(node)}")
    own = OWN_NAME.fullmatch(node.id) is not None and node.id != CREATE
    if not own and (node.id not in helpers or type(node.ctx) is not ast.Load):
        _refuse_name(node.id, node)


def _function(node: ast.FunctionDef, _helpers: Collection[str]) -> None:
    if OWN_NAME.fullmatch(node.name) is None:
        _refuse_name(node.name, node)
    if node.decorator_list or node.returns is not None or node.type_comment is not None:
        raise Unverified(f"a decorated or annotated function in generated code{_where(node)}")


def _arguments(node: ast.arguments, _helpers: Collection[str]) -> None:
    if node.posonlyargs or node.kwonlyargs or node.kw_defaults or node.vararg or node.kwarg:
        raise Unverified("a function with parameters by name in generated code")
    if any(type(one) is not ast.Name for one in node.defaults):
        raise Unverified("a default that is no helper in generated code")


def _argument(node: ast.arg, _helpers: Collection[str]) -> None:
    if OWN_NAME.fullmatch(node.arg) is None or node.arg == CREATE:
        _refuse_name(node.arg, node)
    if node.annotation is not None or node.type_comment is not None:
        raise Unverified(f"an annotation in generated code{_where(node)}")


def _constant(node: ast.Constant, _helpers: Collection[str]) -> None:
    if type(node.value) not in CONSTANTS or node.kind is not None:
        raise Unverified(f"a constant {type(node.value).__name__} in generated code{_where(node)}")


def _call(node: ast.Call, helpers: Collection[str]) -> None:
    if type(node.func) is not ast.Name or node.func.id not in helpers:
        raise Unverified(f"a call of something that is no helper in generated code{_where(node)}")
    if node.keywords:
        raise Unverified(f"a call with named arguments in generated code{_where(node)}")


def _assign(node: ast.Assign, _helpers: Collection[str]) -> None:
    if any(type(target) is not ast.Name for target in node.targets) or node.type_comment is not None:
        raise Unverified(f"an assignment to something that is no name in generated code{_where(node)}")


def _loop(node: ast.For, _helpers: Collection[str]) -> None:
    target = node.target
    if type(target) is not ast.Tuple or any(type(one) is not ast.Name for one in target.elts):
        raise Unverified(f"a loop over something that is no tuple of names in generated code{_where(node)}")
    if type(node.iter) is not ast.Call or node.orelse or node.type_comment is not None:
        raise Unverified(f"a loop that asks no helper in generated code{_where(node)}")


def _dictionary(node: ast.Dict, _helpers: Collection[str]) -> None:
    if any(type(key) is not ast.Constant or type(key.value) is not str for key in node.keys):
        raise Unverified(f"a map whose keys are no constant text in generated code{_where(node)}")


_CHECKS: Final[dict[type, Callable[[Any, Collection[str]], None]]] = {
    ast.Name: _name,
    ast.FunctionDef: _function,
    ast.arguments: _arguments,
    ast.arg: _argument,
    ast.Constant: _constant,
    ast.Call: _call,
    ast.Assign: _assign,
    ast.For: _loop,
    ast.Dict: _dictionary,
}
