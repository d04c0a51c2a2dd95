"""The nodes of the tree: frozen, compared by value, matched by the order of their fields."""

from __future__ import annotations

import pytest

from pico_engine.krl import syntax
from pico_engine.krl.syntax import Identifier, Infix, Node, Number, Span, Unary

SPAN = Span(0, 1)
NODES = [
    one
    for one in vars(syntax).values()
    if isinstance(one, type) and issubclass(one, Node) and one is not Node
]


def test_nodes_are_compared_by_class_and_value():
    assert Identifier(SPAN, "a") == Identifier(SPAN, "a")
    assert hash(Identifier(SPAN, "a")) == hash(Identifier(SPAN, "a"))
    assert Identifier(SPAN, "a") != Identifier(SPAN, "b")
    assert Identifier(SPAN, "a") != Identifier(Span(1, 2), "a")
    assert Identifier(SPAN, "a") != syntax.RulesetId(SPAN, "a")


def test_nodes_say_what_they_are():
    assert repr(Identifier(SPAN, "a")) == "Identifier(span=Span(start=0, stop=1), name='a')"


@pytest.mark.parametrize("node", NODES, ids=lambda one: one.__name__)
def test_nodes_begin_with_their_span_and_are_frozen(node):
    assert node.__match_args__[0] == "span"
    made = node(SPAN, *[None] * (len(node.__match_args__) - 1))
    for name in node.__match_args__:
        with pytest.raises(AttributeError):
            setattr(made, name, 1)
        with pytest.raises(AttributeError):
            delattr(made, name)
    with pytest.raises(AttributeError):
        made.other = 1


def test_fields_may_be_given_by_name_and_left_out_where_they_have_a_value():
    event = syntax.EventOperator(SPAN, "or", events=())
    assert event.count is None
    with pytest.raises(TypeError):
        Unary(SPAN, "-")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Unary(SPAN, "-", Number(SPAN, 1), 2)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Unary(SPAN, op="-", operand=Number(SPAN, 1), other=2)  # type: ignore[call-arg]


def test_nodes_are_matched_by_position():
    match Infix(SPAN, "+", Number(SPAN, 1), Number(SPAN, 2)):
        case Infix(span, op, Number(_, one), Number(value=two)):
            assert (span, op, one, two) == (SPAN, "+", 1, 2)
        case _:
            pytest.fail("no match")
