"""`ruleset install|ls|rm`: also brings a file of one's own into the node."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_node.cli.commands import rulesets
from pico_node.cli.errors import UsageError
from pico_node.cli.exits import Exit
from tests.node.cli.commands.helpers import all_are_in, check

RULESET = b'from pico_engine import Ruleset\n\n\nclass Own(Ruleset, rid="org.example.own"):\n    pass\n'

CASES = [
    ("ruleset install org.x", ("ruleset_install", {"pico": "", "rid": "org.x"}), {"rid": "org.x"}, "org.x"),
    (
        'ruleset install kitchen org.x --config {"a":1}',
        ("ruleset_install", {"pico": "kitchen", "rid": "org.x", "config": {"a": 1}}),
        {"rid": "org.x"},
        "org.x",
    ),
    (
        "ruleset install kitchen https://x.example/a.krl",
        ("ruleset_install", {"pico": "kitchen", "url": "https://x.example/a.krl"}),
        {"rid": "org.a", "url": "https://x.example/a.krl"},
        "installed org.a from https://x.example/a.krl",
    ),
    (
        "ruleset install /nowhere/a.krl",
        ("ruleset_install", {"pico": "", "url": "file:///nowhere/a.krl"}),
        {"rid": "org.a", "url": "file:///nowhere/a.krl"},
        "org.a",
    ),
    (
        "ruleset flush /nowhere/a.krl",
        ("ruleset_flush", {"url": "file:///nowhere/a.krl"}),
        {"rid": "org.a", "hash": "00ff", "warnings": ["careful"]},
        "careful",
    ),
    ("ruleset urls", ("ruleset_urls", {}), [{"rid": "org.a", "hash": "00ff", "url": "file:///a"}], "org.a"),
    ("ruleset ls", ("ruleset_list", {}), [{"rid": "r", "version": "1", "name": "n"}], "r"),
    ("ruleset ls kitchen", ("ruleset_list", {"pico": "kitchen"}), [], "no rulesets"),
    (
        "ruleset rm org.x",
        ("ruleset_uninstall", {"pico": "", "rid": "org.x"}),
        {"rid": "org.x"},
        "uninstalled",
    ),
]


@pytest.mark.parametrize(("words", "call", "answer", "shown"), CASES)
async def test_what_is_asked_and_what_is_shown(shell, words, call, answer, shown):
    await check(shell, words, call, answer, shown)


def test_every_command_is_in_the_table():
    assert all_are_in(CASES, rulesets)


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


FILE = Path("own.py")


def test_ids_are_found_without_running_the_file():
    source = (
        RULESET
        + b"""
raise SystemExit("this must not run")
class Second(Ruleset, rid="org.example.second", version="2"): ...
class Base(Ruleset): ...
class Computed(Ruleset, rid="org." + "x"): ...
class Number(Ruleset, rid=3): ...
def make():
    class Inner(Ruleset, rid="org.example.inner"): ...
"""
    )
    assert rulesets.rids_in(source, FILE) == ["org.example.own", "org.example.second"]


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_file_has_ids_or_is_refused(source):
    with contextlib.suppress(UsageError):
        assert rulesets.rids_in(source, FILE)


def test_a_file_that_cannot_be_replaced_is_as_it_was(tmp_path, monkeypatch):
    target = tmp_path / "own.py"
    target.write_bytes(RULESET)

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="full"):
        rulesets._write_private(target, b"new")
    assert [one.name for one in tmp_path.iterdir()] == ["own.py"]
    assert target.read_bytes() == RULESET
