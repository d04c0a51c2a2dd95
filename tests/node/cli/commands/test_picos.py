"""`pico new|ls|show|rm`."""

from __future__ import annotations

import builtins
import sys

import pytest

from pico_node.cli.commands import picos
from pico_node.cli.exits import Exit
from tests.node.cli.commands.helpers import DID, all_are_in, check

PICO = {
    "did": DID, "name": "kitchen", "parent": None, "children": [{"did": DID, "name": "oven"}],
    "rulesets": [{"rid": "r", "version": "1", "available": False}],
    "channels": [{"id": "e1", "tags": ["a"], "doors": ["http"]}], "connections": [], "schedule": [],
}  # fmt: skip

CASES = [
    (
        "pico new oven --parent kitchen --ruleset a --ruleset b",
        ("pico_new", {"name": "oven", "parent": "kitchen", "rulesets": ["a", "b"]}),
        {"did": DID},
        DID,
    ),
    ("pico new oven", ("pico_new", {"name": "oven"}), {"did": DID}, DID),
    (
        "pico ls --limit 3",
        ("pico_list", {"limit": 3}),
        [{"did": DID, "name": "root", "children": 1, "depth": 0}],
        "root",
    ),
    ("pico show", ("pico_show", {"pico": ""}), PICO, "oven"),
    ("pico show a/b", ("pico_show", {"pico": "a/b"}), PICO, "NO"),
    ("pico rm kitchen --yes", ("pico_delete", {"pico": "kitchen"}), {"deleted": [DID]}, "deleted did:key:"),
]


@pytest.mark.parametrize(("words", "call", "answer", "shown"), CASES)
async def test_what_is_asked_and_what_is_shown(shell, words, call, answer, shown):
    await check(shell, words, call, answer, shown)


def test_every_command_is_in_the_table():
    assert all_are_in(CASES, picos)


@pytest.mark.parametrize(
    ("answer", "expected", "calls"),
    [("yes", Exit.OK, 1), (" yes ", Exit.OK, 1), ("y", Exit.FAILED, 0), ("", Exit.FAILED, 0)],
)
async def test_a_person_is_asked_before_a_pico_is_deleted(shell, monkeypatch, answer, expected, calls):
    shell.node.answers["pico_delete"] = {"deleted": [DID]}
    asked = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(builtins, "input", lambda question: asked.append(question) or answer)
    code, _, error = await shell.run("pico", "rm", "kitchen")
    assert (code, len(shell.node.calls)) == (expected, calls)
    assert "kitchen" in asked[0]
    assert ("nothing was deleted" in error) == (calls == 0)
    assert (await shell.run("pico", "rm", "kitchen", "--yes"))[0] == Exit.OK
    assert len(asked) == 1


async def test_the_tree_is_seen_in_the_list(shell):
    shell.node.answers["pico_list"] = [
        {"did": "d1", "name": "root", "children": 1, "depth": 0},
        {"did": "d2", "name": "a\x1bb", "children": 0, "depth": 1},
    ]
    _, out, _ = await shell.run("pico", "ls")
    assert [line.split("  ")[0] or line[:3] for line in out.splitlines()] == ["NAME", "root", "  a"]
    assert "\x1b" not in out


async def test_a_pico_without_anything(shell):
    shell.node.answers["pico_show"] = {
        "name": "bare", "did": DID, "parent": None, "children": [], "rulesets": [], "channels": [],
    }  # fmt: skip
    _, out, _ = await shell.run("pico", "show", "bare")
    for part in (
        "parent  -",
        "no children",
        "no rulesets",
        "no channels",
        "0 connections, 0 scheduled events",
    ):
        assert part in out
