"""`event` and `query`: pairs of attributes, where they go, what comes back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_node.cli.commands import messages
from pico_node.cli.commands.messages import read_pairs
from pico_node.cli.errors import UsageError
from tests.node.cli.commands.helpers import all_are_in, check

CASES = [
    (
        'event @ a:b c=1 d:=2 --json-attrs {"c":0,"e":null}',
        ("event", {"target": "", "name": "a:b", "attrs": {"c": "1", "d": 2, "e": None}}),
        {"eid": "e1", "directives": [{"name": "say", "options": {"x": 1}, "meta": {"rid": "r"}}]},
        'say {"x": 1}',
    ),
    (
        "event e9 a:b --timeout 5 c=1 c=2",
        ("event", {"target": "e9", "name": "a:b", "attrs": {"c": ["1", "2"]}}),
        {"eid": "e1", "directives": []},
        "event e1",
    ),
    (
        "query kitchen r q n:=1",
        ("query", {"target": "kitchen", "rid": "r", "name": "q", "args": {"n": 1}}),
        {"result": [1]},
        "1",
    ),
    (
        "query c1 r q --json-args [1] --pico kitchen",
        ("query", {"target": "c1", "rid": "r", "name": "q", "args": [1], "pico": "kitchen"}),
        {"result": None},
        "null",
    ),
]


@pytest.mark.parametrize(("words", "call", "answer", "shown"), CASES)
async def test_what_is_asked_and_what_is_shown(shell, words, call, answer, shown):
    await check(shell, words, call, answer, shown)


def test_every_command_is_in_the_table():
    assert all_are_in(CASES, messages)


@given(
    st.dictionaries(
        st.text(min_size=1).filter(lambda key: "=" not in key and not key.endswith(":")), st.text()
    )
)
def test_pairs_are_read_back(pairs):
    assert read_pairs([f"{key}={value}" for key, value in pairs.items()]) == pairs


@given(st.lists(st.text(), min_size=1))
def test_a_key_that_comes_again_makes_a_list(values):
    found = read_pairs([f"key={value}" for value in values])["key"]
    assert found == (values[0] if len(values) == 1 else values)


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_values_of_json(value):
    assert read_pairs([f"key:={json.dumps(value)}"]) == {"key": value}


def test_only_the_first_sign_cuts():
    assert read_pairs(["a=b=c", "d:e=f", "g:=[1]"]) == {"a": "b=c", "d:e": "f", "g": [1]}


@pytest.mark.parametrize("pair", ["", "a", "=b", ":=1", "a:=", "a:=x"])
def test_what_is_no_pair(pair):
    with pytest.raises(UsageError) as caught:
        read_pairs([pair])
    assert caught.value.hint


@pytest.mark.parametrize("words", ["query e r q a=1 --json-args [1]", "query e r q --json-args 3"])
async def test_arguments_that_do_not_go_together(shell, words):
    code, _, error = await shell.run(*words.split())
    assert (code, shell.node.calls) == (2, [])
    assert "--json-args" in error


async def test_pairs_win_over_json(shell):
    shell.node.answers["query"] = {"result": None}
    await shell.run("query", "e", "r", "q", "a=1", "--json-args", '{"a": 0, "b": 2}')
    assert shell.node.calls[0][2]["args"] == {"a": "1", "b": 2}
