"""Expressions: what binds how, and the forms of each."""

from __future__ import annotations

import pytest

from pico_engine.krl import KrlSyntaxError
from pico_engine.krl.parser.cursor import RESERVED_WORDS
from pico_engine.krl.parser.expressions import OPERATOR_WORDS, PRECEDENCE
from pico_engine.krl.syntax import Chevron, Function, Map, Number, RegExp, String
from tests.engine.krl.trees import bare, expression, show


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a || b && c", "(a || (b && c))"),
        ("a == b like c", "((a == b) like c)"),
        ("a < b + c cmp d", "((a < (b + c)) cmp d)"),
        ("not a && b", "((not a) && b)"),
        ("not a like b", "((not a) like b)"),
        ("- a{b}", "(- (a{b}))"),
        ("-a.f(b)[0]", "(- ((a.f)(b)[0]))"),
        ("- - a * b", "((- (- a)) * b)"),
        ("a => b | c", "(a => b | c)"),
        ("a => b | c => d | e", "(a => b | (c => d | e))"),
        ("a || b => c || d | e || f", "((a || b) => (c || d) | (e || f))"),
        ("(a => b | c) => d | e", "((a => b | c) => d | e)"),
        ("a + (b => c | d) + e", "((a + (b => c | d)) + e)"),
        ("a => b | c + d => e | f", "(a => b | ((c + d) => e | f))"),
        ("a.b.c", "((a.b).c)"),
        ("a.math:f(b)", "(a.math:f)(b)"),
        ("a(b)(c, d = 1,)", "a(b)(c, d = 1)"),
        ("a{b}{c}[d]", "(((a{b}){c})[d])"),
        ("ent:count{[1, 2,]}", "(ent:count{[1, 2]})"),
        ("a <=> b >< c", "((a <=> b) >< c)"),
        ("f((a) = 1)", "f(a = 1)"),
    ],
)
def test_what_binds_how(text, expected):
    assert show(expression(text)) == expected


@pytest.mark.parametrize("op", [op for op, strength in PRECEDENCE.items() if 20 <= strength <= 60])
def test_operators_of_one_strength_bind_from_left_to_right(op):
    for other, strength in PRECEDENCE.items():
        if 20 <= strength <= 60:
            left = strength <= PRECEDENCE[op]
            expected = f"((a {op} b) {other} c)" if left else f"(a {op} (b {other} c))"
            assert show(expression(f"a {op} b {other} c")) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("0012", 12),
        ("1.50", 1.5),
        (".25", 0.25),
        ("1.0", 1),
        ("9007199254740992", 2**53),
        ("9007199254740994", 9007199254740994.0),
        ("9" * 400, float("inf")),
        ("1" + "0" * 5000, float("inf")),
    ],
)
def test_numbers(text, value):
    node = expression(text)
    assert isinstance(node, Number)
    assert node.value == value
    assert isinstance(node.value, int) == (value <= 2**53 and value == int(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('""', ""),
        (r'"a\"b"', 'a"b'),
        (r'"a\\b"', r"a\b"),
        (r'"a\nb"', r"a\nb"),
        ('"a\nb"', "a\nb"),
        (r'"\\\""', r"\""),
    ],
)
def test_strings(text, value):
    assert expression(text) == String(expression(text).span, value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("<<>>", ()),
        ("<<a>b>>", ("a>b",)),
        (r"<<a\>>b\#{c}\\ >>", (r"a>>b#{c}\ ",)),
        ("<<#{<<#{1}>>}>>", (("Chevron", (("Number", 1.0),)),)),
        ("<<a#{b}\n\tc>>", ("a", ("Identifier", "b"), "\n\tc")),
    ],
)
def test_chevrons(text, parts):
    node = expression(text)
    assert isinstance(node, Chevron)
    assert bare(node) == ("Chevron", tuple(("String", one) if isinstance(one, str) else one for one in parts))


@pytest.mark.parametrize(
    ("text", "pattern", "flags"),
    [("re##", "", ""), (r"re#a\#b#gi", "a#b", "gi"), (r"re#\\#m", r"\\", "m"), ("re#a\nb#", "a\nb", "")],
)
def test_regular_expressions(text, pattern, flags):
    node = expression(text)
    assert isinstance(node, RegExp)
    assert (node.pattern, node.flags) == (pattern, flags)


def test_maps_and_their_keys():
    node = expression('{"a": 1, "b": {"c": [],},}')
    assert isinstance(node, Map)
    assert [(entry.key.value, type(entry.value).__name__) for entry in node.entries] == [
        ("a", "Number"),
        ("b", "Map"),
    ]
    assert expression("{}") == Map(expression("{}").span, ())


def test_functions():
    node = expression("function(a, b = a + 1,){ c = 1; d = 2 return c }")
    assert isinstance(node, Function)
    assert [one.name.name for one in node.parameters] == ["a", "b"]
    assert [one.default is None for one in node.parameters] == [True, False]
    assert [one.name.name for one in node.declarations] == ["c", "d"]
    assert bare(node.result) == ("Identifier", "c")
    assert bare(expression("function(){ 1; }")) == ("Function", (), (), ("Number", 1.0))


