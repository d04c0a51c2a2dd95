"""KRL's tokens: one compiled pattern cuts the text, a stack remembers the chevrons it is in.

A chevron `<<text #{expression} text>>` is text until `#{`, then code until its `}`, then text again; the
expression may hold chevrons itself. Nothing is refused here: what cannot be a token is one of kind `BAD` or
`UNCLOSED`, which the parser refuses where it meets it. White space has no tokens; comments are kept apart,
for the formatter. The rules are those of krl-parser 1.4.
"""

from __future__ import annotations

import re
from typing import NamedTuple

SYMBOL = "symbol"
NUMBER = "number"
STRING = "string"
REGEXP = "regexp"
CHEVRON_OPEN = "chevron"
CHEVRON_TEXT = "chevron text"
HOLE_OPEN = "hole"
HOLE_CLOSE = "end of hole"
CHEVRON_CLOSE = "end of chevron"
UNCLOSED = "unclosed"
BAD = "bad"
END = "end"
LINE_COMMENT = "line comment"
BLOCK_COMMENT = "block comment"

OPERATORS = (
    "<=>", "<=", "<", "||", "|", "==", "=>", "=", ":=", ":", ">=", "><", ">", "&&", "!=",
    "(", ")", "{", "}", "[", "]", ",", "/", ".", "-", "%", "+", ";", "*",
)  # fmt: skip
"""What stands for itself: the kind of such a token is its text. The first that fits is taken."""

WHITE_SPACE = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""As in JavaScript, where a byte order mark is white space and U+0085 is not; a class of characters."""


class Token(NamedTuple):
    """A token, its text as it stands, and where: offsets in characters, `stop` not included."""

    kind: str
    text: str
    start: int
    stop: int


class Lexed(NamedTuple):
    """`tokens` ends with one of kind END; `comments` are in order, apart."""

    tokens: list[Token]
    comments: list[Token]


# A `\` takes the next character with it, whatever it is. Possessive, so that a missing end costs one pass.
_CODE = re.compile(
    rf"""[{WHITE_SPACE}]*+(?:
      (?P<symbol> (?!re\#)[a-zA-Z_$][a-zA-Z0-9_$]*+ )
    | (?P<number> [0-9]++(?:\.[0-9]++)? | \.[0-9]++ )
    | (?P<string> "(?:[^"\\]|\\[\s\S])*+" )
    | (?P<regexp> re\#(?:[^\#\\]|\\[\s\S])*+\#[gim]*+ )
    | (?P<line_comment> //[^\n\r]*+ )
    | (?P<block_comment> /\*(?:[^*]|\*(?!/))*+\*/ )
    | (?P<chevron> << )
    | (?P<operator> {"|".join(map(re.escape, OPERATORS))} )
    | (?P<end> \Z )
    | (?P<unclosed> "|re\# )
    | (?P<bad> [\s\S] )
    )""",
    re.VERBOSE,
)
_UNCLOSED_COMMENT = "/*"
_CHEVRON_TEXT = re.compile(r"(?:[^\\#>]|\\[\s\S]|\#(?!\{)|>(?!>))*+\\?")
_HOLES = {"#{": HOLE_OPEN, ">>": CHEVRON_CLOSE}


def tokenize(text: str) -> Lexed:
    """All tokens of a text. Takes any text, in time linear in its length."""
    tokens: list[Token] = []
    comments: list[Token] = []
    braces: list[int] = []  # for each `#{` that the text is in: `{` that are open since
    at = 0
    cut = _CODE.match
    while True:
        found = cut(text, at)
        assert found is not None, "the last alternatives take anything"
        group = found.lastgroup
        assert group is not None
        start, at = found.span(group)
        piece = text[start:at]
        if group == "operator":
            if piece == "/" and text.startswith(_UNCLOSED_COMMENT, start):
                tokens.append(Token(UNCLOSED, text[start:], start, len(text)))
                at = len(text)
                continue
            kind = piece
            if braces and (piece == "{" or piece == "}"):
                if piece == "{":
                    braces[-1] += 1
                elif braces[-1]:
                    braces[-1] -= 1
                else:
                    kind = HOLE_CLOSE
            tokens.append(Token(kind, piece, start, at))
            if kind == HOLE_CLOSE:
                braces.pop()
                at = _chevron_text(text, at, tokens, braces)
        elif group in _SIMPLE:
            tokens.append(Token(group, piece, start, at))
        elif group == "line_comment":
            comments.append(Token(LINE_COMMENT, piece, start, at))
        elif group == "block_comment":
            comments.append(Token(BLOCK_COMMENT, piece, start, at))
        elif group == CHEVRON_OPEN:
            tokens.append(Token(CHEVRON_OPEN, piece, start, at))
            at = _chevron_text(text, at, tokens, braces)
        elif group == UNCLOSED:
            tokens.append(Token(UNCLOSED, text[start:], start, len(text)))
            at = len(text)
        else:
            tokens.append(Token(END, "", start, start))
            return Lexed(tokens, comments)


_SIMPLE = frozenset({SYMBOL, NUMBER, STRING, REGEXP, BAD})


def _chevron_text(text: str, at: int, tokens: list[Token], braces: list[int]) -> int:
    """Tokens from `at` to the next `#{` or `>>`, that one included; answers where the text goes on."""
    found = _CHEVRON_TEXT.match(text, at)
    assert found is not None
    stop = found.end()
    if stop > at:
        tokens.append(Token(CHEVRON_TEXT, text[at:stop], at, stop))
    mark = text[stop : stop + 2]
    if not mark:
        return stop  # the text ends within the chevron: the parser misses its end
    tokens.append(Token(_HOLES[mark], mark, stop, stop + 2))
    if mark == "#{":
        braces.append(0)
    return stop + 2
