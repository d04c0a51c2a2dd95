"""Attributes, conditions and aggregates against recorded behaviour of KRL rules in the existing engine."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pico_engine.errors import RulesetDefinitionError
from pico_engine.expressions.ast import (
    After,
    Aggregate,
    And,
    AnyOf,
    AttributePattern,
    Before,
    Between,
    Count,
    Expression,
    NotBetween,
    Or,
    Repeat,
    Select,
    Simple,
    Then,
)
from pico_engine.expressions.krl_patterns import krl_regex
from pico_engine.expressions.machine import compile_select

CASES = json.loads(
    (Path(__file__).parents[2] / "data" / "expressions" / "krl.json").read_text(encoding="utf-8")
)["cases"]

MISMATCH_RESETS = "a mismatch resets the existing engine's machine; ours leaves it untouched"
TWO_FILTERS = "an event with two filters fails in the existing engine; ours tries both"
NO_ATTRIBUTE = "an event without attributes fails a rule with settings; ours leaves them unset"

DIFFERENCES: dict[str, tuple[str, list[Any]]] = {
    # case: (why, what fires in ours)
    "krl-065": (MISMATCH_RESETS, [[2, [{}]]]),
    "krl-105": (MISMATCH_RESETS, [[2, [{"m": "1", "n": "2"}]]]),
    "krl-117": (MISMATCH_RESETS, [[3, [{"n": "1"}]]]),
    "krl-161": (MISMATCH_RESETS, [[2, [{}]]]),
    "krl-084": (TWO_FILTERS, [[0, [{"m": "2"}]]]),
    "krl-086": (TWO_FILTERS, [[1, [{"m": "1"}]]]),
    "krl-087": (TWO_FILTERS, [[0, [{"m": "2"}]], [1, [{"m": "1"}]]]),
    "krl-090": (TWO_FILTERS, [[1, [{}]]]),
    "krl-095": (NO_ATTRIBUTE, [[0, [{}]], [1, [{"m": "2"}]]]),
}

CONDITIONS: dict[str, Callable[[Any, dict[str, Any], Any], object]] = {
    'event:attr("p") == 1': lambda event, settings, ruleset: event.attrs.get("p") == 1,
    'event:attr("p")==1': lambda event, settings, ruleset: event.attrs.get("p") == 1,
    'event:attr("p")==2': lambda event, settings, ruleset: event.attrs.get("p") == 2,
    'event:attr("q") == 1': lambda event, settings, ruleset: event.attrs.get("q") == 1,
    'event:attr("p") > 3 && event:attr("p") < 9': lambda event, settings, ruleset: 3 < event.attrs["p"] < 9,
    'event:attrs >< "p"': lambda event, settings, ruleset: "p" in event.attrs,
    'event:attr("q")': lambda event, settings, ruleset: event.attrs.get("q"),
    'event:domain == "a"': lambda event, settings, ruleset: event.domain == "a",
    "n > 5": lambda event, settings, ruleset: int(settings["n"]) > 5,
    "false": lambda event, settings, ruleset: False,
}

TOKEN = re.compile(r"re#(?:\\.|[^#])*#[gim]*|where \d+|[\w.]+|[():,+]")
WORDS = ("or", "and", "before", "then", "after", "between", "not", "within")
SEVERAL = {"or": Or, "and": And, "before": Before, "then": Then, "after": After}
BINDING = (("or",), ("and",), ("before", "then", "after"))
UNIT_MS = {"second": 1000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
UNIT_MS |= {"week": 7 * UNIT_MS["day"], "month": 30 * UNIT_MS["day"], "year": 365 * UNIT_MS["day"]}


class Parser:
    """As much of KRL's select clause as the cases use."""

    def __init__(self, text: str) -> None:
        for index, condition in enumerate(CONDITIONS):
            text = text.replace(f"where {condition}", f"where {index}")
        self.tokens = TOKEN.findall(text.removeprefix("when "))

    def peek(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, expected: str = "") -> str:
        token = self.tokens.pop(0)
        assert expected in ("", token), (token, expected)
        return token

    def select(self) -> Select:
        expression = self.infix(0)
        within = None
        if self.peek() == "within":
            self.take()
            number = int(self.take())
            while self.peek() == "+":
                self.take()
                number += int(self.take())
            within = number * UNIT_MS[self.take().removesuffix("s")]
        assert not self.tokens
        return Select(expression, within)

    def infix(self, level: int) -> Expression:
        if level == len(BINDING):
            return self.between()
        left = self.infix(level + 1)
        while self.peek() in BINDING[level]:
            word = self.take()
            left = SEVERAL[word]((left, self.infix(level + 1)))
        return left

    def between(self) -> Expression:
        middle = self.primary()
        while self.peek() in ("between", "not"):
            kind = Between
            if self.take() == "not":
                self.take("between")
                kind = NotBetween
            first, last = self.group()
            middle = kind(middle, first, last)
        return middle

    def group(self) -> tuple[Expression, ...]:
        self.take("(")
        parts = [self.infix(0)]
        while self.peek() == ",":
            self.take()
            parts.append(self.infix(0))
        self.take(")")
        return tuple(parts)

    def primary(self) -> Expression:
        word = self.peek()
        if word == "(":
            (inside,) = self.group()
            return inside
        if word.startswith("where"):
            return Simple("*", "*", where=self.condition())
        self.take()
        if word in SEVERAL:
            return SEVERAL[word](self.group())
        if word == "any":
            return AnyOf(int(self.take()), self.group())
        if word in ("count", "repeat"):
            n = int(self.take())
            (event,) = self.group()
            aggregates: tuple[Aggregate, ...] = ()
            if self.peek() in ("max", "min", "sum", "avg", "push"):
                function = self.take()
                aggregates = tuple(
                    Aggregate(function, index, name) for index, name in enumerate(self.names())
                )
            return {"count": Count, "repeat": Repeat}[word](n, event, aggregates)
        return self.event(word)

    def names(self) -> list[str]:
        self.take("(")
        names = []
        while (token := self.take()) != ")":
            if token != ",":
                names.append(token)
        return names

    def condition(self) -> Callable[[Any, dict[str, Any], Any], object]:
        return list(CONDITIONS.values())[int(self.take().removeprefix("where "))]

    def event(self, domain: str) -> Simple:
        if self.peek() == ":":
            self.take()
        type_ = self.take()
        patterns: list[AttributePattern] = []
        where = None
        names: list[str] = []
        while self.peek() and self.peek() not in WORDS and self.peek() not in (",", ")"):
            if self.peek() == "setting":
                self.take()
                names = self.names()
            elif self.peek().startswith("where"):
                where = self.condition()
            else:
                attribute = self.take()
                _, pattern, flags = self.take().split("#")
                patterns.append(AttributePattern(attribute, krl_regex(pattern, flags)))
        return Simple(domain, type_, tuple(patterns), where, tuple(names))


