"""Names of groups: how they are written, and which groups a pattern has."""

from __future__ import annotations

import re
from typing import Final

_ESCAPED: Final = re.compile(r"\\u(?:([0-9A-Fa-f]{4})|\{([0-9A-Fa-f]{1,8})\})")


def read_name(pattern: str, at: int) -> tuple[str | None, int]:
    """The name that begins at `at` and ends with `>`, and the place behind; None if there is none."""
    end = pattern.find(">", at)
    if end < 0:
        return None, at
    name = _ESCAPED.sub(_unescaped, pattern[at:end])
    try:
        name = name.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return None, at
    # `$` may stand in names of JavaScript as a letter may
    if not name.replace("$", "_").isidentifier():
        return None, at
    return name, end + 1


def _unescaped(found: re.Match[str]) -> str:
    code = int(found[1] or found[2], 16)
    return chr(code) if code <= 0x10FFFF else "\0"


def group_names(pattern: str) -> tuple[str | None, ...]:
    """For each capture group of `pattern` its name or None, by a look that finds no errors."""
    names: list[str | None] = []
    in_class = False
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "\\":
            at += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
        elif char == "(":
            if pattern[at : at + 1] != "?":
                names.append(None)
            elif pattern[at + 1 : at + 2] == "<" and pattern[at + 2 : at + 3] not in ("=", "!"):
                name, _ = read_name(pattern, at + 2)
                names.append(name)
    return tuple(names)
