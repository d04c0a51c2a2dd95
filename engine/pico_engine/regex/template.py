"""What stands in for a match: templates of JavaScript's replace (ECMA-262 §22.1.3.19.1, GetSubstitution)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

_SPECIAL: Final = re.compile(r"\$(?:(?P<sign>[$&`'])|(?P<digits>[0-9]{1,2}))")
_SPECIAL_AND_NAMES: Final = re.compile(_SPECIAL.pattern + r"|\$<(?P<name>[^>]*)>")


def expand(
    template: str,
    text: str,
    start: int,
    stop: int,
    groups: Sequence[str | None] = (),
    named: Mapping[str, str | None] | None = None,
) -> str:
    """`template` with `$$`, `$&`, `` $` ``, `$'`, `$1` to `$99` and, if groups have names, `$<name>` filled
    in.

    `text[start:stop]` is the match. A group that took no part is the empty string; what names no group stays.
    """
    if "$" not in template:
        return template

    def replaced(found: re.Match[str]) -> str:
        match found.lastgroup, found[found.lastgroup or 0]:
            case "digits", digits:
                return _group(digits, groups)
            case "name", name:
                return (named or {}).get(name) or ""
            case _, "&":
                return text[start:stop]
            case _, "`":
                return text[:start]
            case _, "'":
                return text[stop:]
            case _:
                return "$"

    return (_SPECIAL_AND_NAMES if named else _SPECIAL).sub(replaced, template)


def _group(digits: str, groups: Sequence[str | None]) -> str:
    """Two digits if there are so many groups, or else one digit and a character."""
    for length in (len(digits), 1):
        number = int(digits[:length])
        if 1 <= number <= len(groups):
            return (groups[number - 1] or "") + digits[length:]
    return "$" + digits
