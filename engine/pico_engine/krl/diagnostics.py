"""What is wrong or doubtful in a KRL text, and how it is shown to its author."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from pico_engine.errors import RulesetDefinitionError
from pico_engine.krl.syntax import Span

Severity = Literal["error", "warning"]

CODES: Final = MappingProxyType({
    "syntax": "something else was expected here",
    "character": "a character that KRL does not use",
    "unclosed": "a string, regular expression, chevron or comment without its end",
    "nesting": "expressions or blocks deeper inside each other than `nesting_max_levels`",
    "meta-key": "a property that a meta block does not have, or has no more",
    "meta-repeated": "a meta property that may stand only once",
    "map-key": "a map's key that is not a plain string",
    "regexp": "a regular expression that JavaScript would refuse, or that is beyond a limit",
    "undefined-name": "a name that nothing in sight declares",
    "duplicate-declaration": "a name declared twice in one block",
    "duplicate-rule": "two rules of one name",
    "duplicate-parameter": "two parameters of one name",
    "parameter-order": "a parameter without default behind one with a default",
    "argument-order": "a positional argument behind a named one",
    "not-a-function": "something called that is known not to be a function",
    "not-an-action": "something used as an action that is known not to be one",
    "event-attrs-call": "`event:attrs` called, which is a map",
    "missing-select": "an active rule without `select`",
    "missing-label": "an action in a `choose` without a label",
    "many-results": "several names for the one result of an action",
    "not-persistent": "`:=` or `clear` on something that is no `ent:` variable",
    "not-global": "`shares` or `provides` of a name that `global` does not declare",
    "shared-action": "`shares` of an action",
    "event-count": "a number that cannot be: `any 3` of two events, `count 0`, or one beyond a limit",
    "inactive-rule": "a rule that is switched off",
    "redeclared": "a parameter, setting or loop variable declared again: older engines cannot load it",
    "for-unknown": "`for` on a raised event with a name that nothing declares",
    "put": "`ent:x := ent:x.put(key, value)` where `ent:x{key} := value` would do",
    "old-attr": "`event:attr(name)` for `event:attrs{name}`",
    "old-member": "`map.name` for `map{\"name\"}`",
    "old-version": "`version` outside of the meta block",
    "old-logging": "`logging`, which is always on",
    "old-setting": "`setting` where nothing is captured, or behind `where`",
    "too-large": "more words, functions, names or transitions than a limit of the compiler allows",
    "too-many": "more errors than are shown",
})  # fmt: skip
"""The codes of diagnostics, which are stable, and what each is about."""

SHOWN_MAX_CHARS: Final = 160
"""How much of a line is shown: a line of a megabyte helps nobody."""


class Position(NamedTuple):
    """A place in a text: line and column, both counted from 1, the column in characters."""

    line: int
    column: int


def position(text: str, offset: int) -> Position:
    """Where an offset is. Lines end as in every editor: at a line feed, with or without a carriage return."""
    offset = min(offset, len(text))
    return Position(text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1)


class Lines:
    """Positions of one text, for who needs many of them."""

    def __init__(self, text: str) -> None:
        self._starts = [0]
        at = text.find("\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = text.find("\n", at + 1)

    def position(self, offset: int) -> Position:
        """Where an offset of this text is."""
        line = bisect_right(self._starts, offset)
        return Position(line, offset - self._starts[line - 1] + 1)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing to say about a stretch of a text. `code` is one of CODES."""

    severity: Severity
    code: str
    message: str
    hint: str
    span: Span

    def render(self, text: str, filename: str) -> str:
        """`file:line:column: error: …`, the line, carets below the place, and the hint if there is one."""
        line, column = position(text, self.span.start)
        stop = text.find("\n", self.span.start)
        stop = len(text) if stop < 0 else stop
        begin = self.span.start - (column - 1)
        start = max(begin, min(self.span.start - SHOWN_MAX_CHARS // 2, stop - SHOWN_MAX_CHARS))
        shown = text[start : min(stop, start + SHOWN_MAX_CHARS)].rstrip("\r")
        blank = "".join("\t" if char == "\t" else " " for char in text[start : self.span.start])
        carets = "^" * max(1, min(self.span.stop, start + len(shown)) - self.span.start)
        lines = [
            f"{filename}:{line}:{column}: {self.severity}: {self.message}",
            f"  {shown}",
            f"  {blank}{carets}",
        ]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(harmless(one) for one in lines)


def harmless(line: str) -> str:
    """Text of a stranger without characters that would drive a terminal."""
    if line.isprintable():
        return line
    return "".join(
        char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in line
    )


class KrlSyntaxError(RulesetDefinitionError):
    """A text that is not a KRL ruleset.

    `diagnostics` are all that is known to be wrong, the first of them is the text of the error; `text` is the
    source they point into.
    """

    code = "krl-syntax"
    status = 400
    default_hint = "`picomesh krl check FILE` shows the lines; docs/reference/krl-grammar.md has the language"

    def __init__(self, diagnostics: Sequence[Diagnostic] = (), text: str = "", filename: str = "") -> None:
        self.diagnostics = tuple(diagnostics)
        self.text = text
        self.filename = filename
        what, hint = "this is not a KRL ruleset", ""
        if self.diagnostics:
            first = self.diagnostics[0]
            line, column = position(text, first.span.start)
            what = f"{filename}:{line}:{column}" if filename else f"line {line}, column {column}"
            what, hint = f"{what}: {first.message}", first.hint
        super().__init__(what, hint)
