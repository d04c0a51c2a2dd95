"""The formatter: one form of white space, everything else as its author wrote it.

Only white space changes, so that a formatted ruleset means what it meant, and comments stay where they are.
Each property, declaration, statement and rule begins a line, unless its block was written in one line; other
line breaks are the author's, and one blank line is kept. A line is indented by two blanks for each bracket
that a line before it left open, and once more if it goes on with something that a line before it began.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pico_engine.krl.layout import Layout
from pico_engine.krl.lexer import (
    BLOCK_COMMENT,
    END,
    LINE_COMMENT,
    SYMBOL,
    Token,
    tokenize,
)
from pico_engine.krl.parser import parse

INDENT = "  "

_COMMENTS = frozenset({LINE_COMMENT, BLOCK_COMMENT})
_OPENING = frozenset({"(", "[", "{"})
_CLOSING = frozenset({")", "]", "}"})
_CLOSE_BEFORE = frozenset({")", "]", ",", ";", "."})
_CLOSE_BEHIND = frozenset({"(", "[", "."})
_TIGHT_WORDS = frozenset({"function", "defaction", "setting", "between"})
"""A `(` stands close to these."""
_HUGGING = frozenset({"else", "finally"})
"""Words that stand on the line of the `}` before them."""


def format_text(text: str) -> str:
    """The text in its form. Formatting twice changes nothing more. Raises KrlSyntaxError."""
    tree = parse(text)
    lexed = tokenize(text)
    layout = Layout(tree, lexed.tokens)
    pieces = _pieces(text, lexed.tokens, lexed.comments, layout)
    formatted = _Writer(text, layout, pieces).write()
    assert _code(formatted) == [(one.kind, one.text) for one in lexed.tokens], "only white space may change"
    return formatted


def _code(text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.text) for one in tokenize(text).tokens]


class _Open(NamedTuple):
    """A bracket that is open: the indent of its line, and whether its block has lines of its own."""

    indent: int
    is_block: bool
    in_lines: bool


def _pieces(text: str, tokens: list[Token], comments: list[Token], layout: Layout) -> list[Token]:
    """Tokens and comments in order; what is kept as it is, is one token, with the comments inside of it."""
    found: list[Token] = []
    stop = 0
    for token in sorted([*tokens, *comments], key=lambda one: (one.start, one.stop)):
        if token.start < stop or token.kind == END:
            continue
        stop = layout.whole.get(token.start, token.stop) if token.kind not in _COMMENTS else token.stop
        found.append(Token(token.kind, text[token.start : stop], token.start, stop))
    return found


class _Writer:
    def __init__(self, text: str, layout: Layout, pieces: list[Token]) -> None:
        self._text = text
        self._layout = layout
        self._pieces = pieces
        self._open: list[_Open] = []
        self._indent = 0
        self._out: list[str] = []
        self._closing = dict(_pairs(pieces))

    def write(self) -> str:
        before: Token | None = None
        code: Token | None = None
        """The last token that is no comment."""
        for position, piece in enumerate(self._pieces):
            if before is None:
                self._out.append(piece.text.rstrip() if piece.kind == LINE_COMMENT else piece.text)
            else:
                self._between(before, code, piece, position)
                self._out.append(piece.text.rstrip() if piece.kind == LINE_COMMENT else piece.text)
            if piece.kind in _OPENING:
                self._open.append(self._opened(piece, position))
            elif piece.kind in _CLOSING:
                self._open.pop()
            before = piece
            code = code if piece.kind in _COMMENTS else piece
        return "".join(self._out) + "\n"

    def _opened(self, piece: Token, position: int) -> _Open:
        layout = self._layout
        is_block = (
            piece.kind == "{" and piece.start not in layout.literals and piece.start not in layout.paths
        )
        in_lines = False
        if is_block:
            closing = self._closing[position]
            inside = self._text[piece.stop : self._pieces[closing].start]
            written = piece.start in layout.sections or _breaks(inside) > 0
            in_lines = written and closing > position + 1
        return _Open(self._indent, is_block, in_lines)

    def _between(self, before: Token, code: Token | None, piece: Token, position: int) -> None:
        """White space between two pieces."""
        gap = self._text[before.stop : piece.start]
        breaks = _breaks(gap)
        if before.kind == LINE_COMMENT or self._begins_line(before, piece, breaks):
            top = self._open[-1] if self._open else None
            first = top is not None and before.kind in _OPENING
            last = piece.kind in _CLOSING
            blank = breaks > 1 and not first and not last
            self._indent = self._indent_of(code, piece, position)
            self._out.append("\n\n" if blank else "\n")
            self._out.append(INDENT * self._indent)
        elif self._is_spaced(before, piece):
            self._out.append(" ")

    def _begins_line(self, before: Token, piece: Token, breaks: int) -> bool:
        if piece.kind in _COMMENTS:
            return breaks > 0
        if self._open and self._open[-1].is_block:
            in_lines = self._open[-1].in_lines
            if piece.kind == "}":
                return in_lines
            if in_lines and (before.kind == "{" or piece.start in self._layout.items):
                return True
        if before.kind not in _COMMENTS and self._hugs(before, piece):
            return False
        return breaks > 0

    def _hugs(self, before: Token, piece: Token) -> bool:
        """Whether a piece stands on the line of what is before it, wherever its author put it."""
        if piece.kind == "{":
            return piece.start not in self._layout.literals
        return piece.kind == ";" or (before.kind == "}" and piece.text in _HUGGING and piece.kind == SYMBOL)

    def _indent_of(self, code: Token | None, piece: Token, position: int) -> int:
        """Of a line that begins with this piece; a comment goes with the token behind it."""
        following = next((one for one in self._pieces[position:] if one.kind not in _COMMENTS), None)
        if piece.kind in _CLOSING:
            return self._open[-1].indent
        if not self._open:
            return 0 if following is None or code is None else int(piece is following)
        top = self._open[-1]
        if following is None or following.kind in _CLOSING or code is None:
            return top.indent + 1
        if top.is_block:
            goes_on = following.start not in self._layout.items and code.kind != "{"
        else:
            goes_on = code.kind not in _OPENING and code.kind != "," and following.kind != ","
        return top.indent + 1 + goes_on

    def _is_spaced(self, before: Token, piece: Token) -> bool:
        """Whether there is a blank between two pieces on one line."""
        layout = self._layout
        if before.kind in _COMMENTS or piece.kind in _COMMENTS:
            return True
        top = self._open[-1] if self._open else None
        if piece.kind == "}":
            return top is not None and top.is_block and before.kind != "{"
        if before.kind == "{":
            return top is not None and top.is_block
        if before.kind in _CLOSE_BEHIND or piece.kind in _CLOSE_BEFORE or before.start in layout.signs:
            return before.text == "not"
        if piece.kind == ":" or before.kind == ":":
            return before.start in layout.colons
        if piece.kind == "(":
            return not (
                piece.start in layout.calls or (before.text in _TIGHT_WORDS and before.kind == SYMBOL)
            )
        if piece.kind == "[":
            return piece.start in layout.literals
        if piece.kind == "{":
            return piece.start not in layout.paths
        return True


def _pairs(pieces: list[Token]) -> Iterator[tuple[int, int]]:
    """Positions of brackets: of each opening one and its closing one."""
    waiting: list[int] = []
    for position, piece in enumerate(pieces):
        if piece.kind in _OPENING:
            waiting.append(position)
        elif piece.kind in _CLOSING:
            yield waiting.pop(), position


def _breaks(gap: str) -> int:
    return max(gap.count("\n"), gap.count("\r"))
