"""Operators with regular expressions: `like match extract split replace`, and `sprintf`.

A regular expression has no memory: each operator begins at the first character, whatever was matched before.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pico_engine.krl.conversion import js_string
from pico_engine.krl.counting import make, scan, write
from pico_engine.krl.errors import KrlRuntimeError
from pico_engine.krl.values import (
    CHARS_PER_ELEMENT,
    MISSING,
    UNDEFINED,
    Function,
    Run,
    Value,
    is_number,
    is_regex,
    isnull,
    to_string,
)
from pico_engine.regex import Match, Regex, RegexSyntaxError, compile_regex

_STEPS_PER_PATTERN_CHAR = 8
"""Reading a regular expression takes about as long as so many steps for each of its characters."""

_STEPS_PER_MATCH = 4
"""To begin a search anew, besides what the search itself counts."""


def compiled(run: Run, pattern: str) -> Regex:
    """A text as a regular expression. Raises KRL's SyntaxError."""
    run.step(_STEPS_PER_PATTERN_CHAR * len(pattern))
    try:
        return compile_regex(pattern, "")
    except RegexSyntaxError as error:
        raise KrlRuntimeError("SyntaxError", error.what, error.hint) from None


def like(run: Run, val: Value = UNDEFINED, regex: Value = UNDEFINED) -> bool:
    """Whether the pattern, or text that is one, is found in `val`."""
    pattern = regex if is_regex(regex) else compiled(run, to_string(regex))
    return pattern.search(to_string(val), 0, run.step) is not None


def match(run: Run, val: Value = UNDEFINED, regex: Value = UNDEFINED) -> bool:
    """As `like`, but false for a pattern that is neither text nor regular expression."""
    return like(run, val, regex) if isinstance(regex, str) or is_regex(regex) else False


def extract(run: Run, val: Value = UNDEFINED, regex: Value = MISSING) -> list[Value]:
    """What the groups of the first match captured; with the flag g, all matches as a whole."""
    if regex is MISSING:
        return []
    pattern = regex if is_regex(regex) else compiled(run, to_string(regex))
    text = to_string(val)
    if pattern.is_global:
        found = []
        for one in pattern.matches(text, run.step):
            run.step(_STEPS_PER_MATCH)
            run.grow(CHARS_PER_ELEMENT + one.stop - one.start)
            found.append(one.found)
        return found
    first = pattern.search(text, 0, run.step)
    return [] if first is None else [UNDEFINED if group is None else group for group in first.groups]


def split(run: Run, val: Value = UNDEFINED, split_on: Value = UNDEFINED) -> list[Value]:
    """The pieces of `val` between what matches; between them what groups captured."""
    text = to_string(val)
    if is_regex(split_on):
        write(run, len(text))
        pieces = split_on.split(text, run.step)
        run.step(len(pieces))
        make(run, len(pieces))
        return [UNDEFINED if piece is None else piece for piece in pieces]
    separator = to_string(split_on)
    write(run, len(text))
    pieces_made = text.count(separator) + 1 if separator else len(text)
    run.step(pieces_made)
    make(run, pieces_made)
    return list(text.split(separator)) if separator else list(text)


def replace(
    run: Run, val: Value = UNDEFINED, regex: Value = MISSING, replacement: Value = UNDEFINED
) -> Value:
    """`val` with what matches replaced by nothing, a text with `$1` and the like, or what a function says.

    A text in place of the regular expression stands for itself, once; with a function it is a pattern.
    """
    if regex is MISSING:
        return val
    text = to_string(val)
    if isinstance(replacement, Function):
        pattern = regex if is_regex(regex) else compiled(run, to_string(regex))
        return pattern.replace_by(text, _asking(run, replacement, text), run.step, run.grow)
    template = "" if isnull(replacement) else to_string(replacement)
    if is_regex(regex):
        return regex.replace_by(text, lambda found: _expanded(run, template, found), run.step, run.grow)
    wanted = to_string(regex)
    scan(run, len(text))
    start = text.find(wanted)
    if start < 0:
        return text
    instead = _expanded(run, template, Match(text, start, start + len(wanted), (), {}))
    write(run, len(text) + len(instead))
    return text[:start] + instead + text[start + len(wanted) :]


def _asking(run: Run, function: Function, text: str) -> Callable[[Match], str]:
    def answer(found: Match) -> str:
        groups = [UNDEFINED if group is None else group for group in found.groups]
        return js_string(run, run.call(function, [found.found, *groups, found.start, text]))

    return answer


def _expanded(run: Run, template: str, found: Match) -> str:
    """The template filled in, its length counted before it is made."""
    run.step(_STEPS_PER_MATCH)
    if "$" not in template:
        return template
    longest = max([found.stop - found.start, *(len(group) for group in found.groups if group)])
    run.grow(
        len(template)
        + template.count("$`") * found.start
        + template.count("$'") * (len(found.text) - found.stop)
        + template.count("$") * longest
    )
    return found.expand(template)


def sprintf(run: Run, val: Value = UNDEFINED, template: Value = UNDEFINED) -> str:
    """The template with a number in the places of `%d`, a text in those of `%s`; a backslash protects."""
    if isnull(template):
        return ""
    text = to_string(template)
    if is_number(val):
        return _formatted(run, to_string(val), text, "%d")
    return _formatted(run, val, text, "%s") if isinstance(val, str) else text


def _formatted(run: Run, val: str, template: str, mark: str) -> str:
    """`template` with `val` where krl-stdlib's expression finds places: of marks in a row, the first."""
    places = re.compile(r"(^|[^\\])" + mark)

    def filled(found: re.Match[str]) -> str:
        if "$" not in val:
            return found[1] + val
        whole = Match(found.string, found.start(), found.end(), (found[1],), {})
        return _expanded(run, "$1" + val, whole)

    write(run, len(template) + template.count(mark) * len(val))
    pieces = [places.sub(filled, piece) for piece in template.split("\\\\")]
    return "\\".join(pieces).replace("\\" + mark, mark)


OPERATORS = {
    "like": like,
    "match": match,
    "extract": extract,
    "split": split,
    "replace": replace,
    "sprintf": sprintf,
}
