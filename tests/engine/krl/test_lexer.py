"""KRL's tokens."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl import lexer
from pico_engine.krl.lexer import (
    BAD,
    CHEVRON_CLOSE,
    CHEVRON_OPEN,
    CHEVRON_TEXT,
    END,
    HOLE_CLOSE,
    HOLE_OPEN,
    NUMBER,
    OPERATORS,
    REGEXP,
    STRING,
    SYMBOL,
    UNCLOSED,
    tokenize,
)

PIECES = st.one_of(
    st.sampled_from(
        [*OPERATORS, "<<", "#{", '"', "re#", "#", "\\", "//", "/*", "*/", "\n", " ", "rule", "1.5"]
    ),
    st.text(max_size=3),
)

SPACES = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def kinds(text: str) -> list[tuple[str, str]]:
    return [(token.kind, token.text) for token in tokenize(text).tokens[:-1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rule $a_1 é", [(SYMBOL, "rule"), (SYMBOL, "$a_1"), (BAD, "é")]),
        (
            "12 1.5 .5 1.5.5 1.",
            [*((NUMBER, one) for one in ("12", "1.5", ".5", "1.5", ".5", "1")), (".", ".")],
        ),
        ("1e5 0x1F", [(NUMBER, "1"), (SYMBOL, "e5"), (NUMBER, "0"), (SYMBOL, "x1F")]),
        ('"a\\"b" "\\\\" ""', [(STRING, '"a\\"b"'), (STRING, '"\\\\"'), (STRING, '""')]),
        ('"two\nlines"', [(STRING, '"two\nlines"')]),
        ("re#a\\#b#gi re##m", [(REGEXP, "re#a\\#b#gi"), (REGEXP, "re##m")]),
        ("re#a#x", [(REGEXP, "re#a#"), (SYMBOL, "x")]),
        ("fore #", [(SYMBOL, "fore"), (BAD, "#")]),
        ("a<=>b<=c", [(SYMBOL, "a"), ("<=>", "<=>"), (SYMBOL, "b"), ("<=", "<="), (SYMBOL, "c")]),
        ("a>=b><c>d", [(SYMBOL, "a"), (">=", ">="), (SYMBOL, "b"), ("><", "><"), (SYMBOL, "c"), (">", ">"),
                       (SYMBOL, "d")]),
        ("=>===:=", [("=>", "=>"), ("==", "=="), ("=", "="), (":=", ":=")]),
        ("|||", [("||", "||"), ("|", "|")]),
        ("a // b\nc /* d \n */ e", [(SYMBOL, "a"), (SYMBOL, "c"), (SYMBOL, "e")]),
        ("a // b\rc", [(SYMBOL, "a"), (SYMBOL, "c")]),
        ('"abc', [(UNCLOSED, '"abc')]),
        ("re#abc", [(UNCLOSED, "re#abc")]),
        ("/*/", [(UNCLOSED, "/*/")]),
        ("! & ~", [(BAD, "!"), (BAD, "&"), (BAD, "~")]),
    ],
)  # fmt: skip
def test_what_a_text_is_cut_into(text, expected):
    assert kinds(text) == expected


def test_a_chevron_is_text_with_code_in_it():
    assert kinds('<<a #{ {"k": <<b#{c}>>} } \\>> \\#{d>> e') == [
        (CHEVRON_OPEN, "<<"), (CHEVRON_TEXT, "a "), (HOLE_OPEN, "#{"),
        ("{", "{"), (STRING, '"k"'), (":", ":"),
        (CHEVRON_OPEN, "<<"), (CHEVRON_TEXT, "b"), (HOLE_OPEN, "#{"), (SYMBOL, "c"), (HOLE_CLOSE, "}"),
        (CHEVRON_CLOSE, ">>"), ("}", "}"),
        (HOLE_CLOSE, "}"), (CHEVRON_TEXT, " \\>> \\#{d"), (CHEVRON_CLOSE, ">>"), (SYMBOL, "e"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["<<", "<<a", "<<a\\", "<<a#{b", "<<a#{b}", "<<a>", "<<#"])
def test_a_chevron_without_end_has_no_closing_token(text):
    assert CHEVRON_CLOSE not in {token.kind for token in tokenize(text).tokens}


def test_comments_are_kept_apart_with_their_places():
    text = "a // one\n/* two\n */ b"
    assert [(one.kind, one.text, text[one.start : one.stop]) for one in tokenize(text).comments] == [
        (lexer.LINE_COMMENT, "// one", "// one"),
        (lexer.BLOCK_COMMENT, "/* two\n */", "/* two\n */"),
    ]


def test_white_space_is_that_of_javascript():
    assert kinds("a\u00a0\ufeff\u2028\u3000b") == [(SYMBOL, "a"), (SYMBOL, "b")]
    assert kinds("a\x85\x1c") == [(SYMBOL, "a"), (BAD, "\x85"), (BAD, "\x1c")]


@given(st.lists(PIECES).map("".join))
def test_tokens_and_comments_are_the_text_with_only_white_space_between_them(text):
    lexed = tokenize(text)
    at = 0
    for token in sorted([*lexed.tokens, *lexed.comments], key=lambda one: (one.start, one.stop)):
        assert not text[at : token.start].strip(SPACES)
        assert text[token.start : token.stop] == token.text
        at = token.stop
    assert lexed.tokens[-1].kind == END
    assert at == len(text)


ENDLESS = (
    *('"' + "\\" * 300_001, "<<" + "#" * 300_000, "/*" + "*" * 300_000, "re#" + "a" * 300_000),
    *("<<#{" * 50_000, '"a' * 100_001, "/" * 300_000),
)


@pytest.mark.parametrize("text", ENDLESS, ids=[one[:5] for one in ENDLESS])
def test_what_has_no_end_takes_one_pass(text):
    start = time.perf_counter()
    tokenize(text)
    assert time.perf_counter() - start < 2
