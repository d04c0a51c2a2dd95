"""The syntax tree of a KRL ruleset: frozen nodes, each with the stretch of text it was read from.

Expressions, declarations, event expressions, actions, statements, and the ruleset that holds them. The
parser makes the tree, the checker and the formatter read it, the compiler turns it into Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Span(NamedTuple):
    """Where a node stands: offsets into the source text, in characters, the end not included."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Node:
    span: Span


# -- expressions --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number(Node):
    value: float
    """An int where it is whole and exact, up to 2**53."""


@dataclass(frozen=True, slots=True)
class String(Node):
    value: str


@dataclass(frozen=True, slots=True)
class Boolean(Node):
    value: bool


@dataclass(frozen=True, slots=True)
class Null(Node):
    pass


@dataclass(frozen=True, slots=True)
class Chevron(Node):
    """`<<text #{expression} text>>`: strings and expressions in turn, as they stand."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class RegExp(Node):
    """`re#pattern#flags`; the pattern is JavaScript's, with `\\#` already read as `#`."""

    pattern: str
    flags: str


@dataclass(frozen=True, slots=True)
class Identifier(Node):
    name: str


@dataclass(frozen=True, slots=True)
class DomainIdentifier(Node):
    """`ent:count`, `time:now`, `alias:function`."""

    domain: str
    name: str


@dataclass(frozen=True, slots=True)
class Array(Node):
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class MapEntry(Node):
    key: String
    value: Expression


@dataclass(frozen=True, slots=True)
class Map(Node):
    entries: tuple[MapEntry, ...]


@dataclass(frozen=True, slots=True)
class Infix(Node):
    op: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """Prefix `+`, `-` or `not`."""

    op: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`test => then | otherwise`."""

    test: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`object.name` (dot), `object[index]`, `object{path}`."""

    subject: Expression
    how: Literal["dot", "index", "path"]
    key: Expression
    """For `dot` an Identifier or DomainIdentifier."""


@dataclass(frozen=True, slots=True)
class NamedArgument(Node):
    name: Identifier
    value: Expression


