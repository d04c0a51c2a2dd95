"""Every command asks the node for what its words say, and shows the answer to people and programs."""

from __future__ import annotations

import json
import stat

import pytest

from pico_engine.errors import Busy, DeniedByPolicy, LimitExceeded, RulesetFailed, UnknownPico, WaitTimeout
from pico_node.cli.commands import COMMANDS, connections
from pico_node.cli.exits import Exit
from tests.node.http.helpers import TOKEN

DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
RULESET = b'from pico_engine import Ruleset\n\n\nclass Own(Ruleset, rid="org.example.own"):\n    pass\n'
PICO = {
    "did": DID, "name": "kitchen", "parent": None, "children": [{"did": DID, "name": "oven"}],
    "rulesets": [{"rid": "r", "version": "1", "available": False}],
    "channels": [{"id": "e1", "tags": ["a"], "doors": ["http"]}], "connections": [], "schedule": [],
}  # fmt: skip
CONNECTION = {"id": "c1", "pico": DID, "pico_name": "kitchen", "name": "n", "state": "established", "Tx": DID}
TURN = {
    "eid": "e1", "pico": DID, "time": 1_700_000_000_123, "kind": "event", "name": "a:b", "door": "http",
    "sender": None, "outcome": "done", "changed": ["ent.x"], "sent": [{"eci": "e2", "event": "c:d"}],
    "rules": [{"rid": "r", "rule": "s", "event": "a:b", "outcome": "fired", "detail": "why"}],
}  # fmt: skip

CASES = [
    (
        "status",
        ("status", {}),
        {"root": DID, "pid": 1, "http": "h", "peer_id": "p", "addresses": ["x", "y"]},
        "root",
    ),
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
    ("ruleset install org.x", ("ruleset_install", {"pico": "", "rid": "org.x"}), {"rid": "org.x"}, "org.x"),
    (
        'ruleset install kitchen org.x --config {"a":1}',
        ("ruleset_install", {"pico": "kitchen", "rid": "org.x", "config": {"a": 1}}),
        {"rid": "org.x"},
        "org.x",
    ),
    ("ruleset ls", ("ruleset_list", {}), [{"rid": "r", "version": "1", "name": "n"}], "r"),
    ("ruleset ls kitchen", ("ruleset_list", {"pico": "kitchen"}), [], "no rulesets"),
    (
        "ruleset rm org.x",
        ("ruleset_uninstall", {"pico": "", "rid": "org.x"}),
        {"rid": "org.x"},
        "uninstalled",
    ),
    ("channel new --tag a", ("channel_new", {"pico": "", "tags": ["a"]}), {"id": "e9"}, "e9"),
    (
        "channel new kitchen --allow-event a:* --deny-event a:b --allow-query */*",
        (
            "channel_new",
            {
                "pico": "kitchen",
                "tags": [],
                "event_policy": {
                    "allow": [{"domain": "a", "name": "*"}],
                    "deny": [{"domain": "a", "name": "b"}],
                },
                "query_policy": {"allow": [{"rid": "*", "name": "*"}], "deny": []},
            },
        ),
        {"id": "e9"},
        "e9",
    ),
    (
        "channel ls",
        ("channel_list", {"pico": ""}),
        [{"id": "e9", "tags": ["a"], "eventPolicy": {"allow": [{"domain": "x", "name": "*"}], "deny": []}}],
        "x:*",
    ),
    ("channel rm kitchen e9", ("channel_delete", {"pico": "kitchen", "eci": "e9"}), {"eci": "e9"}, "e9"),
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
    (
        "invite kitchen --name n --my-role host --their-role guest --label l --expires 2h",
        (
            "invite",
            {
                "pico": "kitchen",
                "name": "n",
                "my_role": "host",
                "their_role": "guest",
                "label": "l",
                "expires_s": 7200,
            },
        ),
        {"url": "https://x/?_oob=1", "id": "i"},
        "https://x/?_oob=1",
    ),
    ("invite", ("invite", {"pico": "", "expires_s": 604800}), {"url": "https://x/?_oob=1"}, "https://x"),
    ("accept https://x/?_oob=1", ("accept", {"pico": "", "url": "https://x/?_oob=1"}), {"id": "c1"}, "c1"),
    (
        "accept kitchen https://x --name n",
        ("accept", {"pico": "kitchen", "url": "https://x", "name": "n"}),
        {"id": "c1"},
        "c1",
    ),
    ("connections", ("connections", {}), [CONNECTION], "established"),
    ("connections kitchen", ("connections", {"pico": "kitchen"}), [], "no connections"),
    ("disconnect c1", ("connection_end", {"pico": "", "id": "c1"}), {"id": "c1"}, "c1"),
    (
        "logs kitchen --most 5",
        ("logs", {"pico": "kitchen", "most": 5}),
        [
            {
                "time": 1_700_000_000_123,
                "level": "info",
                "pico": DID,
                "rid": "r",
                "text": "hi",
                "data": {"a": 1},
            }
        ],
        "hi {",
    ),
    ("trace", ("traces", {"most": 20}), [TURN], "rule r/s on a:b: fired (why)"),
]


