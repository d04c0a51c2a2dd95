"""Event expressions and their machines in words and as diagrams, for documentation and traces."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pico_engine.expressions.ast import (
    AnyOf,
    Between,
    Count,
    Expression,
    NotBetween,
    Repeat,
    Select,
    Simple,
)
from pico_engine.expressions.compile import END, START, Letter, Otherwise

if TYPE_CHECKING:
    from pico_engine.expressions.machine import Machine

_MERMAID = str.maketrans({"#": "#35;", ";": "#59;", ":": "#58;"})
"""A label ends at these; Mermaid knows characters by their number."""


def expression_text(expression: Expression) -> str:
    """The expression in one line, in the words of KRL. It is fingerprinted: equal ones give equal text.

    A condition is only told to be there, since what it does has no stable form.
    """
    match expression:
        case Simple(domain, type_, attributes, where, settings):
            text = f"{domain}:{type_}"
            text += "".join(f" {pattern.name}={pattern.test.describe()}" for pattern in attributes)
            text += f" setting({', '.join(settings)})" if settings else ""
            return text + (" where …" if where is not None else "")
        case AnyOf(n, parts):
            return f"any {n} ({_list(parts)})"
        case Count(n, part, aggregates) | Repeat(n, part, aggregates):
            told = "".join(f" {a.setting}={a.function}({a.capture})" for a in aggregates)
            return f"{type(expression).__name__.lower()} {n} ({expression_text(part)}){told}"
        case Between(middle, first, last):
            return f"({expression_text(middle)} between ({_list((first, last))}))"
        case NotBetween(middle, first, last):
            return f"({expression_text(middle)} not between ({_list((first, last))}))"
        case _:
            word = type(expression).__name__.lower()
            parts = getattr(expression, "expressions", ())
            return f"({f' {word} '.join(map(expression_text, parts))})" if len(parts) > 1 else _list(parts)


def select_text(select: Select) -> str:
    """The whole expression in one line, with its time limit."""
    text = expression_text(select.expression)
    if text.startswith("("):
        text = text[1:-1]  # only compound expressions have parentheses, and around all of it
    match select.within_ms:
        case None:
            return text
        case int(limit_ms):
            return f"{text} within {limit_ms} ms"
        case _:
            return f"{text} within …"


def describe(machine: Machine) -> str:
    """The expression, then one line per edge of its table."""
    lines = [select_text(machine.select)]
    for source, label, target in _edges(machine):
        lines.append(f"  {_state(source)} -> {_state(target)}: {label}")
    return "\n".join(lines)


def mermaid(machine: Machine) -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {_state(START)}"]
    for source, label, target in _edges(machine):
        lines.append(f"    {_state(source)} --> {_state(target)}: {label.translate(_MERMAID)}")
    return "\n".join(lines)


def _edges(machine: Machine) -> Iterable[tuple[int, str, int]]:
    for source, row in enumerate(machine.rows):
        for letter, targets in row.on.items():
            for target in targets:
                yield source, _label(machine.letters[letter]), target
        for unless, target in row.otherwise:
            yield source, _otherwise(machine.letters, unless), target


def _label(letter: Letter) -> str:
    return expression_text(letter.simple)


def _otherwise(letters: tuple[Letter, ...], unless: Otherwise) -> str:
    return "anything it cares for but " + " or ".join(_label(letters[letter]) for letter in unless)


def _list(parts: Iterable[Expression]) -> str:
    return ", ".join(map(expression_text, parts))


def _state(state: int) -> str:
    return {START: "start", END: "end"}.get(state, f"s{state - END}")
