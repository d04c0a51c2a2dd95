"""What to do about usual mistakes."""

from __future__ import annotations

import pytest

from pico_engine.krl.lexer import BAD, OPERATORS, tokenize
from pico_engine.krl.parser.hints import CHARACTERS, WORDS, hint_for_character, hint_for_word


@pytest.mark.parametrize("word", WORDS)
def test_words_and_signs_have_their_hint(word):
    assert word.isalpha() or word in OPERATORS
    assert hint_for_word(tokenize(f"a {word} b").tokens, 1) == WORDS[word]


@pytest.mark.parametrize("character", CHARACTERS)
def test_characters_are_such_that_krl_has_no_use_for(character):
    assert tokenize(f" {character} ").tokens[0].kind == BAD
    assert hint_for_character(character) == CHARACTERS[character]


def test_no_hint_for_what_only_looks_like_a_word():
    assert hint_for_word(tokenize('"with"').tokens, 0) == ""
    assert hint_for_word(tokenize("foo").tokens, 0) == ""
    assert hint_for_character("~") == ""


def test_three_signs_in_a_row():
    assert "===" in hint_for_word(tokenize("a === b").tokens, 2)
    assert "===" not in hint_for_word(tokenize("a == = b").tokens, 2)
