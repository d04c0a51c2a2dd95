"""What to do about usual mistakes: words of older engines and of other languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pico_engine.krl.lexer import SYMBOL, Token

_GIVE_A_MAP = '`with` is of older engines: give a map, as in `send_directive("name", {"key": value})`'

WORDS: Mapping[str, str] = MappingProxyType({
    "eq": "to compare write `==`",
    "ne": "to compare write `!=`",
    "neq": "to compare write `!=`",
    "and": "in an expression write `&&`; `and` joins events",
    "or": "in an expression write `||`; `or` joins events",
    "with": _GIVE_A_MAP,
    "dispatch": "remove the `dispatch` block of older engines: what a rule `select`s says it all",
    "else": "there is no `else` here: write `condition => this | that`, or a second rule",
    "elsif": "there is no `elsif`: write `condition => this | condition => that | other`",
    "returns": "one value comes back: write `return value`; of several make a map",
    "set": "set a persistent variable with `ent:name := value`",
    "emit": "there is no `emit`: answer with `send_directive(\"name\", {\"key\": value})`",
    "let": "a name is declared with `name = value` alone",
    "var": "a name is declared with `name = value` alone",
    "const": "a name is declared with `name = value` alone",
    ":=": "`:=` sets a persistent variable such as `ent:name`; a name is declared with `=`",
    "=": "to compare write `==`",
})  # fmt: skip
"""For a word or sign that is met where it cannot be."""

CHARACTERS: Mapping[str, str] = MappingProxyType({
    "!": "for not write `not`, for different `!=`",
    "?": "write `condition => this | that`",
    "'": "strings stand in double quotes",
    "`": "strings stand in double quotes; with `#{expression}` inside they stand in `<<…>>`",
    "&": "write `&&` for both; bits are combined with `.band()`",
    "#": "a comment begins with `//`",
    "@": "names consist of letters, digits, `_` and `$`",
    "\\": "`\\` is for strings, chevrons and regular expressions",
    "“": "strings stand in straight double quotes",
    "”": "strings stand in straight double quotes",
})  # fmt: skip


def hint_for_word(tokens: Sequence[Token], index: int) -> str:
    """A hint for the token at `index`, which was met where something else was expected; else empty."""
    token = tokens[index]
    if (
        token.text == "="
        and index
        and tokens[index - 1].text == "=="
        and tokens[index - 1].stop == token.start
    ):
        return "`==` compares without converting; there is no `===`"
    if token.kind == SYMBOL or token.kind == token.text:
        return WORDS.get(token.text, "")
    return ""


def hint_for_character(character: str) -> str:
    """A hint for a character that KRL has no use for."""
    return CHARACTERS.get(character, "")
