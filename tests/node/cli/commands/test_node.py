"""`up`, `status`, `login`: the node itself."""

from __future__ import annotations

import sys
import webbrowser
from types import SimpleNamespace

import pytest

from pico_node.cli.commands import node
from pico_node.cli.exits import Exit
from pico_node.options import UpOptions
from tests.node.cli.commands.helpers import DID, all_are_in, check, context

CASES = [
    (
        "status",
        ("status", {}),
        {"root": DID, "pid": 1, "http": "h", "peer_id": "p", "addresses": ["x", "y"]},
        "root",
    ),
    (
        "mediation",
        ("mediation", {}),
        {"mediator": {"did": DID, "invitation": "didcomm://x"}, "mediated_by": None},
        "mediator did",
    ),
]


@pytest.mark.parametrize(("words", "call", "answer", "shown"), CASES)
async def test_what_is_asked_and_what_is_shown(shell, words, call, answer, shown):
    await check(shell, words, call, answer, shown)


def test_every_command_is_in_the_table():
    assert all_are_in(CASES, node, but={"up", "login"})


async def test_a_link_for_the_browser(shell):
    code, told = await shell.json("login")
    assert code == Exit.OK
    assert told["url"].startswith("http://127.0.0.1:")
    assert "/login?code=" in told["url"]


async def test_the_browser_is_opened_if_asked(shell, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    _, told = await shell.json("login")
    assert opened == []
    _, told = await shell.json("login", "--browser")
    assert opened == [told["url"]]
    _, out, _ = await shell.run("login")
    assert "good once, for" in out


def test_up_hands_every_option_to_the_node(tmp_path, monkeypatch):
    started = []
    serve = SimpleNamespace(run=lambda options: started.append(options) or 3)
    monkeypatch.setitem(sys.modules, "pico_node.serve", serve)
    given = {option.dest: option.default for option in node.COMMANDS[0].options}
    given |= {"browser": False, "allowed_host": ("a",), "log_level": "debug"}
    assert node.up(context(tmp_path, **given)) == 3
    assert started == [UpOptions(home=tmp_path, open_browser=False, allowed_hosts=("a",), log_level="debug")]


async def test_what_a_status_holds_beyond_the_known_comes_last(shell):
    shell.node.answers["status"] = {"zeal": 1, "anew": 2, "pid": 3, "root": DID}
    _, out, _ = await shell.run("status")
    assert [line.split()[0] for line in out.splitlines()] == ["root", "pid", "anew", "zeal"]