def runs(case: dict[str, Any]) -> list[Any]:
    """What ours does: the events that fire, and the settings they fire with."""
    machine = compile_select(Parser(case["select"]).select())
    progress = None
    fires: list[Any] = []
    for index, (domain, type_, attrs, *time) in enumerate(case["events"]):
        time_ms = time[0] if time and time[0] is not None else 1_000_000 + index
        event = SimpleNamespace(domain=domain, type=type_, attrs=attrs, time_ms=time_ms)
        outcome = machine.advance(progress, event)
        progress = outcome.progress
        if outcome.fired:
            assert set(outcome.settings) <= set(machine.settings) == set(case["vars"])
            captured = {name: value for name, value in outcome.settings.items() if value is not None}
            fires.append([index, [captured]])
    return fires


@pytest.mark.parametrize("case", [c for c in CASES if "compile_error" not in c], ids=lambda case: case["id"])
def test_fires_with_the_recorded_settings(case: dict[str, Any]) -> None:
    _, ours = DIFFERENCES.get(case["id"], ("", case["fires"]))
    assert runs(case) == ours
    if case["id"] in DIFFERENCES:
        assert ours != case["fires"]
    else:
        assert not case["errors"]


def test_any_needs_more_events_than_it_counts() -> None:
    (case,) = (case for case in CASES if "any(num" in case.get("compile_error", ""))
    with pytest.raises(RulesetDefinitionError, match="any 2 of 2"):
        Parser(case["select"]).select()


def test_every_difference_names_a_case() -> None:
    assert set(DIFFERENCES) <= {case["id"] for case in CASES}
