"""What can go wrong while KRL runs.

EngineError
├── LimitExceeded
│   └── KrlLimitExceeded    413  the code works, makes or nests more than it may
└── RulesetError
    └── KrlRuntimeError     500  what KRL itself calls an error: adding a name to nothing, a bad pattern
"""

from __future__ import annotations

from pico_engine.errors import LimitExceeded, RulesetError


class KrlLimitExceeded(LimitExceeded):
    """KRL code does more than one of its limits allows."""

    default_hint = "do less at once, or schedule the rest; docs/reference/limits.md names every limit"


class KrlRuntimeError(RulesetError):
    """KRL code asked for something that has no answer.

    `kind` is the name of the error in KRL ("TypeError", "Error", …), `message` its text; both together are
    what KRL programs and their logs have always shown: "TypeError: Cannot negate zero".
    """

    code = "krl-runtime-error"
    default_hint = "correct the KRL; `picomesh krl run` tries a ruleset in a pico of its own"

    def __init__(self, kind: str = "Error", message: str = "", hint: str = "") -> None:
        self.kind = kind
        self.message = message
        super().__init__(f"{kind}: {message}", hint)


def type_error(message: str) -> KrlRuntimeError:
    """The error of a value of the wrong type."""
    return KrlRuntimeError("TypeError", message)
