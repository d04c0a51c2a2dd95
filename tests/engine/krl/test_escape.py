"""There is no way out of a ruleset: not by a name, not by a value, not by a text that something formats."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from pico_engine.errors import EngineError
from pico_engine.krl import KrlSyntaxError, compile_ruleset
from pico_engine.krl.runtime import NAMES
from tests.engine.krl.picos import Krl, ruleset, values

PYTHON = sorted(
    {*dir(builtins), "run", "self", "event", "settings", "instance", "pico", "engine"} - {"map", "chr"}
)
"""Names that Python, or the code around, would know."""
STANDARD = {"all", "any", "range", "filter", "reversed", "slice", "set", "ord", "sorted", "isnull", "noop"}


@pytest.mark.parametrize(
    "name", [one for one in PYTHON if one not in STANDARD and one not in {"True", "None"}]
)
def test_names_of_python_mean_nothing(name: str) -> None:
    with pytest.raises(KrlSyntaxError):
        compile_ruleset(ruleset(f"global {{ it = function(){{ {name} }} }}"))


@pytest.mark.parametrize("name", sorted(NAMES)[::7])
def test_names_of_helpers_mean_nothing_until_declared(name: str) -> None:
    with pytest.raises(KrlSyntaxError):
        compile_ruleset(ruleset(f"global {{ it = function(){{ {name}(1) }} }}"))
    assert values(f"{name} + 1", f"{name} = 41 ") == 42, "and then they are only the author's"


@pytest.mark.parametrize(
    "name", ["v1_x", "t1", "f1", "r1", "k_create", "run", "__builtins__", "__class__", "$", "k_ent"]
)
def test_names_that_generated_code_might_have_are_the_authors(name: str) -> None:
    text = f"{name} = function(a){{ a * 2 }} "
    assert values(f'{name}({name}(5)) + ""', text) == "20"
    assert values(f"other = function({name}){{ {name} + 1 }}; other(1)") == 2


ATTRIBUTES = [
    "__class__",
    "__globals__",
    "__init__",
    "constructor",
    "prototype",
    "__proto__",
    "pico",
    "body",
    "call",
]


@pytest.mark.parametrize("name", ATTRIBUTES)
@pytest.mark.parametrize("value", ["1", '"text"', "[1]", '{"a": 1}', "re#a#", "f", "null", "true", "map"])
def test_values_have_no_attributes(name: str, value: str) -> None:
    def probe(expression: str) -> Any:
        try:
            return values(expression, "f = function(){ 1 } ")
        except EngineError as error:
            return error.what

    assert probe(f"({value}).{name}") is None or value == "null"
    assert probe(f'({value}){{"{name}"}}') is None
    assert probe(f'({value}){{["{name}", "__globals__", "os"]}}') is None
    assert probe(f'({value})["{name}"]') is None


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_keys_of_maps_are_only_keys(name: str) -> None:
    assert values(f'{{}}.put("{name}", {{"a": 1}}).put(["{name}", "b"], 2)') == {name: {"a": 1, "b": 2}}
    assert values(f'{{"{name}": 5}}.keys()') == [name]
    krl = Krl(
        ruleset(
            f"global {{ it = function(){{ ent:{name} }} }} "
            f"rule r {{ select when a b always {{ ent:{name} := 7 }} }}",
            "shares it",
        )
    )
    krl.event("a:b")
    assert krl.query("it") == 7


@pytest.mark.parametrize(
    "text",
    [
        "{0.__class__}",
        "%(__class__)s",
        "{run.pico}",
        "%s%s%s%n",
        "{}",
        "${run}",
        "#{run}",
        "\\x00",
        "\ud800".encode("utf-8", "replace").decode(),
    ],
)
def test_texts_are_not_formatted(text: str) -> None:
    quoted = text.replace("\\", "\\\\")
    assert values(f'"{quoted}"') == text
    assert values(f'"{quoted}" + 1') == text + "1"
    assert values(f'x = "{quoted}"; <<#{{x}}>>') == text
    assert values(f'"{quoted}".uc().lc()') == text.upper().lower()


def test_sprintf_knows_its_own_marks_only() -> None:
    assert (
        values('"a".sprintf("{0.__class__} %s %(x)s %9999999999d")') == "{0.__class__} a %(x)s %9999999999d"
    )


@pytest.mark.parametrize(
    "domain", ["os", "sys", "builtins", "__import__", "run", "engine", "app", "pico", "krl"]
)
def test_there_are_no_other_modules(domain: str) -> None:
    with pytest.raises(EngineError):
        values(f"{domain}:system")
    with pytest.raises(EngineError):
        values(f'{domain}:system("id")')


@pytest.mark.parametrize("name", ["__class__", "MEMBERS", "call", "invocable", "keys", "get_", "__getitem__"])
def test_modules_have_their_members_only(name: str) -> None:
    for domain in ("event", "ctx", "meta", "schedule", "http"):
        with pytest.raises(EngineError):
            values(f"{domain}:{name}")


def test_arguments_reach_parameters_only() -> None:
    """Names of arguments come from outside: a query's, an event's."""
    krl = Krl(ruleset("global { it = function(a){ a } }", "shares it"))
    hostile = {"run": 1, "self": 2, "__class__": 3, "t1": 4, "0": 5, "v1_a": 6, "body": 7}
    assert krl.query("it", hostile) == 5, "the first by position, as ever"
    assert krl.query("it", {**hostile, "a": 8}) == 8
    with pytest.raises(KrlSyntaxError):
        compile_ruleset(ruleset("global { it = function(a){ it(run = 1, 2) } }"))
    assert values("f(run = 1, __class__ = 2, a = 3)", "f = function(a){ a } ") == 3


def test_builtins_cannot_be_had_from_compiled_code() -> None:
    program = compile_ruleset(ruleset("global { it = 1 }")).program
    scope = program.create.__globals__
    assert scope["__builtins__"] == {}
    assert set(scope) == {*NAMES, "__builtins__", "k_create"}


def test_odd_letters_in_names_are_refused_or_plain() -> None:
    for name in ("ｒｕｎ", "é", "a\u200bb", "ℌ", "\u0456f", "a\u0301"):  # noqa: RUF001 - look-alikes
        with pytest.raises(KrlSyntaxError):
            compile_ruleset(ruleset(f"global {{ {name} = 1 }}"))


def test_a_ruleset_sees_only_its_own_variables() -> None:
    mine = ruleset(
        "global { it = function(){ ent:secret } } rule r { select when a b always { ent:secret := 1 } }",
        "shares it",
        "a",
    )
    other = ruleset("global { it = function(){ [ent:secret, ent:a] } }", "shares it", "b")
    krl = Krl(mine, other)
    krl.event("a:b")
    assert krl.query("it", rid="a") == 1
    assert krl.query("it", rid="b") == [None, None]


def test_what_a_ruleset_is_given_cannot_be_changed() -> None:
    """Values have no operators that change them, and the kept ones are frozen besides."""
    krl = Krl(
        ruleset(
            'rule r { select when a b pre { x = event:attrs.put("n", 2) y = event:attrs{"l"}.append(3) } '
            'every { send_directive("d", {"attrs": event:attrs, "x": x, "y": y}) } }'
        )
    )
    (options,) = krl.options("a:b", {"n": 1, "l": [1]})
    assert options == {"attrs": {"n": 1, "l": [1]}, "x": {"n": 2, "l": [1]}, "y": [1, 3]}
