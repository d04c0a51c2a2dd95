"""What a tree says before any text is seen: can it be empty, how does it begin, which groups match."""

from __future__ import annotations

from pico_engine.regex import charset
from pico_engine.regex.charset import Ranges
from pico_engine.regex.syntax import (
    Alternatives,
    Assertion,
    Backreference,
    Capture,
    Characters,
    Look,
    Node,
    Repeat,
    Sequence,
    Where,
)


def nullable(node: Node) -> bool:
    """Whether it may match the empty string."""
    match node:
        case Characters():
            return False
        case Assertion() | Look() | Backreference():
            return True
        case Sequence(items):
            return all(map(nullable, items))
        case Alternatives(options):
            return any(map(nullable, options))
        case Capture(_, body):
            return nullable(body)
        case Repeat():
            return node.low == 0 or nullable(node.body)


def beginning(node: Node) -> Ranges | None:
    """A set that holds each character that a match can begin with; None if a match may be empty."""
    first, may_be_empty = _beginning(node)
    return None if may_be_empty else first


def _beginning(node: Node) -> tuple[Ranges, bool]:
    match node:
        case Characters(members):
            return members, False
        case Assertion() | Look():
            return (), True
        case Backreference():
            return charset.EVERYTHING, True
        case Sequence(items):
            first: Ranges = ()
            for item in items:
                more, may_be_empty = _beginning(item)
                first = charset.union(first, more)
                if not may_be_empty:
                    return first, False
            return first, True
        case Alternatives(options):
            each = [_beginning(option) for option in options]
            return charset.union(*(more for more, _ in each)), any(may for _, may in each)
        case Capture(_, body):
            return _beginning(body)
        case Repeat(high=0):
            return (), True
        case Repeat():
            first, may_be_empty = _beginning(node.body)
            return first, may_be_empty or node.low == 0


def anchored(node: Node) -> bool:
    """Whether it can match at the beginning of the text only."""
    match node:
        case Assertion(where):
            return where is Where.START
        case Sequence(items):
            return bool(items) and anchored(items[0])
        case Alternatives(options):
            return all(map(anchored, options))
        case Capture(_, body):
            return anchored(body)
        case Repeat():
            return node.low > 0 and anchored(node.body)
        case _:
            return False


def always_captured(node: Node) -> frozenset[int]:
    """The groups that have matched something whenever `node` has matched."""
    none: frozenset[int] = frozenset()
    match node:
        case Sequence(items):
            return none.union(*map(always_captured, items))
        case Alternatives(options):
            return frozenset.intersection(*map(always_captured, options))
        case Capture(number, body):
            return always_captured(body) | {number}
        case Repeat():
            return always_captured(node.body) if node.low > 0 else none
        case Look(body, negative=False):
            return always_captured(body)
        case _:
            return none
