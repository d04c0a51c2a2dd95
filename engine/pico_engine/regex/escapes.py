"""Escapes, character classes and quantifiers of JavaScript's regular expressions, annex B's among them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from string import ascii_letters, digits
from typing import Final, NoReturn

from pico_engine.regex import charset
from pico_engine.regex.charset import Ranges
from pico_engine.regex.errors import RegexSyntaxError
from pico_engine.regex.names import read_name

_QUANTIFIER: Final = re.compile(r"\*|\+|\?|\{([0-9]+)(,([0-9]*))?\}")
_DECIMAL: Final = re.compile(r"[1-9][0-9]*")
_OCTAL: Final = re.compile(r"[0-3][0-7]{0,2}|[4-7][0-7]?")
_HEX: Final = {"x": re.compile(r"[0-9A-Fa-f]{2}"), "u": re.compile(r"[0-9A-Fa-f]{4}")}
_CONTROL_LETTERS_IN_CLASS: Final = ascii_letters + digits + "_"
_LOW_SURROGATE: Final = re.compile(r"\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})")

_CONTROLS: Final = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_SETS: Final[dict[str, Ranges]] = {
    "d": charset.DIGITS,
    "D": charset.complement(charset.DIGITS),
    "s": charset.SPACES,
    "S": charset.complement(charset.SPACES),
    "w": charset.WORD,
    "W": charset.complement(charset.WORD),
}

_COUNT_DIGITS_MAX: Final = 18
"""More digits than this are one number beyond every limit."""


class Escape(Enum):
    BOUNDARY = "b"
    NO_BOUNDARY = "B"


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to a group, by its number or its name."""

    number: int = 0
    name: str | None = None


class Reader:
    """The pattern and how far it is read. `groups` is how many groups the whole pattern has, `named` whether
    one of them has a name, which forbids escapes that are tolerated otherwise."""

    __slots__ = ("at", "flags", "groups", "named", "text")

    def __init__(self, text: str, flags: str, *, groups: int, named: bool) -> None:
        self.text = text
        self.flags = flags
        self.at = 0
        self.groups = groups
        self.named = named

    @property
    def ended(self) -> bool:
        return self.at >= len(self.text)

    @property
    def next(self) -> str:
        """The next character, or the empty string at the end."""
        return self.text[self.at : self.at + 1]

    def read(self) -> str:
        char = self.text[self.at]
        self.at += 1
        return char

    def take(self, piece: str) -> bool:
        """Reads `piece` if it comes next."""
        if self.text.startswith(piece, self.at):
            self.at += len(piece)
            return True
        return False

    def match(self, regex: re.Pattern[str]) -> re.Match[str] | None:
        found = regex.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def fail(self, reason: str, hint: str = "", *, at: int | None = None) -> NoReturn:
        raise RegexSyntaxError(self.text, self.flags, reason, self.at if at is None else at, hint)

    def quantifier(self) -> tuple[int, int | None] | None:
        """The bounds of a quantifier, without its `?`; None if what comes next is none."""
        begin = self.at
        found = self.match(_QUANTIFIER)
        if found is None:
            return None
        if found[0] in "*+?":
            return (1 if found[0] == "+" else 0), (1 if found[0] == "?" else None)
        low = _count(found[1])
        high = low if found[2] is None else _count(found[3]) if found[3] else None
        if high is not None and high < low:
            self.fail("numbers out of order in {} quantifier", at=begin)
        return low, high


def _count(number: str) -> int:
    number = number.lstrip("0") or "0"
    return int(number) if len(number) <= _COUNT_DIGITS_MAX else 10**_COUNT_DIGITS_MAX


def read_escape(reader: Reader) -> Ranges | Reference | Escape:
    """What a backslash outside of a class introduces; the backslash has been read."""
    char = reader.next
    if char == "b":
        reader.at += 1
        return Escape.BOUNDARY
    if char == "B":
        reader.at += 1
        return Escape.NO_BOUNDARY
    if char == "k" and reader.named:
        reader.at += 1
        if not reader.take("<"):
            reader.fail("Invalid named reference")
        name, reader.at = read_name(reader.text, reader.at)
        if name is None:
            reader.fail("Invalid capture group name")
        return Reference(name=name)
    if char and char in "123456789":
        begin = reader.at
        found = reader.match(_DECIMAL)
        if found is not None and _count(found[0]) <= reader.groups:
            return Reference(int(found[0]))
        reader.at = begin
    return _character(reader, in_class=False)


def _character(reader: Reader, *, in_class: bool) -> Ranges:
    """The escapes that mean one character, or any of a set, within a class or outside."""
    if reader.ended:
        reader.fail("\\ at end of pattern")
    char = reader.read()
    if char in _SETS:
        return _SETS[char]
    if char in _CONTROLS:
        return charset.of_characters(_CONTROLS[char])
    if char in _HEX:
        code = reader.match(_HEX[char])
        return _one(_with_low_half(reader, int(code[0], 16)) if code else ord(char))
    if char == "c":
        letter = reader.next
        if letter and letter in (_CONTROL_LETTERS_IN_CLASS if in_class else ascii_letters):
            reader.at += 1
            return _one(ord(letter) % 32)
        # the backslash stands for itself, and the c comes after it
        reader.at -= 1
        return _one(ord("\\"))
    if char in "01234567":
        reader.at -= 1
        octal = reader.match(_OCTAL)
        return _one(int(octal[0] if octal else char, 8))
    if char == "k" and reader.named:
        reader.fail("Invalid escape")
    return _one(ord(char))


def _with_low_half(reader: Reader, code: int) -> int:
    r"""`\uD83D\uDE00` is one character here, as texts are counted in characters."""
    if 0xD800 <= code <= 0xDBFF and (low := reader.match(_LOW_SURROGATE)) is not None:
        return 0x10000 + ((code - 0xD800) << 10) + int(low[1], 16) - 0xDC00
    return code


def _one(code: int) -> Ranges:
    return ((code, code),)


def read_class(reader: Reader) -> tuple[bool, Ranges]:
    """Whether the class is negated, and its members; the opening bracket has been read."""
    negative = reader.take("^")
    parts: list[tuple[int, int]] = []
    while not reader.take("]"):
        begin = reader.at
        first = _member(reader)
        parts.extend(first)
        if reader.next != "-" or reader.text[reader.at + 1 : reader.at + 2] in ("]", ""):
            continue
        reader.at += 1
        last = _member(reader)
        if not _is_single(first) or not _is_single(last):
            # a set such as \d cannot bound a range: the hyphen stands for itself
            parts.extend((*last, (ord("-"), ord("-"))))
        elif last[0][0] < first[0][0]:
            reader.fail("Range out of order in character class", at=begin)
        else:
            parts.append((first[0][0], last[0][0]))
    return negative, charset.ranges(*parts)


def _member(reader: Reader) -> Ranges:
    if reader.ended:
        reader.fail("Unterminated character class")
    char = reader.read()
    if char != "\\":
        return _one(ord(char))
    if reader.take("b"):
        return _one(0x08)
    return _character(reader, in_class=True)


def _is_single(members: Ranges) -> bool:
    return len(members) == 1 and members[0][0] == members[0][1]
