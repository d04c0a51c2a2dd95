"""The words are plain, and each is there once."""

from __future__ import annotations

from pico_engine.krl.modules.words import WORDS


def test_words_are_plain_and_different() -> None:
    assert len(set(WORDS)) == len(WORDS) >= 500
    assert all(word.isascii() and word.isalpha() and word.islower() for word in WORDS)
