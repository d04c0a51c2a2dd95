"""What the formatter needs to know of a tree: where things begin, and which sign has which part in them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from pico_engine.krl.lexer import Token
from pico_engine.krl.syntax import (
    ActionBlock,
    Aggregate,
    Arguments,
    Array,
    Assignment,
    Chevron,
    Clear,
    Defaction,
    Function,
    Map,
    MapEntry,
    Member,
    Node,
    Postlude,
    Rule,
    Ruleset,
    RulesetId,
    Unary,
)


class Layout:
    """Offsets into a text, by the part that the token there has in the tree."""

    def __init__(self, tree: Ruleset, tokens: list[Token]) -> None:
        self.items: set[int] = set()
        """Here a property, declaration, statement, action, rule or a part of a rule begins."""
        self.literals: set[int] = set()
        """`[` and `{` of arrays and maps."""
        self.paths: set[int] = set()
        """`{` of paths into a value. All others begin blocks."""
        self.calls: set[int] = set()
        """`(` of arguments and the like, which stand close to what is before them."""
        self.signs: set[int] = set()
        """`-` and `+` in front of an operand."""
        self.whole: dict[int, int] = {}
        """Beginnings and ends of what is kept as it is: chevrons, ids of rulesets."""
        self.sections: set[int] = set()
        """`{` of blocks that always have lines of their own: of the ruleset, meta, global and rules."""
        self._next = {left.stop: right for left, right in pairwise(tokens)}
        self._following: dict[int, Token] = {left.start: right for left, right in pairwise(tokens)}
        self._openers = dict(_openers(tokens))
        self.colons: set[int] = set()
        """`:` behind the keys of maps."""
        self._sections(tree, tokens)
        for node in _walk(tree):
            self._node(node)

    def _node(self, node: Node) -> None:
        match node:
            case Array() | Map():
                self.literals.add(node.span.start)
            case MapEntry():
                self.colons.add(self._next[node.key.span.stop].start)
            case Member():
                if node.how == "path":
                    self.paths.add(self._openers[node.span.stop])
            case Assignment() | Clear():
                if node.path is not None:
                    self.paths.add(self._next[node.target.span.stop].start)
            case Arguments():
                self.calls.add(node.span.start)
            case Aggregate():
                self.calls.add(self._following[node.span.start].start)
            case Unary():
                self.signs.add(node.span.start)
            case Chevron() | RulesetId():
                self.whole[node.span.start] = node.span.stop
            case Function() | Defaction():
                self._body(node)
            case ActionBlock():
                self._begin(node.actions[1:])  # the first stands behind a `{`, or is the only one
            case Postlude():
                self._begin((*(node.fired or ()), *(node.notfired or ()), *(node.always or ())))
            case Rule():
                self._rule(node)
            case Ruleset():
                self._begin((*node.meta, *node.globals))

    def _begin(self, items: tuple[Node, ...]) -> None:
        self.items.update(item.span.start for item in items)

    def _sections(self, tree: Ruleset, tokens: list[Token]) -> None:
        """Inside of the ruleset's own braces stand its sections, each of which ends with a `}`."""
        depth = 0
        for before, token in pairwise(tokens):
            if token.kind == "{":
                depth += 1
                if depth <= 2:
                    self.sections.add(token.start)
            elif token.kind == "}":
                depth -= 1
            elif depth == 1 and (before.kind in ("{", "}") or before.start == _version_start(tree)):
                self.items.add(token.start)

    def _behind(self, stop: int) -> None:
        """What stands behind this end, and a `;`, begins something."""
        token = self._next[stop]
        if token.kind == ";":
            token = self._following[token.start]
        self.items.add(token.start)

    def _body(self, node: Function | Defaction) -> None:
        self._begin(node.declarations)
        if node.declarations:
            self._behind(node.declarations[-1].span.stop)
        if isinstance(node, Defaction) and node.block.span.stop > node.block.span.start:
            self._begin((node.block,))
            self._behind(node.block.span.stop)

    def _rule(self, node: Rule) -> None:
        self._begin(node.prelude)
        self._begin(tuple(part for part in (node.select, node.block, node.postlude) if part is not None))
        self._begin(node.foreach)
        for part in (node.select, *node.foreach):
            if part is not None:
                self._behind(part.span.stop)


def _version_start(tree: Ruleset) -> int:
    return tree.version.span.start if tree.version else -1


def _walk(tree: Node) -> Iterator[Node]:
    """A node and all below it; without calling itself."""
    waiting: list[object] = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Node):
            yield one
            waiting += [getattr(one, name) for name in type(one).__match_args__]
        elif type(one) is tuple:
            waiting += one


def _openers(tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """For the end of each closing bracket the beginning of its opening one."""
    open_at: list[int] = []
    for token in tokens:
        if token.kind in ("(", "[", "{", "hole"):
            open_at.append(token.start)
        elif token.kind in (")", "]", "}", "end of hole"):
            yield token.stop, open_at.pop()
