"""From tokens to the tree. The grammar is in docs/reference/krl-grammar.md, module by module as here.

`cursor` holds the place; `expressions`, `events`, `actions`, `statements` and `rulesets` read what they are
named for, from the inside out. A reader takes the cursor, takes what it understands, and answers a node.
"""

from __future__ import annotations

from pico_engine.krl.diagnostics import Diagnostic, KrlSyntaxError
from pico_engine.krl.parser.cursor import Cursor, ParseFailure
from pico_engine.krl.parser.rulesets import ruleset
from pico_engine.krl.syntax import Ruleset
from pico_engine.limits import KrlLimits

_NESTING_MAX_LEVELS = KrlLimits().nesting_max_levels
_TOKENS_MAX = KrlLimits().tokens_max


def parse(text: str, nesting_max_levels: int = _NESTING_MAX_LEVELS) -> Ruleset:
    """The tree of a ruleset. Raises KrlSyntaxError with the first thing that is wrong."""
    cursor = Cursor(text, nesting_max_levels)
    try:
        tree = ruleset(cursor)
        cursor.check_size(_TOKENS_MAX)
    except ParseFailure as failure:
        raise KrlSyntaxError((failure.diagnostic,), text) from None
    return tree


def parse_all(
    text: str, nesting_max_levels: int = _NESTING_MAX_LEVELS, tokens_max: int = _TOKENS_MAX
) -> tuple[Ruleset | None, list[Diagnostic], frozenset[str]]:
    """What can be read of a text, all that is wrong with it, and names that what was skipped may declare.

    The tree is None where not even its beginning can be read.
    """
    found: list[Diagnostic] = []
    cursor = Cursor(text, nesting_max_levels, found)
    try:
        tree = ruleset(cursor)
        cursor.check_size(tokens_max)
    except ParseFailure as failure:
        found.append(failure.diagnostic)
        return None, found, frozenset()
    return tree, found, frozenset(cursor.guessed)
