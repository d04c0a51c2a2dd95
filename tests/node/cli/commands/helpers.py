"""What the tests of commands share: a DID, one way to check a command, and that no command is forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from types import ModuleType
from typing import Any

from pico_node.cli.context import Context
from pico_node.cli.exits import Exit

DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"

Case = tuple[str, tuple[str, dict[str, Any]], Any, str]
"""The words, what the node is asked, what it answers, and a part of what a person is shown."""


async def check(shell, words: str, call: tuple[str, dict[str, Any]], answer: Any, shown: str) -> None:
    """Run a command twice: for a person, and with --json, which prints the node's answer unchanged."""
    shell.node.answers[call[0]] = answer
    code, out, error = await shell.run(*words.split(" "))
    assert (code, error) == (Exit.OK, "")
    assert shell.node.calls == [("command", *call)]
    assert shown in out
    code, told = await shell.json(*words.split(" "))
    assert code == Exit.OK
    assert told == (answer | {"svg": told["svg"]} if call[0] == "invite" else answer)


def all_are_in(cases: Iterable[Case], module: ModuleType, but: Collection[str] = ()) -> bool:
    """Whether every command of the module has a case; those in `but` are tested in another way."""
    words = [case[0] for case in cases]
    return all(
        command.name in but or any(one == command.name or one.startswith(f"{command.name} ") for one in words)
        for command in module.COMMANDS
    )


def context(tmp_path, **values: Any) -> Context:
    """What a command is run with, for tests that need no node."""
    return Context({"home": tmp_path, "json": False, "timeout": 1, **values})
