"""Escapes, classes and quantifiers one by one."""

from __future__ import annotations

import pytest

from pico_engine.regex import charset
from pico_engine.regex.errors import RegexSyntaxError
from pico_engine.regex.escapes import Escape, Reader, Reference, read_class, read_escape


def reader(text: str, groups: int = 0, *, named: bool = False) -> Reader:
    return Reader(text, "", groups=groups, named=named)


@pytest.mark.parametrize(
    ("text", "character", "taken"),
    [
        ("n", "\n", 1),
        ("cJ", "\n", 2),
        ("c1", "\\", 0),
        ("x41", "A", 3),
        ("x4g", "x", 1),
        ("u0041", "A", 5),
        ("u{41}", "u", 1),
        ("ud83d\\ude00", "\U0001f600", 11),
        ("ud83d\\u0041", "\ud83d", 5),
        ("0", "\0", 1),
        ("08", "\0", 1),
        ("377", "\xff", 3),
        ("400", " ", 2),
        ("1", "\x01", 1),
        ("8", "8", 1),
        ("k", "k", 1),
        ("/", "/", 1),
    ],
)
def test_escapes_of_one_character(text: str, character: str, taken: int) -> None:
    source = reader(text)
    assert read_escape(source) == charset.of_characters(character)
    assert source.at == taken


def test_escapes_that_are_no_character() -> None:
    assert read_escape(reader("b")) is Escape.BOUNDARY
    assert read_escape(reader("B")) is Escape.NO_BOUNDARY
    assert read_escape(reader("d")) == charset.DIGITS
    assert read_escape(reader("2", groups=2)) == Reference(2)
    assert read_escape(reader("10", groups=9)) == charset.of_characters("\b")
    assert read_escape(reader("k<a>", groups=1, named=True)) == Reference(name="a")
    with pytest.raises(RegexSyntaxError, match="Invalid named reference"):
        read_escape(reader("k", named=True))


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("a-c]", "abc"),
        ("-a]", "-a"),
        ("a-]", "a-"),
        (r"\b\B]", "\bB"),
        (r"\c1\c]", "\x11\\c"),
        (r"a-\d]", "a-0123456789"),
        ("]", ""),
    ],
)
def test_classes(text: str, members: str) -> None:
    assert read_class(reader(text)) == (False, charset.of_characters(members))
    assert read_class(reader("^" + text)) == (True, charset.of_characters(members))


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("*", (0, None)),
        ("+", (1, None)),
        ("?", (0, 1)),
        ("{2}", (2, 2)),
        ("{2,}", (2, None)),
        ("{2,03}", (2, 3)),
        ("{,3}", None),
        ("{2", None),
        ("a", None),
        ("{" + "9" * 1000 + "}", (10**18, 10**18)),
    ],
)
def test_quantifiers(text: str, bounds: tuple[int, int | None] | None) -> None:
    assert reader(text).quantifier() == bounds
