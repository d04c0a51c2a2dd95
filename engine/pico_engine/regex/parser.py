"""Reads a regular expression as JavaScript does without the flag u: ECMA-262 §22.2.1 with annex B.1.2."""

from __future__ import annotations

from typing import Final, NoReturn

from pico_engine.regex import charset
from pico_engine.regex.charset import Ranges
from pico_engine.regex.errors import RegexSyntaxError
from pico_engine.regex.escapes import Escape, Reader, Reference, read_class, read_escape
from pico_engine.regex.names import group_names, read_name
from pico_engine.regex.syntax import (
    EMPTY,
    Alternatives,
    Assertion,
    Backreference,
    Capture,
    Characters,
    Look,
    Node,
    Pattern,
    Repeat,
    Sequence,
    Where,
)

PATTERN_MAX_CHARS: Final = 4_000
"""A list of some hundred words fits; what is longer takes noticeable time to compile."""
NESTING_MAX_LEVELS: Final = 60
"""Groups within groups: people stay below ten, and each level costs stack when the tree is walked."""
REPEAT_MAX_COUNT: Final = 65_535
"""The largest number in {…}: no text that is matched against attributes is longer."""
GROUPS_MAX: Final = 500
"""Capture groups: each match carries all of them."""

_HINT: Final = "make the regular expression smaller"


def parse(pattern: str, flags: str = "") -> Pattern:
    """The tree of `pattern`. Raises RegexSyntaxError for what JavaScript rejects or a limit forbids."""
    if len(pattern) > PATTERN_MAX_CHARS:
        raise RegexSyntaxError(pattern, flags, f"longer than {PATTERN_MAX_CHARS} characters", hint=_HINT)
    if any(flag not in "gim" for flag in flags) or len(set(flags)) != len(flags):
        raise RegexSyntaxError(
            pattern, "", f"Invalid flags {flags!r}", hint="the flags are g, i and m, each at most once"
        )
    return _Parser(pattern, flags).pattern()


class _Parser:
    def __init__(self, pattern: str, flags: str) -> None:
        names = group_names(pattern)
        if len(names) > GROUPS_MAX:
            raise RegexSyntaxError(pattern, flags, f"more than {GROUPS_MAX} groups", hint=_HINT)
        self._numbers = {name: number for number, name in enumerate(names, 1) if name is not None}
        self._in = Reader(pattern, flags, groups=len(names), named=bool(self._numbers))
        self._ignore_case = "i" in flags
        self._lines = "m" in flags
        self._names: list[str | None] = []
        self._cases: dict[Ranges, Ranges] = {}
        self._nesting = 0

    def pattern(self) -> Pattern:
        body = self._alternatives()
        if not self._in.ended:
            self._in.fail("Unmatched ')'")
        return Pattern(body, tuple(self._names), self._ignore_case)

    def _alternatives(self) -> Node:
        self._nesting += 1
        if self._nesting > NESTING_MAX_LEVELS:
            self._in.fail(f"groups nested deeper than {NESTING_MAX_LEVELS} levels", _HINT)
        options = [self._sequence()]
        while self._in.take("|"):
            options.append(self._sequence())
        self._nesting -= 1
        return options[0] if len(options) == 1 else Alternatives(tuple(options))

    def _sequence(self) -> Node:
        items: list[Node] = []
        while not self._in.ended and self._in.next not in "|)":
            items.append(self._term())
        return items[0] if len(items) == 1 else Sequence(tuple(items)) if items else EMPTY

    def _term(self) -> Node:
        started = self._in.at
        first = len(self._names) + 1
        item = self._atom()
        begin = self._in.at
        counts = self._in.quantifier()
        if counts is None:
            return item
        if isinstance(item, Assertion) and not self._in.text.startswith("(", started):
            self._in.fail("Nothing to repeat", at=begin)
        if isinstance(item, Look) and self._in.text.startswith("(?<", started):
            self._in.fail("Invalid quantifier", at=begin)
        low, high = counts
        if max(low, high or 0) > REPEAT_MAX_COUNT:
            self._in.fail(
                f"a repeat count above {REPEAT_MAX_COUNT}", "use a smaller count, or + or *", at=begin
            )
        return Repeat(item, low, high, not self._in.take("?"), first, len(self._names) + 1)

    def _atom(self) -> Node:
        begin = self._in.at
        char = self._in.read()
        match char:
            case "^":
                return Assertion(Where.LINE_START if self._lines else Where.START)
            case "$":
                return Assertion(Where.LINE_END if self._lines else Where.END)
            case ".":
                return Characters(charset.complement(charset.LINE_ENDS))
            case "[":
                negative, members = read_class(self._in)
                closed = self._closed(members)
                return Characters(charset.complement(closed) if negative else closed)
            case "(":
                return self._group(begin)
            case "\\":
                return self._escaped()
            case "*" | "+" | "?":
                self._in.fail("Nothing to repeat", at=begin)
            case "{":
                self._in.at = begin
                if self._in.quantifier() is not None:
                    self._in.fail("Nothing to repeat", at=begin)
                self._in.at = begin + 1
        return Characters(self._closed(charset.of_characters(char)))

    def _escaped(self) -> Node:
        what = read_escape(self._in)
        match what:
            case Escape.BOUNDARY:
                return Assertion(Where.BOUNDARY)
            case Escape.NO_BOUNDARY:
                return Assertion(Where.NO_BOUNDARY)
            case Reference(number=number, name=None):
                return Backreference(number)
            case Reference(name=name):
                if name not in self._numbers:
                    self._in.fail("Invalid named capture referenced")
                return Backreference(self._numbers[name])
            case _:
                return Characters(self._closed(what))

    def _group(self, begin: int) -> Node:
        if not self._in.take("?"):
            return self._capture(None)
        if self._in.take(":"):
            return self._closing(self._alternatives())
        if self._in.take("="):
            return Look(self._closing(self._alternatives()), behind=False, negative=False)
        if self._in.take("!"):
            return Look(self._closing(self._alternatives()), behind=False, negative=True)
        if self._in.take("<="):
            return Look(self._closing(self._alternatives()), behind=True, negative=False)
        if self._in.take("<!"):
            return Look(self._closing(self._alternatives()), behind=True, negative=True)
        if self._in.take("<"):
            name, self._in.at = read_name(self._in.text, self._in.at)
            if name is None:
                self._in.fail("Invalid capture group name")
            if name in self._names:
                self._in.fail("Duplicate capture group name")
            return self._capture(name)
        return self._no_group(begin)

    def _no_group(self, begin: int) -> NoReturn:
        self._in.fail("Invalid group", at=begin)

    def _capture(self, name: str | None) -> Node:
        self._names.append(name)
        number = len(self._names)
        return Capture(number, self._closing(self._alternatives()))

    def _closing(self, body: Node) -> Node:
        if not self._in.take(")"):
            self._in.fail("Unterminated group")
        return body

    def _closed(self, members: Ranges) -> Ranges:
        if not self._ignore_case:
            return members
        if members not in self._cases:
            self._cases[members] = charset.ignoring_case(members)
        return self._cases[members]