@pytest.mark.parametrize("word", sorted(OPERATOR_WORDS))
def test_words_of_operators_begin_no_expression_but_are_names_elsewhere(word):
    with pytest.raises(KrlSyntaxError) as caught:
        expression(f"1 + {word}")
    assert caught.value.hint
    assert show(expression(f"ent:{word} + x.{word}(f)")) == f"(ent:{word} + (x.{word})(f))"
    assert isinstance(expression(f"function({word}){{ {word} = 1 return 2 }}"), Function)


@pytest.mark.parametrize("word", sorted(RESERVED_WORDS))
def test_reserved_words_are_no_names(word):
    with pytest.raises(KrlSyntaxError, match="expected"):
        expression(f"x.{word}")
    with pytest.raises(KrlSyntaxError, match="expected"):
        expression(f"function({word}){{ 1 }}")


@pytest.mark.parametrize(
    "word", ["rule", "if", "on", "meta", "number", "string", "chevron", "NUMBER", "symbol"]
)
def test_all_other_words_are_names(word):
    assert show(expression(word)) == word


def test_spans_reach_from_the_first_to_the_last_character():
    text = "ruleset a { global { x = (a + b) * c{d} } }"
    node = expression("(a + b) * c{d}")
    shift = text.index("(a") - node.span.start
    assert text[node.span.start + shift : node.span.stop + shift] == "(a + b) * c{d}"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("1 +", "expected an expression behind `+`, but found `}`", ""),
        ("", "expected a value, but found `}`", ""),
        ("a ? b : c", "KRL has no use for `?` here", "condition => this | that"),
        ("!a", "KRL has no use for `!` here", "`not`"),
        ("'a'", "KRL has no use for `'` here", "double quotes"),
        ('"a', "this string has no end", '`"`'),
        ("re#a", "this regular expression has no end", "`#`"),
        ("1 /* a", "this comment has no end", "`*/`"),
        ("<<a", "this chevron has no end", "`>>`"),
        ("<<a#{b>>", "expected an expression behind `>`, but found `>`", ""),
        ("a => b", "expected `|` and what holds otherwise, but found `}`", "condition => this | that"),
        ("a b", "expected a declaration, `name = value`, or `}` to end `global`, but found `b`", ""),
        ("{1: 2}", "expected a map's key, which is a string, or `}`, but found `1`", '{"key": value}'),
        ('{"a" + "b": 2}', "expected `:` behind the map's key, but found `+`", "put"),
        ('{"a": 1 "b": 2}', 'expected `,` or `}` in the map, but found the string `"b"`', ""),
        ("[1 2]", "expected `,` or `]` in the array, but found `2`", ""),
        ("[,1]", "expected an element of the array, or `]`, but found `,`", ""),
        ("f(a = )", "expected the argument's value, but found `)`", ""),
        ("f(1 = 2)", "expected `,` or `)` in the arguments, but found `=`", "=="),
        ("a === b", "expected an expression behind `==`, but found `=`", "there is no `===`"),
        ("a & b", "KRL has no use for `&` here", "&&"),
        ("function(){}", "expected the value that the function returns, but found `}`", "last"),
        (
            "function(){ return = 1 }",
            "expected the value that the function returns, but found `=`",
            "without `=`",
        ),
        ("function(){ a eq b }", "expected `}` to end the function, but found `eq`", "`==`"),
        ("function(){ a{b} = c }", "expected `}` to end the function, but found `=`", ".put(key, value)"),
        ('function(){ a = b\n{"c": d} }', "expected `}`, but found `:`", "end that with `;`"),
        ("function(return){ 1 }", "expected a parameter, or `)`, but found `return`", "reserved"),
        ("x.not", "expected a name behind `.`, but found `not`", "reserved"),
        ("ent:", "expected a name behind `ent:`, but found `}`", ""),
    ],
)
def test_what_is_said_of_mistakes(text, message, hint):
    with pytest.raises(KrlSyntaxError) as caught:
        expression(text)
    assert caught.value.diagnostics[0].message == message
    assert hint in caught.value.diagnostics[0].hint
    assert bool(hint) == bool(caught.value.diagnostics[0].hint)


NESTS = (
    *(
        "({})",
        "[{}]",
        '{{"a": {}}}',
        "f({})",
        "not {}",
        "-{}",
        "x{{{}}}",
        "<<#{{{}}}>>",
        "function(){{ {} }}",
    ),
    *(
        "a => b | {}",
        "a => ({}) | b",
        "({} + 1)",
        "function(a = {}){{ 1 }}",
        "defaction(){{ f({}) }}",
        "1 * ({})",
    ),
)


@pytest.mark.parametrize("nest", NESTS)
def test_nesting_has_a_limit_and_a_clear_error(nest):
    def nested(levels: int) -> str:
        text = "1"
        for _ in range(levels):
            text = nest.format(text)
        return text

    assert expression(nested(30))
    with pytest.raises(KrlSyntaxError, match=r"more than 100 levels .* `nesting_max_levels`"):
        expression(nested(101))
    with pytest.raises(KrlSyntaxError, match="more than 100 levels"):
        expression(nested(20_000))


@pytest.mark.parametrize("chain", [" + a", ".f()", "{a}", "[0]", "(a)", ".f"])
def test_chains_nest_as_well(chain):
    assert expression("a" + chain * 45)
    with pytest.raises(KrlSyntaxError, match="more than 100 levels"):
        expression("a" + chain * 20_000)


def test_long_lists_do_not_nest():
    assert expression("[" + "a," * 5_000 + "]")
    assert expression("f(" + "a + b," * 5_000 + ")")
