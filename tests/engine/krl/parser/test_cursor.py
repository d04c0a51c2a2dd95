"""The place in the tokens, and how it is said what was missed."""

from __future__ import annotations

import pytest

from pico_engine.krl.lexer import Token
from pico_engine.krl.parser.cursor import Cursor, ParseFailure, describe


def cursor(text: str, nesting_max: int = 10) -> Cursor:
    return Cursor(text, nesting_max)


def test_the_end_is_never_passed():
    c = cursor("a")
    c.advance()
    for _ in range(3):
        assert c.advance().kind == "end"
    assert c.peek(5).kind == "end"
    assert c.stop == 1


def test_taking_and_expecting():
    c = cursor("a = ( b, return )")
    assert not c.take("=")
    assert c.at_name()
    assert c.take_word("a")
    assert c.take("=")
    c.expect("(", "`(`")
    with pytest.raises(ParseFailure) as caught:
        c.names("a name")
    assert caught.value.diagnostic.message == "expected a name, but found `return`"
    assert caught.value.diagnostic.hint == "`return` is a reserved word and cannot be a name"
    assert c.source[slice(*caught.value.diagnostic.span)] == "return"
    assert c.word("a word").name == "return"


def test_a_hint_that_is_given_goes_before_one_for_the_word():
    with pytest.raises(ParseFailure) as caught:
        cursor("eq").fail("x", "do this")
    assert caught.value.diagnostic.hint == "do this"
    with pytest.raises(ParseFailure) as caught:
        cursor("eq").fail("x")
    assert caught.value.diagnostic.hint == "to compare write `==`"


def test_setting():
    assert cursor("where").setting() == ()
    assert [one.name for one in cursor("setting(a, b)").setting()] == ["a", "b"]


def test_levels_count_what_is_nested_and_what_is_chained():
    c = cursor("a", 3)
    outer = c.enter()
    c.deepen(c.deepest + 1)
    inner = c.enter()
    assert (c.depth, c.deepest) == (2, 2)
    c.leave(inner)
    c.deepen(c.deepest + 1)
    with pytest.raises(ParseFailure) as caught:
        c.deepen(c.deepest + 1)
    assert caught.value.diagnostic.code == "nesting"
    c.leave(outer)
    assert c.depth == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", "the end of the text"), ('"a"', 'the string `"a"`'), ("rule", "`rule`"), (";", "`;`")],
)
def test_tokens_in_words(text, expected):
    assert describe(cursor(text).token) == expected


def test_long_tokens_are_cut_and_lines_joined():
    shown = describe(Token("string", '"' + "a\n" * 100 + '"', 0, 1))
    assert "\n" not in shown
    assert len(shown) < 70
