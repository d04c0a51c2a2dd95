"""Where the parser is in the tokens, what it may take, and how it says what it missed."""

from __future__ import annotations

from typing import NoReturn

from pico_engine.krl.diagnostics import Diagnostic
from pico_engine.krl.lexer import BAD, CHEVRON_TEXT, END, STRING, SYMBOL, UNCLOSED, Token, tokenize
from pico_engine.krl.parser.hints import hint_for_character, hint_for_word
from pico_engine.krl.syntax import Identifier, Span

RESERVED_WORDS = frozenset({"defaction", "function", "return", "setting", "not", "null", "true", "false"})
"""The only words that cannot be names; all other words of the language are ordinary names elsewhere."""

_UNCLOSED = {'"': ("string", '"'), "r": ("regular expression", "#"), "/": ("comment", "*/")}
_SHOWN_MAX_CHARS = 40


class ParseFailure(Exception):
    """The parser cannot go on; caught at the next boundary, and never seen outside of the parser."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.message)


class Cursor:
    """The tokens of a text and a place in them; `kind` and `text` are those of the token at hand.

    `found` collects what is wrong where parsing goes on behind it; None: the first error ends it. `guessed`
    are names that the text seems to declare in what was skipped.
    """

    __slots__ = (
        "deepest", "depth", "found", "guessed", "index", "kind", "nesting_max", "source", "stop", "text",
        "token", "tokens",
    )  # fmt: skip

    def __init__(self, source: str, nesting_max: int, found: list[Diagnostic] | None = None) -> None:
        self.source = source
        self.tokens: list[Token] = tokenize(source).tokens
        self.index = 0
        self.token = self.tokens[0]
        self.kind, self.text = self.token.kind, self.token.text
        self.stop = 0
        """The end of the last token that was taken."""
        self.nesting_max = nesting_max
        self.depth = 0
        self.deepest = 0
        self.found = found
        self.guessed: set[str] = set()

    def check_size(self, tokens_max: int) -> None:
        """Refuse a text that would take too long to read and compile."""
        if len(self.tokens) - 1 > tokens_max:
            message = f"more than {tokens_max:,} words and marks: the limit `tokens_max`"
            self.refuse("too-large", message, "split it into several rulesets", self.tokens[tokens_max])

    def advance(self) -> Token:
        """Take the token at hand, whatever it is; the end is never passed."""
        taken = self.token
        self.stop = taken.stop
        if taken.kind != END:
            self.index += 1
            self.token = self.tokens[self.index]
            self.kind, self.text = self.token.kind, self.token.text
        return taken

    def peek(self, ahead: int = 1) -> Token:
        """The token that comes `ahead` of the one at hand."""
        return self.tokens[min(self.index + ahead, len(self.tokens) - 1)]

    def is_word(self, word: str) -> bool:
        return self.text == word and self.kind == SYMBOL

    def at_name(self) -> bool:
        """A word that may be a name is at hand."""
        return self.kind == SYMBOL and self.text not in RESERVED_WORDS

    def take(self, kind: str) -> bool:
        """Take the token at hand if it is of this kind."""
        if self.kind != kind:
            return False
        self.advance()
        return True

    def take_word(self, word: str) -> bool:
        if self.text != word or self.kind != SYMBOL:
            return False
        self.advance()
        return True

    def expect(self, kind: str, what: str, hint: str = "") -> Token:
        """Take a token of this kind; `what` tells the author what was expected."""
        if self.kind != kind:
            self.fail(what, hint)
        return self.advance()

    def expect_word(self, word: str, what: str = "", hint: str = "") -> Token:
        if not self.is_word(word):
            self.fail(what or f"`{word}`", hint)
        return self.advance()

    def word(self, what: str) -> Identifier:
        """Any word, reserved or not: as a part of an event's name."""
        token = self.expect(SYMBOL, what)
        return Identifier(Span(token.start, token.stop), token.text)

    def name(self, what: str, hint: str = "") -> Identifier:
        """A word that is not reserved."""
        if self.kind == SYMBOL and self.text in RESERVED_WORDS:
            self.fail(what, f"`{self.text}` is a reserved word and cannot be a name")
        token = self.expect(SYMBOL, what, hint)
        return Identifier(Span(token.start, token.stop), token.text)

    def names(self, what: str) -> tuple[Identifier, ...]:
        """One name or more, with commas between them."""
        names = [self.name(what)]
        while self.take(","):
            names.append(self.name(what))
        return tuple(names)

    def setting(self) -> tuple[Identifier, ...]:
        """`setting(a, b)`, or nothing."""
        if not self.take_word("setting"):
            return ()
        self.expect("(", "`(` and names")
        names = self.names("a name to set")
        self.expect(")", "`,` or `)`")
        return names

    def span(self, start: int) -> Span:
        """From `start` to the end of what was taken last."""
        return Span(start, self.stop)

    def enter(self) -> int:
        """One level deeper in the tree; answers what `leave` needs. Bounds the parser's own stack as well."""
        outer = self.deepest
        self.depth += 1
        self.deepen(self.depth)
        return outer

    def leave(self, outer: int) -> None:
        """Back from what `enter` began; `deepest` is how far down the tree reaches where it went."""
        self.depth -= 1
        if outer > self.deepest:
            self.deepest = outer

    def deepen(self, deepest: int) -> None:
        """What was read since `enter` reaches down to the level `deepest`.

        An operator puts what stands left of it one level down: a chain nests as well, without brackets.
        """
        self.deepest = deepest
        if deepest > self.nesting_max:
            message = f"more than {self.nesting_max} levels inside each other: the limit `nesting_max_levels`"
            self.refuse("nesting", message, "give parts of it names of their own", self.token)

    def fail(self, expected: str, hint: str = "") -> NoReturn:
        """Say what was expected instead of the token at hand."""
        token = self.token
        if token.kind == UNCLOSED:
            what, end = _UNCLOSED[token.text[0]]
            opening = Token(UNCLOSED, "", token.start, token.start + 1)
            self.refuse("unclosed", f"this {what} has no end", f"it ends with `{end}`", opening)
        if token.kind == BAD:
            message = f"KRL has no use for {_shown(token.text)} here"
            self.refuse("character", message, hint_for_character(token.text), token)
        hint = hint or hint_for_word(self.tokens, self.index)
        self.refuse("syntax", f"expected {expected}, but found {describe(token)}", hint, token)

    def refuse(self, code: str, message: str, hint: str, at: Token | Span) -> NoReturn:
        """Say that this cannot be."""
        span = at if isinstance(at, Span) else Span(at.start, at.stop)
        raise ParseFailure(Diagnostic("error", code, message, hint, span))


def describe(token: Token) -> str:
    """A token in the author's words."""
    if token.kind == END:
        return "the end of the text"
    if token.kind == STRING:
        return f"the string {_shown(token.text)}"
    if token.kind == CHEVRON_TEXT:
        return f"the text {_shown(token.text)}"
    return _shown(token.text)


def _shown(text: str) -> str:
    text = " ".join(text.split()) or text
    return f"`{text}`" if len(text) <= _SHOWN_MAX_CHARS else f"`{text[: _SHOWN_MAX_CHARS - 1]}…`"