@pytest.mark.parametrize(("words", "call", "answer", "shown"), CASES)
async def test_every_command(shell, words, call, answer, shown):
    shell.node.answers[call[0]] = answer
    code, out, error = await shell.run(*words.split(" "))
    assert (code, error) == (Exit.OK, "")
    assert shell.node.calls == [("command", *call)]
    assert shown in out
    code, told = await shell.json(*words.split(" "))
    assert code == Exit.OK
    assert told == (answer | {"svg": told["svg"]} if call[0] == "invite" else answer)


def test_the_table_above_is_complete():
    elsewhere = {"up", "login", "completion"}
    words = {case[0] for case in CASES}
    for command in COMMANDS:
        assert command.name in elsewhere or any(one.startswith(command.name) for one in words), command.name


async def test_a_ruleset_file_is_copied_loaded_and_installed(shell, tmp_path):
    file = tmp_path / "own.py"
    file.write_bytes(RULESET)
    shell.node.answers["ruleset_load"] = {"known": ["org.example.own"]}
    code, out, _ = await shell.run("ruleset", "install", "kitchen", str(file))
    assert code == Exit.OK
    assert "org.example.own" in out
    copied = shell.home / "rulesets" / "own.py"
    assert copied.read_bytes() == RULESET
    assert stat.S_IMODE(copied.stat().st_mode) == 0o600
    assert stat.S_IMODE(copied.parent.stat().st_mode) == 0o700
    assert shell.node.calls == [
        ("command", "ruleset_load", {}),
        ("command", "ruleset_install", {"pico": "kitchen", "rid": "org.example.own"}),
    ]
    file.write_bytes(RULESET + b"# newer\n")
    assert (await shell.run("ruleset", "install", str(file)))[0] == Exit.OK
    assert copied.read_bytes().endswith(b"# newer\n")
    assert [one.name for one in copied.parent.iterdir()] == ["own.py"]


async def test_a_ruleset_that_the_node_cannot_load(shell, tmp_path):
    file = tmp_path / "own.py"
    file.write_bytes(RULESET)
    shell.node.answers["ruleset_load"] = {"known": []}
    code, _, error = await shell.run("ruleset", "install", str(file))
    assert code == Exit.NODE_ERROR
    assert "could not load org.example.own" in error


@pytest.mark.parametrize(
    ("name", "source", "part"),
    [
        ("own.py", b"class Own:\n    pass\n", "defines no ruleset"),
        ("own.py", b"class (", "not valid Python"),
        ("own.py", b"\xff\xfe", "not valid Python"),
        ("my own.py", RULESET, "no name of a Python module"),
        ("missing.py", None, "cannot read"),
        ("own.py", b"#" * 1_048_577, "larger than"),
    ],
)
async def test_files_that_are_no_rulesets(shell, tmp_path, name, source, part):
    if source is not None:
        (tmp_path / name).write_bytes(source)
    code, _, error = await shell.run("ruleset", "install", str(tmp_path / name))
    assert code == Exit.USAGE
    assert part in error
    assert not (shell.home / "rulesets").exists()
    assert shell.node.calls == []


