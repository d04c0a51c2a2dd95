"""Trees for tests: without spans, so that they can be compared, and texts around a piece of KRL."""

from __future__ import annotations

from typing import Any

from pico_engine.krl import parse
from pico_engine.krl.syntax import Expression, Node, Rule, SelectWhen


def bare(node: Any) -> Any:
    """A node as a tuple of its class's name and its fields, without spans."""
    if isinstance(node, Node):
        parts = [bare(getattr(node, name)) for name in type(node).__match_args__ if name != "span"]
        return (type(node).__name__, *parts)
    if isinstance(node, tuple):
        return tuple(bare(one) for one in node)
    if isinstance(node, float | int) and not isinstance(node, bool):
        return float(node)
    return node


def expression(text: str) -> Expression:
    """The tree of an expression."""
    return parse(f"ruleset a {{ global {{ x = {text}\n }} }}").globals[0].value


def rule(text: str) -> Rule:
    """The tree of a rule with this body."""
    return parse(f"ruleset a {{ rule r {{ {text}\n }} }}").rules[0]


def event(text: str) -> Any:
    """The tree of an event expression."""
    select = rule(f"select when {text}").select
    assert isinstance(select, SelectWhen)
    return select.event


def show(node: Any) -> str:
    """An expression with brackets around everything: `((a + b) * c)`."""
    match bare(node):
        case ("Infix", op, left, right):
            return f"({_show(left)} {op} {_show(right)})"
        case other:
            return _show(other)


def _show(node: Any) -> str:
    match node:
        case ("Infix", op, left, right):
            return f"({_show(left)} {op} {_show(right)})"
        case ("Unary", op, operand):
            return f"({op} {_show(operand)})"
        case ("Conditional", test, then, otherwise):
            return f"({_show(test)} => {_show(then)} | {_show(otherwise)})"
        case ("Identifier", name):
            return str(name)
        case ("DomainIdentifier", domain, name):
            return f"{domain}:{name}"
        case ("Number", value):
            return f"{value:g}"
        case ("String", value):
            return f'"{value}"'
        case ("Member", subject, "dot", key):
            return f"({_show(subject)}.{_show(key)})"
        case ("Member", subject, "index", key):
            return f"({_show(subject)}[{_show(key)}])"
        case ("Member", subject, "path", key):
            return f"({_show(subject)}{{{_show(key)}}})"
        case ("Call", callee, ("Arguments", items)):
            return f"{_show(callee)}({', '.join(_show(one) for one in items)})"
        case ("NamedArgument", ("Identifier", name), value):
            return f"{name} = {_show(value)}"
        case ("Array", items):
            return f"[{', '.join(_show(one) for one in items)}]"
        case _:
            return str(node)