@dataclass(frozen=True, slots=True)
class Arguments(Node):
    items: tuple[Expression | NamedArgument, ...]


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`callee(arguments)`; `x.f(y)` is a Call whose callee is a Member by dot."""

    callee: Expression
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    name: Identifier
    default: Expression | None


@dataclass(frozen=True, slots=True)
class Function(Node):
    parameters: tuple[Parameter, ...]
    declarations: tuple[Declaration, ...]
    result: Expression


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Declaration(Node):
    """`name = value`."""

    name: Identifier
    value: Expression


# -- event expressions --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AttributeMatch(Node):
    name: Identifier
    pattern: RegExp


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    op: Literal["max", "min", "sum", "avg", "push"]
    names: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class SimpleEvent(Node):
    domain: Identifier
    type: Identifier
    matches: tuple[AttributeMatch, ...]
    setting: tuple[Identifier, ...]
    where: Expression | None
    aggregate: Aggregate | None
    where_before_setting: bool = False
    """The old order `where … setting(…)`, which is accepted with a warning."""


@dataclass(frozen=True, slots=True)
class EventOperator(Node):
    op: Literal["or", "and", "before", "then", "after", "between", "not between", "any"]
    events: tuple[EventExpression, ...]
    """For `between` and `not between`: the middle, the first, the last."""
    count: Number | None = None
    """Of `any`."""


@dataclass(frozen=True, slots=True)
class EventGroup(Node):
    op: Literal["count", "repeat"]
    count: Number
    event: SimpleEvent


EventExpression = SimpleEvent | EventOperator | EventGroup


@dataclass(frozen=True, slots=True)
class Within(Node):
    amount: Expression
    unit: str
    """As written: `minute` or `minutes`."""


@dataclass(frozen=True, slots=True)
class SelectWhen(Node):
    event: EventExpression
    within: Within | None


@dataclass(frozen=True, slots=True)
class SelectWhere(Node):
    """`select where condition`: considers every event."""

    condition: Expression


Select = SelectWhen | SelectWhere


# -- actions and statements ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Action(Node):
    label: Identifier | None
    """Its name in a `choose`."""
    action: Identifier | DomainIdentifier
    arguments: Arguments
    setting: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class ActionBlock(Node):
    condition: Expression | None
    kind: Literal["every", "sample", "choose"]
    """A single action without a block is `every`."""
    discriminant: Expression | None
    """Of `choose`."""
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Assignment(Node):
    """`ent:name := value`, `ent:name{path} := value`."""

    target: DomainIdentifier
    path: Expression | None
    value: Expression


@dataclass(frozen=True, slots=True)
class Clear(Node):
    target: DomainIdentifier
    path: Expression | None


@dataclass(frozen=True, slots=True)
class EventName(Node):
    """`domain event type` (both given), or `event "domain:type"` (whole given)."""

    domain: Identifier | None
    type: Expression | None
    whole: Expression | None


@dataclass(frozen=True, slots=True)
class Raise(Node):
    event: EventName
    attributes: Expression | None
    for_rid: Expression | None


@dataclass(frozen=True, slots=True)
class ScheduleEvent(Node):
    event: EventName
    attributes: Expression | None
    setting: Identifier | None
    at: Expression | None
    repeat: Expression | None
    """A cron expression; either this or `at`."""


@dataclass(frozen=True, slots=True)
class Log(Node):
    level: Literal["error", "warn", "info", "debug"]
    value: Expression


@dataclass(frozen=True, slots=True)
class DeclareError(Node):
    level: Literal["error", "warn", "info", "debug"]
    value: Expression


@dataclass(frozen=True, slots=True)
class Last(Node):
    pass


@dataclass(frozen=True, slots=True)
class Guarded(Node):
    """`statement if condition`, `statement on final` (condition None)."""

    condition: Expression | None
    statement: Statement


Statement = Assignment | Clear | Raise | ScheduleEvent | Log | DeclareError | Last | Declaration | Guarded


@dataclass(frozen=True, slots=True)
class Postlude(Node):
    """`fired {…} else {…} finally {…}`: else stands in `notfired`, finally in `always`."""

    fired: tuple[Statement, ...] | None
    notfired: tuple[Statement, ...] | None
    always: tuple[Statement, ...] | None


# -- rules and rulesets -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Foreach(Node):
    expression: Expression
    setting: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class Rule(Node):
    name: Identifier
    is_active: bool
    select: Select | None
    foreach: tuple[Foreach, ...]
    prelude: tuple[Declaration, ...]
    block: ActionBlock | None
    postlude: Postlude | None


@dataclass(frozen=True, slots=True)
class RulesetId(Node):
    value: str


@dataclass(frozen=True, slots=True)
class UseModule(Node):
    """`use module RID alias NAME with a = e b = e`."""

    rid: RulesetId
    alias: Identifier | None
    configuration: tuple[Declaration, ...]


@dataclass(frozen=True, slots=True)
class Configure(Node):
    """`configure using a = e b = e`."""

    declarations: tuple[Declaration, ...]


@dataclass(frozen=True, slots=True)
class NameList(Node):
    """The names of `shares` and `provides`."""

    names: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class KeyDeclaration(Node):
    """`key name "value"` or `key name {map}`, `provides keys …`, `errors to rid`: of older engines.

    They parse, so that the checker can say in the author's words why they are refused.
    """

    text: str


MetaValue = Expression | UseModule | Configure | NameList | KeyDeclaration
"""Texts may be any expression, `logging` is a Boolean."""


@dataclass(frozen=True, slots=True)
class MetaProperty(Node):
    """One line of the meta block; `key` as written (`share` and `shares` alike)."""

    key: Identifier
    value: MetaValue


@dataclass(frozen=True, slots=True)
class Ruleset(Node):
    rid: RulesetId
    version: String | None
    """`version` outside of meta, which is accepted with a warning."""
    meta: tuple[MetaProperty, ...]
    globals: tuple[Declaration, ...]
    rules: tuple[Rule, ...]
