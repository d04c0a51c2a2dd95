"""What is wrong in a text, and how it is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.errors import RulesetDefinitionError
from pico_engine.krl.diagnostics import (
    CODES,
    SHOWN_MAX_CHARS,
    Diagnostic,
    KrlSyntaxError,
    Lines,
    harmless,
    position,
)
from pico_engine.krl.syntax import Span

TEXT = "one\r\n\ttwo three\nfour"


def at(word: str, hint: str = "", text: str = TEXT) -> Diagnostic:
    start = text.index(word)
    return Diagnostic("error", "syntax", "this is wrong", hint, Span(start, start + len(word)))


def test_the_line_and_a_caret_below_the_place():
    assert at("three", "write four").render(TEXT, "a.krl") == (
        "a.krl:2:6: error: this is wrong\n  \ttwo three\n  \t    ^^^^^\n  hint: write four"
    )
    assert at("one").render(TEXT, "a.krl") == "a.krl:1:1: error: this is wrong\n  one\n  ^^^"


def test_a_place_over_several_lines_is_marked_on_its_first():
    found = Diagnostic("warning", "put", "odd", "", Span(TEXT.index("three"), len(TEXT)))
    assert found.render(TEXT, "a") == "a:2:6: warning: odd\n  \ttwo three\n  \t    ^^^^^"


def test_the_end_of_the_text_is_a_place():
    found = Diagnostic("error", "syntax", "missing", "", Span(len(TEXT), len(TEXT)))
    assert found.render(TEXT, "a") == "a:3:5: error: missing\n  four\n      ^"
    assert Diagnostic("error", "syntax", "m", "", Span(0, 0)).render("", "a") == "a:1:1: error: m\n  \n  ^"


def test_of_a_long_line_only_a_part_is_shown():
    text = "x" * 100_000 + "here" + "y" * 100_000
    name, line, carets = at("here", text=text).render(text, "a").splitlines()
    assert name == "a:1:100001: error: this is wrong"
    assert len(line) <= SHOWN_MAX_CHARS + 2
    assert line[carets.index("^") :].startswith("here")


def test_control_characters_are_not_shown():
    text = 'a "\x1b[31mred"'
    shown = at("\x1b[31mred", text=text).render(text, "a")
    assert "\x1b" not in shown
    assert harmless("a\tb\u202ec") == "a\tb\N{REPLACEMENT CHARACTER}c"


@given(st.text(alphabet="ab\n\r\t", max_size=40), st.integers(0, 45))
def test_positions_of_a_text_are_the_same_one_by_one_and_together(text, offset):
    line, column = position(text, offset)
    assert (line, column) == Lines(text).position(min(offset, len(text)))
    lines = text.split("\n")
    assert sum(len(one) + 1 for one in lines[: line - 1]) + column - 1 == min(offset, len(text))


@given(st.text(max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_anything_can_be_rendered(text, start, length):
    span = Span(min(start, len(text)), min(start + length, len(text)))
    shown = Diagnostic("error", "syntax", "m", "h", span).render(text, "f")
    assert len(shown.split("\n")) == 4


def test_the_error_says_where_and_what():
    error = KrlSyntaxError([at("three", "write four"), at("one")], TEXT, "a.krl")
    assert isinstance(error, RulesetDefinitionError)
    assert str(error) == "a.krl:2:6: this is wrong"
    assert error.hint == "write four"
    assert len(error.diagnostics) == 2
    assert str(KrlSyntaxError([at("three")], TEXT)) == "line 2, column 6: this is wrong"
    assert str(KrlSyntaxError())


@pytest.mark.parametrize("code", CODES)
def test_codes_are_words(code):
    assert code == code.lower()
    assert CODES[code]
