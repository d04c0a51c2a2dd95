"""Random trees, and the text of a tree: with as few brackets as the strengths of operators allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hypothesis import strategies as st

from pico_engine.krl import syntax as s
from pico_engine.krl.parser.events import AGGREGATE_WORDS, EVENT_PRECEDENCE, PERIODS
from pico_engine.krl.parser.expressions import PRECEDENCE, PREFIX_PRECEDENCE
from pico_engine.krl.parser.statements import LEVELS

SPAN = s.Span(0, 0)
BINARY = sorted(op for op, strength in PRECEDENCE.items() if 20 <= strength <= 60)
LITERAL = 100
SEPARATORS = (" ", "\n", "\n\n\n", "\t", " // a comment\n", " /* another\none */ ", "\r\n", " //\r")

NAMES = ("a", "b", "x1", "$y", "_z", "rule", "meta", "event", "on", "final", "if", "number", "constructor")
"""Names everywhere."""
OTHER_NAMES = (*NAMES, "count", "any", "and", "like", "before", "repeat", "raise", "last", "for")
"""Names that begin no expression."""
WORDS = (*OTHER_NAMES, "not", "return", "setting", "true", "null", "function")

Tokens = Iterator[str]


def make(kind: type, *fields: Any) -> st.SearchStrategy[Any]:
    return st.builds(kind, st.just(SPAN), *fields)


def tuples(of: st.SearchStrategy[Any], least: int = 0, most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, min_size=least, max_size=most).map(tuple)


maybe = st.none().__or__
name = make(s.Identifier, st.sampled_from(NAMES))
other_name = make(s.Identifier, st.sampled_from(OTHER_NAMES))
word = make(s.Identifier, st.sampled_from(WORDS))
domain_name = make(s.DomainIdentifier, st.sampled_from(NAMES), st.sampled_from(OTHER_NAMES))
callable_name = make(s.Identifier, st.sampled_from(OTHER_NAMES)) | make(
    s.DomainIdentifier, st.sampled_from(OTHER_NAMES), st.sampled_from(OTHER_NAMES)
)
characters = st.text(alphabet='ab"\\#{}<>/*\n\r é:', max_size=6)
string = make(s.String, characters)
number = make(s.Number, st.one_of(st.integers(0, 2**53), st.integers(0, 999).map(lambda n: n + 0.25)))
regexp = make(
    s.RegExp, st.sampled_from(["", "a", "(.*)", "a#b", r"\d+/", "x\ny"]), st.sampled_from(["", "g", "im"])
)
rid = make(s.RulesetId, st.sampled_from(["a", "io.example.b", "c-d.not"]))
whole_number = make(s.Number, st.integers(0, 9))


def declaration_of(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return make(s.Declaration, name, value)


def arguments_of(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return make(s.Arguments, tuples(value | make(s.NamedArgument, name, value)))


def block_of(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    action = make(s.Action, maybe(other_name), callable_name, arguments_of(value), tuples(other_name, most=2))
    called = value.map(lambda one: one if strength(one) > PRECEDENCE["{"] else s.Array(SPAN, (one,)))
    return st.one_of(
        make(s.ActionBlock, maybe(value), st.sampled_from(["every", "sample"]), st.none(), tuples(action, 1)),
        make(s.ActionBlock, maybe(value), st.just("choose"), called, tuples(action, 1)),
        make(s.ActionBlock, st.none(), st.sampled_from(["every", "sample"]), st.none(), st.just(())),
    )


def parts_of_chevron(value: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    hole = value.map(lambda one: s.Array(SPAN, (one,)) if isinstance(one, s.String) else one)
    text = make(s.String, characters.filter(bool))
    return st.lists(st.tuples(maybe(text), hole), max_size=2).flatmap(
        lambda pairs: maybe(text).map(
            lambda end: tuple(one for pair in (*pairs, (end, None)) for one in pair if one is not None)
        )
    )


def _larger(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    parameters = tuples(make(s.Parameter, other_name, maybe(value)))
    declarations = tuples(declaration_of(value))
    return st.one_of(
        make(s.Infix, st.sampled_from(BINARY), value, value),
        make(s.Unary, st.sampled_from(["not", "-", "+"]), value),
        make(s.Conditional, value, value, value),
        make(s.Member, value, st.just("dot"), callable_name),
        make(s.Member, value, st.sampled_from(["index", "path"]), value),
        make(s.Call, value, arguments_of(value)),
        make(s.Call, make(s.Member, value, st.just("dot"), callable_name), arguments_of(value)),
        make(s.Array, tuples(value)),
        make(s.Map, tuples(make(s.MapEntry, string, value))),
        make(s.Chevron, parts_of_chevron(value)),
        make(s.Function, parameters, declarations, value),
        make(s.Defaction, parameters, declarations, block_of(value), maybe(value)),
    )


boolean, null = make(s.Boolean, st.booleans()), make(s.Null)
expression = st.recursive(
    st.one_of(name, domain_name, number, string, regexp, boolean, null), _larger, max_leaves=8
)

matches = tuples(make(s.AttributeMatch, word, regexp), most=2)
domain = make(s.Identifier, st.sampled_from(NAMES))


def _in_order(event: s.SimpleEvent) -> s.SimpleEvent:
    """`where` before `setting` is only told apart where there are both."""
    *fields, early = [getattr(event, one) for one in event.__match_args__]
    return s.SimpleEvent(*fields, bool(early and event.where is not None and event.setting))


simple_event = make(
    s.SimpleEvent,
    domain,
    word,
    matches,
    tuples(other_name, most=2),
    maybe(expression),
    st.none(),
    st.booleans(),
).map(_in_order)


def _grouped(event: s.SimpleEvent, op: str, count: s.Number, aggregate: s.Aggregate | None) -> s.EventGroup:
    fields = [getattr(event, one) for one in event.__match_args__]
    fields[event.__match_args__.index("aggregate")] = aggregate
    return s.EventGroup(SPAN, op, count, s.SimpleEvent(*fields))  # type: ignore[arg-type]


aggregates = make(s.Aggregate, st.sampled_from(sorted(AGGREGATE_WORDS)), tuples(other_name, 1, 2))
group = st.builds(
    _grouped, simple_event, st.sampled_from(["count", "repeat"]), whole_number, maybe(aggregates)
)
event_expression = st.recursive(
    simple_event | group,
    lambda event: st.one_of(
        make(s.EventOperator, st.sampled_from(["or", "and", "before", "then", "after"]), tuples(event, 1)),
        make(s.EventOperator, st.sampled_from(["between", "not between"]), tuples(event, 3, 3)),
        make(s.EventOperator, st.just("any"), tuples(event, 1), whole_number),
    ),
    max_leaves=4,
)
within = make(s.Within, expression, st.sampled_from(sorted(PERIODS)))
select = make(s.SelectWhen, event_expression, maybe(within)) | make(s.SelectWhere, expression)

event_name = st.one_of(
    make(s.EventName, name.filter(lambda one: one.name != "event"), expression, st.none()),
    make(s.EventName, st.none(), st.none(), expression),
)
level = st.sampled_from(sorted(LEVELS))
bare_statement = st.one_of(
    make(s.Assignment, domain_name, maybe(expression), expression),
    make(s.Clear, domain_name, maybe(expression)),
    make(s.Raise, event_name, maybe(expression), maybe(expression)),
    make(s.ScheduleEvent, event_name, maybe(expression), maybe(other_name), expression, st.none()),
    make(s.ScheduleEvent, event_name, maybe(expression), maybe(other_name), st.none(), expression),
    make(s.Log, level, expression),
    make(s.DeclareError, level, expression),
    make(s.Last),
    declaration_of(expression),
)
statement = bare_statement | make(s.Guarded, maybe(expression), bare_statement)
statements = maybe(tuples(statement))
postlude = make(s.Postlude, statements, statements, statements).filter(
    lambda one: one.always is not None or one.fired is not None or one.notfired is not None
)
declarations = tuples(declaration_of(expression))
foreach = make(s.Foreach, expression, tuples(other_name, 1, 2))
rule = make(
    s.Rule, other_name, st.booleans(), maybe(select), tuples(foreach, most=2), declarations,
    maybe(block_of(expression)), maybe(postlude),
)  # fmt: skip

ONE_NAME = make(s.NameList, tuples(other_name, 1))
meta_property = st.one_of(
    *(make(s.MetaProperty, make(s.Identifier, st.sampled_from(keys)), value) for keys, value in (
        (("name", "author", "description", "version"), expression),
        (("logging",), boolean),
        (("use",), make(s.UseModule, rid, maybe(other_name), declarations)),
        (("configure",), make(s.Configure, declarations)),
        (("share", "shares", "provide", "provides"), ONE_NAME),
    ))
)  # fmt: skip
ruleset = make(
    s.Ruleset, rid, maybe(string), tuples(meta_property), declarations, tuples(rule, most=2)
)  # fmt: skip


def strength(node: s.Expression) -> int:
    match node:
        case s.Conditional():
            return PRECEDENCE["=>"]
        case s.Infix():
            return PRECEDENCE[node.op]
        case s.Unary():
            return PREFIX_PRECEDENCE
        case s.Member():
            return PRECEDENCE["."]
        case s.Call():
            return min(strength(node.callee), PRECEDENCE["("])
    return LITERAL


def text_of(tree: s.Ruleset, separators: Iterable[str]) -> str:
    """The text of a ruleset; between its tokens the separators in turn."""
    ring = list(separators) or [" "]
    return "".join(f"{token}{ring[position % len(ring)]}" for position, token in enumerate(of_ruleset(tree)))


def of_expression(node: s.Expression, least: int = 0) -> Tokens:
    """Its tokens; in brackets if it binds less strongly than `least`."""
    if strength(node) < least:
        yield "("
        yield from of_expression(node)
        yield ")"
        return
    match node:
        case s.Number(_, value):
            yield f"{value:.2f}" if isinstance(value, float) else str(value)
        case s.String(_, value):
            yield '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case s.Boolean(_, value):
            yield "true" if value else "false"
        case s.Null():
            yield "null"
        case s.RegExp(_, pattern, flags):
            yield f"re#{pattern.replace('#', chr(92) + '#')}#{flags}"
        case s.Identifier(_, value):
            yield value
        case s.DomainIdentifier(_, domain, value):
            yield from (domain, ":", value)
        case s.Infix(_, op, left, right):
            yield from of_expression(left, PRECEDENCE[op])
            yield op
            yield from of_expression(right, PRECEDENCE[op] + 1)
        case s.Unary(_, op, operand):
            yield op
            yield from of_expression(operand, PREFIX_PRECEDENCE)
        case s.Conditional(_, test, then, otherwise):
            yield from of_expression(test, PRECEDENCE["=>"] + 1)
            yield "=>"
            yield from of_expression(then, PRECEDENCE["=>"] + 1)
            yield "|"
            yield from of_expression(otherwise)
        case _:
            yield from _of_compound(node)


def _of_compound(node: s.Expression) -> Tokens:
    match node:
        case s.Member(_, subject, how, key):
            yield from of_expression(subject, PRECEDENCE["."])
            yield from {"dot": ["."], "index": ["["], "path": ["{"]}[how]
            yield from of_expression(key)
            yield from {"dot": [], "index": ["]"], "path": ["}"]}[how]
        case s.Call(_, callee, arguments):
            yield from of_expression(callee, PRECEDENCE["."])
            yield from of_arguments(arguments)
        case s.Array(_, items):
            yield "["
            yield from _listed(of_expression(one) for one in items)
            yield "]"
        case s.Map(_, entries):
            yield "{"
            yield from _listed(_of_entry(one) for one in entries)
            yield "}"
        case s.Chevron(_, parts):
            yield "<<" + "".join(map(_of_part, parts)) + ">>"
        case s.Function(_, parameters, declarations, result):
            yield from ("function", "(", *_of_parameters(parameters), ")", "{")
            yield from of_declarations(declarations)
            yield from of_expression(result)
            yield from (";", "}")
        case s.Defaction(_, parameters, declarations, block, result):
            yield from ("defaction", "(", *_of_parameters(parameters), ")", "{")
            yield from of_declarations(declarations)
            yield from of_block(block)
            if result is not None:
                yield from ("return", *of_expression(result))
            yield "}"


def _listed(items: Iterable[Tokens]) -> Tokens:
    for position, item in enumerate(items):
        if position:
            yield ","
        yield from item


def _of_entry(entry: s.MapEntry) -> Tokens:
    yield from of_expression(entry.key)
    yield ":"
    yield from of_expression(entry.value)


def _of_part(part: s.Expression) -> str:
    if isinstance(part, s.String):
        return part.value.replace("\\", "\\\\").replace(">", "\\>").replace("#{", "\\#{")
    return "#{" + " ".join(of_expression(part)) + "}"


def _of_parameters(parameters: Iterable[s.Parameter]) -> Tokens:
    for position, one in enumerate(parameters):
        if position:
            yield ","
        yield one.name.name
        if one.default is not None:
            yield from ("=", *of_expression(one.default))


def of_arguments(arguments: s.Arguments) -> Tokens:
    yield "("
    for position, one in enumerate(arguments.items):
        if position:
            yield ","
        if isinstance(one, s.NamedArgument):
            yield from (one.name.name, "=")
            yield from of_expression(one.value)
        else:
            yield from of_expression(one)
    yield ")"


def of_declarations(declarations: Iterable[s.Declaration]) -> Tokens:
    for one in declarations:
        yield from (one.name.name, "=", *of_expression(one.value), ";")


def _names(names: Iterable[s.Identifier]) -> Tokens:
    return _listed(iter([one.name]) for one in names)


def of_block(block: s.ActionBlock) -> Tokens:
    if block.condition is not None:
        yield from ("if", *of_expression(block.condition), "then")
    yield block.kind
    if block.discriminant is not None:
        yield from of_expression(block.discriminant, PRECEDENCE["{"] + 1)
    yield "{"
    for one in block.actions:
        if one.label is not None:
            yield from (one.label.name, "=>")
        yield from of_expression(one.action)
        yield from of_arguments(one.arguments)
        if one.setting:
            yield from ("setting", "(", *_names(one.setting), ")")
    yield "}"


def of_event(node: s.EventExpression, least: int = 0) -> Tokens:
    match node:
        case s.SimpleEvent():
            yield from (node.domain.name, ":", node.type.name)
            for match in node.matches:
                yield match.name.name
                yield from of_expression(match.pattern)
            setting = ["setting", "(", *_names(node.setting), ")"] if node.setting else []
            where = ["where", *_of_where(node.where)] if node.where is not None else []
            yield from (*where, *setting) if node.where_before_setting else (*setting, *where)
        case s.EventGroup(_, op, count, event):
            yield from (op, *of_expression(count), "(", *of_event(event), ")")
            if event.aggregate is not None:
                yield from (event.aggregate.op, "(", *_names(event.aggregate.names), ")")
        case s.EventOperator(_, "between" | "not between" as op, (middle, first, last)):
            yield from of_event(middle, EVENT_PRECEDENCE["between"])
            yield from (*op.split(), "(", *of_event(first), ",", *of_event(last), ")")
        case s.EventOperator(_, op, (left, right), None) if EVENT_PRECEDENCE[op] >= least:
            yield from of_event(left, EVENT_PRECEDENCE[op])
            yield op
            yield from of_event(right, EVENT_PRECEDENCE[op] + 1)
        case s.EventOperator(_, op, events, count):
            yield op
            yield from of_expression(count) if count is not None else ()
            yield from ("(", *_listed(of_event(one) for one in events), ")")


def _of_where(condition: s.Expression) -> list[str]:
    """`where re#…#` would match an attribute called `where`."""
    tokens = list(of_expression(condition))
    return ["(", *tokens, ")"] if tokens[0].startswith("re#") else tokens


def of_select(node: s.Select) -> Tokens:
    if isinstance(node, s.SelectWhere):
        yield from ("select", "where", *of_expression(node.condition))
        return
    yield from ("select", "when", *of_event(node.event))
    if node.within is not None:
        yield from ("within", *of_expression(node.within.amount), node.within.unit)


def of_statement(node: s.Statement) -> Tokens:
    match node:
        case s.Guarded(_, condition, inner):
            yield from of_statement(inner)
            yield from ("on", "final") if condition is None else ("if", *of_expression(condition))
        case s.Assignment(_, target, path, value):
            yield from of_expression(target)
            yield from ("{", *of_expression(path), "}") if path is not None else ()
            yield from (":=", *of_expression(value))
        case s.Clear(_, target, path):
            yield from ("clear", *of_expression(target))
            yield from ("{", *of_expression(path), "}") if path is not None else ()
        case s.Raise(_, event, attributes, for_rid):
            yield from ("raise", *_of_event_name(event))
            yield from ("for", *of_expression(for_rid)) if for_rid is not None else ()
            yield from ("attributes", *of_expression(attributes)) if attributes is not None else ()
        case s.ScheduleEvent(_, event, attributes, setting, at, repeat):
            yield from ("schedule", *_of_event_name(event))
            yield from ("at", *of_expression(at)) if at is not None else ()
            yield from ("repeat", *of_expression(repeat)) if repeat is not None else ()
            yield from ("attributes", *of_expression(attributes)) if attributes is not None else ()
            yield from ("setting", "(", setting.name, ")") if setting is not None else ()
        case s.Log(_, level, value):
            yield from ("log", level, *of_expression(value))
        case s.DeclareError(_, level, value):
            yield from ("error", level, *of_expression(value))
        case s.Last():
            yield "last"
        case s.Declaration(_, one, value):
            yield from (one.name, "=", *of_expression(value))


def _of_event_name(event: s.EventName) -> Tokens:
    if event.domain is not None:
        yield event.domain.name
    kind = event.type if event.type is not None else event.whole
    assert kind is not None
    yield from ("event", *of_expression(kind))


def of_postlude(node: s.Postlude) -> Tokens:
    first = ("fired", node.fired), ("else", node.notfired), ("finally", node.always)
    if node.fired is None and node.notfired is None:
        first = (("always", node.always),)  # type: ignore[assignment]
    elif node.fired is None:
        first = ("notfired", node.notfired), ("else", None), ("finally", node.always)
    for keyword, block in first:
        if block is not None:
            yield from (keyword, "{")
            for one in block:
                yield from (*of_statement(one), ";")
            yield "}"


def of_rule(node: s.Rule) -> Tokens:
    yield from ("rule", node.name.name)
    yield from () if node.is_active else ("is", "inactive")
    yield "{"
    yield from of_select(node.select) if node.select is not None else ()
    for foreach in node.foreach:
        yield from (
            "foreach",
            *of_expression(foreach.expression),
            "setting",
            "(",
            *_names(foreach.setting),
            ")",
        )
    yield from ("pre", "{", *of_declarations(node.prelude), "}") if node.prelude else ()
    yield from of_block(node.block) if node.block is not None else ()
    yield from of_postlude(node.postlude) if node.postlude is not None else ()
    yield "}"


def of_ruleset(node: s.Ruleset) -> Tokens:
    yield from ("ruleset", node.rid.value, "{")
    yield from ("version", *of_expression(node.version)) if node.version is not None else ()
    yield from ("meta", "{")
    for one in node.meta:
        yield one.key.name
        yield from _of_meta(one)
    yield from ("}", "global", "{", *of_declarations(node.globals), "}")
    for rule in node.rules:
        yield from of_rule(rule)
    yield "}"


def _of_meta(one: s.MetaProperty) -> Tokens:
    match one.value:
        case s.UseModule(_, rid, alias, configuration):
            yield from ("module", rid.value)
            yield from ("alias", alias.name) if alias is not None else ()
            for position, value in enumerate(configuration):
                yield from ("and" if position else "with", value.name.name, "=", *of_expression(value.value))
        case s.Configure(_, declarations):
            yield from ("using", *of_declarations(declarations))
        case s.NameList(_, names):
            yield from _names(names)
        case s.Boolean(_, value) if one.key.name == "logging":
            yield "on" if value else "off"
        case value:
            yield from of_expression(value)  # type: ignore[arg-type]
