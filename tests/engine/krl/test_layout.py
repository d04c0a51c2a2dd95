"""What the formatter knows of a tree."""

from __future__ import annotations

import pytest

from pico_engine.krl import parse
from pico_engine.krl.layout import Layout
from pico_engine.krl.lexer import tokenize

TEXT = """ruleset a.b {
  version "1" meta { name <<x #{1}>> configure using c = 1 }
  global { f = function(x) { y = -x; y{1}[2] } m = {"k": [1]} }
  rule r { select when count 2 (d:e) max(n) foreach [] setting(z)
    pre { p = 1 } every { f() g() } fired { last ent:x{1} := 2 } }
  rule s { select when a:b if true then f(1) }
}
"""


def marked(places: set[int]) -> list[str]:
    """The texts from these places on to the end of a word."""
    return [TEXT[at:].split()[0] for at in sorted(places)]


@pytest.fixture
def layout() -> Layout:
    return Layout(parse(TEXT), tokenize(TEXT).tokens)


def test_what_begins_a_line(layout):
    assert marked(layout.items) == [
        *("version", "meta", "name", "configure", "global", "f", "y", "y{1}[2]", "m"),
        *("rule", "select", "foreach", "pre", "p", "every", "g()", "fired", "last", "ent:x{1}"),
        *("rule", "select", "if"),
    ]


def test_the_parts_of_brackets_and_signs(layout):
    assert marked(layout.literals) == ['{"k":', "[1]}", "[]"]
    assert marked(layout.paths) == ["{1}[2]", "{1}"]
    assert marked(layout.calls) == ["(n)", "()", "()", "(1)"]
    assert marked(layout.signs) == ["-x;"]
    assert marked(layout.colons) == [":"]
    assert marked(layout.sections) == ["{", "{", "{", "{", "{"]


def test_what_is_kept_whole(layout):
    assert [TEXT[start:stop] for start, stop in sorted(layout.whole.items())] == ["a.b", "<<x #{1}>>"]
