"""Broken texts: nothing is ever raised but KrlSyntaxError, nothing hangs, and `check` and `parse` agree."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pico_engine.krl import KrlSyntaxError, check, parse
from pico_engine.krl.diagnostics import CODES
from pico_engine.krl.format import format_text
from pico_engine.krl.lexer import OPERATORS, tokenize
from pico_engine.krl.parser import parse_all
from pico_engine.krl.syntax import Node, Span
from tests.engine.krl import writing
from tests.engine.krl.test_check import GOLDEN
from tests.engine.krl.test_format import FORMED, UGLY

TEXTS = (GOLDEN, FORMED, UGLY)
PIECES = (
    *OPERATORS,
    *writing.WORDS,
    *(
        "ruleset",
        "global",
        "select",
        "when",
        "where",
        "within",
        "foreach",
        "pre",
        "then",
        "every",
        "choose",
        "fired",
    ),
    *("else", "finally", "always", "schedule", "log", "error", "ent", "defaction", "é", "1", ".5", "!", "\\"),
    *('"', '"s"', "re#", "re#(#", "<<", ">>", "#{", "<<a#{b}c>>", "//", "/*", "*/"),
)
HOW = st.sampled_from(["out", "in", "for", "swap"])
MUTATIONS = st.lists(st.tuples(st.floats(0, 1), HOW, st.sampled_from(PIECES)), min_size=1, max_size=4)
FUZZ = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=400)


def mutated(text: str, mutations: list[tuple[float, str, str]]) -> str:
    """A text with some of its tokens left out, put in, replaced or swapped."""
    tokens = tokenize(text).tokens[:-1]
    pieces = [one.text for one in tokens]
    gaps = [text[left.stop : right.start] for left, right in pairwise(tokens)] + ["\n"]
    for where, how, piece in mutations:
        at = min(int(where * len(pieces)), len(pieces) - 1)
        other = (at * 7 + 3) % len(pieces)
        if how == "out":
            pieces[at] = ""
        elif how == "in":
            pieces[at] += f" {piece} "
        elif how == "for":
            pieces[at] = piece
        else:
            pieces[at], pieces[other] = pieces[other], pieces[at]
    return "".join(piece + gap for piece, gap in zip(pieces, gaps, strict=True))


def holds(text: str) -> None:
    """What is true of any text."""
    found = check(text)
    assert all(one.code in CODES for one in found)
    assert all(one.message for one in found)
    assert [one.span for one in found] == sorted(one.span for one in found)
    assert all(0 <= one.span.start <= one.span.stop <= len(text) for one in found)
    for one in found:
        one.render(text, "f")
    if broken := parse_all(text)[1]:
        with pytest.raises(KrlSyntaxError) as caught:
            parse(text)
        assert caught.value.diagnostics == (broken[0],)
        with pytest.raises(KrlSyntaxError):
            format_text(text)
    else:
        spans_hold(parse(text), Span(0, len(text)))
        formed = format_text(text)
        assert format_text(formed) == formed


def spans_hold(node: object, around: Span) -> None:
    """Each node stands within the one above it."""
    if isinstance(node, Node):
        assert around.start <= node.span.start
        assert node.span.stop <= around.stop
        around = node.span
        node = tuple(getattr(node, name) for name in type(node).__match_args__)
    if type(node) is tuple:
        for one in node:
            spans_hold(one, around)


@FUZZ
@given(st.sampled_from(TEXTS), MUTATIONS)
def test_texts_with_a_few_mistakes(text, mutations):
    holds(mutated(text, mutations))


@FUZZ
@given(st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join))
def test_words_and_signs_in_any_order(text):
    holds(text)
    holds(f"ruleset a {{ rule r {{ {text} }} }}")


@FUZZ
@given(st.text())
def test_any_text(text):
    holds(text)


@pytest.mark.parametrize("part", [0.25, 0.5, 0.75, 0.9])
@pytest.mark.parametrize("text", TEXTS)
def test_texts_that_break_off(text, part):
    holds(text[: int(len(text) * part)])


HOSTILE = {
    "rules without end": "ruleset a { " + "rule r { " * 20_000,
    "broken rules": "ruleset a { " + "rule r { select when } " * 5_000 + "}",
    "broken declarations": "ruleset a { global { " + "\nx = ]" * 5_000 + "} }",
    "broken properties": "ruleset a { meta { " + "\nname" * 10_000 + "} }",
    "one long line": "ruleset a { global { x = [" + "1, " * 50_000 + "] } }",
    "names that nothing declares": "ruleset a { global { x = ["
    + ", ".join(f"n{n}" for n in range(5_000))
    + "] } }",
    "brackets": "ruleset a { global { x = " + "[" * 100_000,
    "chevrons": "ruleset a { global { x = " + "<<#{" * 50_000,
    "comments": "/* */" * 50_000 + "//\n" * 50_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_take_a_time_that_grows_with_their_length(text):
    start = time.perf_counter()
    found = check(text)
    assert found or text.startswith("ruleset a { global { x = [1")
    assert time.perf_counter() - start < 10
