"""Generated code is refused unless it is made of what the compiler makes."""

from __future__ import annotations

import ast

import pytest

from pico_engine.krl import parse
from pico_engine.krl.compiler import compile_tree
from pico_engine.krl.runtime import ARITIES, NAMES
from pico_engine.krl.verify import NODES, Unverified, verify
from pico_engine.limits import KrlLimits
from tests.engine.krl.picos import ruleset


def wrapped(code: str) -> str:
    return "def k_create(run):\n" + "\n".join(f"    {line}" for line in code.split("\n"))


def check(code: str) -> None:
    verify(ast.parse(wrapped(code)), NAMES)


DANGEROUS = {
    "attribute": "k_list.__globals__",
    "attribute of a constant": "'a'.format",
    "attribute assigned": "run.pico = 1",
    "import": "import os",
    "import from": "from os import system",
    "index": "run[0]",
    "slice": "run[0:1]",
    "lambda": "lambda: 1",
    "comprehension": "[v1_x for v1_x in k_pairs(run, 1)]",
    "set comprehension": "{v1_x for v1_x in k_pairs(run, 1)}",
    "map comprehension": "{v1_x: 1 for v1_x in k_pairs(run, 1)}",
    "generator": "k_list(v1_x for v1_x in k_pairs(run, 1))",
    "yield": "yield 1",
    "yield from": "yield from k_list(run, [])",
    "f-string": "f'{run}'",
    "f-string format": "f'{run:>9999999}'",
    "arithmetic": "1 + 1",
    "repetition": "'a' * 1000000000",
    "power": "9 ** 9",
    "format by percent": "'%s' % run",
    "minus": "-1",
    "inversion": "~1",
    "or": "1 or 2",
    "not equal": "1 != 2",
    "less": "1 < 2",
    "in": "1 in run",
    "is not": "run is not run",
    "set": "{1}",
    "star": "k_list(*run)",
    "star in a list": "[*run]",
    "double star": "k_map(**run)",
    "star in a map": "{**run}",
    "named argument": "k_list(run, items=[])",
    "with": "with run: pass",
    "try": "try:\n    pass\nexcept Exception:\n    pass",
    "try star": "try:\n    pass\nexcept* Exception:\n    pass",
    "raise": "raise run",
    "assert": "assert run",
    "while": "while 1: pass",
    "break": "for (v1_x, v2_y) in k_pairs(run, 1): break",
    "continue": "for (v1_x, v2_y) in k_pairs(run, 1): continue",
    "loop over a name": "for (v1_x, v2_y) in run: pass",
    "loop with else": "for (v1_x, v2_y) in k_pairs(run, 1): pass\nelse: pass",
    "loop into a name": "for v1_x in k_pairs(run, 1): pass",
    "delete": "del run",
    "global": "global v1_x",
    "nonlocal": "def f1(t1):\n    nonlocal run",
    "class": "class v1_x: pass",
    "async function": "async def f1(t1): pass",
    "await": "await run",
    "decorator": "@k_list\ndef f1(t1): pass",
    "annotation": "def f1(t1: run): pass",
    "annotated result": "def f1(t1) -> run: pass",
    "annotated assignment": "v1_x: run = 1",
    "changed in place": "v1_x += 1",
    "unpacked": "v1_x, v2_y = 1, 2",
    "assigned list": "[v1_x] = k_list(run, [])",
    "parameters without end": "def f1(*t1): pass",
    "parameters by name": "def f1(*, t1=1): pass",
    "named parameters without end": "def f1(**t1): pass",
    "positional parameters": "def f1(t1, /): pass",
    "default that is no helper's name": "def f1(t1, v1_x=[]): pass",
    "match": "match run:\n    case 1: pass",
    "bytes": "b'a'",
    "complex": "1j",
    "ellipsis": "...",
    "unicode mark": "u'a'",
    "builtin": "eval",
    "builtin call": "eval('1')",
    "builtins": "__builtins__",
    "import function": "__import__('os')",
    "dunder": "__class__",
    "unknown helper": "k_evil(run)",
    "helper assigned": "k_list = 1",
    "helper defined": "def k_list(run): pass",
    "helper as a parameter": "def f1(k_list): pass",
    "k_create called": "k_create(run)",
    "call of a call": "k_call(run)(run)",
    "call of a variable": "v1_x()",
    "call of run": "run()",
    "foreign name": "os",
    "foreign letters": "v1_\u00fc",
    "name without its number": "v_x",
    "key that is no text": "k_map(run, {1: 2})",
    "key that is computed": "k_map(run, {run: 2})",
}


@pytest.mark.parametrize("code", DANGEROUS.values(), ids=DANGEROUS)
def test_dangerous_code_is_refused(code: str) -> None:
    with pytest.raises(Unverified):
        check(code)


@pytest.mark.parametrize(
    "code",
    ["", "def other(run): pass", "def k_create(run): pass\ndef k_create(run): pass", "k_create = 1", "1"],
)
def test_only_one_function_may_stand_outside(code: str) -> None:
    with pytest.raises(Unverified):
        verify(ast.parse(code), NAMES)


@pytest.mark.parametrize(
    "code",
    [
        "k_list(run, [1, 'a', None, True, 1.5])",
        "v1_x = (t2 := run)",
        "def f1(t1, v1_x=k_undefined): return v1_x",
    ],
)
def test_what_the_compiler_makes_passes(code: str) -> None:
    check(code)


OLD = {"Num", "Str", "Bytes", "NameConstant", "Ellipsis", "Index", "ExtSlice"}
"""Kinds of older Pythons, which make others when they are called."""


def test_every_kind_of_node_but_those_named_is_refused() -> None:
    """Whatever Python's syntax has, or will have."""
    kinds = [one for one in vars(ast).values() if isinstance(one, type) and issubclass(one, ast.AST)]
    refused = 0
    for kind in kinds:
        if kind in NODES or kind.__module__ != "ast" or kind.__name__ in OLD:
            continue
        try:
            node = kind()
        except TypeError:
            continue
        module = ast.parse(wrapped("pass"))
        module.body[0].body[0] = node  # type: ignore[attr-defined]
        with pytest.raises(Unverified):
            verify(module, NAMES)
        refused += 1
    assert refused > 60


def test_compiled_rulesets_pass() -> None:
    text = ruleset('global { a = function(x, y = 2){ x => y | [x, {"y": y}] } } rule r { select when a b }')
    module, _ = compile_tree(parse(text), text, ARITIES, KrlLimits())
    verify(module, NAMES)
    assert {type(node) for node in ast.walk(module)} <= NODES
