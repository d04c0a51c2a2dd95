"""The syntax tree of a KRL ruleset: frozen nodes, each with the stretch of text it was read from.

Expressions, declarations, event expressions, actions, statements, and the ruleset that holds them. The
parser makes the tree, the checker and the formatter read it, the compiler turns it into Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast, dataclass_transform


class Span(NamedTuple):
    """Where a node stands: offsets into the source text, in characters, the end not included."""

    start: int
    stop: int


@dataclass_transform(frozen_default=True)
class _NodeType(type):
    """Makes the classes of nodes: frozen dataclasses with slots, but fifty of them in 2 ms instead of 70."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> _NodeType:
        own = tuple(namespace.get("__annotations__", ()))
        above: Any = bases[0] if bases else _NothingAbove
        defaults = {field: namespace.pop(field) for field in own if field in namespace}
        namespace["__slots__"] = own
        namespace["__match_args__"] = (*above.__match_args__, *own)
        namespace["field_defaults"] = {**above.field_defaults, **defaults}
        node: Any = super().__new__(cls, name, bases, namespace)
        # a slot's own setter goes past __setattr__, which refuses
        node.field_setters = (*above.field_setters, *(vars(node)[field].__set__ for field in own))
        return cast(_NodeType, node)


class _NothingAbove:
    __match_args__ = ()
    field_defaults: Mapping[str, object] = MappingProxyType({})
    field_setters = ()


class Node(metaclass=_NodeType):
    """Anything in the tree: its fields are given by position or name, compared by value, and never change."""

    span: Span

    if not TYPE_CHECKING:  # a type checker knows what a node takes by the decorator of its metaclass

        def __init__(self, *values: object, **named: object) -> None:
            setters = self.field_setters
            if named or len(values) != len(setters):
                values = _values_of(self, values, named)
            for setter, value in zip(setters, values, strict=False):
                setter(self, value)

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(f"{type(self).__name__}.{name} does not change")

        def __delattr__(self, name: str) -> None:
            raise AttributeError(f"{type(self).__name__}.{name} does not change")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and _fields_of(self) == _fields_of(other)

    def __hash__(self) -> int:
        return hash((type(self), _fields_of(self)))

    def __repr__(self) -> str:
        names: tuple[str, ...] = type(self).__match_args__
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({shown})"

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), _fields_of(self)  # copies and pickles are made anew


def _fields_of(node: object) -> tuple[object, ...]:
    names: tuple[str, ...] = type(node).__match_args__  # type: ignore[attr-defined]
    return tuple(getattr(node, name) for name in names)


def _values_of(node: Any, values: tuple[object, ...], named: dict[str, object]) -> list[object]:
    """All values of a new node in order; those not given have their defaults. Raises TypeError."""
    fields, what = node.__match_args__, type(node).__name__
    given = {**node.field_defaults, **dict(zip(fields, values, strict=False)), **named}
    if len(values) > len(fields) or not named.keys() <= set(fields[len(values) :]):
        raise TypeError(f"{what} takes {', '.join(fields)}, each once")
    missing = [field for field in fields if field not in given]
    if missing:
        raise TypeError(f"{what} lacks {', '.join(missing)}")
    return [given[field] for field in fields]


# -- expressions --------------------------------------------------------------------------------------------


class Number(Node):
    value: float
    """An int where it is whole and exact, up to 2**53."""


class String(Node):
    value: str


class Boolean(Node):
    value: bool


class Null(Node):
    pass


class Chevron(Node):
    """`<<text #{expression} text>>`: strings and expressions in turn, as they stand."""

    parts: tuple[Expression, ...]


class RegExp(Node):
    """`re#pattern#flags`; the pattern is JavaScript's, with `\\#` already read as `#`."""

    pattern: str
    flags: str


class Identifier(Node):
    name: str


class DomainIdentifier(Node):
    """`ent:count`, `time:now`, `alias:function`."""

    domain: str
    name: str


class Array(Node):
    items: tuple[Expression, ...]


class MapEntry(Node):
    key: String
    value: Expression


class Map(Node):
    entries: tuple[MapEntry, ...]


class Infix(Node):
    op: str
    left: Expression
    right: Expression


class Unary(Node):
    """Prefix `+`, `-` or `not`."""

    op: str
    operand: Expression


class Conditional(Node):
    """`test => then | otherwise`."""

    test: Expression
    then: Expression
    otherwise: Expression


class Member(Node):
    """`object.name` (dot), `object[index]`, `object{path}`."""

    subject: Expression
    how: Literal["dot", "index", "path"]
    key: Expression
    """For `dot` an Identifier or DomainIdentifier."""


class NamedArgument(Node):
    name: Identifier
    value: Expression


class Arguments(Node):
    items: tuple[Expression | NamedArgument, ...]


class Call(Node):
    """`callee(arguments)`; `x.f(y)` is a Call whose callee is a Member by dot."""

    callee: Expression
    arguments: Arguments


class Parameter(Node):
    name: Identifier
    default: Expression | None


class Function(Node):
    parameters: tuple[Parameter, ...]
    declarations: tuple[Declaration, ...]
    result: Expression


class Defaction(Node):
    parameters: tuple[Parameter, ...]
    declarations: tuple[Declaration, ...]
    block: ActionBlock
    result: Expression | None


