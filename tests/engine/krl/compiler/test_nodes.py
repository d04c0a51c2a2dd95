"""Python nodes with KRL's places."""

from __future__ import annotations

import ast

import pytest

from pico_engine.krl.compiler.nodes import CompileError, Maker
from pico_engine.krl.syntax import Null, Span
from pico_engine.limits import KrlLimits

TEXT = "one\ntwo three\n\nfour"


@pytest.mark.parametrize(
    ("offset", "place"),
    [(0, (1, 0)), (3, (1, 3)), (4, (2, 0)), (8, (2, 4)), (14, (3, 0)), (15, (4, 0)), (19, (4, 4))],
)
def test_lines_and_columns(offset: int, place: tuple[int, int]) -> None:
    assert Maker(TEXT, KrlLimits(nesting_max_levels=9)).place(offset) == place


def test_nodes_stand_where_their_krl_stands() -> None:
    make = Maker(TEXT, KrlLimits(nesting_max_levels=9))
    with make.at(Null(Span(4, 13))):
        outer = make.constant(1)
        with make.at(Null(Span(8, 13))):
            inner = make.run("k_list", make.list([]))
        after = make.name("t1")
    for node, place in ((outer, (2, 0, 2, 9)), (inner, (2, 4, 2, 9)), (after, (2, 0, 2, 9))):
        assert (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset) == place


def test_nesting_has_a_limit_and_a_place() -> None:
    make = Maker(TEXT, KrlLimits(nesting_max_levels=2))
    with (
        make.at(Null(Span(0, 3))),
        make.at(Null(Span(4, 7))),
        pytest.raises(CompileError, match="2 levels") as caught,
        make.at(Null(Span(8, 13))),
    ):
        pass
    assert caught.value.span == Span(8, 13)


def test_what_is_made_is_python() -> None:
    make = Maker("", KrlLimits(nesting_max_levels=9))
    body = [
        make.assign("t1", make.remember("t2", make.map(["a"], [make.constant(None)]))),
        make.when(make.both([make.name("t1"), make.negated(make.name("t2"))]), []),
        make.loop(
            ["t3", "t4"], make.run("k_pairs", make.tuple([make.constant("x")])), [make.do(make.name("t3"))]
        ),
        make.back(
            make.either(make.same(make.name("t1"), make.constant(1)), make.name("t2"), make.name("t1"))
        ),
    ]
    function = make.function("f1", ["t5", "v6_a"], body, "k_undefined")
    assert [line.strip() for line in ast.unparse(function).splitlines()] == [
        "def f1(t5, v6_a=k_undefined):",
        "t1 = (t2 := {'a': None})",
        "if t1 and (not t2):",
        "pass",
        "for t3, t4 in k_pairs(run, ('x',)):",
        "t3",
        "return t2 if t1 == 1 else t1",
    ]
    assert ast.unparse(make.identical(make.name("t1"), make.name("t2"))) == "t1 is t2"
    compile(ast.Module([function], []), "x", "exec")