async def test_a_link_for_the_browser(shell):
    code, told = await shell.json("login")
    assert code == Exit.OK
    assert told["url"].startswith("http://127.0.0.1:")
    assert "/login?code=" in told["url"]


async def test_qr_codes(shell, tmp_path, monkeypatch):
    shell.node.answers["invite"] = {"url": "https://x/?_oob=" + "a" * 900}
    file = tmp_path / "code.svg"
    code, out, _ = await shell.run("invite", "--qr", str(file))
    assert code == Exit.OK
    assert "█" not in out
    assert file.read_text().lstrip().startswith("<?xml")
    monkeypatch.setattr(connections, "room", lambda: (200, 100))
    code, out, _ = await shell.run("invite")
    assert "█" in out
    assert "\x1b" not in out
    monkeypatch.setattr(connections, "room", lambda: (80, 24))
    assert "█" not in (await shell.run("invite"))[1]
    assert (await shell.run("invite", "--qr", "code.jpg"))[0] == Exit.USAGE


async def test_a_strangers_text_does_not_drive_the_terminal(shell):
    shell.node.answers["logs"] = [
        {"time": 0, "level": "info", "pico": DID, "text": "\x1b]0;owned\x07\x9b31m"}
    ]
    _, out, _ = await shell.run("logs")
    assert "owned" in out
    assert not {"\x1b", "\x07", "\x9b"} & set(out)


ERRORS = [
    (UnknownPico("no pico x"), Exit.NOT_FOUND),
    (DeniedByPolicy("no"), Exit.REFUSED),
    (LimitExceeded("too much"), Exit.LIMIT),
    (RulesetFailed("broken"), Exit.NODE_ERROR),
    (WaitTimeout("silence"), Exit.TIMEOUT),
    (Busy("full"), Exit.TRY_LATER),
]


@pytest.mark.parametrize(("error", "expected"), ERRORS)
async def test_errors_of_the_node(shell, error, expected):
    shell.node.error = error
    code, out, told = await shell.run("status")
    assert (code, out) == (expected, "")
    assert str(error) in told
    assert error.hint in told
    code, out, told = await shell.run("status", "--json")
    assert (code, out) == (expected, "")
    assert json.loads(told) == {
        "error": {"code": error.code, "exit": expected, "message": str(error), "hint": error.hint}
    }


async def test_no_node(shell):
    (shell.home / "node.json").unlink()
    code, told = await shell.json("status")
    assert code == Exit.NODE_NOT_RUNNING
    assert told["error"]["code"] == "node-not-running"
    assert "picomesh up" in told["error"]["hint"]


@pytest.mark.parametrize(
    "content",
    ['{"http": "http://127.0.0.1:1", "pid": 999999999}', '{"http": "http://127.0.0.1:1", "pid": PID}',
     "{", "[]", '{"http": "ftp://x:1", "pid": PID}', '{"http": "nothing", "pid": PID}'],
)  # fmt: skip
async def test_a_node_file_that_leads_nowhere(shell, content):
    import os

    (shell.home / "node.json").write_text(content.replace("PID", str(os.getpid())))
    assert (await shell.json("status"))[0] == Exit.NODE_NOT_RUNNING


async def test_a_wrong_token(shell):
    (shell.home / "token").write_text("u" * 43)
    code, told = await shell.json("status")
    assert (code, told["error"]["code"]) == (Exit.REFUSED, "unauthorized")
    assert TOKEN not in str(told)


async def test_an_unreadable_token(shell):
    (shell.home / "token").unlink()
    assert (await shell.json("status"))[0] == Exit.FAILED