Expression = (
    Number
    | String
    | Boolean
    | Null
    | Chevron
    | RegExp
    | Identifier
    | DomainIdentifier
    | Array
    | Map
    | Infix
    | Unary
    | Conditional
    | Member
    | Call
    | Function
    | Defaction
)


class Declaration(Node):
    """`name = value`."""

    name: Identifier
    value: Expression


# -- event expressions --------------------------------------------------------------------------------------


class AttributeMatch(Node):
    name: Identifier
    pattern: RegExp


class Aggregate(Node):
    op: Literal["max", "min", "sum", "avg", "push"]
    names: tuple[Identifier, ...]


class SimpleEvent(Node):
    domain: Identifier
    type: Identifier
    matches: tuple[AttributeMatch, ...]
    setting: tuple[Identifier, ...]
    where: Expression | None
    aggregate: Aggregate | None
    where_before_setting: bool = False
    """The old order `where … setting(…)`, which is accepted with a warning."""


class EventOperator(Node):
    op: Literal["or", "and", "before", "then", "after", "between", "not between", "any"]
    events: tuple[EventExpression, ...]
    """For `between` and `not between`: the middle, the first, the last."""
    count: Number | None = None
    """Of `any`."""


class EventGroup(Node):
    op: Literal["count", "repeat"]
    count: Number
    event: SimpleEvent


EventExpression = SimpleEvent | EventOperator | EventGroup


class Within(Node):
    amount: Expression
    unit: str
    """As written: `minute` or `minutes`."""


class SelectWhen(Node):
    event: EventExpression
    within: Within | None


class SelectWhere(Node):
    """`select where condition`: considers every event."""

    condition: Expression


Select = SelectWhen | SelectWhere


# -- actions and statements ---------------------------------------------------------------------------------


class Action(Node):
    label: Identifier | None
    """Its name in a `choose`."""
    action: Identifier | DomainIdentifier
    arguments: Arguments
    setting: tuple[Identifier, ...]


class ActionBlock(Node):
    condition: Expression | None
    kind: Literal["every", "sample", "choose"]
    """A single action without a block is `every`."""
    discriminant: Expression | None
    """Of `choose`."""
    actions: tuple[Action, ...]


class Assignment(Node):
    """`ent:name := value`, `ent:name{path} := value`."""

    target: DomainIdentifier
    path: Expression | None
    value: Expression


class Clear(Node):
    target: DomainIdentifier
    path: Expression | None


class EventName(Node):
    """`domain event type` (both given), or `event "domain:type"` (whole given)."""

    domain: Identifier | None
    type: Expression | None
    whole: Expression | None


class Raise(Node):
    event: EventName
    attributes: Expression | None
    for_rid: Expression | None


class ScheduleEvent(Node):
    event: EventName
    attributes: Expression | None
    setting: Identifier | None
    at: Expression | None
    repeat: Expression | None
    """A cron expression; either this or `at`."""


class Log(Node):
    level: Literal["error", "warn", "info", "debug"]
    value: Expression


class DeclareError(Node):
    level: Literal["error", "warn", "info", "debug"]
    value: Expression


class Last(Node):
    pass


class Guarded(Node):
    """`statement if condition`, `statement on final` (condition None)."""

    condition: Expression | None
    statement: Statement


Statement = Assignment | Clear | Raise | ScheduleEvent | Log | DeclareError | Last | Declaration | Guarded


class Postlude(Node):
    """`fired {…} else {…} finally {…}`: else stands in `notfired`, finally in `always`."""

    fired: tuple[Statement, ...] | None
    notfired: tuple[Statement, ...] | None
    always: tuple[Statement, ...] | None


# -- rules and rulesets -------------------------------------------------------------------------------------


class Foreach(Node):
    expression: Expression
    setting: tuple[Identifier, ...]


class Rule(Node):
    name: Identifier
    is_active: bool
    select: Select | None
    foreach: tuple[Foreach, ...]
    prelude: tuple[Declaration, ...]
    block: ActionBlock | None
    postlude: Postlude | None


class RulesetId(Node):
    value: str


class UseModule(Node):
    """`use module RID alias NAME with a = e b = e`."""

    rid: RulesetId
    alias: Identifier | None
    configuration: tuple[Declaration, ...]


class Configure(Node):
    """`configure using a = e b = e`."""

    declarations: tuple[Declaration, ...]


class NameList(Node):
    """The names of `shares` and `provides`."""

    names: tuple[Identifier, ...]


class KeyDeclaration(Node):
    """`key name "value"` or `key name {map}`, `provides keys …`, `errors to rid`: of older engines.

    They parse, so that the checker can say in the author's words why they are refused.
    """

    text: str


MetaValue = Expression | UseModule | Configure | NameList | KeyDeclaration
"""Texts may be any expression, `logging` is a Boolean."""


class MetaProperty(Node):
    """One line of the meta block; `key` as written (`share` and `shares` alike)."""

    key: Identifier
    value: MetaValue


class Ruleset(Node):
    rid: RulesetId
    version: String | None
    """`version` outside of meta, which is accepted with a warning."""
    meta: tuple[MetaProperty, ...]
    globals: tuple[Declaration, ...]
    rules: tuple[Rule, ...]
