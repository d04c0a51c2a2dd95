"""What can go wrong with a regular expression: it is wrong, or it would run too long."""

from __future__ import annotations

from pico_engine.errors import LimitExceeded, RulesetDefinitionError


class RegexSyntaxError(RulesetDefinitionError):
    """A regular expression that JavaScript rejects as well, or one beyond a limit of ours.

    `reason` is said in JavaScript's words ("Nothing to repeat") where JavaScript rejects it too; `at` counts
    characters from the beginning of the pattern.
    """

    code = "regex-syntax"
    default_hint = "correct the regular expression; it is written as in JavaScript, with the flags g, i and m"

    def __init__(self, pattern: str, flags: str, reason: str, at: int = 0, hint: str = "") -> None:
        self.pattern = pattern
        self.flags = "".join(sorted(flags))
        self.reason = reason
        self.at = at
        shown = pattern if len(pattern) <= _SHOWN_MAX_CHARS else pattern[:_SHOWN_MAX_CHARS] + "…"
        super().__init__(f"Invalid regular expression: /{shown}/{self.flags}: {reason}", hint)


_SHOWN_MAX_CHARS = 200


class RegexLimitExceeded(LimitExceeded):
    """A regular expression takes more steps on a text than one search may."""

    default_hint = (
        "write the expression so that there is one way to match a text: no repetition of a repetition,"
        " no alternatives that begin alike"
    )
